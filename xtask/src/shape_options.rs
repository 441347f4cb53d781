//! The options that choose a machine, the same for every subcommand that boots one.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::qemu::devices::{self, Backend};
use crate::qemu::{Boot, Platform, Shape, TpmInterface, kept_disk, tpm};
use crate::workspace;

#[derive(clap::Args, Clone, Debug)]
pub struct ShapeOptions {
    /// How the kernel is loaded
    #[arg(long, value_enum, default_value = "pvh")]
    pub boot: Boot,

    /// How many cores the machine has
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=255))]
    pub smp: u32,

    /// How much memory the machine has, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(16..))]
    pub mem: u32,

    /// Settings for the kernel: key=value, separated by blanks
    #[arg(long, value_name = "SETTINGS", default_value = "")]
    pub cmdline: String,

    /// A file of settings that QEMU hands to the kernel; the command line's settings count more
    #[arg(long, value_name = "FILE")]
    pub initrd: Option<PathBuf>,

    /// The board
    #[arg(long, value_enum, default_value = "q35")]
    pub machine: Platform,

    /// What the network device is connected to: user, none, tap=NAME or socket=FILE
    #[arg(long, value_name = "NET", default_value = "user")]
    pub net: Net,

    /// The network device's hardware address
    #[arg(long, value_name = "ADDRESS", default_value = devices::HARDWARE_ADDRESS)]
    pub mac: String,

    /// A raw disk image instead of the one that is kept under the target directory
    #[arg(long, value_name = "FILE")]
    pub disk: Option<PathBuf>,

    /// Give the machine a TPM, and how it is reached
    #[arg(long, value_enum, value_name = "INTERFACE")]
    pub tpm: Option<TpmInterface>,

    /// The TPM's seeds and storage, instead of those that are kept under the target directory
    #[arg(long, value_name = "DIR", requires = "tpm")]
    pub tpm_state: Option<PathBuf>,

    /// Leave out network, disk, virtual display, keyboard, console and entropy
    #[arg(long)]
    pub no_devices: bool,

    /// Say how QEMU is called and where the machine's second console is
    #[arg(long)]
    pub verbose: bool,
}

/// What `--net` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net(Option<Backend>);

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let backend = match text.split_once('=') {
            None if text == "user" => Some(Backend::User),
            None if text == "none" => None,
            Some(("tap", name)) if !name.is_empty() => Some(Backend::Tap(name.to_string())),
            Some(("socket", path)) if !path.is_empty() => Some(Backend::Stream(path.into())),
            _ => return Err("it is user, none, tap=NAME or socket=FILE".to_string()),
        };
        Ok(Net(backend))
    }
}

impl ShapeOptions {
    /// The machine without devices.
    pub fn shape(&self) -> Shape {
        let mut shape = Shape::new(self.boot)
            .cores(self.smp)
            .memory_mib(self.mem)
            .platform(self.machine);
        shape.initrd = self.initrd.clone();
        if self.cmdline.is_empty() {
            shape
        } else {
            shape.setting(&self.cmdline)
        }
    }

    /// The machine with all devices that are wanted and possible.
    pub fn equipped_shape(&self) -> anyhow::Result<Shape> {
        let mut shape = self.shape();
        if let Some(interface) = self.tpm {
            shape = with_tpm(shape, interface, self.tpm_state.as_deref())?;
        }
        if self.no_devices {
            return Ok(shape);
        }
        if self.machine == Platform::Microvm {
            if self.verbose {
                eprintln!("microvm has no slots for devices; this machine has none");
            }
            return Ok(shape);
        }
        let disk = match &self.disk {
            Some(path) => path.clone(),
            None => {
                let disk = kept_disk::take(&workspace::cache().join("disks"))?;
                shape.held.push(disk.lock);
                disk.image
            }
        };
        shape
            .virtio
            .extend(devices::usual(self.net.0.clone(), &self.mac, &disk));
        Ok(shape)
    }
}

/// The machine with a TPM whose state is this directory, or else the first kept one that no other machine holds.
pub fn with_tpm(
    mut shape: Shape,
    interface: TpmInterface,
    state: Option<&Path>,
) -> anyhow::Result<Shape> {
    let state = match state {
        // swtpm runs elsewhere than the user's shell stands, for all it knows.
        Some(state) => std::path::absolute(state)?,
        None => {
            let (state, lock) = tpm::take_state(&workspace::cache().join("tpm"))?;
            shape.held.push(lock);
            state
        }
    };
    Ok(shape.tpm(interface, &state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_named_by_its_kind() {
        assert_eq!("none".parse(), Ok(Net(None)));
        assert_eq!(
            "tap=t0".parse(),
            Ok(Net(Some(Backend::Tap("t0".to_string()))))
        );
        assert_eq!(
            "socket=/s".parse(),
            Ok(Net(Some(Backend::Stream("/s".into()))))
        );
        for text in ["", "tap", "tap=", "users", "bridge=b"] {
            assert!(text.parse::<Net>().is_err(), "{text}");
        }
    }
}
