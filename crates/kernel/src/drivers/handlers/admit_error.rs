//! Why an operation on a device is refused, and what can be done about it.

use super::resource::Resource;
use crate::base::capability::{Capability, Refusal};
use crate::base::subject::Subject;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdmitError {
    /// The tenant may not do it at all, or not now.
    Capability(CapabilityError),
    /// It may, but not so much.
    Quota(QuotaError),
}

impl AdmitError {
    /// When the same would be allowed; `None` where that is not a matter of time.
    pub const fn ready_at(&self) -> Option<Instant> {
        match self {
            Self::Quota(error) => error.ready_at,
            Self::Capability(error) => match error.refusal {
                Refusal::Bandwidth { ready_at } => ready_at,
                _ => None,
            },
        }
    }
}

impl fmt::Display for AdmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(error) => error.fmt(f),
            Self::Quota(error) => error.fmt(f),
        }
    }
}

/// A tenant does not hold what the operation needs, or its constraints forbid it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CapabilityError {
    pub tenant: Tenant,
    pub capability: Capability,
    pub refusal: Refusal,
}

impl fmt::Display for CapabilityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tenant, name) = (self.tenant, self.capability.name());
        let subject = Subject::Tenant(tenant);
        match self.refusal {
            Refusal::NotHeld => write!(
                f,
                "tenant {tenant} does not hold {name}; cap grant {subject} {name} 1h gives it"
            ),
            refusal => write!(
                f,
                "tenant {tenant} may not use {name} now: {refusal}; cap list shows what it has"
            ),
        }
    }
}

/// A tenant wants more than it may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaError {
    pub tenant: Tenant,
    pub resource: Resource,
    pub limit: u64,
    /// How much was asked for.
    pub wanted: u64,
    /// When the same would be allowed; `None` where that is not a matter of time.
    pub ready_at: Option<Instant>,
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tenant {} is over its quota of {}, {} {}; device quota set {} {} LIMIT changes it",
            self.tenant,
            self.resource.name(),
            self.limit,
            self.resource.unit(),
            self.tenant,
            self.resource.name(),
        )
    }
}
