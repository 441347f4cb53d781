//! L3: who may do what, what was done, and what this machine was booted from.

pub mod audit;
pub mod gate;
pub mod measured;
pub mod policy;

use audit::AuditTrail;
use audit::compliance::Compliance;
use gate::GateCounts;
use policy::Policy;

/// All of it that one machine has.
#[derive(Default)]
pub struct Security {
    pub policy: Policy,
    pub audit: AuditTrail,
    pub compliance: Compliance,
    gate: GateCounts,
    /// The state of the policy that device operations are checked against.
    enforced: Option<u64>,
}
