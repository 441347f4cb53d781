//! The options that choose a machine, the same for every subcommand that boots one.

use crate::qemu::{Boot, Platform, Shape};

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

    /// The board
    #[arg(long, value_enum, default_value = "q35")]
    pub machine: Platform,
}

impl ShapeOptions {
    pub fn shape(&self) -> Shape {
        let shape = Shape::new(self.boot)
            .cores(self.smp)
            .memory_mib(self.mem)
            .platform(self.machine);
        if self.cmdline.is_empty() {
            shape
        } else {
            shape.setting(&self.cmdline)
        }
    }
}
