//! Whole kernels on simulated machines.

mod asking;
pub mod dhcp;
mod disk;
pub mod framed;
mod frames;
pub mod life;
mod machine;
mod offload;
pub mod scenario;
mod screen;
pub mod segment;
mod tpm;
mod wire;
mod world;

pub use disk::{DiskFaults, DiskModel, DiskMood, DiskSettings, SimDisk};
pub use machine::{Settings, SimMachine};
pub use screen::TextScreen;
pub use tpm::{SimTpm, TpmSettings};
pub use wire::Wire;
pub use world::World;
