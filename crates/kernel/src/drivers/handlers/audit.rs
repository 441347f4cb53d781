//! What was done to devices: refusals, console lines, changed quotas.
//!
//! A tenant that is refused over and over fills one record a second for each quota and capability, so it
//! cannot push what others did out of the ring.

use super::admit_error::{AdmitError, CapabilityError, QuotaError};
use super::resource::Resource;
use crate::base::capability::{Capability, Refusal};
use crate::base::fixed::Text;
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::limits::{DEVICE_AUDIT_MAX, DEVICE_AUDIT_TEXT_MAX, TENANTS_MAX};
use alloc::collections::VecDeque;

/// Refusals for one reason within this time are one record.
pub const MERGE_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct AuditRecord {
    /// Counts all records since boot.
    pub number: u64,
    pub at: Instant,
    pub tenant: Tenant,
    pub event: AuditEvent,
}

#[derive(Clone, Debug)]
pub enum AuditEvent {
    Denied {
        resource: Resource,
        limit: u64,
        /// The largest that was asked for.
        wanted: u64,
        times: u64,
    },
    /// The tenant does not hold the capability, or its constraints forbade it.
    Forbidden {
        capability: Capability,
        /// The newest reason.
        refusal: Refusal,
        times: u64,
    },
    /// It was done, and the security policy wants it written down.
    Used {
        capability: Capability,
        times: u64,
    },
    ConsoleLine {
        text: Text<DEVICE_AUDIT_TEXT_MAX>,
    },
    QuotaSet {
        resource: Resource,
        before: Option<u64>,
        after: Option<u64>,
    },
}

pub struct Audit {
    /// Never longer than it was made.
    records: VecDeque<AuditRecord>,
    next: u64,
    forgotten: u64,
    /// The newest denial of each tenant and quota.
    denials: [[Option<u64>; Resource::ALL.len()]; TENANTS_MAX],
    /// The same by capability.
    refusals: [[Option<u64>; Capability::ALL.len()]; TENANTS_MAX],
    /// The same of what was done.
    uses: [[Option<u64>; Capability::ALL.len()]; TENANTS_MAX],
}

impl Audit {
    pub fn new() -> Self {
        Self {
            records: VecDeque::with_capacity(DEVICE_AUDIT_MAX),
            next: 0,
            forgotten: 0,
            denials: [[None; Resource::ALL.len()]; TENANTS_MAX],
            refusals: [[None; Capability::ALL.len()]; TENANTS_MAX],
            uses: [[None; Capability::ALL.len()]; TENANTS_MAX],
        }
    }

    pub fn on_refused(&mut self, now: Instant, error: &AdmitError) {
        match error {
            AdmitError::Quota(error) => self.on_denied(now, error),
            AdmitError::Capability(error) => self.on_forbidden(now, error),
        }
    }

    fn on_forbidden(&mut self, now: Instant, error: &CapabilityError) {
        let place = (error.tenant.index(), error.capability.index());
        let newest = self.refusals[place.0][place.1];
        if let Some(record) = newest.and_then(|number| self.find(number))
            && now.since(record.at) < MERGE_WITHIN
            && let AuditEvent::Forbidden { refusal, times, .. } = &mut record.event
        {
            *refusal = error.refusal;
            *times += 1;
            return;
        }
        let event = AuditEvent::Forbidden {
            capability: error.capability,
            refusal: error.refusal,
            times: 1,
        };
        let number = self.push(now, error.tenant, event);
        self.refusals[place.0][place.1] = Some(number);
    }

    pub fn on_used(&mut self, now: Instant, tenant: Tenant, capability: Capability) {
        let place = (tenant.index(), capability.index());
        let newest = self.uses[place.0][place.1];
        if let Some(record) = newest.and_then(|number| self.find(number))
            && now.since(record.at) < MERGE_WITHIN
            && let AuditEvent::Used { times, .. } = &mut record.event
        {
            *times += 1;
            return;
        }
        let event = AuditEvent::Used {
            capability,
            times: 1,
        };
        self.uses[place.0][place.1] = Some(self.push(now, tenant, event));
    }

    fn on_denied(&mut self, now: Instant, error: &QuotaError) {
        let newest = self.denials[error.tenant.index()][error.resource.index()];
        if let Some(record) = newest.and_then(|number| self.find(number))
            && now.since(record.at) < MERGE_WITHIN
            && let AuditEvent::Denied { wanted, times, .. } = &mut record.event
        {
            *wanted = (*wanted).max(error.wanted);
            *times += 1;
            return;
        }
        let number = self.push(
            now,
            error.tenant,
            AuditEvent::Denied {
                resource: error.resource,
                limit: error.limit,
                wanted: error.wanted,
                times: 1,
            },
        );
        self.denials[error.tenant.index()][error.resource.index()] = Some(number);
    }

    /// Adds a record and says its number.
    pub fn push(&mut self, at: Instant, tenant: Tenant, event: AuditEvent) -> u64 {
        if self.records.len() == DEVICE_AUDIT_MAX {
            self.records.pop_front();
            self.forgotten += 1;
        }
        let number = self.next;
        self.next += 1;
        self.records.push_back(AuditRecord {
            number,
            at,
            tenant,
            event,
        });
        number
    }

    fn find(&mut self, number: u64) -> Option<&mut AuditRecord> {
        let index = usize::try_from(number.checked_sub(self.forgotten)?).ok()?;
        self.records.get_mut(index)
    }

    /// Oldest first.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &AuditRecord> {
        self.records.iter()
    }

    /// Records that newer ones pushed out.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub fn usage(&self) -> Usage {
        Usage::of("DEVICE_AUDIT_MAX", DEVICE_AUDIT_MAX)
            .used(self.records.len() as u64)
            .ring()
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self::new()
    }
}
