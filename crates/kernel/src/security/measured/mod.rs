//! What this machine was booted from, measured.

pub mod algorithm;
pub mod bank;
pub mod format;
pub mod log;
#[cfg(test)]
mod tests;
pub mod verify;
