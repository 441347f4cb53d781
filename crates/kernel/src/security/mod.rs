//! L3: who may do what, what was done, and what this machine was booted from.

pub mod gate;
pub mod measured;
pub mod policy;

/// All of it that one machine has.
#[derive(Default)]
pub struct Security {
    pub policy: policy::Policy,
}
