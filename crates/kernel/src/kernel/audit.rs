//! What the audit trail gets from the kernel: records of others, time, facts.

use super::{Kernel, Machine};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::drivers::handlers::{Device, DeviceHandlers};
use crate::security::Security;
use crate::security::audit::compliance::{ComplianceFacts, Denials, SecretFacts};
use crate::security::audit::{AnchorError, Event};
use alloc::boxed::Box;

/// A machine's security with the first entry in its trail.
pub fn begin<M: Machine>(machine: &mut M) -> Box<Security> {
    let mut security: Box<Security> = Box::default();
    let mut boot = [0; 32];
    // A trail without entropy begins as all others do.
    if machine.entropy(&mut boot) {
        security.audit.begin(&boot);
    }
    let path = machine.boot().path;
    let event = Event::boot("kernel", format_args!("started by {path}"));
    security.audit.append(machine.now(), event);
    security
}

impl<M: Machine> Kernel<M> {
    pub(super) fn step_audit(&mut self, now: Instant) {
        let audit = &mut self.security.audit;
        audit.copy_device_records(now, &self.handlers);
        audit.step(now);
        if let Some(anchor) = audit.anchor_due(now) {
            // Nothing measures yet.
            audit.on_anchored(now, anchor, Err(AnchorError::NoRegisters));
        }
        if self.security.compliance.is_due(now) {
            let facts = self.compliance_facts();
            let Security {
                audit, compliance, ..
            } = &mut *self.security;
            compliance.step(now, &facts, audit);
        }
    }

    /// What is known; the rest stays unknown.
    fn compliance_facts(&self) -> ComplianceFacts {
        let audit = &self.security.audit;
        let token = self.machine.boot().config.token.as_ref();
        let mut facts = ComplianceFacts {
            denials: Some(Denials {
                counted: device_denials(&self.handlers),
                recorded: audit.operations_denied(&self.handlers),
            }),
            secrets: Some(SecretFacts {
                shortest_bytes: token.map(|token| token.byte_count()),
                // Sessions of requests without the token look and do nothing else.
                is_open_without: false,
            }),
            ..ComplianceFacts::default()
        };
        audit.add_facts(&mut facts);
        facts
    }
}

fn device_denials(handlers: &DeviceHandlers) -> u64 {
    let of = |tenant| {
        let counts = Device::ALL.map(|device| handlers.counts(tenant, device).denied);
        counts.iter().sum::<u64>()
    };
    Tenant::all().map(of).sum()
}
