//! What requirements are judged by, gathered from what really is.

use super::Security;
use super::audit::compliance::{BootFacts, ComplianceFacts, DefaultFacts, Denials, PolicyFacts};
use super::measured::boot::Root;
use super::policy::Policy;
use crate::base::capability::Capability;
use crate::base::subject::Subject;
use crate::base::tenant::Tenant;
use crate::drivers::handlers::{Device, DeviceHandlers};

impl Security {
    pub(super) fn facts(&self, handlers: &DeviceHandlers) -> ComplianceFacts {
        let unmeasured = self.measured.phases().filter(|(_, ended)| ended.is_none());
        let mut facts = ComplianceFacts {
            denials: Some(Denials {
                counted: self.gate.denied + device_denials(handlers),
                recorded: self.audit.operations_denied(handlers),
            }),
            boot: Some(BootFacts {
                has_tpm: *self.measured.root() == Root::Tpm,
                is_lost: self.measured.is_lost(),
                is_doubted: self.measured.doubt().is_some(),
                phases_unmeasured: unmeasured.count() as u32,
            }),
            policy: Some(PolicyFacts {
                in_force: *self.policy.digest(),
                measured: self.measured.policy_digest(),
            }),
            tenants_with_admin: Some(tenants_with_admin(handlers)),
            defaults: Some(defaults(handlers)),
            secrets: Some(self.secrets),
            ..ComplianceFacts::default()
        };
        self.audit.add_facts(&mut facts);
        facts
    }
}

fn tenants() -> impl Iterator<Item = Tenant> {
    Tenant::all().filter(|tenant| *tenant != Tenant::KERNEL)
}

fn device_denials(handlers: &DeviceHandlers) -> u64 {
    let of = |tenant| {
        let denied = Device::ALL.map(|device| handlers.counts(tenant, device).denied);
        denied.iter().sum::<u64>()
    };
    Tenant::all().map(of).sum()
}

fn tenants_with_admin(handlers: &DeviceHandlers) -> u32 {
    let grants = handlers.grants();
    let holds = |tenant: &Tenant| {
        let held = grants.held(Subject::Tenant(*tenant));
        held.contains(Capability::Administer)
    };
    tenants().filter(holds).count() as u32
}

/// Tries every device as each tenant who was granted nothing.
fn defaults(handlers: &DeviceHandlers) -> DefaultFacts {
    let grants = handlers.grants();
    let mut facts = DefaultFacts {
        tried: 0,
        allowed: 0,
    };
    for subject in tenants().map(Subject::Tenant) {
        let is_granted = grants.rights().any(|right| right.to == subject);
        if is_granted || !grants.standing(subject).is_empty() {
            continue;
        }
        for capability in Policy::MASKED.iter() {
            facts.tried += 1;
            facts.allowed += u32::from(grants.allows(subject, capability.into()));
        }
    }
    facts
}
