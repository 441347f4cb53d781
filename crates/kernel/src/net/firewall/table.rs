//! A small hash table: 64 buckets of 4 slots, each holding its whole key.
//!
//! Invariant: a value is found only by a key that equals the one it was put in with;
//! the hash says where to look, never what is there.

use super::tuple::Hash;
use crate::limits::FIREWALL_RULES_MAX;
use alloc::vec::Vec;

const BUCKETS: usize = 64;
const SLOTS: usize = FIREWALL_RULES_MAX / BUCKETS;

pub struct Table<K, V> {
    /// `BUCKETS` times `SLOTS`; in a bucket, what was asked for more often stands in front.
    slots: Vec<Option<(K, V)>>,
    used: usize,
}

impl<K: PartialEq + Copy, V: Copy> Table<K, V> {
    pub fn new() -> Self {
        Self {
            slots: (0..BUCKETS * SLOTS).map(|_| None).collect(),
            used: 0,
        }
    }

    pub fn get(&mut self, hash: Hash, key: &K) -> Option<V> {
        let bucket = self.bucket(hash);
        let position = find(bucket, key)?;
        let value = bucket[position].as_ref()?.1;
        // One step forward: what comes once does not push out what comes always.
        if position > 0 {
            bucket.swap(position, position - 1);
        }
        Some(value)
    }

    /// Puts in a key that is not there, in a free slot or that of the one asked for least.
    pub fn put(&mut self, hash: Hash, key: K, value: V) {
        let bucket = self.bucket(hash);
        let free = bucket.iter().position(Option::is_none);
        let is_new = free.is_some();
        bucket[free.unwrap_or(SLOTS - 1)] = Some((key, value));
        self.used += usize::from(is_new);
    }

    /// As `put`, but pushes nothing out; says whether there was room.
    pub fn put_if_free(&mut self, hash: Hash, key: K, value: V) -> bool {
        let has_room = self.bucket(hash).iter().any(Option::is_none);
        if has_room {
            self.put(hash, key, value);
        }
        has_room
    }

    pub fn clear(&mut self) {
        if self.used > 0 {
            self.slots.fill(None);
            self.used = 0;
        }
    }

    /// Slots in use.
    pub const fn used(&self) -> usize {
        self.used
    }

    fn bucket(&mut self, hash: Hash) -> &mut [Option<(K, V)>] {
        let start = hash.place(BUCKETS) * SLOTS;
        &mut self.slots[start..start + SLOTS]
    }
}

fn find<K: PartialEq, V>(bucket: &[Option<(K, V)>], key: &K) -> Option<usize> {
    let is_it = |slot: &Option<(K, V)>| slot.as_ref().is_some_and(|(own, _)| own == key);
    bucket.iter().position(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_bucket_are_told_apart_and_the_busy_ones_stay() {
        let mut table: Table<u32, u32> = Table::new();
        let hash = Hash::new(7);
        for key in 0..SLOTS as u32 {
            assert!(table.put_if_free(hash, key, key * 10));
        }
        assert!(!table.put_if_free(hash, 99, 0));
        assert_eq!(table.get(hash, &99), None);
        for key in 0..SLOTS as u32 {
            assert_eq!(table.get(hash, &key), Some(key * 10));
        }
        for _ in 0..SLOTS {
            assert_eq!(table.get(hash, &2), Some(20));
        }
        for stranger in 100..200 {
            table.put(hash, stranger, 0);
            assert_eq!(table.get(hash, &2), Some(20));
        }
        assert_eq!(table.used(), SLOTS);
        table.clear();
        assert_eq!((table.get(hash, &2), table.used()), (None, 0));
    }
}
