//! What happened to rights: granted, handed on, ended, asked for.
//!
//! Limits: `CAPABILITY_EVENTS_MAX`, the oldest make room.
//! Checks of one subject for one capability with the same result within a second are one
//! event, so a flood of questions cannot push out what others did. Passes of the cache are
//! no events; they are counted (`Grants::passes`).

use super::{Capability, CapabilitySet};
use crate::base::metric::Usage;
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use crate::limits::{CAPABILITY_EVENTS_MAX, SUBJECTS_MAX};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

const MERGE_WITHIN: Duration = Duration::from_secs(1);
/// Results of a check that are told apart.
const RESULTS: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EventKind {
    Grant,
    Revoke,
    Delegate,
    Expire,
    CheckPass,
    CheckFail,
}

impl EventKind {
    pub const ALL: [Self; 6] = [
        Self::Grant,
        Self::Revoke,
        Self::Delegate,
        Self::Expire,
        Self::CheckPass,
        Self::CheckFail,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Grant => "GRANT",
            Self::Revoke => "REVOKE",
            Self::Delegate => "DELEGATE",
            Self::Expire => "EXPIRE",
            Self::CheckPass => "CHECK_PASS",
            Self::CheckFail => "CHECK_FAIL",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    pub at: Instant,
    pub kind: EventKind,
    /// Whose rights, or who asked.
    pub subject: Subject,
    pub capabilities: CapabilitySet,
    /// The grant or delegation; `None`: a standing right, or none at all. Of several checks
    /// the newest.
    pub right: Option<u64>,
    /// Who did it; `None`: time, or the check itself.
    pub by: Option<Subject>,
    /// Of checks that were merged: how many.
    pub times: u64,
}

pub struct Events {
    ring: VecDeque<Event>,
    forgotten: u64,
    /// The number of the newest check of each subject, capability and result, plus one.
    newest: Vec<[[u64; RESULTS]; Capability::ALL.len()]>,
    counts: [u64; EventKind::ALL.len()],
}

impl Events {
    /// Takes all the memory that it will ever use.
    pub fn new() -> Self {
        Self {
            ring: VecDeque::with_capacity(CAPABILITY_EVENTS_MAX),
            forgotten: 0,
            newest: alloc::vec![[[0; RESULTS]; Capability::ALL.len()]; SUBJECTS_MAX],
            counts: [0; EventKind::ALL.len()],
        }
    }

    pub fn push(&mut self, event: Event) {
        self.counts[event.kind as usize] += event.times;
        if self.ring.len() == CAPABILITY_EVENTS_MAX {
            self.ring.pop_front();
            self.forgotten += 1;
        }
        self.ring.push_back(event);
    }

    /// A check with its result; adds to the one before it when that is young enough.
    pub fn on_check(
        &mut self,
        at: Instant,
        subject: Subject,
        capability: Capability,
        has_passed: bool,
        right: Option<u64>,
    ) {
        let kind = match has_passed {
            true => EventKind::CheckPass,
            false => EventKind::CheckFail,
        };
        let place = (subject.index(), capability.index(), usize::from(has_passed));
        let newest = self.newest[place.0][place.1][place.2];
        let number = newest.checked_sub(1 + self.forgotten);
        let event = number.and_then(|number| self.ring.get_mut(number as usize));
        if let Some(event) = event
            && at.since(event.at) < MERGE_WITHIN
        {
            event.times += 1;
            event.right = right;
            self.counts[kind as usize] += 1;
            return;
        }
        self.push(Event {
            at,
            kind,
            subject,
            capabilities: capability.into(),
            right,
            by: None,
            times: 1,
        });
        let number = self.forgotten + self.ring.len() as u64;
        self.newest[place.0][place.1][place.2] = number;
    }

    /// Oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.ring.iter()
    }

    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// How many of that kind since boot, merged ones each.
    pub const fn count(&self, kind: EventKind) -> u64 {
        self.counts[kind as usize]
    }

    pub fn usage(&self) -> Usage {
        Usage::of("CAPABILITY_EVENTS_MAX", CAPABILITY_EVENTS_MAX)
            .used(self.ring.len() as u64)
            .ring()
    }
}
