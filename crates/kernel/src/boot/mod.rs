//! From the loader's hand-over to a running control loop, step by step.
//!
//! The order is the one in which each step needs the ones before it; a device that
//! is missing is noted with its reason and stops nothing.

pub mod description;
pub mod firmware_log;
pub mod hand_over;
pub mod pvh;

#[cfg(target_os = "none")]
mod control;
#[cfg(target_os = "none")]
mod cores;
#[cfg(target_os = "none")]
mod devices;
#[cfg(target_os = "none")]
mod interrupt_lines;
#[cfg(target_os = "none")]
pub mod loader;
#[cfg(target_os = "none")]
mod machine;
#[cfg(target_os = "none")]
mod notes;
#[cfg(target_os = "none")]
mod power;
#[cfg(target_os = "none")]
mod screen;
#[cfg(target_os = "none")]
mod start;
#[cfg(target_os = "none")]
mod tpm;
#[cfg(target_os = "none")]
mod watchdog;
#[cfg(target_os = "none")]
pub use notes::{LOG, TRACE};
#[cfg(target_os = "none")]
pub use power::reboot;
#[cfg(target_os = "none")]
pub use screen::write_in_emergency as write_to_screen_in_emergency;
#[cfg(target_os = "none")]
pub use start::{from_loader, from_pvh};
