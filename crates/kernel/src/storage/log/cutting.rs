//! Giving up the newest records: a new epoch begins behind what stays.

use super::area::Place;
use super::machine::{Log, State};
use super::requests::Walker;
use super::walk::{Step, Stop, Walk};
use super::{LogError, Lsn};
use crate::base::time::Instant;
use crate::storage::io::Submit;
use alloc::boxed::Box;

pub enum Cutting {
    /// Looking for the batch with that record.
    Walking(Box<Walk>, u64),
    /// Both superblocks get the new epoch, which keeps records up to that one.
    Writing(u64),
}

impl Cutting {
    pub fn into_walk(self) -> Option<Walk> {
        match self {
            Self::Walking(walk, _) => Some(*walk),
            Self::Writing(_) => None,
        }
    }

    pub const fn walk_mut(&mut self) -> Option<&mut Walk> {
        match self {
            Self::Walking(walk, _) => Some(walk),
            Self::Writing(_) => None,
        }
    }
}

impl Log {
    /// Gives up all records behind that one; their numbers are given out again.
    pub fn truncate(&mut self, keep_through: Lsn) -> Result<(), LogError> {
        self.check_open()?;
        let (keep, next) = (keep_through.0, self.next_lsn().0);
        if keep >= next || keep + 1 < self.superblock.keep_from {
            return Err(LogError::OutOfRange);
        }
        if keep + 1 >= self.next.lsn {
            // It was not sent yet.
            if let Some(batch) = &mut self.filling {
                batch.cut(keep);
            }
            return Ok(());
        }
        if let Some(batch) = self.filling.take() {
            self.give_back(batch.buffer);
        }
        self.next.lsn = keep + 1;
        self.cut = Some(keep);
        if let Some(reader) = &mut self.reader {
            reader.on_cut();
        }
        Ok(())
    }

    /// Is what was given up perhaps still on the disk?
    pub const fn is_truncating(&self) -> bool {
        self.cut.is_some()
    }

    /// Could it go on without an answer of the disk?
    pub(super) fn is_cut_pending(&self) -> bool {
        match &self.cutting {
            None => self.can_begin_cut(),
            Some(Cutting::Walking(walk, _)) => walk.is_pending() || !walk.is_waiting(),
            Some(Cutting::Writing(_)) => false,
        }
    }

    /// What was sent is safe first, so that a batch before the new epoch always is.
    fn can_begin_cut(&self) -> bool {
        let is_quiet = self.flights.is_empty() && self.control.is_idle();
        self.cut.is_some() && self.cutting.is_none() && is_quiet && self.buffers.len() >= 2
    }

    pub(super) fn step_cutting(&mut self, now: Instant, io: &mut dyn Submit) {
        if let Some(cut) = self.cut.filter(|_| self.can_begin_cut()) {
            self.begin_cut(cut);
        }
        let rules = self.rules();
        let Some(Cutting::Walking(walk, keep)) = &mut self.cutting else {
            return;
        };
        // What the disk will not read is not asked for again.
        if let Some(error) = walk.error() {
            self.fail(LogError::Disk(error));
            return;
        }
        if !walk.is_waiting() {
            let keep = *keep;
            match walk.advance(&rules, &mut |_| {}, &mut |_, _| {}) {
                Step::Read => {}
                Step::Stopped(place) => {
                    self.fork_at(Place {
                        lsn: keep + 1,
                        ..place
                    });
                    return;
                }
                Step::Broken(_) => {
                    self.fail_damaged();
                    return;
                }
            }
        }
        let (requests, block) = (&mut self.requests, &mut self.block);
        if let Some(Cutting::Walking(walk, _)) = &mut self.cutting {
            walk.step(now, &rules, Walker::Cutting, requests, block, io);
            let error = walk.error();
            self.fail_if(error);
        }
    }

    /// What was acknowledged is gone. A seal says so to the next recovery, which names it.
    fn fail_damaged(&mut self) {
        if let Some(Cutting::Walking(walk, _)) = self.cutting.take() {
            self.take_back(*walk);
        }
        self.fail(LogError::Damaged);
        self.is_update_wanted = true;
    }

    fn begin_cut(&mut self, keep: u64) {
        if self.buffers.len() < 2 {
            return;
        }
        let Some((first, second)) = self.buffers.pop().zip(self.buffers.pop()) else {
            return;
        };
        let from = self.index.find(keep).unwrap_or(self.superblock.head);
        let stop = Stop::Lsn {
            lsn: keep,
            number: self.next.number,
        };
        let walk = Walk::new(from, stop, &self.rules(), [first, second]);
        self.cutting = Some(Cutting::Walking(Box::new(walk), keep));
    }

    fn fork_at(&mut self, fork: Place) {
        let keep = fork.lsn - 1;
        let before = self.cutting.replace(Cutting::Writing(keep));
        if let Some(Cutting::Walking(walk, _)) = before {
            self.take_back(*walk);
        }
        // Another cut may have come in the meantime; then its numbers count.
        self.next = Place {
            lsn: self.next.lsn,
            ..fork
        };
        self.synced = fork;
        self.index.drop_from(fork.number);
        self.superblock.epoch += 1;
        self.superblock.fork = fork;
        self.superblock.set_synced(fork);
        self.control.begin(self.superblock, true);
    }

    pub(super) fn on_cut_written(&mut self) {
        let Some(Cutting::Writing(keep)) = self.cutting else {
            return;
        };
        self.cutting = None;
        self.counters.cuts += 1;
        if self.cut == Some(keep) && self.state == State::Open {
            self.cut = None;
        }
    }
}
