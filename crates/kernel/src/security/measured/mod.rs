//! What this machine was booted from, measured.

pub mod algorithm;
pub mod bank;
mod code_hash;
pub mod format;
pub mod log;
pub mod measurement;
pub mod phase;
pub mod record;
pub mod verify;

#[cfg(test)]
mod tests;
