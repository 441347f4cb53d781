//! Checks: may this subject do that now, and by which right?

use super::condition::Use;
use super::grants::Grants;
use super::refusal::Refusal;
use super::right::Right;
use super::{Capability, CapabilitySet};
use crate::base::fixed::{Handle, Vec};
use crate::base::subject::Subject;
use crate::base::time::Instant;
use crate::limits::DELEGATION_HOPS_MAX;

/// What somebody is about to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    pub subject: Subject,
    pub capability: Capability,
    /// The other end's port; `None` for what has none. Of a frame that should have one and
    /// is too short for it: 0, which is in no range.
    pub port: Option<u16>,
    pub bytes: u64,
}

impl Asked {
    /// Something without a port that moves nothing.
    pub const fn of(subject: Subject, capability: Capability) -> Self {
        Self {
            subject,
            capability,
            port: None,
            bytes: 0,
        }
    }

    fn used(&self) -> Use {
        Use {
            is_net: self.capability == Capability::Net,
            port: self.port,
            bytes: self.bytes,
        }
    }
}

/// What covers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    Standing,
    /// The grant or delegation of that number.
    Right(u64),
}

/// It may be done.
#[derive(PartialEq, Eq, Debug)]
pub struct Passed {
    /// `None`: the cache said so.
    pub basis: Option<Basis>,
    /// To be released when the operation has ended, where somebody counts how many run.
    pub ticket: Option<Ticket>,
}

/// The places that one operation has, one for each count in the chain of its right.
#[must_use = "its places are taken until it is released"]
#[derive(PartialEq, Eq, Debug)]
pub struct Ticket {
    places: Vec<Handle, { DELEGATION_HOPS_MAX + 1 }>,
}

impl Grants {
    /// The fast check: may the subject do all of that, without any condition?
    ///
    /// Never for ADMIN; whoever gets a no asks `ask`.
    #[inline]
    pub fn allows(&self, subject: Subject, needed: CapabilitySet) -> bool {
        self.cache.allows(subject, needed)
    }

    /// The fast check of one capability at that time, counted when it passes.
    #[inline]
    pub fn pass(&mut self, now: Instant, subject: Subject, capability: Capability) -> bool {
        self.on_time(now);
        let has_passed = self.cache.allows(subject, capability.into());
        if has_passed && let Some(count) = self.passes[subject.index()].get_mut(capability.index())
        {
            *count += 1;
        }
        has_passed
    }

    /// How often the cache said yes.
    pub fn passes(&self, subject: Subject, capability: Capability) -> u64 {
        let counts = &self.passes[subject.index()];
        counts.get(capability.index()).copied().unwrap_or_default()
    }

    /// The whole check. What it passes has used what its constraints count.
    pub fn ask(&mut self, now: Instant, asked: &Asked) -> Result<Passed, Refusal> {
        let (subject, capability) = (asked.subject, asked.capability);
        if self.pass(now, subject, capability) {
            return Ok(Passed {
                basis: None,
                ticket: None,
            });
        }
        let found = self.explain(now, asked);
        let right = match found {
            Ok(Basis::Right(number)) => Some(number),
            _ => None,
        };
        self.events
            .on_check(now, subject, capability, found.is_ok(), right);
        let basis = found?;
        Ok(Passed {
            basis: Some(basis),
            ticket: right.and_then(|number| self.take(now, number, asked)),
        })
    }

    /// By which right it would pass, or why not. Uses nothing, counts nothing.
    pub fn explain(&self, now: Instant, asked: &Asked) -> Result<Basis, Refusal> {
        let (subject, capability) = (asked.subject, asked.capability);
        if !self.mandatory(subject).contains(capability) {
            return Err(Refusal::Policy);
        }
        if self.standing(subject).contains(capability) {
            return Ok(Basis::Standing);
        }
        if !self.cache.may_hold(subject, capability) {
            return Err(Refusal::NotHeld);
        }
        let rights = || {
            let rights = self.rights.iter();
            rights.filter(|right| right.covers(subject, capability) && right.expires_at > now)
        };
        let mut free = rights().filter(|right| !right.limited().contains(capability));
        if let Some(right) = free.next() {
            return Ok(Basis::Right(right.number));
        }
        let mut nearest = Refusal::NotHeld;
        for right in rights() {
            match self.check_chain(now, right, asked) {
                Ok(()) => return Ok(Basis::Right(right.number)),
                Err(refusal) => nearest = nearest.nearer(refusal),
            }
        }
        Err(nearest)
    }

    /// What the subject holds now, under constraints or not, and the policy allows.
    pub fn held(&self, subject: Subject) -> CapabilitySet {
        let rights = self.rights.iter().filter(|right| right.to == subject);
        let held = rights.fold(self.standing(subject), |held, right| {
            held | right.capabilities
        });
        held.intersection(self.mandatory(subject))
    }

    /// The operation has ended.
    pub fn release(&mut self, ticket: Ticket) {
        for place in &ticket.places {
            self.conditions.give_back_place(*place);
        }
    }

    /// What has passed was not done after all: as if nobody had asked.
    pub fn take_back(&mut self, asked: &Asked, passed: Passed) {
        if let Some(Basis::Right(number)) = passed.basis {
            for right in self.rights.chain(number) {
                for condition in &right.conditions {
                    self.conditions.give_back_bytes(*condition, asked.bytes);
                }
            }
        }
        if let Some(ticket) = passed.ticket {
            self.release(ticket);
        }
    }

    /// Every constraint of the right and of what it hangs on.
    fn check_chain(&self, now: Instant, right: &Right, asked: &Asked) -> Result<(), Refusal> {
        let used = asked.used();
        for right in self.rights.chain(right.number) {
            for condition in &right.conditions {
                self.conditions.check(now, *condition, used)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, now: Instant, number: u64, asked: &Asked) -> Option<Ticket> {
        let used = asked.used();
        let mut places = Vec::new();
        for right in self.rights.chain(number) {
            for condition in &right.conditions {
                if self.conditions.take(now, *condition, used) {
                    let kept = places.push(*condition);
                    crate::invariant!(kept.is_ok(), "a chain is longer than it can be");
                }
            }
        }
        (!places.is_empty()).then_some(Ticket { places })
    }
}
