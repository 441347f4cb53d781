//! QEMU: what machine to start (data), the process that runs it, and the protocol that controls it.

pub mod devices;
pub mod forward;
pub mod kept_disk;
mod machine;
mod media;
mod qmp;
mod shape;
pub mod tpm;

pub use machine::{Ending, Exit, Machine};
pub use media::{Payload, firmware};
pub use qmp::Qmp;
pub use shape::{Boot, Display, Medium, Platform, Shape, can_use_kvm};
pub use tpm::{Swtpm, TpmInterface};

/// The program that is started.
pub const PROGRAM: &str = "qemu-system-x86_64";
