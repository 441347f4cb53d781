//! What the kernel keeps on disks, and what people want of them.

mod archive;
pub mod errand;
mod errands;
mod floor;
pub mod io;
pub mod layout;
pub mod log;
pub mod measure;
pub mod region;
#[cfg(test)]
pub mod rig;

pub use archive::Archive;
pub use errand::{Errand, Wish};
pub use errands::Errands;
pub use floor::Storage;
