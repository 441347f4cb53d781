//! L3: who may do what, what was done, and what this machine was booted from.

pub mod policy;

use policy::Policy;

/// All of it that one machine has.
#[derive(Default)]
pub struct Security {
    pub policy: Policy,
}
