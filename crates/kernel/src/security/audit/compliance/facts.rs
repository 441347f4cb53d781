//! What the requirements are judged by: plain data, gathered by the kernel.

use crate::base::digest::Digest;
use crate::base::time::Instant;

/// `None` is what nobody knows; a requirement that needs it is neither met nor violated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ComplianceFacts {
    pub denials: Option<Denials>,
    pub boot: Option<BootFacts>,
    pub verification: Option<VerificationFacts>,
    pub anchors: Option<AnchorFacts>,
    pub policy: Option<PolicyFacts>,
    /// Tenants other than the kernel that hold ADMIN.
    pub tenants_with_admin: Option<u32>,
    pub defaults: Option<DefaultFacts>,
    pub secrets: Option<SecretFacts>,
}

/// Operations that were denied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Denials {
    /// By the gate and the device handlers, as they count.
    pub counted: u64,
    /// Those that the trail accounts for: `AuditTrail::operations_denied`.
    pub recorded: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BootFacts {
    pub has_tpm: bool,
    /// There was one, and it failed.
    pub is_lost: bool,
    /// Something before or in the boot was not measured, or not logged.
    pub is_doubted: bool,
    /// Phases of the boot that were to be measured and were not.
    pub phases_unmeasured: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerificationFacts {
    /// When the last one was done.
    pub at: Instant,
    pub has_finding: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnchorFacts {
    /// Was there one at all?
    pub is_anchored: bool,
    /// Entries that are under none.
    pub entries_behind: u64,
    /// Of the newest; boot where there is none.
    pub at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyFacts {
    pub in_force: Digest,
    /// The newest that is in PCR 10.
    pub measured: Option<Digest>,
}

/// A tenant without grants is tried on each class of devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DefaultFacts {
    pub tried: u32,
    pub allowed: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SecretFacts {
    /// Of the shortest that is set; `None` where none is.
    pub shortest_bytes: Option<usize>,
    /// May a client by HTTP that has shown none change something?
    pub is_open_without: bool,
}
