//! Slots in groups, each group in the order of a key.
//!
//! Limits: `IO_REQUESTS_MAX` slots over all groups, a slot once.

use super::SlotIndex;
use crate::limits::IO_REQUESTS_MAX;
use alloc::vec::Vec;

/// One run of entries for all groups: finding is a binary search, a change moves at
/// most 4 KiB.
pub(super) struct Sorted {
    /// Made with room for all, so that it never grows.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    group: u16,
    key: u64,
    slot: SlotIndex,
}

impl Default for Sorted {
    fn default() -> Self {
        Self {
            entries: Vec::with_capacity(IO_REQUESTS_MAX),
        }
    }
}

impl Sorted {
    pub fn insert(&mut self, group: u16, key: u64, slot: SlotIndex) {
        crate::invariant!(
            self.entries.len() < IO_REQUESTS_MAX,
            "more requests wait than the queue has places"
        );
        let entry = Entry { group, key, slot };
        let place = self.entries.partition_point(|other| *other < entry);
        self.entries.insert(place, entry);
    }

    pub fn remove(&mut self, group: u16, key: u64, slot: SlotIndex) {
        let found = self.entries.binary_search(&Entry { group, key, slot });
        crate::invariant!(found.is_ok(), "slot {} is not where it was put", slot.0);
        if let Ok(place) = found {
            self.entries.remove(place);
        }
    }

    pub fn first(&self, group: u16) -> Option<(u64, SlotIndex)> {
        self.at_or_above(group, 0)
    }

    /// The lowest of the group's keys that are not below this one.
    pub fn at_or_above(&self, group: u16, key: u64) -> Option<(u64, SlotIndex)> {
        self.in_group(group, self.entries.get(self.place(group, key)))
    }

    /// The highest of the group's keys that are below this one.
    pub fn below(&self, group: u16, key: u64) -> Option<(u64, SlotIndex)> {
        let before = self.place(group, key).checked_sub(1)?;
        self.in_group(group, self.entries.get(before))
    }

    /// The first group from this one on that is not empty.
    pub fn group_from(&self, group: u16) -> Option<u16> {
        let entry = self.entries.get(self.place(group, 0))?;
        Some(entry.group)
    }

    pub fn has(&self, group: u16) -> bool {
        self.first(group).is_some()
    }

    fn place(&self, group: u16, key: u64) -> usize {
        let is_before = |entry: &Entry| (entry.group, entry.key) < (group, key);
        self.entries.partition_point(is_before)
    }

    fn in_group(&self, group: u16, entry: Option<&Entry>) -> Option<(u64, SlotIndex)> {
        let entry = entry.filter(|entry| entry.group == group)?;
        Some((entry.key, entry.slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_knows_its_neighbours_and_none_of_another() {
        let mut sorted = Sorted::default();
        for (group, key, slot) in [(1, 50, 1), (1, 10, 2), (0, 70, 3), (4, 20, 4), (1, 10, 5)] {
            sorted.insert(group, key, SlotIndex(slot));
        }
        assert_eq!(sorted.first(1), Some((10, SlotIndex(2))));
        assert_eq!(sorted.at_or_above(1, 11), Some((50, SlotIndex(1))));
        assert_eq!(sorted.at_or_above(1, 51), None);
        assert_eq!(sorted.below(1, 50), Some((10, SlotIndex(5))));
        assert_eq!(sorted.below(1, 10), None);
        assert_eq!(
            (sorted.group_from(2), sorted.group_from(5)),
            (Some(4), None)
        );
        sorted.remove(4, 20, SlotIndex(4));
        assert!(!sorted.has(4) && sorted.has(0));
    }
}
