//! L2: devices, and what they give to the floors above.

pub mod acpi;
pub mod devices;
pub mod handlers;
pub mod input_queue;
pub mod pci;
pub mod ps2;
pub mod screen;
#[cfg(target_os = "none")]
pub mod serial;
pub mod tpm;
pub mod virtio;
