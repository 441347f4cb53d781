//! L3: who may do what, what was done, and what this machine was booted from.

pub mod audit;

use audit::AuditTrail;
use audit::compliance::Compliance;

/// All of it that one machine has.
#[derive(Default)]
pub struct Security {
    pub audit: AuditTrail,
    pub compliance: Compliance,
}
