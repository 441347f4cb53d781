//! Takes trees apart that nobody has any more, and sets free what only they had.
//!
//! Invariant: a page keeps its last count until all below it was counted down; so it is not
//! used anew while it is still to be read.

use super::Volumes;
use super::counts::Counts;
use super::tree::{Dropped, Miss};
use super::walk::{Seen, Walk};
use crate::base::fixed::Queue;
use crate::base::metric::Usage;
use crate::limits::VOLUME_DROPPED_MAX;
use crate::storage::io::Priority;
use alloc::boxed::Box;

/// Entries that are looked at in one step.
const ENTRIES_A_STEP: usize = 1024;

pub struct Reaper {
    waiting: Box<Queue<Dropped, VOLUME_DROPPED_MAX>>,
    walk: Walk,
    /// Trees that were taken apart.
    pub trees: u64,
    /// Pages that could not be read: what only they had is free at the next mount.
    pub unread: u64,
    high_water: usize,
}

impl Reaper {
    pub fn new() -> Self {
        Self {
            waiting: Box::default(),
            walk: Walk::default(),
            trees: 0,
            unread: 0,
            high_water: 0,
        }
    }

    pub fn reset(&mut self) {
        self.waiting.clear();
        self.walk = Walk::default();
    }

    pub fn is_idle(&self) -> bool {
        self.walk.is_over() && self.waiting.is_empty()
    }

    /// One less has this tree; `false` when it cannot take it now.
    pub fn take(&mut self, tree: Dropped, counts: &mut Counts) -> bool {
        if tree.pointer.is_none() {
            return true;
        }
        if counts.count(tree.pointer.block) > 1 {
            counts.lower(tree.pointer.block);
            return true;
        }
        let is_taken = self.waiting.push(tree).is_ok();
        self.high_water = self.high_water.max(self.waiting.len());
        is_taken
    }

    pub fn usage(&self) -> Usage {
        Usage::of("VOLUME_DROPPED_MAX", VOLUME_DROPPED_MAX)
            .used(self.waiting.len() as u64)
            .high_water(self.high_water as u64)
    }
}

impl Volumes {
    /// Goes on for one step. Is there more that can be done at once?
    pub(super) fn reap(&mut self) -> bool {
        for _ in 0..ENTRIES_A_STEP {
            if self.reaper.walk.is_over() {
                let Some(tree) = self.reaper.waiting.pop() else {
                    return false;
                };
                self.enter_or_lower(tree);
                continue;
            }
            match self.reaper.walk.next(&mut self.cache) {
                Ok(Seen::Data(pointer, _)) => drop(self.counts.lower(pointer.block)),
                Ok(Seen::Page(pointer, place)) => self.enter_or_lower(Dropped { pointer, place }),
                Ok(Seen::Left(pointer, _)) => {
                    self.counts.lower(pointer.block);
                    self.on_reaped();
                }
                Ok(Seen::End) => {}
                Err(miss) => {
                    if !self.fetch_for_reaper(miss) {
                        return false;
                    }
                }
            }
        }
        true
    }

    fn enter_or_lower(&mut self, tree: Dropped) {
        if self.counts.count(tree.pointer.block) == 1 {
            self.reaper.walk.enter(tree.pointer, tree.place);
        } else {
            self.counts.lower(tree.pointer.block);
        }
    }

    /// Was the page that is missing given up?
    fn fetch_for_reaper(&mut self, miss: Miss) -> bool {
        let walk = self.reaper.walk.clone();
        if self.fetch_for(&walk, miss, Priority::IDLE).is_ok() {
            return false;
        }
        self.reaper.unread += 1;
        if let Some((pointer, _)) = self.reaper.walk.leave() {
            self.counts.lower(pointer.block);
        }
        self.on_reaped();
        true
    }

    /// When the last tree is gone, so are the names of volumes that were deleted.
    fn on_reaped(&mut self) {
        if self.reaper.walk.is_over() {
            self.reaper.trees += 1;
        }
        if self.reaper.is_idle() {
            self.bury_the_deleted();
        }
    }
}
