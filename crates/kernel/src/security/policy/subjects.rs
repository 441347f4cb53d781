//! Which context a subject is in, and what its mandatory stages let it use.

use super::context::ContextId;
use super::object::Object;
use super::policy_error::PolicyError;
use super::rule::Effect;
use super::verb::Verb;
use super::{Policy, shipped, stages};
use crate::base::capability::{Capability, CapabilitySet};
use crate::base::subject::Subject;

impl Policy {
    /// The one context that the subject is in.
    pub fn context_of(&self, subject: Subject) -> ContextId {
        self.entered[subject.index()].unwrap_or(shipped::home(subject))
    }

    /// Where executing the object leads from that context, if it may and leads anywhere.
    pub fn transition(&self, from: ContextId, object: &Object<'_>) -> Option<ContextId> {
        let to = self.transitions.find(from, object)?;
        let decision = self.check_in(from, Verb::Execute, object);
        decision.is_allowed().then_some(to)
    }

    /// Puts the subject into another context along a transition, until it leaves.
    pub fn enter(&mut self, subject: Subject, to: ContextId) -> Result<(), PolicyError> {
        let from = self.context_of(subject);
        let mut all = self.transitions.entries().iter();
        let is_listed = all.any(|way| {
            (way.from, way.to) == (from, to)
                && self.transition(from, &way.object.as_object()) == Some(to)
        });
        if !is_listed {
            return Err(PolicyError::NoTransition);
        }
        self.entered[subject.index()] = Some(to);
        self.epoch += 1;
        Ok(())
    }

    /// Puts the subject where executing the object leads, if it leads anywhere.
    pub fn execute(&mut self, subject: Subject, object: &Object<'_>) -> Option<ContextId> {
        let to = self.transition(self.context_of(subject), object)?;
        self.entered[subject.index()] = Some(to);
        self.epoch += 1;
        Some(to)
    }

    /// Back to its own context; true when it was in another one.
    pub fn leave(&mut self, subject: Subject) -> bool {
        let was_away = self.entered[subject.index()].take().is_some();
        self.epoch += u64::from(was_away);
        was_away
    }

    /// Capabilities that `mandatory_mask` is about: all that fit the fast check.
    pub const MASKED: CapabilitySet =
        CapabilitySet::ALL.without(CapabilitySet::of(Capability::Administer));

    /// Which capabilities over devices the mandatory stages let the subject use, should it
    /// hold them. To be asked again when `epoch` has changed.
    pub fn mandatory_mask(&self, subject: Subject) -> CapabilitySet {
        self.mask(subject, Effect::allows)
    }

    /// Those of `mandatory_mask` whose use a rule wants to be written down.
    pub fn audited_mask(&self, subject: Subject) -> CapabilitySet {
        let all = self.mandatory_mask(subject);
        all.without(self.mask(subject, |effect| effect == Effect::Allow))
    }

    fn mask(&self, subject: Subject, wanted: fn(Effect) -> bool) -> CapabilitySet {
        let id = self.context_of(subject);
        let Some(context) = self.contexts.get(id) else {
            return CapabilitySet::NONE;
        };
        let is_allowed = |capability| {
            let (verbs, object) = stages::use_of(capability);
            let label = self.labels.of(&object);
            verbs.iter().all(|verb| {
                let checked = self.check_mandatory(id, context, *verb, &object, &label);
                checked.is_ok_and(|(_, effect)| wanted(effect))
            })
        };
        let allowed = Self::MASKED
            .iter()
            .filter(|capability| is_allowed(*capability));
        allowed.fold(CapabilitySet::NONE, CapabilitySet::with)
    }
}
