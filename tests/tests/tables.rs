//! Does the kernel tell the same, and the truth, of every machine that it can be booted on?
//!
//! A usual run takes every number of cores in little and in much memory by the quick way in, and corners of the other
//! two ways; with `RAYOS_LONG` every combination.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use anyhow::{Context, ensure};
use rayos_tests::form;
use rayos_tests::report::{self, Report};
use serde_json::Value;
use xtask::qemu::{Boot, Platform, Shape};

const COMMANDS: [&str; 5] = ["version", "cpu", "mem", "threads", "limits"];
const CORES: [u32; 3] = [1, 2, 4];
const MEMORY_MIB: [u32; 2] = [64, 4096];

/// What a PC keeps for itself at its lower end, for video memory and firmware, and what QEMU puts its tables in.
const KEPT_BY_PC_BYTES: u64 = 1 << 20;
/// What OVMF keeps besides: the code and data that outlive the boot services, its variables, ACPI tables.
const KEPT_BY_UEFI_BYTES: u64 = 12 << 20;

/// A machine's answers to all the commands.
struct Machine {
    shape: Shape,
    reports: Vec<Report>,
}

impl Machine {
    fn ask(shape: &Shape) -> anyhow::Result<Machine> {
        let mut session = report::boot(shape)?;
        let reports = COMMANDS.map(|command| Report::ask(&mut session, command));
        Ok(Machine {
            shape: shape.clone(),
            reports: reports.into_iter().collect::<anyhow::Result<_>>()?,
        })
    }

    fn report(&self, command: &str) -> anyhow::Result<&Report> {
        let mut reports = self.reports.iter();
        let report = reports.find(|report| report.command == command);
        report.with_context(|| format!("{command} was not asked"))
    }
}

/// The machine that all others are compared with.
fn usual_machine() -> &'static Machine {
    static USUAL: OnceLock<Machine> = OnceLock::new();
    USUAL.get_or_init(|| Machine::ask(&Shape::new(Boot::Pvh)).unwrap())
}

/// Titles, keys, columns and units are the same, and so are the rows that do not depend on the machine.
fn tells_the_same(machine: &Machine, usual: &Machine) -> anyhow::Result<()> {
    for (report, expected) in machine.reports.iter().zip(&usual.reports) {
        let (outline, expected) = (report.outline()?, expected.outline()?);
        ensure!(
            outline == expected,
            "{}: {outline:#?}\ninstead of {expected:#?}",
            report.command
        );
    }
    for (command, title, columns) in [
        ("limits", "limits", &["name", "value", "reason"][..]),
        ("cpu", "features", &["feature"]),
    ] {
        for column in columns {
            let values = machine.report(command)?.column(title, column)?;
            let expected = usual.report(command)?.column(title, column)?;
            ensure!(
                values == expected,
                "{title}: {values:?} and not {expected:?}"
            );
        }
    }
    let version = |machine: &Machine| {
        Ok::<_, anyhow::Error>(machine.report("version")?.fields("version")?.clone())
    };
    ensure!(version(machine)? == version(usual)?, "another version");
    Ok(())
}

/// Every core that QEMU gave is there and runs.
fn tells_the_cores(machine: &Machine) -> anyhow::Result<()> {
    let cores = u64::from(machine.shape.cores);
    let cpu = machine.report("cpu")?;
    for key in ["cores_present", "cores_online"] {
        let told = cpu.number("processor", key)?;
        ensure!(told == cores, "{key} is {told}");
    }
    ensure!(cpu.number("processor", "clock_hz")? > 0, "no clock");
    let online = cpu.column("cores", "online")?;
    ensure!(
        online.len() as u64 == cores && online.iter().all(|is_online| **is_online == true),
        "cores online: {online:?}"
    );
    let ids: BTreeSet<String> = column_of_texts(cpu, "cores", "apic_id")?;
    ensure!(ids.len() as u64 == cores, "APIC identities: {ids:?}");
    Ok(())
}

/// The kernel's own threads, and an idle one for each core.
fn tells_the_threads(machine: &Machine) -> anyhow::Result<()> {
    let names = column_of_texts(machine.report("threads")?, "threads", "name")?;
    let idle = (0..machine.shape.cores).map(|core| format!("idle-{core}"));
    let own = ["control", "watchdog"].map(str::to_string);
    let expected: BTreeSet<String> = idle.chain(own).collect();
    let missing: Vec<&String> = expected.difference(&names).collect();
    ensure!(missing.is_empty(), "no threads {missing:?} in {names:?}");
    let others: Vec<&String> = names.difference(&expected).collect();
    ensure!(
        others.iter().all(|name| !name.starts_with("idle-")),
        "idle threads of cores that are not there: {others:?}"
    );
    Ok(())
}

/// The sum is what QEMU gave, less what firmware keeps, and each byte of it stands in one of the parts.
fn tells_the_memory(machine: &Machine) -> anyhow::Result<()> {
    let memory = machine.report("mem")?;
    let number = |key| memory.number("memory", key);
    let total = number("total_bytes")?;
    let given = u64::from(machine.shape.memory_mib) << 20;
    let kept_max = match machine.shape.boot {
        Boot::Pvh | Boot::Bios => KEPT_BY_PC_BYTES,
        Boot::Uefi => KEPT_BY_PC_BYTES + KEPT_BY_UEFI_BYTES,
    };
    ensure!(
        total <= given && given - total <= kept_max,
        "{total} bytes of {given}; {} are missing",
        given as i64 - total as i64
    );
    let parts = memory
        .fields("memory")?
        .keys()
        .filter(|key| *key != "total_bytes");
    let sum = parts.map(|key| number(key)).sum::<anyhow::Result<u64>>()?;
    ensure!(sum == total, "the parts are {sum} bytes of {total}");
    Ok(())
}

fn column_of_texts(report: &Report, title: &str, column: &str) -> anyhow::Result<BTreeSet<String>> {
    let values = report.column(title, column)?;
    Ok(values
        .into_iter()
        .map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect())
}

fn check(shape: &Shape) -> anyhow::Result<()> {
    let machine = Machine::ask(shape)?;
    tells_the_same(&machine, usual_machine())?;
    tells_the_cores(&machine)?;
    tells_the_threads(&machine)?;
    tells_the_memory(&machine)
}

fn check_all(shapes: &[Shape]) {
    let mut failures = Vec::new();
    for shape in shapes {
        if let Err(error) = check(shape) {
            let Shape {
                boot,
                platform,
                cores,
                memory_mib,
                processor,
                ..
            } = shape;
            failures.push(format!(
                "{boot:?} on {platform:?} with {cores} cores {processor} and {memory_mib} MiB: {error:#}"
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} failed:\n{}",
        failures.len(),
        shapes.len(),
        failures.join("\n")
    );
}

fn shape(boot: Boot, cores: u32, memory_mib: u32) -> Shape {
    Shape::new(boot).cores(cores).memory_mib(memory_mib)
}

fn every_size(boot: Boot) -> Vec<Shape> {
    let sizes = CORES
        .iter()
        .flat_map(|cores| MEMORY_MIB.map(|memory_mib| (*cores, memory_mib)));
    sizes
        .map(|(cores, memory_mib)| shape(boot, cores, memory_mib))
        .collect()
}

#[test]
fn the_kernel_booted_directly_tells_the_same_of_every_size_of_machine() {
    check_all(&every_size(Boot::Pvh));
}

#[test]
fn the_kernel_booted_by_bios_tells_the_same() {
    let corners = vec![shape(Boot::Bios, 1, 64), shape(Boot::Bios, 4, 4096)];
    check_all(&form::cases(corners, || every_size(Boot::Bios)));
}

#[test]
fn the_kernel_booted_by_uefi_tells_the_same() {
    let corners = vec![shape(Boot::Uefi, 4, 64), shape(Boot::Uefi, 1, 4096)];
    check_all(&form::cases(corners, || every_size(Boot::Uefi)));
}

#[test]
fn the_kernel_tells_the_same_on_every_board() {
    let boards = [Platform::Q35, Platform::Pc, Platform::Microvm];
    let mut shapes = Vec::new();
    for platform in boards {
        shapes.extend(
            every_size(Boot::Pvh)
                .into_iter()
                .map(|shape| shape.platform(platform)),
        );
    }
    let corners = boards.map(|platform| shape(Boot::Pvh, 2, 256).platform(platform));
    check_all(&form::cases(corners.to_vec(), || shapes));
}

#[test]
fn the_kernel_tells_the_same_on_every_processor() {
    let processors = ["Nehalem", "EPYC", "max"];
    check_all(&processors.map(|processor| shape(Boot::Pvh, 2, 256).processor(processor)));
}
