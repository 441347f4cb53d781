//! Which connection a segment belongs to: a hash table over the endpoints.

use crate::base::tenant::Tenant;
use crate::net::packet::Endpoint;
use alloc::boxed::Box;
use core::net::IpAddr;

/// What names a connection on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    pub tenant: Tenant,
    pub local: Endpoint,
    pub remote: Endpoint,
}

/// In which table a flow is, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Connection(u16),
    HalfOpen(u16),
    TimeWait(u16),
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    place: Place,
}

/// Open addressing, at most half full, so that a search ends after a step or two.
pub struct FlowTable {
    entries: Box<[Option<Entry>]>,
    key: u64,
    count: usize,
}

impl FlowTable {
    /// `key` is random, so that nobody can choose endpoints that share a place.
    pub fn new(flows_max: usize, key: u64) -> Self {
        let size = (2 * flows_max).next_power_of_two();
        Self {
            entries: alloc::vec![None; size].into_boxed_slice(),
            key: key | 1,
            count: 0,
        }
    }

    pub fn hash(&self, flow: &Flow) -> u32 {
        let ports = u64::from(flow.local.port) << 32
            | u64::from(flow.remote.port) << 8
            | flow.tenant.index() as u64;
        let mut hash = fold(self.key ^ ports, 0x9e37_79b9_7f4a_7c15);
        for address in [flow.local.address, flow.remote.address] {
            hash = match address {
                IpAddr::V4(address) => fold(hash ^ u64::from(address.to_bits()), self.key),
                IpAddr::V6(address) => {
                    let bits = address.to_bits();
                    let low = fold(hash ^ bits as u64, self.key);
                    fold(low ^ (bits >> 64) as u64, self.key)
                }
            };
        }
        (hash ^ hash >> 32) as u32
    }

    /// The first place of that hash for which `is_it` says yes.
    pub fn find(&self, hash: u32, is_it: impl Fn(Place) -> bool) -> Option<Place> {
        let mut index = self.home(hash);
        while let Some(entry) = self.entries[index] {
            if entry.hash == hash && is_it(entry.place) {
                return Some(entry.place);
            }
            index = self.behind(index);
        }
        None
    }

    pub fn insert(&mut self, hash: u32, place: Place) {
        crate::invariant!(
            2 * self.count < self.entries.len(),
            "more flows than the table was made for"
        );
        let mut index = self.home(hash);
        while self.entries[index].is_some() {
            index = self.behind(index);
        }
        self.entries[index] = Some(Entry { hash, place });
        self.count += 1;
    }

    /// Takes a flow out and moves up those that stand behind it only because of it.
    pub fn remove(&mut self, hash: u32, place: Place) {
        let mut hole = self.home(hash);
        while self.entries[hole].is_some_and(|entry| entry.place != place) {
            hole = self.behind(hole);
        }
        if self.entries[hole].take().is_none() {
            return;
        }
        self.count -= 1;
        let mut index = self.behind(hole);
        while let Some(entry) = self.entries[index] {
            let (from_home, from_hole) = (
                self.distance(self.home(entry.hash), index),
                self.distance(hole, index),
            );
            if from_home >= from_hole {
                self.entries[hole] = self.entries[index].take();
                hole = index;
            }
            index = self.behind(index);
        }
    }

    #[cfg(test)]
    pub const fn count(&self) -> usize {
        self.count
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.entries.len() - 1)
    }

    fn behind(&self, index: usize) -> usize {
        (index + 1) & (self.entries.len() - 1)
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.entries.len() - 1)
    }
}

fn fold(word: u64, key: u64) -> u64 {
    let product = u128::from(word) * u128::from(key);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use std::collections::HashMap;

    #[test]
    fn the_table_agrees_with_an_ordinary_map() {
        let mut table = FlowTable::new(64, 7);
        let mut model: HashMap<u16, u32> = HashMap::new();
        let mut prng = Prng::new(3);
        for _ in 0..100_000 {
            let number = prng.below(64) as u16;
            // Few hashes, so that runs get long and wrap round the end.
            let hash = 120 + prng.below(12) as u32;
            let place = Place::Connection(number);
            match model.remove(&number) {
                Some(hash) => table.remove(hash, place),
                None => {
                    table.insert(hash, place);
                    model.insert(number, hash);
                }
            }
            for (number, hash) in &model {
                let place = Place::Connection(*number);
                assert_eq!(table.find(*hash, |other| other == place), Some(place));
            }
            assert_eq!(table.count(), model.len());
        }
    }
}
