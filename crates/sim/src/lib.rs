//! Whole kernels on simulated machines.

pub mod framed;
mod machine;
mod wire;
mod world;

pub use machine::{Settings, SimMachine};
pub use wire::Wire;
pub use world::World;
