//! What the kernel keeps on disks, and what people want of them.

pub mod errand;
mod errands;
pub mod io;
pub mod region;
#[cfg(test)]
pub mod rig;
pub mod volumes;

pub use errand::{Errand, Wish};
pub use errands::Errands;
