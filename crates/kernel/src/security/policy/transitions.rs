//! Ways from one context into another, by what is executed.
//!
//! Invariant: no way leads to more than there was before it (`check_harm`).

use super::context::{Context, ContextId};
use super::object::{Object, ObjectName};
use super::policy_error::PolicyError;
use crate::base::fixed::Full;
use crate::limits::POLICY_TRANSITIONS_MAX;
use alloc::vec::Vec;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    pub from: ContextId,
    pub object: ObjectName,
    pub to: ContextId,
}

pub struct Transitions {
    entries: Vec<Transition>,
}

impl Transitions {
    pub fn new() -> Self {
        Self {
            entries: Vec::with_capacity(POLICY_TRANSITIONS_MAX),
        }
    }

    pub fn entries(&self) -> &[Transition] {
        &self.entries
    }

    pub fn find(&self, from: ContextId, object: &Object<'_>) -> Option<ContextId> {
        let place = self.place_of(from, object)?;
        Some(self.entries[place].to)
    }

    /// The caller has looked that there is none yet.
    pub fn add(&mut self, transition: Transition) -> Result<(), Full> {
        if self.entries.len() == POLICY_TRANSITIONS_MAX {
            return Err(Full);
        }
        self.entries.push(transition);
        Ok(())
    }

    pub fn remove(&mut self, from: ContextId, object: &Object<'_>) -> Option<Transition> {
        let place = self.place_of(from, object)?;
        Some(self.entries.remove(place))
    }

    pub fn names(&self, context: ContextId) -> bool {
        let mut all = self.entries.iter();
        all.any(|transition| transition.from == context || transition.to == context)
    }

    fn place_of(&self, from: ContextId, object: &Object<'_>) -> Option<usize> {
        self.entries.iter().position(|transition| {
            transition.from == from && transition.object.as_object() == *object
        })
    }
}

/// Says what somebody would gain who went from one to the other.
///
/// Who is not trusted stays at the level: above it there is more to read, below it more
/// to tell. Who is trusted may tell everybody anyway, and only does not rise.
pub fn check_harm(from: &Context, to: &Context) -> Result<(), PolicyError> {
    if to.is_trusted && !from.is_trusted {
        return Err(PolicyError::TransitionGainsTrust);
    }
    if !from.capabilities.contains_all(to.capabilities) {
        return Err(PolicyError::TransitionGainsCapabilities);
    }
    match from.is_trusted {
        true if to.level > from.level => Err(PolicyError::TransitionRaisesLevel),
        false if to.level != from.level => Err(PolicyError::TransitionChangesLevel),
        _ => Ok(()),
    }
}
