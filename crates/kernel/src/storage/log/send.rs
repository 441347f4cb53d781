//! What the log sends by itself: batches, flushes, superblocks; and when.

use super::LogError;
use super::area::Place;
use super::batch::Batch;
use super::machine::{Log, SEAL_AFTER, State};
use super::reader::Reader;
use super::recovery::Recovery;
use super::requests::{Ask, Job};
use crate::base::disk::DiskOperation;
use crate::base::time::Instant;
use crate::storage::io::Submit;

impl Log {
    pub(super) fn step_control(&mut self, now: Instant, io: &mut dyn Submit) {
        let (requests, block) = (&mut self.requests, &mut self.block);
        let area = &self.area;
        let stepped = self
            .control
            .step(now, area, self.has_cache, requests, block, io);
        if let Err(error) = stepped {
            self.control.give_up();
            self.fail(LogError::Disk(error));
        }
        let Some(superblock) = self.control.take_finished() else {
            return;
        };
        self.counters.superblocks += 1;
        self.superblock.generation = superblock.generation;
        self.confirmed = superblock;
        match self.state {
            State::Recovering => self.become_open(),
            _ => self.on_cut_written(),
        }
    }

    /// Sends the batch that is being filled, and a flush behind those that were written.
    pub(super) fn send(&mut self, now: Instant, io: &mut dyn Submit) {
        if self.may_send() && self.requests.may_submit(io) {
            self.send_batch(now, io);
        }
        if self.flights.wants_flush() {
            match self.requests.submit(now, io, Job::flush(Ask::Flush)) {
                Ok(()) => {
                    self.flights.on_flush_sent();
                    self.counters.flushes += 1;
                }
                Err(refused) => self.fail_if(refused.error),
            }
        }
    }

    fn may_send(&self) -> bool {
        let end = self.next.position + self.area.batch_sectors;
        self.cut.is_none()
            && self.flights.space() > 0
            && end <= self.confirmed.synced_position + self.area.reach_sectors()
    }

    fn send_batch(&mut self, now: Instant, io: &mut dyn Submit) {
        let Some(mut batch) = self.filling.take() else {
            return;
        };
        if batch.is_empty() {
            self.give_back(batch.buffer);
            return;
        }
        let (identity, epoch) = (self.superblock.identity, self.superblock.epoch);
        let header = batch.seal(identity, epoch, self.next, self.synced.number);
        let job = Job {
            ask: Ask::Batch(header.number),
            operation: DiskOperation::Write,
            sector: self.area.sector(header.position),
            sectors: header.sectors(),
            data: Some(batch.buffer),
        };
        match self.requests.submit(now, io, job) {
            Ok(()) => {
                let place = Place {
                    lsn: header.lsn,
                    ..self.next
                };
                self.index.push(place);
                self.next = header.after(&self.area);
                self.flights.push(header.number, self.next);
                self.counters.batches += 1;
                self.counters.sectors += header.sectors();
            }
            Err(refused) => {
                if let Some(buffer) = refused.data {
                    self.filling = Some(Batch { buffer, ..batch });
                }
                self.fail_if(refused.error);
            }
        }
    }

    /// Writes superblocks when there is a reason.
    pub(super) fn maybe_update(&mut self, now: Instant) {
        if self.cutting.is_some() || !self.control.is_idle() {
            return;
        }
        let is_due = self.update_due_at().is_some_and(|at| now >= at);
        let unsaid = self
            .synced
            .position
            .saturating_sub(self.confirmed.synced_position);
        if is_due || self.is_update_wanted || unsaid >= self.area.seal_sectors() {
            self.is_update_wanted = false;
            self.superblock.set_synced(self.synced);
            self.control.begin(self.superblock, true);
        }
    }

    /// When both superblocks are to say what is safe, if they do not.
    fn update_due_at(&self) -> Option<Instant> {
        let is_quiet = self.flights.is_empty() && self.filling.is_none();
        let is_news = self.confirmed.synced < self.synced.number
            || self.confirmed.keep_from != self.superblock.keep_from;
        (is_quiet && is_news).then(|| self.progress_at + SEAL_AFTER)
    }

    /// When it wants to be called though no disk has answered.
    pub fn next_deadline(&self) -> Option<Instant> {
        let can_ask = !self.requests.is_refused;
        let is_pending = match self.state {
            State::Recovering => {
                let recovery = self.recovery.as_ref().is_some_and(Recovery::is_pending);
                recovery || self.control.is_pending()
            }
            State::Open => {
                let has_batch = self.filling.is_some() && self.may_send();
                self.is_cut_pending()
                    || self.reader.as_ref().is_some_and(Reader::is_pending)
                    || has_batch
                    || self.flights.wants_flush()
                    || self.control.is_pending()
                    || self.is_update_wanted && self.control.is_idle() && self.cutting.is_none()
            }
            State::Failed(LogError::Damaged) => {
                self.control.is_pending() || self.is_update_wanted && self.control.is_idle()
            }
            State::Damaged(_) | State::Failed(_) => return None,
        };
        if is_pending && can_ask {
            return Some(Instant::ZERO);
        }
        let is_update_possible = self.control.is_idle() && self.cutting.is_none();
        let is_open = self.state == State::Open;
        self.update_due_at()
            .filter(|_| is_open && is_update_possible)
    }
}
