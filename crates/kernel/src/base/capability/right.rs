//! Rights for a time: grants, and delegations that hang on them in chains.
//!
//! Limits: `GRANTS_MAX`, `DELEGATIONS_MAX`, `DELEGATION_HOPS_MAX` from a grant to its last heir.
//! Invariants: numbers grow and are never used again, so both lists are sorted by them;
//! a source has a smaller number than what hangs on it and ends no earlier.

use super::condition::Own;
use super::constraint::Constraints;
use super::{Capability, CapabilitySet};
use crate::base::fixed::Full;
use crate::base::metric::Usage;
use crate::base::subject::Subject;
use crate::base::time::Instant;
use crate::limits::{DELEGATIONS_MAX, GRANTS_MAX};
use alloc::vec::Vec;

#[derive(Clone, Debug)]
pub struct Right {
    /// Counts all grants and delegations since boot.
    pub number: u64,
    pub to: Subject,
    pub capabilities: CapabilitySet,
    pub expires_at: Instant,
    pub by: Subject,
    /// The state of all rights from this one on.
    pub version: u64,
    /// What it was handed on from; `None`: it was granted.
    pub source: Option<u64>,
    /// How often it was handed on.
    pub hops: usize,
    /// Its own.
    pub constraints: Constraints,
    /// Of each kind the tightest in the chain.
    pub effective: Constraints,
    pub(super) conditions: Own,
}

impl Right {
    /// Those of its capabilities that constraints say something about.
    pub fn limited(&self) -> CapabilitySet {
        self.effective.limited(self.capabilities)
    }

    pub fn covers(&self, subject: Subject, capability: Capability) -> bool {
        self.to == subject && self.capabilities.contains(capability)
    }
}

struct List {
    rights: Vec<Right>,
    capacity: usize,
    high_water: usize,
    refused: u64,
}

pub struct Rights {
    grants: List,
    delegations: List,
}

impl List {
    fn new(capacity: usize) -> Self {
        Self {
            rights: Vec::with_capacity(capacity),
            capacity,
            high_water: 0,
            refused: 0,
        }
    }

    fn place(&self, number: u64) -> Option<usize> {
        let found = self
            .rights
            .binary_search_by_key(&number, |right| right.number);
        found.ok()
    }

    fn room(&mut self) -> Result<(), Full> {
        if self.rights.len() == self.capacity {
            self.refused += 1;
            return Err(Full);
        }
        Ok(())
    }

    fn usage(&self, name: &'static str) -> Usage {
        Usage::of(name, self.capacity)
            .used(self.rights.len() as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }
}

impl Rights {
    /// Takes all the memory that it will ever use.
    pub fn new() -> Self {
        Self {
            grants: List::new(GRANTS_MAX),
            delegations: List::new(DELEGATIONS_MAX),
        }
    }

    /// Is there room for one more, with a source or without? Counts when there is none.
    pub fn room(&mut self, source: Option<u64>) -> Result<(), Full> {
        match source {
            None => self.grants.room(),
            Some(_) => self.delegations.room(),
        }
    }

    /// Its number is larger than all others, and there is room for it.
    pub fn push(&mut self, right: Right) {
        let list = match right.source {
            None => &mut self.grants,
            Some(_) => &mut self.delegations,
        };
        crate::invariant!(
            list.rights.len() < list.capacity,
            "nobody asked whether there is room for a right"
        );
        list.rights.push(right);
        list.high_water = list.high_water.max(list.rights.len());
    }

    pub fn find(&self, number: u64) -> Option<&Right> {
        let of = |list: &List| list.place(number);
        match of(&self.grants) {
            Some(place) => self.grants.rights.get(place),
            None => self.delegations.rights.get(of(&self.delegations)?),
        }
    }

    fn remove(&mut self, number: u64) -> Option<Right> {
        if let Some(place) = self.grants.place(number) {
            return Some(self.grants.rights.remove(place));
        }
        let place = self.delegations.place(number)?;
        Some(self.delegations.rights.remove(place))
    }

    /// The right and what it hangs on, up to the grant.
    pub fn chain(&self, number: u64) -> impl Iterator<Item = &Right> {
        let first = self.find(number);
        core::iter::successors(first, |right| self.find(right.source?))
    }

    /// Grants, then delegations, each oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Right> {
        self.grants.rights.iter().chain(&self.delegations.rights)
    }

    /// Takes one out, and all that hangs on it: the source before its heirs.
    pub fn remove_tree(&mut self, number: u64, on_removed: &mut dyn FnMut(&Right)) {
        if let Some(right) = self.remove(number) {
            on_removed(&right);
        }
        // A source stands in front of its heirs, so one pass finds them all.
        let mut place = 0;
        while let Some(right) = self.delegations.rights.get(place) {
            match right.source.and_then(|source| self.find(source)) {
                Some(_) => place += 1,
                None => on_removed(&self.delegations.rights.remove(place)),
            }
        }
    }

    /// One that is over by then, a source before its heirs.
    pub fn due(&self, now: Instant) -> Option<u64> {
        let mut rights = self.iter();
        let right = rights.find(|right| right.expires_at <= now)?;
        Some(right.number)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.iter().map(|right| right.expires_at).min()
    }

    pub fn usages(&self) -> [Usage; 2] {
        [
            self.grants.usage("GRANTS_MAX"),
            self.delegations.usage("DELEGATIONS_MAX"),
        ]
    }
}
