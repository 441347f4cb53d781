//! PCI: finding functions, reading what they are, giving them addresses.
//!
//! Configuration space is read when a function is found, started or unplugged, and never
//! on the way of a frame or a sector. What it says is a stranger's word: every offset,
//! count and chain is bounded.

pub mod address;
pub mod assign;
pub mod bars;
pub mod capabilities;
pub mod class;
pub mod config;
pub mod enumerate;
#[cfg(test)]
pub mod fake;
pub mod function;
pub mod hot_plug;
#[cfg(target_os = "none")]
pub mod legacy;
pub mod messages;
#[cfg(test)]
mod tests;
