//! What the kernel keeps on disks, and what people want of them.

pub mod errand;
mod errands;
pub mod fat;
pub mod files;
mod floor;
mod home;
pub mod io;
pub mod layout;
pub mod log;
mod logs;
pub mod measure;
pub mod pool;
pub mod region;
mod retry;
#[cfg(test)]
pub mod rig;
mod shelf;
pub mod volumes;

pub use errand::{Errand, Wish};
pub use errands::Errands;
pub use floor::Storage;
pub use home::Home;
pub use logs::Logs;
