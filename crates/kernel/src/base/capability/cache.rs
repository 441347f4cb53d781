//! The cache of capabilities: what a subject may do without further questions.
//!
//! One word a subject: the low 16 bits are capabilities that are held without any
//! constraint and that the security policy allows, the next 16 those that are held under
//! constraints only. A check is one load, one mask, one compare.
//!
//! Nothing here is ever stale. There is no second copy, and only `Grants` writes words: the
//! call that grants, revokes, delegates, expires or sets something computes them anew from
//! the rights before it returns, so no check comes between. What ends by itself ends in
//! `Grants::on_time`, which the loop calls at the start of a tick before anything is asked,
//! and every question with a time calls again; `next_deadline` makes that tick come.
//! Capabilities behind the first eight (ADMIN) have no bit here and are always asked for.

use super::{Capability, CapabilitySet};
use crate::base::subject::Subject;
use crate::limits::SUBJECTS_MAX;
use core::sync::atomic::{AtomicU64, Ordering};

/// The first eight capabilities.
const CACHED: CapabilitySet = CapabilitySet::from_bits(0xff);
const LIMITED_SHIFT: u32 = 16;

pub struct Cache {
    words: [AtomicU64; SUBJECTS_MAX],
}

impl Cache {
    pub const fn new() -> Self {
        Self {
            words: [const { AtomicU64::new(0) }; SUBJECTS_MAX],
        }
    }

    /// May the subject do all of that, without any condition?
    #[inline]
    pub fn allows(&self, subject: Subject, needed: CapabilitySet) -> bool {
        let word = self.words[subject.index()].load(Ordering::Acquire);
        word & needed.bits() as u64 == needed.bits() as u64
    }

    /// Is it worth asking the rights? No where the subject holds the capability neither so
    /// nor so; a flood of such questions costs no search.
    pub fn may_hold(&self, subject: Subject, capability: Capability) -> bool {
        let word = self.words[subject.index()].load(Ordering::Acquire);
        let either = CapabilitySet::from_bits((word | word >> LIMITED_SHIFT) as u16);
        !CACHED.contains(capability) || either.contains(capability)
    }

    pub(super) fn write(&self, place: usize, free: CapabilitySet, limited: CapabilitySet) {
        self.words[place].store(Self::word(free, limited), Ordering::Release);
    }

    pub(super) fn word(free: CapabilitySet, limited: CapabilitySet) -> u64 {
        let free = free.intersection(CACHED);
        let limited = limited.intersection(CACHED).without(free);
        u64::from(free.bits()) | u64::from(limited.bits()) << LIMITED_SHIFT
    }

    #[cfg(test)]
    pub(super) fn read(&self, place: usize) -> u64 {
        self.words[place].load(Ordering::Acquire)
    }
}
