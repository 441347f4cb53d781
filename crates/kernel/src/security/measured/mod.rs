//! What this machine was booted from, measured.

mod bank;
pub mod boot;
mod code_hash;
pub mod format;
pub mod log;
mod measurement;
pub mod phase;
pub mod record;
mod report;
pub mod request;
pub mod verify;

pub use boot::MeasuredBoot;
pub use measurement::{MeasureError, Measurement};

#[cfg(test)]
mod tests;
