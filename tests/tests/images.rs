//! The disk images boot as they would from a stick: screen and keyboard, serial line, and an edited `rayos.cfg`.
//!
//! A usual run takes one image of each kind through its hardest corners; with `RAYOS_LONG` every combination.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_tests::boot_partition::{self, Firmware};
use rayos_tests::screen;
use xtask::deadline::Deadline;
use xtask::qemu::{Boot, Exit, Machine, Medium, Payload, Shape};
use xtask::session::{Line, PROMPT, Session, Terminal};
use xtask::workspace::Scratch;
use xtask::{image, kernel, suite};

/// A firmware and a kernel under emulation, beside other machines of the same test run.
const BOOT_WITHIN: Duration = Duration::from_secs(180);
const SCREEN_WITHIN: Duration = Duration::from_secs(60);
const END_WITHIN: Duration = Duration::from_secs(60);

const MEMORY_MIB: [u32; 2] = [64, 6 * 1024];
const CORES: [u32; 2] = [1, 8];
const PROCESSORS: [&str; 3] = ["Nehalem", "EPYC", "max"];

fn stick(boot: Boot, memory_mib: u32, cores: u32, processor: &str) -> Shape {
    Shape::new(boot)
        .medium(Medium::UsbStorage)
        .memory_mib(memory_mib)
        .cores(cores)
        .processor(processor)
}

fn name(shape: &Shape) -> String {
    let boot = if shape.boot == Boot::Bios {
        "bios"
    } else {
        "uefi"
    };
    let medium = if shape.medium == Medium::UsbStorage {
        "usb"
    } else {
        "disk"
    };
    format!(
        "{boot}-{medium}-{}mib-{}cores-{}",
        shape.memory_mib, shape.cores, shape.processor
    )
}

/// Boots, and uses both shells: a command over the serial line, the same one on screen and keyboard, then power off.
fn serves_both_shells(shape: &Shape) -> anyhow::Result<()> {
    let name = name(shape);
    let mut session = Session::boot_within(shape, BOOT_WITHIN)?;
    let answer = session.run("version")?;
    ensure!(answer.ok, "version failed: {}", answer.output);
    let line = answer
        .output
        .lines()
        .map(str::trim_end)
        .find(|line| !line.trim().is_empty());
    let line = line.context("version says nothing")?.to_string();

    let status = session.run("status")?;
    let online = status
        .output
        .lines()
        .find_map(|line| line.strip_prefix("cores online"));
    let cores = shape.cores.to_string();
    ensure!(
        online.map(str::trim) == Some(&cores),
        "not every core is online: {}",
        status.output
    );

    let machine = session.machine().context("the session has no machine")?;
    screen::wait_for_text(
        machine,
        &[PROMPT.trim_end()],
        &format!("{name}-prompt"),
        SCREEN_WITHIN,
    )?;
    screen::type_line(machine, "version")?;
    let typed = format!("{PROMPT}version");
    screen::wait_for_text(
        machine,
        &[&typed, &line],
        &format!("{name}-typed"),
        SCREEN_WITHIN,
    )?;

    ensure!(session.run("poweroff")?.ok, "poweroff failed");
    let ending = session.wait_for_end(END_WITHIN)?;
    ensure!(
        ending.exit == Exit::Success,
        "the machine ended with {ending:?}"
    );
    Ok(())
}

/// Runs every shape and fails with the name of each one that did not work.
fn all_serve_both_shells(shapes: &[Shape]) {
    let mut failures = Vec::new();
    for shape in shapes {
        match serves_both_shells(shape) {
            Ok(()) => println!("{}: ok", name(shape)),
            Err(error) => failures.push(format!("{}: {error:#}", name(shape))),
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

fn every_combination(boot: Boot, medium: Medium) {
    if std::env::var_os(suite::LONG_VARIABLE).is_none() {
        println!("skipped: every combination takes minutes; `cargo xtask test --long` runs them");
        return;
    }
    let mut shapes = Vec::new();
    for memory_mib in MEMORY_MIB {
        for cores in CORES {
            for processor in PROCESSORS {
                shapes.push(stick(boot, memory_mib, cores, processor).medium(medium));
            }
        }
    }
    all_serve_both_shells(&shapes);
}

#[test]
fn the_bios_image_boots_from_a_stick_in_little_and_in_much_memory() {
    all_serve_both_shells(&[
        stick(Boot::Bios, 64, 8, "Nehalem"),
        stick(Boot::Bios, 6 * 1024, 1, "EPYC"),
    ]);
}

#[test]
fn the_uefi_image_boots_from_a_stick_in_little_and_in_much_memory() {
    all_serve_both_shells(&[
        stick(Boot::Uefi, 64, 8, "max"),
        stick(Boot::Uefi, 6 * 1024, 1, "Nehalem"),
    ]);
}

#[test]
fn the_bios_image_boots_from_a_stick_in_every_combination() {
    every_combination(Boot::Bios, Medium::UsbStorage);
}

#[test]
fn the_uefi_image_boots_from_a_stick_in_every_combination() {
    every_combination(Boot::Uefi, Medium::UsbStorage);
}

#[test]
fn the_bios_image_boots_from_a_disk_in_every_combination() {
    every_combination(Boot::Bios, Medium::Ide);
}

#[test]
fn the_uefi_image_boots_from_a_disk_in_every_combination() {
    every_combination(Boot::Uefi, Medium::Ide);
}

/// An image of one's own to change, and the machine that boots it.
struct Edited {
    firmware: Firmware,
    image: PathBuf,
    _scratch: Scratch,
}

impl Edited {
    /// A fresh image with these settings, and then the change.
    fn new(
        firmware: Firmware,
        settings: &str,
        change: impl FnOnce(&Path, Firmware) -> anyhow::Result<()>,
    ) -> anyhow::Result<Edited> {
        let scratch = Scratch::new()?;
        let images = image::for_boot(&kernel::ensure()?, settings)?;
        let image = scratch.path().join("stick.img");
        fs::copy(firmware.image(&images), &image)?;
        change(&image, firmware)?;
        Ok(Edited {
            firmware,
            image,
            _scratch: scratch,
        })
    }

    fn boot(&self) -> anyhow::Result<Line> {
        let boot = if self.firmware == Firmware::Bios {
            Boot::Bios
        } else {
            Boot::Uefi
        };
        let payload = Payload::Image(self.image.clone());
        let machine = Machine::start(&Shape::new(boot), &payload, Deadline::after(BOOT_WITHIN))?;
        Line::to_machine(machine)
    }

    /// Whether the kernel got the configuration that makes the shell framed.
    fn has_framed_shell(&self) -> anyhow::Result<()> {
        let mut session = Session::over(self.boot()?);
        session.wait_until_ready(BOOT_WITHIN)?;
        ensure!(session.run("version")?.ok, "version failed");
        Ok(())
    }

    /// Whether the kernel runs with its defaults and says that it found no configuration.
    fn says_that_it_has_no_config(&self) -> anyhow::Result<()> {
        let mut terminal = Terminal::over(self.boot()?);
        terminal.expect(PROMPT, BOOT_WITHIN)?;
        terminal.send(b"status\r", END_WITHIN)?;
        terminal.expect("no rayos.cfg", END_WITHIN)?;
        Ok(())
    }
}

const BOTH: [Firmware; 2] = [Firmware::Bios, Firmware::Uefi];

#[test]
fn a_config_that_an_editor_has_replaced_is_in_force() {
    for firmware in BOTH {
        let replace = |image: &Path, firmware| {
            boot_partition::replace_config(image, firmware, "# mine\r\n\r\nshell=framed\r\n")
        };
        Edited::new(firmware, "", replace)
            .and_then(|edited| edited.has_framed_shell())
            .unwrap();
    }
}

#[test]
fn a_config_with_nothing_but_a_short_name_is_in_force() {
    for firmware in BOTH {
        let edited = Edited::new(
            firmware,
            "shell=framed",
            boot_partition::leave_short_name_only,
        );
        edited.and_then(|edited| edited.has_framed_shell()).unwrap();
    }
}

#[test]
fn a_missing_config_is_said_and_stops_nothing() {
    for firmware in BOTH {
        let edited = Edited::new(firmware, "shell=framed", boot_partition::delete_config);
        edited
            .and_then(|edited| edited.says_that_it_has_no_config())
            .unwrap();
    }
}

#[test]
fn an_empty_config_is_a_missing_one() {
    for firmware in BOTH {
        let empty = |image: &Path, firmware| boot_partition::replace_config(image, firmware, "");
        let edited = Edited::new(firmware, "shell=framed", empty);
        edited
            .and_then(|edited| edited.says_that_it_has_no_config())
            .unwrap();
    }
}
