//! Device handlers: what tenants do is allowed, counted and kept in quotas.
//!
//! First the tenant must hold the capability of the operation, then its quotas must have room.
//! Limits: `TENANTS_MAX` tenants; the default quotas of `resource.rs`.
//! Invariants: what is held is at most the limit that was in force when it was taken;
//! an operation that is refused has taken nothing.

mod admit_error;
mod audit;
mod operation;
mod resource;
#[cfg(test)]
mod tests;

pub use admit_error::{AdmitError, CapabilityError, QuotaError};
pub use audit::{AuditEvent, AuditRecord, MERGE_WITHIN as DENIALS_MERGED_WITHIN};
pub use operation::{InputKind, Operation};
pub use resource::{Device, Measure, Resource};

use crate::base::capability::{Asked, CapabilitySet, Grants, Ticket};
use crate::base::disk::SECTOR_BYTES;
use crate::base::fixed::Text;
use crate::base::metric::Usage;
use crate::base::subject::Subject;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::base::token::redacted;
use crate::base::token_bucket::TokenBucket;
use crate::limits::*;
use alloc::vec::Vec;
use audit::Audit;

pub struct DeviceHandlers {
    /// One a tenant, by its index.
    tenants: Vec<TenantState>,
    grants: Grants,
    audit: Audit,
}

struct TenantState {
    quotas: [QuotaState; Resource::ALL.len()],
    counts: [Counts; Device::ALL.len()],
    inputs: [u64; InputKind::ALL.len()],
    /// What the security policy wants written down when it is done.
    audited: CapabilitySet,
}

struct QuotaState {
    limit: Option<u64>,
    /// Only of what is held.
    used: u64,
    high_water: u64,
    denied: u64,
    /// Only of what is limited by time.
    bucket: Option<TokenBucket>,
}

/// What a tenant did on devices of one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub allowed: u64,
    pub denied: u64,
    /// Of the allowed operations that carry bytes.
    pub bytes: u64,
}

/// One quota of a tenant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaView {
    pub resource: Resource,
    /// `None`: not limited.
    pub limit: Option<u64>,
    /// What is held; `None` where nothing is.
    pub used: Option<u64>,
    pub high_water: Option<u64>,
    pub denied: u64,
}

/// What one operation takes of quotas.
#[derive(Default)]
struct Cost {
    bound: Option<(Resource, u64)>,
    held: Option<(Resource, u64)>,
    rate: Option<(Resource, u64)>,
}

impl DeviceHandlers {
    /// Takes all the memory that it will ever use.
    pub fn new() -> Self {
        Self {
            tenants: Tenant::all().map(TenantState::new).collect(),
            grants: Grants::new(),
            audit: Audit::new(),
        }
    }

    /// Who holds which capability: asked here at each operation, owned for all.
    pub const fn grants(&self) -> &Grants {
        &self.grants
    }

    pub const fn grants_mut(&mut self) -> &mut Grants {
        &mut self.grants
    }

    /// Asks for an operation before it is done. What it holds is held until `release`, which
    /// wants the ticket, where there is one.
    pub fn admit(
        &mut self,
        now: Instant,
        tenant: Tenant,
        operation: Operation,
    ) -> Result<Option<Ticket>, AdmitError> {
        self.admit_frame(now, tenant, operation, || None)
    }

    /// The same for a frame; the other end's port is looked for only if a constraint may ask.
    pub fn admit_frame(
        &mut self,
        now: Instant,
        tenant: Tenant,
        operation: Operation,
        port: impl FnOnce() -> Option<u16>,
    ) -> Result<Option<Ticket>, AdmitError> {
        let result = self.try_admit(now, tenant, operation, port);
        let state = &mut self.tenants[tenant.index()];
        let counts = &mut state.counts[operation.device().index()];
        match &result {
            Ok(_) => {
                counts.allowed += 1;
                counts.bytes += operation.bytes();
                if state.audited.contains(operation.capability()) {
                    self.audit.on_used(now, tenant, operation.capability());
                }
                if let Operation::Input(kind) = operation {
                    state.inputs[kind as usize] += 1;
                }
            }
            Err(error) => {
                counts.denied += 1;
                if let AdmitError::Quota(error) = error {
                    state.quotas[error.resource.index()].denied += 1;
                }
                self.audit.on_refused(now, error);
            }
        }
        result
    }

    fn try_admit(
        &mut self,
        now: Instant,
        tenant: Tenant,
        operation: Operation,
        port: impl FnOnce() -> Option<u16>,
    ) -> Result<Option<Ticket>, AdmitError> {
        let (subject, capability) = (Subject::Tenant(tenant), operation.capability());
        let cost = Cost::of(operation);
        let state = &mut self.tenants[tenant.index()];
        if self.grants.pass(now, subject, capability) {
            let taken = state.try_take(now, tenant, &cost);
            return taken.map(|()| None).map_err(AdmitError::Quota);
        }
        let asked = Asked {
            port: port(),
            bytes: operation.bytes(),
            ..Asked::of(subject, capability)
        };
        let passed = self.grants.ask(now, &asked).map_err(|refusal| {
            AdmitError::Capability(CapabilityError {
                tenant,
                capability,
                refusal,
            })
        })?;
        if let Err(error) = state.try_take(now, tenant, &cost) {
            self.grants.take_back(&asked, passed);
            return Err(AdmitError::Quota(error));
        }
        match passed.ticket {
            // It is over as soon as it is done, and nobody will say so.
            Some(ticket) if !operation.is_held() => self.grants.release(ticket),
            ticket => return Ok(ticket),
        }
        Ok(None)
    }

    /// Gives back what an admitted operation holds: memory that is freed, a request that was
    /// answered, an event that was taken.
    pub fn release(&mut self, tenant: Tenant, operation: Operation, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.grants.release(ticket);
        }
        if let Some((resource, amount)) = Cost::of(operation).held {
            let quota = &mut self.tenants[tenant.index()].quotas[resource.index()];
            crate::invariant!(
                quota.used >= amount,
                "tenant {tenant} gives back more {} than it holds",
                resource.name()
            );
            quota.used -= amount;
        }
    }

    /// The security policy wants each use of these by the tenant written down.
    pub fn set_audited(&mut self, tenant: Tenant, capabilities: CapabilitySet) {
        self.tenants[tenant.index()].audited = capabilities;
    }

    /// Remembers a line that was typed on a tenant's console, without its secrets. Nothing
    /// refuses it.
    pub fn on_console_line(&mut self, now: Instant, tenant: Tenant, line: &str) {
        let counts = &mut self.tenants[tenant.index()].counts[Device::Console.index()];
        counts.allowed += 1;
        counts.bytes += line.len() as u64;
        let text = Text::cut_from(&redacted::<LINE_MAX>(line));
        self.audit
            .push(now, tenant, AuditEvent::ConsoleLine { text });
    }

    /// `None` lifts the limit. What a tenant holds beyond a lower limit stays with it.
    pub fn set_quota(
        &mut self,
        now: Instant,
        tenant: Tenant,
        resource: Resource,
        limit: Option<u64>,
    ) {
        let quota = &mut self.tenants[tenant.index()].quotas[resource.index()];
        let before = core::mem::replace(&mut quota.limit, limit);
        if resource.measure() == Measure::Rate {
            quota.bucket = limit.map(|limit| resource.bucket(limit));
        }
        let event = AuditEvent::QuotaSet {
            resource,
            before,
            after: limit,
        };
        self.audit.push(now, tenant, event);
    }

    pub fn quotas(&self, tenant: Tenant) -> impl Iterator<Item = QuotaView> {
        let quotas = self.tenants[tenant.index()].quotas.iter();
        quotas.zip(Resource::ALL).map(|(quota, resource)| {
            let is_held = resource.measure() == Measure::Held;
            QuotaView {
                resource,
                limit: quota.limit,
                used: is_held.then_some(quota.used),
                high_water: is_held.then_some(quota.high_water),
                denied: quota.denied,
            }
        })
    }

    pub fn counts(&self, tenant: Tenant, device: Device) -> Counts {
        self.tenants[tenant.index()].counts[device.index()]
    }

    /// How many events of that kind a tenant was given.
    pub fn inputs(&self, tenant: Tenant, kind: InputKind) -> u64 {
        self.tenants[tenant.index()].inputs[kind as usize]
    }

    /// What was done, oldest first.
    pub fn audit(&self) -> impl ExactSizeIterator<Item = &AuditRecord> {
        self.audit.records()
    }

    pub const fn audit_forgotten(&self) -> u64 {
        self.audit.forgotten()
    }

    /// The fullest of the tenants that are limited stands for all.
    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        const HELD: [(Resource, &str, usize); 4] = [
            (Resource::GpuMemory, "GPU_TENANT_BYTES", GPU_TENANT_BYTES),
            (
                Resource::GpuQueue,
                "GPU_TENANT_COMMANDS_MAX",
                GPU_TENANT_COMMANDS_MAX,
            ),
            (
                Resource::BlockRequests,
                "BLOCK_TENANT_REQUESTS_MAX",
                BLOCK_TENANT_REQUESTS_MAX,
            ),
            (
                Resource::InputQueue,
                "INPUT_TENANT_EVENTS_MAX",
                INPUT_TENANT_EVENTS_MAX,
            ),
        ];
        for (resource, name, capacity) in HELD {
            for state in self.tenants.iter().skip(1) {
                let quota = &state.quotas[resource.index()];
                // A denial is a quota at work and no fault of the kernel: it is not shown as one.
                visit(
                    &Usage::of(name, capacity)
                        .used(quota.used)
                        .high_water(quota.high_water)
                        .ring(),
                );
            }
        }
        visit(&self.audit.usage());
        self.grants.visit_usages(visit);
    }
}

impl Default for DeviceHandlers {
    fn default() -> Self {
        Self::new()
    }
}

impl TenantState {
    fn new(tenant: Tenant) -> Self {
        Self {
            quotas: Resource::ALL.map(|resource| QuotaState::new(tenant, resource)),
            counts: [Counts::default(); Device::ALL.len()],
            inputs: [0; InputKind::ALL.len()],
            audited: CapabilitySet::NONE,
        }
    }

    /// Takes all that the operation costs, or nothing.
    fn try_take(&mut self, now: Instant, tenant: Tenant, cost: &Cost) -> Result<(), QuotaError> {
        let over = |resource, wanted, limit, ready_at| QuotaError {
            tenant,
            resource,
            limit,
            wanted,
            ready_at,
        };
        if let Some((resource, wanted)) = cost.bound
            && let Some(limit) = self.quotas[resource.index()].limit
            && wanted > limit
        {
            return Err(over(resource, wanted, limit, None));
        }
        if let Some((resource, wanted)) = cost.held {
            let quota = &self.quotas[resource.index()];
            let limit = quota.limit.unwrap_or(u64::MAX);
            if quota.used.checked_add(wanted).is_none_or(|sum| sum > limit) {
                return Err(over(resource, wanted, limit, None));
            }
        }
        if let Some((resource, wanted)) = cost.rate
            && let Some(bucket) = &mut self.quotas[resource.index()].bucket
            && let Err(ready_at) = bucket.take(now, wanted)
        {
            return Err(over(resource, wanted, bucket.rate_per_s(), ready_at));
        }
        if let Some((resource, wanted)) = cost.held {
            let quota = &mut self.quotas[resource.index()];
            quota.used += wanted;
            quota.high_water = quota.high_water.max(quota.used);
        }
        Ok(())
    }
}

impl QuotaState {
    fn new(tenant: Tenant, resource: Resource) -> Self {
        let limit = resource.default_limit(tenant);
        let is_rate = resource.measure() == Measure::Rate;
        Self {
            limit,
            used: 0,
            high_water: 0,
            denied: 0,
            bucket: limit
                .filter(|_| is_rate)
                .map(|limit| resource.bucket(limit)),
        }
    }
}

impl Cost {
    fn of(operation: Operation) -> Self {
        match operation {
            Operation::GpuAllocate { bytes } => Self {
                held: Some((Resource::GpuMemory, bytes)),
                ..Self::default()
            },
            Operation::GpuRender => Self {
                held: Some((Resource::GpuQueue, 1)),
                ..Self::default()
            },
            Operation::NetworkReceive { bytes } => Self::frame(Resource::NetworkIn, bytes),
            Operation::NetworkSend { bytes } => Self::frame(Resource::NetworkOut, bytes),
            Operation::BlockRead { sector, sectors } => {
                Self::transfer(Resource::BlockReads, sector, sectors)
            }
            Operation::BlockWrite { sector, sectors } => {
                Self::transfer(Resource::BlockWrites, sector, sectors)
            }
            Operation::BlockFlush => Self {
                held: Some((Resource::BlockRequests, 1)),
                rate: Some((Resource::BlockWrites, 1)),
                ..Self::default()
            },
            Operation::Input(_) => Self {
                held: Some((Resource::InputQueue, 1)),
                ..Self::default()
            },
            Operation::ConsoleWrite { .. } => Self::default(),
        }
    }

    fn frame(resource: Resource, bytes: usize) -> Self {
        Self {
            rate: Some((resource, bytes as u64)),
            ..Self::default()
        }
    }

    fn transfer(resource: Resource, sector: u64, sectors: u64) -> Self {
        let end = sector.saturating_add(sectors);
        Self {
            bound: Some((
                Resource::BlockSpace,
                end.saturating_mul(SECTOR_BYTES as u64),
            )),
            held: Some((Resource::BlockRequests, 1)),
            rate: Some((resource, 1)),
        }
    }
}
