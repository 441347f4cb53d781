//! A walk over a tree of map pages, from the left to the right, a step at a time.
//!
//! Invariant: it ends, for every page on its way down is one level lower than the one above;
//! a page says its level, and that was checked when it was read.

use super::cache::{Cache, Found};
use super::page::{ENTRIES, LEVELS_MAX, Place};
use super::pointer::Pointer;
use super::tree::{Miss, page_of};
use crate::base::fixed::Vec;

#[derive(Clone, Copy, Debug)]
struct Stop {
    pointer: Pointer,
    place: Place,
    next: usize,
}

/// Where a walk is; the pages themselves may come and go meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    stops: Vec<Stop, { LEVELS_MAX as usize }>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A page of the map; `enter` it, or pass.
    Page(Pointer, Place),
    /// A block of data, and which one of the volume it is.
    Data(Pointer, u64),
    /// All of a page was seen.
    Left(Pointer, Place),
    End,
}

impl Walk {
    /// Goes to a page, whose entries are seen next.
    pub fn enter(&mut self, pointer: Pointer, place: Place) {
        let is_lower = self
            .stops
            .last()
            .is_none_or(|above| above.place.level == place.level + 1);
        let stop = Stop {
            pointer,
            place,
            next: 0,
        };
        let has_room = self.stops.push(stop).is_ok();
        crate::invariant!(is_lower && has_room, "a walk goes down beside the tree");
    }

    /// Passes over the page that it is in.
    pub fn leave(&mut self) -> Option<(Pointer, Place)> {
        let stop = self.stops.pop()?;
        Some((stop.pointer, stop.place))
    }

    /// Those from the root down to where it is, without the last.
    pub fn pages(&self) -> impl Iterator<Item = &Pointer> {
        self.stops.iter().map(|stop| &stop.pointer)
    }

    pub fn is_over(&self) -> bool {
        self.stops.is_empty()
    }

    pub fn next(&mut self, cache: &mut Cache) -> Result<Seen, Miss> {
        let Some(stop) = self.stops.last_mut() else {
            return Ok(Seen::End);
        };
        let frame = page_of(cache, stop.pointer, stop.place)?;
        while stop.next < ENTRIES {
            let (index, place) = (stop.next, stop.place);
            stop.next += 1;
            let entry = cache.entry(frame, index);
            if !entry.is_none() {
                return Ok(match place.level {
                    0 => Seen::Data(entry, place.first_of(index)),
                    _ => Seen::Page(entry, place.child(index)),
                });
            }
        }
        let (pointer, place) = (stop.pointer, stop.place);
        self.stops.pop();
        Ok(Seen::Left(pointer, place))
    }

    /// Pages beside the one that it is in, which it will want next.
    pub fn ahead(&self, cache: &mut Cache, visit: &mut dyn FnMut(Pointer, Place)) {
        let Some(above) = self.stops.len().checked_sub(2) else {
            return;
        };
        let Some(stop) = self.stops.get(above) else {
            return;
        };
        let Found::Here(frame) = cache.find(&stop.pointer, stop.place) else {
            return;
        };
        for index in stop.next..ENTRIES {
            let entry = cache.entry(frame, index);
            if !entry.is_none() {
                visit(entry, stop.place.child(index));
            }
        }
    }
}
