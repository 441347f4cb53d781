//! The requirements that are shipped, each a question to the facts.

use super::facts::ComplianceFacts;
use crate::base::time::{Duration, Instant};
use crate::security::audit::anchors::{ANCHOR_ENTRIES, ANCHOR_PERIOD};
use crate::security::audit::verification::VERIFY_PERIOD;

/// A verification may be so old: three that were left out.
const VERIFIED_WITHIN: Duration = Duration::from_nanos(VERIFY_PERIOD.as_nanos() * 3);
/// An anchor that is due may take so long, and so many entries may come meanwhile.
const ANCHOR_GRACE: Duration = Duration::from_secs(120);
const ANCHOR_GRACE_ENTRIES: u64 = ANCHOR_ENTRIES / 8;
/// Shorter secrets can be tried out by somebody patient.
pub const SECRET_BYTES_MIN: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requirement {
    DenialsRecorded,
    BootAttested,
    TrailVerified,
    TrailAnchored,
    PolicyMeasured,
    TenantsUnprivileged,
    TenantsDeniedByDefault,
    SecretsStrong,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Met,
    Violated(&'static str),
    /// Nobody knows what it takes to tell.
    Unknown,
}

impl Standing {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Violated(_) => "violated",
            Self::Unknown => "unknown",
        }
    }

    fn of(is_met: bool, otherwise: &'static str) -> Self {
        match is_met {
            true => Self::Met,
            false => Self::Violated(otherwise),
        }
    }
}

impl Requirement {
    pub const ALL: [Self; 8] = [
        Self::DenialsRecorded,
        Self::BootAttested,
        Self::TrailVerified,
        Self::TrailAnchored,
        Self::PolicyMeasured,
        Self::TenantsUnprivileged,
        Self::TenantsDeniedByDefault,
        Self::SecretsStrong,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::DenialsRecorded => "denials-recorded",
            Self::BootAttested => "boot-attested",
            Self::TrailVerified => "trail-verified",
            Self::TrailAnchored => "trail-anchored",
            Self::PolicyMeasured => "policy-measured",
            Self::TenantsUnprivileged => "tenants-unprivileged",
            Self::TenantsDeniedByDefault => "tenants-denied-by-default",
            Self::SecretsStrong => "secrets-strong",
        }
    }

    /// What it demands.
    pub const fn demand(self) -> &'static str {
        match self {
            Self::DenialsRecorded => "every denied operation is in the trail",
            Self::BootAttested => "there is a TPM, and every phase of the boot is measured",
            Self::TrailVerified => "the trail was verified in the last 15 minutes",
            Self::TrailAnchored => "no entry is without an anchor for an hour or 4096 others",
            Self::PolicyMeasured => "the policy in force is the one in PCR 10",
            Self::TenantsUnprivileged => "no tenant holds ADMIN",
            Self::TenantsDeniedByDefault => "a tenant without grants may use no device",
            Self::SecretsStrong => "secrets have 16 bytes, and nothing changes without one",
        }
    }

    /// How things stand by these facts.
    pub fn judge(self, now: Instant, facts: &ComplianceFacts) -> Standing {
        let standing = match self {
            Self::DenialsRecorded => facts.denials.map(|denials| {
                let is_met = denials.counted == denials.recorded;
                Standing::of(is_met, "denials were counted that the trail does not have")
            }),
            Self::BootAttested => facts.boot.map(|boot| match (boot.has_tpm, boot.is_lost) {
                (false, false) => Standing::Violated("there is no TPM"),
                (false, true) => Standing::Violated("the TPM has failed"),
                (true, _) if boot.is_doubted => {
                    Standing::Violated("the registers do not vouch for all; see tpm status")
                }
                (true, _) => Standing::of(
                    boot.phases_unmeasured == 0,
                    "a phase of the boot is not measured",
                ),
            }),
            Self::TrailVerified => facts.verification.map(|last| {
                let is_fresh = now.since(last.at) <= VERIFIED_WITHIN;
                match last.has_finding {
                    true => Standing::Violated("the last verification found something"),
                    false => Standing::of(is_fresh, "the last verification is too old"),
                }
            }),
            Self::TrailAnchored => return judge_anchors(now, facts),
            Self::PolicyMeasured => facts.policy.map(|policy| {
                let is_met = policy.measured == Some(policy.in_force);
                Standing::of(is_met, "another policy is in force than was measured")
            }),
            Self::TenantsUnprivileged => facts
                .tenants_with_admin
                .map(|count| Standing::of(count == 0, "a tenant holds ADMIN")),
            Self::TenantsDeniedByDefault => {
                let known = facts.defaults.filter(|defaults| defaults.tried > 0);
                known.map(|defaults| {
                    Standing::of(
                        defaults.allowed == 0,
                        "a tenant without grants may use a device",
                    )
                })
            }
            Self::SecretsStrong => facts.secrets.map(|secrets| {
                let is_long = |bytes| bytes >= SECRET_BYTES_MIN;
                match secrets.is_open_without {
                    true => Standing::Violated("who shows no token may change something"),
                    false => Standing::of(
                        secrets.shortest_bytes.is_none_or(is_long),
                        "a secret is shorter than 16 bytes",
                    ),
                }
            }),
        };
        standing.unwrap_or(Standing::Unknown)
    }
}

/// Before the first anchor nobody can say that anchors work; when it is overdue, they do not.
fn judge_anchors(now: Instant, facts: &ComplianceFacts) -> Standing {
    let Some(anchors) = facts.anchors else {
        return Standing::Unknown;
    };
    let is_old = now > anchors.at + ANCHOR_PERIOD + ANCHOR_GRACE;
    if anchors.entries_behind > ANCHOR_ENTRIES + ANCHOR_GRACE_ENTRIES {
        return Standing::Violated("too many entries are under no anchor");
    }
    match (anchors.entries_behind > 0 && is_old, anchors.is_anchored) {
        (true, _) => Standing::Violated("the newest anchor is too old"),
        (false, true) => Standing::Met,
        (false, false) => Standing::Unknown,
    }
}
