//! Where some of the batches are, so that records are found quickly.
//!
//! Limits: `LOG_INDEX_MAX` places; when they are full, every second one is dropped.

use super::LogError;
use super::area::Place;
use crate::limits::LOG_INDEX_MAX;
use alloc::vec::Vec;

pub struct Index {
    /// In their order.
    places: Vec<Place>,
    /// Batches from one that is kept to the next.
    stride: u64,
}

impl Index {
    /// Takes all the memory that it will ever use.
    pub fn new() -> Result<Self, LogError> {
        let mut places = Vec::new();
        places
            .try_reserve_exact(LOG_INDEX_MAX)
            .map_err(|_| LogError::NoMemory)?;
        Ok(Self { places, stride: 1 })
    }

    /// A batch was written or found behind all others.
    pub fn push(&mut self, place: Place) {
        let is_due = |last: &Place| place.number >= last.number + self.stride;
        if !self.places.last().is_none_or(is_due) {
            return;
        }
        if self.places.len() == LOG_INDEX_MAX {
            self.stride *= 2;
            let mut is_kept = false;
            self.places.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
        self.places.push(place);
    }

    /// The last known place at or before the one of that record.
    pub fn find(&self, lsn: u64) -> Option<Place> {
        let behind = self.places.partition_point(|place| place.lsn <= lsn);
        self.places.get(behind.checked_sub(1)?).copied()
    }

    /// What is before that batch is not there any more.
    pub fn drop_before(&mut self, number: u64) {
        let gone = self.places.partition_point(|place| place.number < number);
        self.places.drain(..gone);
        if self.places.len() < LOG_INDEX_MAX / 4 && self.stride > 1 {
            self.stride /= 2;
        }
    }

    pub fn clear(&mut self) {
        self.places.clear();
        self.stride = 1;
    }

    /// What is at or behind that batch is void.
    pub fn drop_from(&mut self, number: u64) {
        let kept = self.places.partition_point(|place| place.number < number);
        self.places.truncate(kept);
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u64) -> Place {
        Place {
            number,
            position: number * 3,
            lsn: number * 10,
            link: 0,
        }
    }

    #[test]
    fn a_record_is_found_at_or_behind_the_place_that_the_index_says() {
        let mut index = Index::new().expect("there is memory");
        let count = 10 * LOG_INDEX_MAX as u64;
        (1..=count).for_each(|number| index.push(place(number)));
        assert!(index.places.len() <= LOG_INDEX_MAX);
        for lsn in 10..count * 10 {
            let found = index.find(lsn).expect("the first is always kept");
            assert!(found.lsn <= lsn && found.number + 2 * index.stride > lsn / 10);
        }
        assert_eq!(index.find(9), None);
        index.drop_before(count);
        index.drop_from(count);
        assert!(index.places.is_empty());
    }
}
