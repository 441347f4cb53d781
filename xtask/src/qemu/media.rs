//! What a machine boots from: the kernel itself, a boot image, the UEFI firmware.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::shape::{Boot, Shape};
use crate::image;
use crate::outcome::Unusable;

/// Code and variable store of OVMF, in the places where Debian and Ubuntu put them; the 4 MiB pair first.
const FIRMWARE: &[(&str, &str)] = &[
    (
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    (
        "/usr/share/OVMF/OVMF_CODE.fd",
        "/usr/share/OVMF/OVMF_VARS.fd",
    ),
];

/// The firmware's code and the template of its variables, when it is installed.
pub fn firmware() -> Option<(&'static Path, &'static Path)> {
    FIRMWARE
        .iter()
        .map(|(code, variables)| (Path::new(*code), Path::new(*variables)))
        .find(|(code, variables)| code.exists() && variables.exists())
}

/// What a shape boots.
#[derive(Clone, Debug)]
pub enum Payload {
    Kernel(PathBuf),
    /// A whole disk with boot loader, kernel and settings.
    Image(PathBuf),
}

impl Payload {
    /// The payload for a shape, out of this kernel.
    pub fn prepare(shape: &Shape, kernel: &Path) -> anyhow::Result<Payload> {
        match shape.boot {
            Boot::Pvh => Ok(Payload::Kernel(kernel.to_path_buf())),
            Boot::Bios => Ok(Payload::Image(
                image::for_boot(kernel, &shape.command_line)?.bios,
            )),
            Boot::Uefi => Ok(Payload::Image(
                image::for_boot(kernel, &shape.command_line)?.uefi,
            )),
        }
    }

    /// The arguments that boot it. What the firmware writes lands in `scratch`.
    pub fn arguments(&self, shape: &Shape, scratch: &Path) -> anyhow::Result<Vec<OsString>> {
        let image = match self {
            Payload::Kernel(kernel) => return Ok(shape.direct_boot_arguments(kernel)),
            Payload::Image(image) => image,
        };
        let mut arguments = shape.image_arguments(image);
        if shape.boot == Boot::Uefi {
            let (code, template) = firmware().ok_or_else(|| {
                Unusable(
                    "no UEFI firmware is installed; `cargo xtask doctor --install` installs ovmf"
                        .to_string(),
                )
            })?;
            let variables = scratch.join("variables.fd");
            fs::copy(template, &variables).context("the firmware's variables cannot be copied")?;
            arguments.extend(Shape::firmware_arguments(code, &variables));
        }
        Ok(arguments)
    }
}
