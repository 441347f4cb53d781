//! Builds the BIOS and the UEFI disk image from a kernel and a configuration file.
//!
//! `rayos-image KERNEL CONFIGURATION BIOS_IMAGE UEFI_IMAGE`, called by `cargo xtask image`. The configuration becomes
//! `rayos.cfg` on the boot partition: the file that the loader, as `cargo xtask image` builds it, hands to the kernel
//! where the original looks for `ramdisk`. The file name of KERNEL becomes the label of the boot partition.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use bootloader::DiskImageBuilder;
use bootloader_boot_config::{BootConfig, LevelFilter};

const CONFIGURATION_NAME: &str = "rayos.cfg";

fn main() -> ExitCode {
    match build(std::env::args_os().skip(1).map(PathBuf::from).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rayos-image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(arguments: Vec<PathBuf>) -> anyhow::Result<()> {
    let [kernel, configuration, bios_image, uefi_image]: [PathBuf; 4] = arguments
        .try_into()
        .map_err(|_| anyhow!("usage: rayos-image KERNEL CONFIGURATION BIOS_IMAGE UEFI_IMAGE"))?;
    let mut builder = DiskImageBuilder::new(kernel);
    builder.set_file(CONFIGURATION_NAME.to_string(), configuration);
    builder.set_boot_config(&loader_behaviour());
    builder
        .create_bios_image(&bios_image)
        .context("the BIOS image was not made")?;
    builder
        .create_uefi_image(&uefi_image)
        .context("the UEFI image was not made")
}

/// What the loader shows and how it sets the screen up.
fn loader_behaviour() -> BootConfig {
    // No least size is asked for: the UEFI stage would take the *last* mode of the firmware's list that is large
    // enough (2560x1600 in OVMF) instead of the one that suits the screen, and the BIOS stage has a size of its own.
    let mut behaviour = BootConfig::default();
    // The loader's own steps are noise in front of the kernel's first line, and drawing them costs boot time; what
    // goes wrong in it must still be seen by someone who has only a screen or only a serial port.
    behaviour.log_level = LevelFilter::Warn;
    behaviour.frame_buffer_logging = true;
    behaviour.serial_logging = true;
    behaviour
}
