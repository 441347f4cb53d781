//! The newest entries with their hashes, and the point before them.

use super::entry::{Entry, Link};
use super::verify::{Kept, Linked};
use crate::base::digest::Digest;
use crate::limits::AUDIT_ENTRIES_MAX;
use alloc::collections::VecDeque;

#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    pub entry: Entry,
    pub hash: Digest,
}

/// Never longer than it was made.
pub struct Chain {
    pub(super) kept: VecDeque<Sealed>,
    capacity: usize,
    base: Link,
    head: Link,
}

impl Chain {
    pub fn new(boot: &[u8]) -> Self {
        Self::of_entries(AUDIT_ENTRIES_MAX, boot)
    }

    /// One that keeps so many entries.
    pub fn of_entries(capacity: usize, boot: &[u8]) -> Self {
        let genesis = Link::genesis(boot);
        Self {
            kept: VecDeque::with_capacity(capacity),
            capacity,
            base: genesis,
            head: genesis,
        }
    }

    /// Another genesis, before there is an entry.
    pub fn begin(&mut self, boot: &[u8]) {
        crate::invariant!(self.head.entries == 0, "a chain with entries begins anew");
        self.base = Link::genesis(boot);
        self.head = self.base;
    }

    /// Adds an entry, which has the head's number; says which one had to leave for it.
    pub fn push(&mut self, entry: Entry) -> Option<Entry> {
        let left = match self.kept.len() == self.capacity {
            true => self.kept.pop_front(),
            false => None,
        };
        if let Some(left) = &left {
            self.base = Link::behind(&left.entry, left.hash);
        }
        let hash = entry.hash_behind(&self.head.hash);
        self.head = Link::behind(&entry, hash);
        self.kept.push_back(Sealed { entry, hash });
        left.map(|left| left.entry)
    }

    /// Before the oldest that is kept.
    pub const fn base(&self) -> Link {
        self.base
    }

    /// Behind the newest.
    pub const fn head(&self) -> Link {
        self.head
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Sealed> + ExactSizeIterator {
        self.kept.iter()
    }

    /// Oldest first, from that number on.
    pub fn iter_from(&self, number: u64) -> impl DoubleEndedIterator<Item = &Sealed> {
        let start = number.saturating_sub(self.base.entries);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        self.kept.range(start.min(self.kept.len())..)
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The hash behind so many entries; `None` where it is not kept.
    pub fn hash_at(&self, entries: u64) -> Option<&Digest> {
        let index = entries.checked_sub(self.base.entries)?;
        match index {
            0 => Some(&self.base.hash),
            _ => Some(&self.kept.get(usize::try_from(index - 1).ok()?)?.hash),
        }
    }
}

impl Kept for Chain {
    fn base(&self) -> Link {
        self.base
    }

    fn head(&self) -> Link {
        self.head
    }

    fn entry(&self, index: usize) -> Option<Linked<'_>> {
        let sealed = self.kept.get(index)?;
        Some(Linked {
            entry: &sealed.entry,
            hash: &sealed.hash,
            previous: None,
        })
    }
}
