//! `bench boot`: from starting QEMU to RayOS's prompt, and to the first process of a Linux guest.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;

use super::comparison::{Bench, Comparison, Contender, Sample};
use super::linux;
use crate::deadline::Deadline;
use crate::kernel;
use crate::qemu::{Boot, Machine, Payload, Platform, Shape};
use crate::session::{Line, PROMPT, Terminal};

const START_WITHIN: Duration = Duration::from_secs(30);
const BOOT_WITHIN: Duration = Duration::from_secs(60);

/// A quiet kernel with one console that trusts the processor's random numbers.
const LINUX_COMMAND_LINE: &str = "console=ttyS0 quiet panic=-1 random.trust_cpu=on tsc=reliable";

/// Boards, and the promised ratio on each.
const BOARDS: &[(Platform, &str, f64)] = &[
    (Platform::Q35, "q35", 0.25),
    (Platform::Microvm, "microvm", 0.10),
];

pub fn bench() -> anyhow::Result<Bench> {
    let rayos = kernel::ensure()?;
    let guest = linux::Guest::prepare()?;
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
            linux_shape(*platform, &guest.initramfs),
            guest.kernel.clone(),
            linux::MARKER,
        ),
        ratio_max: *ratio_max,
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

fn linux_shape(platform: Platform, initramfs: &Path) -> Shape {
    let shape = shape(platform)
        .setting(LINUX_COMMAND_LINE)
        .device(&["-initrd", &initramfs.to_string_lossy()]);
    match host_clock_khz() {
        Some(khz) => shape.setting(&format!("tsc_early_khz={khz}")),
        None => shape,
    }
}

/// The rate of the processor's time stamp counter, which a guest under emulation shares.
///
/// Linux wants it told: measuring it against an emulated timer takes time, and on a busy host it fails, after which
/// Linux on microvm waits for ever for a timer that is not there.
fn host_clock_khz() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let rates = text
        .lines()
        .filter_map(|line| line.strip_prefix("cpu MHz")?.split_once(':'));
    let megahertz = rates
        .filter_map(|(_, rate)| rate.trim().parse::<f64>().ok())
        .fold(0.0, f64::max);
    (megahertz > 0.0).then_some((megahertz * 1000.0) as u64)
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
        Ok(Sample {
            time: started.elapsed(),
            command_line,
        })
    };
    Contender {
        name: name.to_string(),
        measure: Box::new(measure),
    }
}
