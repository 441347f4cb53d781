//! What the kernel keeps on disks, and what people want of them.

pub mod errand;
mod errands;
pub mod fat;
pub mod files;
mod floor;
pub mod io;
pub mod layout;
pub mod measure;
pub mod region;
#[cfg(test)]
pub mod rig;

pub use errand::{Errand, Wish};
pub use errands::Errands;
pub use floor::Storage;
