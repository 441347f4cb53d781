//! The one gate: whatever somebody wants done is asked for here first.
//!
//! First the mandatory policy about the command, then the capabilities that it needs.
//! What is denied, and what changes something or shows what is not for everybody, has
//! an entry in the audit trail. What is allowed has a `Permit`, without which the
//! kernel does nothing.

use super::Security;
use super::audit::{Event, Outcome};
use super::policy::{Decision, Effect, Name, Object, Verb};
use crate::base::capability::{Asked, Capability, CapabilitySet, Grants, Refusal as Missing};
use crate::base::subject::Subject;
use crate::base::time::Instant;
use crate::drivers::handlers::DeviceHandlers;
use core::fmt;

/// What somebody wants.
pub struct Wanted<'a> {
    pub subject: Subject,
    /// Of the command, as the policy calls it.
    pub name: &'a Name,
    pub needs: CapabilitySet,
    pub is_change: bool,
    /// The line as it was typed.
    pub line: &'a str,
}

impl Wanted<'_> {
    const fn verb(&self) -> Verb {
        match self.is_change {
            true if self.needs.contains(Capability::Administer) => Verb::Administer,
            true => Verb::Execute,
            false if self.needs.is_empty() => Verb::Look,
            false => Verb::Read,
        }
    }
}

/// The proof that somebody may have something done. Only the gate makes one, so that
/// nothing can be done which it was not asked about.
#[derive(PartialEq, Eq, Debug)]
pub struct Permit {
    subject: Subject,
    name: Name,
}

impl Permit {
    /// Whose it is.
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// Of the command that it is for.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Why somebody may not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    Policy {
        subject: Subject,
        verb: Verb,
        decision: Decision,
    },
    Capability {
        subject: Subject,
        capabilities: CapabilitySet,
        missing: Missing,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy {
                subject,
                verb,
                decision,
            } => write!(
                f,
                "is denied to {subject} by the security policy ({}); security check with --why says more about {verb}",
                decision.stage().name()
            ),
            Self::Capability {
                subject,
                capabilities,
                missing: Missing::NotHeld,
            } => write!(
                f,
                "needs {capabilities}, which {subject} does not hold; cap grant {subject} {capabilities} 1h gives it for an hour"
            ),
            Self::Capability {
                subject,
                capabilities,
                missing,
            } => write!(
                f,
                "needs {capabilities}, which {subject} may not use: {missing}"
            ),
        }
    }
}

/// What the gate has counted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct GateCounts {
    pub allowed: u64,
    pub denied: u64,
}

impl Security {
    /// May this be done? What is allowed may be done once.
    pub fn authorize(
        &mut self,
        now: Instant,
        grants: &mut Grants,
        wanted: &Wanted<'_>,
    ) -> Result<Permit, Refusal> {
        let judged = self.judge(now, grants, wanted);
        let outcome = match &judged {
            Ok(effect) => {
                self.gate.allowed += 1;
                let is_worth_an_entry = !wanted.needs.is_empty() || *effect == Effect::Audit;
                is_worth_an_entry.then_some(Outcome::Allowed)
            }
            Err(_) => {
                self.gate.denied += 1;
                Some(Outcome::Denied)
            }
        };
        if let Some(outcome) = outcome {
            let event = Event::command(wanted.subject, wanted.name, wanted.line, outcome);
            self.audit.append(now, event);
        }
        judged.map(|_| Permit {
            subject: wanted.subject,
            name: wanted.name.clone(),
        })
    }

    fn judge(
        &mut self,
        now: Instant,
        grants: &mut Grants,
        wanted: &Wanted<'_>,
    ) -> Result<Effect, Refusal> {
        let (subject, verb) = (wanted.subject, wanted.verb());
        let decision = self
            .policy
            .check(subject, verb, &Object::command(wanted.name));
        self.policy.count(&decision);
        if !decision.is_allowed() {
            return Err(Refusal::Policy {
                subject,
                verb,
                decision,
            });
        }
        for capability in wanted.needs.iter() {
            let asked = grants.ask(now, &Asked::of(subject, capability));
            let passed = asked.map_err(|missing| Refusal::Capability {
                subject,
                capabilities: capability.into(),
                missing,
            })?;
            // A command is over when it is answered; what it starts has quotas of its own.
            if let Some(ticket) = passed.ticket {
                grants.release(ticket);
            }
        }
        Ok(decision.effect)
    }

    /// Brings what the policy says of device operations to where these are checked.
    pub fn enforce(&mut self, handlers: &mut DeviceHandlers) {
        if self.enforced == Some(self.policy.epoch()) {
            return;
        }
        self.enforced = Some(self.policy.epoch());
        for subject in Subject::all() {
            // ADMIN is no device's; the policy is asked about each command that needs it.
            let allowed = self.policy.mandatory_mask(subject);
            let beyond = CapabilitySet::ALL.without(super::policy::Policy::MASKED);
            handlers
                .grants_mut()
                .set_mandatory(subject, allowed.union(beyond));
            if let Subject::Tenant(tenant) = subject {
                handlers.set_audited(tenant, self.policy.audited_mask(subject));
            }
        }
    }
}
