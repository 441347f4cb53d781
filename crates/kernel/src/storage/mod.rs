//! What the kernel keeps on disks, and what people want of them.

pub mod errand;
mod errands;
pub mod io;
pub mod log;
pub mod region;
#[cfg(test)]
pub mod rig;

pub use errand::{Errand, Wish};
pub use errands::Errands;
