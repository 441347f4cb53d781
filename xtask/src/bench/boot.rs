//! `bench boot`: from starting QEMU to RayOS's prompt, and to the first process of a Linux guest.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::comparison::{Bench, Comparison, Contender, Sample};
use super::linux;
use super::quantity::{Promise, Unit};
use crate::deadline::Deadline;
use crate::kernel;
use crate::qemu::{Boot, Machine, Payload, Platform, Shape};
use crate::session::{Line, PROMPT, Session, Terminal};

const START_WITHIN: Duration = Duration::from_secs(30);
const BOOT_WITHIN: Duration = Duration::from_secs(60);

/// A quiet kernel with one console that trusts the processor's random numbers and its clock.
const LINUX_COMMAND_LINE: &str = "console=ttyS0 quiet panic=-1 random.trust_cpu=on tsc=reliable";

/// Boards, and the promised ratio on each.
const BOARDS: &[(Platform, &str, f64)] = &[
    (Platform::Q35, "q35", 0.25),
    (Platform::Microvm, "microvm", 0.10),
];

pub fn bench() -> anyhow::Result<Bench> {
    let rayos = kernel::ensure()?;
    let guest = linux::Guest::prepare()?;
    let clock_khz = measure_clock_khz()?;
    let comparisons = BOARDS.iter().map(|(platform, name, ratio_max)| Comparison {
        conditions: name.to_string(),
        ours: until(
            "RayOS, to its prompt",
            shape(*platform),
            rayos.clone(),
            PROMPT,
        ),
        peer: until(
            &format!("Linux {}, to its first process", guest.version),
            linux_shape(*platform, &guest.initramfs, clock_khz),
            guest.kernel.clone(),
            linux::MARKER,
        ),
        unit: Unit::Time,
        promise: Promise::AtMost(*ratio_max),
    });
    Ok(Bench {
        name: "boot",
        notes: vec![
            format!("Times run from the start of QEMU's process to the bytes {PROMPT:?} or {:?} on the serial line.", linux::MARKER),
            "QEMU's flags differ only in kernel, initrd and append. Linux has busybox in an uncompressed initramfs, is told to be quiet, and is told the rate of its clock instead of having to measure it.".to_string(),
        ],
        comparisons: comparisons.collect(),
    })
}

fn shape(platform: Platform) -> Shape {
    Shape::new(Boot::Pvh)
        .platform(platform)
        .cores(1)
        .memory_mib(256)
}

fn linux_shape(platform: Platform, initramfs: &Path, clock_khz: u64) -> Shape {
    shape(platform)
        .setting(LINUX_COMMAND_LINE)
        .setting(&format!("tsc_early_khz={clock_khz}"))
        .device(&["-initrd", &initramfs.to_string_lossy()])
}

/// The rate of the guest's clock, as RayOS measures it. Linux is told, since on a busy host without a PM timer
/// (microvm) it often fails to find out and then stands still.
fn measure_clock_khz() -> anyhow::Result<u64> {
    let shape = shape(Platform::Q35).setting("shell=framed-json");
    let read = || -> Option<u64> {
        let answer = Session::start(&shape, START_WITHIN).ok()?.run("cpu").ok()?;
        let document: serde_json::Value = serde_json::from_str(&answer.output).ok()?;
        document["report"][0]["fields"]["clock_hz"].as_u64()
    };
    let hz = read().context("RayOS does not tell the clock's rate; try `cargo xtask exec cpu`")?;
    Ok(hz / 1_000)
}

/// A contender that boots this kernel and waits for this text on its serial line.
fn until(name: &str, shape: Shape, kernel: PathBuf, text: &'static str) -> Contender {
    let measure = move || {
        let machine = Machine::start(
            &shape,
            &Payload::Kernel(kernel.clone()),
            Deadline::after(START_WITHIN),
        )?;
        let (started, command_line) = (machine.started(), machine.command_line().to_string());
        let mut terminal = Terminal::over(Line::to_machine(machine)?);
        let serial_log = terminal.serial_log().to_path_buf();
        terminal
            .expect(text, BOOT_WITHIN)
            .map_err(|failure| anyhow!("{failure}; serial log: {}", serial_log.display()))?;
        Ok(Sample::time(started.elapsed(), command_line))
    };
    Contender {
        name: name.to_string(),
        measure: Box::new(measure),
    }
}
