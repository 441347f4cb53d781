//! L2: devices, and what they give to the floors above.

pub mod acpi;
#[cfg(target_os = "none")]
pub mod serial;
