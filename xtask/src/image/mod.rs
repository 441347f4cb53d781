//! Disk images that a PC boots: a kernel, the boot loader and `rayos.cfg` in one file for BIOS and one for UEFI.

mod builder;
mod compiler;
pub mod config;
pub mod files;
mod loader;
mod uefi_hand_over;

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, ensure};

pub use self::compiler::available as boot_loader_compiler;

use self::builder::Builder;
use crate::deadline::Deadline;
use crate::outcome::Outcome;
use crate::workspace::Scratch;
use crate::{kernel, process, workspace};

/// Stripping a kernel or writing two images of a few megabytes.
const STEP_WITHIN: Duration = Duration::from_secs(120);

/// Becomes the label of the boot partition; a label has eleven letters and is filled up with blanks.
const LABEL: &str = "RAYOS      ";

/// Make the disk images for BIOS and UEFI machines
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Keys for rayos.cfg, separated by blanks: 'keymap=de log=debug'
    #[arg(long, default_value = "")]
    cmdline: String,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    let images = build(
        &kernel::ensure()?,
        &config::with_command_line(&options.cmdline),
        &workspace::target(),
    )?;
    println!("{}", images.bios.display());
    println!("{}", images.uefi.display());
    Ok(Outcome::Success.into())
}

/// The images of one kernel and one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    pub bios: PathBuf,
    pub uefi: PathBuf,
}

/// Builds what takes minutes, so that images are made in no time afterwards.
pub fn prepare() -> anyhow::Result<()> {
    builder::ensure().map(|_| ())
}

/// The images for a machine that is booted with these settings. Each configuration has a directory of its own, so
/// that tests side by side do not make the same file from different texts in turns.
pub fn for_boot(kernel: &Path, settings: &str) -> anyhow::Result<Images> {
    let config = config::with_command_line(settings);
    let mut hasher = DefaultHasher::new();
    config.hash(&mut hasher);
    let directory = workspace::cache()
        .join("images")
        .join(format!("{:016x}", hasher.finish()));
    build(kernel, &config, &directory)
}

/// Makes the images in `out_dir`, or finds them there made from the same kernel and configuration.
pub fn build(kernel: &Path, config: &str, out_dir: &Path) -> anyhow::Result<Images> {
    let builder = builder::ensure()?;
    let images = Images {
        bios: out_dir.join("rayos-bios.img"),
        uefi: out_dir.join("rayos-uefi.img"),
    };
    let stamp = out_dir.join("rayos-images.stamp");
    let inputs = inputs(kernel, config, &builder)?;
    if fs::read_to_string(&stamp).is_ok_and(|old| old == describe(inputs, &images)) {
        return Ok(images);
    }

    // Made elsewhere and moved into place whole: whoever boots an image meanwhile has the old one or the new one.
    let nursery = Nursery::beside(out_dir)?;
    let fresh = Images {
        bios: nursery.0.join("bios"),
        uefi: nursery.0.join("uefi"),
    };
    write_images(&builder, kernel, config, &fresh)?;
    let description = describe(inputs, &fresh);
    for (from, to) in [(&fresh.bios, &images.bios), (&fresh.uefi, &images.uefi)] {
        fs::rename(from, to).with_context(|| format!("{} cannot be replaced", to.display()))?;
    }
    fs::write(&stamp, description)
        .with_context(|| format!("{} cannot be written", stamp.display()))?;
    Ok(images)
}

fn write_images(
    builder: &Builder,
    kernel: &Path,
    config: &str,
    images: &Images,
) -> anyhow::Result<()> {
    let scratch = Scratch::new().context("no scratch directory can be made")?;
    // The loader reads the whole file through the firmware, and keeps it in memory while the kernel starts; what
    // only a debugger wants stays in the kernel's own file.
    let stripped = scratch.path().join(LABEL);
    let mut objcopy = Command::new(&builder.objcopy);
    step(
        objcopy.arg("--strip-all").arg(kernel).arg(&stripped),
        "the kernel cannot be stripped",
    )?;

    let config_file = scratch.path().join("rayos.cfg");
    fs::write(&config_file, config).context("the configuration cannot be written")?;
    let mut program = Command::new(&builder.program);
    step(
        program
            .arg(&stripped)
            .arg(&config_file)
            .arg(&images.bios)
            .arg(&images.uefi),
        "the disk images cannot be made",
    )
}

fn step(command: &mut Command, failure: &str) -> anyhow::Result<()> {
    let said = process::ask(command, Deadline::after(STEP_WITHIN))?;
    ensure!(said.success, "{failure}: {}", said.stderr.trim());
    Ok(())
}

fn inputs(kernel: &Path, config: &str, builder: &Builder) -> anyhow::Result<u64> {
    let mut hasher = DefaultHasher::new();
    fs::read(kernel)
        .with_context(|| format!("the kernel {} cannot be read", kernel.display()))?
        .hash(&mut hasher);
    config.hash(&mut hasher);
    builder.identity.hash(&mut hasher);
    Ok(hasher.finish())
}

/// Equal text: the images were made from these inputs, and nobody wrote to them since.
fn describe(inputs: u64, images: &Images) -> String {
    let mut text = format!("{inputs:016x}\n");
    for image in [&images.bios, &images.uefi] {
        let (size, changed_ns) = fs::metadata(image).map_or((0, 0), |data| {
            let changed = data
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            (data.len(), changed.unwrap_or_default().as_nanos())
        });
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{size} {changed_ns}");
    }
    text
}

/// A directory on the same file system as another, gone after use.
struct Nursery(PathBuf);

impl Nursery {
    fn beside(directory: &Path) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".rayos-images-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Nursery(path))
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        // Left behind, it is a hidden directory in the target directory, which `cargo clean` removes.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_somebody_wrote_to_is_made_anew() {
        let scratch = Scratch::new().unwrap();
        let images = Images {
            bios: scratch.path().join("bios"),
            uefi: scratch.path().join("uefi"),
        };
        fs::write(&images.bios, "bios").unwrap();
        fs::write(&images.uefi, "uefi").unwrap();
        let description = describe(1, &images);
        assert_eq!(description, describe(1, &images));
        assert_ne!(description, describe(2, &images));
        fs::write(&images.uefi, "longer").unwrap();
        assert_ne!(description, describe(1, &images));
    }

    #[test]
    fn a_nursery_is_gone_after_use() {
        let scratch = Scratch::new().unwrap();
        let nursery = Nursery::beside(scratch.path()).unwrap();
        let path = nursery.0.clone();
        fs::write(path.join("bios"), "half").unwrap();
        drop(nursery);
        assert!(scratch.path().exists() && !path.exists());
    }
}
