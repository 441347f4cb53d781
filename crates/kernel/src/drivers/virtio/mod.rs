//! Virtio 1.x: what all its devices have in common, and the drivers of each.
//!
//! A device is a stranger: whatever it writes is checked before it is used, and the
//! first lie ends its session. No driver waits; each is asked again later.

pub mod block;
pub mod console;
pub mod entropy;
#[cfg(test)]
pub mod fake;
pub mod features;
pub mod gpu;
pub mod input;
pub mod lie;
pub mod negotiation;
pub mod network;
pub mod pci;
pub mod queue;
#[cfg(test)]
mod queue_tests;
#[cfg(test)]
mod storm;
pub mod transport;
