//! Writes a boot image to a USB stick, after everything that speaks against it was asked.

mod copy;
mod describe;
mod device;

use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

pub use self::device::{Device, Kind, Refusal, Use};
use crate::outcome::{Outcome, Unusable};
use crate::{image, kernel, workspace};

/// Write a boot image to a USB stick
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The whole device: /dev/sdb
    device: PathBuf,

    /// What the PC's firmware is; most of the last ten years are uefi
    #[arg(long, value_enum, default_value = "uefi")]
    boot: Firmware,

    /// Keys for rayos.cfg, separated by blanks: 'keymap=de log=debug'
    #[arg(long, value_name = "SETTINGS", default_value = "")]
    cmdline: String,

    /// Accept a loop device, for tests
    #[arg(long)]
    allow_loop: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Firmware {
    Bios,
    Uefi,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    // A device that is refused whatever the image is need not wait for one.
    check(&options.device, 0, options.allow_loop)?;
    let config = image::config::with_command_line(&options.cmdline);
    let images = image::build(&kernel::ensure()?, &config, &workspace::target())?;
    let image = match options.boot {
        Firmware::Bios => images.bios,
        Firmware::Uefi => images.uefi,
    };
    flash(
        &image,
        &options.device,
        options.allow_loop,
        &mut io::stdin().lock(),
        &mut io::stderr(),
    )?;
    Ok(Outcome::Success.into())
}

/// Asks, writes and compares. `answers` is the person, `screen` what the person sees.
pub fn flash(
    image: &Path,
    device: &Path,
    loop_is_allowed: bool,
    answers: &mut dyn BufRead,
    screen: &mut dyn Write,
) -> anyhow::Result<()> {
    let size = fs::metadata(image)
        .with_context(|| format!("{} cannot be read", image.display()))?
        .len();
    let device = check(device, size, loop_is_allowed)?;
    confirm(&device, answers, screen)?;
    let mut shown_percent = None;
    let mut progress = |step: copy::Step, bytes: u64| {
        let percent = bytes * 100 / size.max(1);
        if shown_percent.replace((step, percent)) != Some((step, percent)) {
            let word = if step == copy::Step::Writing {
                "writing"
            } else {
                "comparing"
            };
            // A terminal that is gone does not stop a half-written stick from becoming whole.
            let _ = write!(screen, "\r{word} {percent:3} %   ");
            let _ = screen.flush();
        }
    };
    copy::write(image, &device.path, &mut progress)?;
    copy::compare(image, &device.path, &mut progress)?;
    writeln!(
        screen,
        "\rdone: {} holds RayOS, and reads back as it was written.\n\
         To change its settings, unplug it, plug it in again and edit rayos.cfg on the partition RAYOS.\n\
         To boot it, choose the stick in the PC's boot menu (often F12, F11 or Esc); secure boot must be off.",
        device.name()
    )?;
    Ok(())
}

/// The device, when nothing speaks against overwriting it.
fn check(path: &Path, needed_bytes: u64, loop_is_allowed: bool) -> anyhow::Result<Device> {
    let device = describe::describe(path)?;
    match device.refusal(needed_bytes, loop_is_allowed) {
        Some(refusal) => Err(Unusable::from(refusal).into()),
        None => Ok(device),
    }
}

/// Shows the device and has its name typed, so that nothing is overwritten by a slip.
fn confirm(
    device: &Device,
    answers: &mut dyn BufRead,
    screen: &mut dyn Write,
) -> anyhow::Result<()> {
    let name = device.name();
    let model = device.model.as_deref().unwrap_or("model unknown");
    write!(
        screen,
        "{}: {model}, {}\nEverything on it will be lost. Type {name} to go on: ",
        device.path.display(),
        readable_size(device.size_bytes)
    )?;
    screen.flush()?;
    let mut line = String::new();
    answers
        .read_line(&mut line)
        .context("the answer cannot be read")?;
    if line.trim() != name {
        bail!(Unusable(format!(
            "nothing was written, because the answer was not {name}"
        )));
    }
    Ok(())
}

/// As on the stick's label, in powers of ten.
fn readable_size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        1_000_000_000.. => (1_000_000_000, "GB"),
        _ => (1_000_000, "MB"),
    };
    format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Device {
        Device {
            path: PathBuf::from("/dev/sdq"),
            kind: Kind::Disk,
            model: Some("Kingston DataTraveler".to_string()),
            size_bytes: 31_457_280_000,
            sector_bytes: 512,
            is_removable: true,
            is_read_only: false,
            uses: Vec::new(),
        }
    }

    fn answer(text: &str) -> (anyhow::Result<()>, String) {
        let mut screen = Vec::new();
        let result = confirm(&device(), &mut text.as_bytes(), &mut screen);
        (result, String::from_utf8(screen).unwrap())
    }

    #[test]
    fn model_and_size_are_shown_before_the_name_is_asked_for() {
        let (result, screen) = answer("sdq\n");
        assert!(result.is_ok());
        assert!(
            screen.starts_with("/dev/sdq: Kingston DataTraveler, 31.4 GB\n"),
            "{screen}"
        );
    }

    #[test]
    fn anything_but_the_name_writes_nothing() {
        for text in ["", "\n", "y\n", "yes\n", "sdb\n", "/dev/sdq1\n"] {
            let error = answer(text).0.unwrap_err();
            assert!(
                error.is::<Unusable>() && error.to_string().starts_with("nothing was written"),
                "{error}"
            );
        }
    }
}
