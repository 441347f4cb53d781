//! How an asker asks: does it pay to keep the disk for its next request?
//!
//! A reader that goes through a file asks for the next piece when it has the one before.
//! Serving somebody else in between costs two seeks, waiting for it a moment.

use super::{Finished, Waiting};
use crate::base::disk::DiskOperation;
use crate::base::time::{Duration, Instant};

/// How long a disk waits at most.
pub(super) const IDLE_MAX: Duration = Duration::from_millis(8);
/// Requests in a row, each behind the one before, that make an asker sequential.
const RUN: u8 = 4;
/// Sectors that may be left out between two sequential requests.
const GAP_SECTORS: u64 = 256;

/// What an asker has done so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Pattern {
    pub in_flight: u32,
    /// Of the last of its requests that went, where its next turn goes on: from where
    /// the disk is by then some would be passed over again and again.
    pub place: u64,
    /// Behind its last request.
    end: u64,
    /// Requests in a row, each behind the one before.
    run: u8,
    is_reading: bool,
    /// When its last request was answered.
    done_at: Option<Instant>,
    /// From an answer to the next request: seven parts of what was, one of what is.
    thinks: Duration,
}

impl Pattern {
    pub fn on_add(&mut self, now: Instant, waiting: &Waiting) {
        let is_ahead = (self.end..=self.end.saturating_add(GAP_SECTORS)).contains(&waiting.sector);
        self.is_reading = waiting.operation == DiskOperation::Read;
        self.run = match is_ahead {
            true => self.run.saturating_add(1),
            false => 0,
        };
        self.end = waiting.sector.saturating_add(waiting.sectors);
        if self.in_flight == 0
            && let Some(done_at) = self.done_at.take()
        {
            let thought = now.since(done_at).as_nanos().min(4 * IDLE_MAX.as_nanos());
            self.thinks = Duration::from_nanos((self.thinks.as_nanos() * 7 + thought) / 8);
        }
    }

    pub fn on_done(&mut self, now: Instant, finished: &Finished) {
        // A flush goes past the scheduler.
        if finished.operation != DiskOperation::Flush {
            self.in_flight = self.in_flight.saturating_sub(1);
            self.done_at = Some(now);
        }
    }

    /// Does it go through the disk, so that a longer turn saves seeks?
    pub const fn is_sequential(&self) -> bool {
        self.run >= RUN
    }

    /// Until when it is waited for its next request, if it is.
    pub fn idle_until(&self, now: Instant, turn_end: Instant) -> Option<Instant> {
        if !self.is_sequential() || !self.is_reading || self.thinks >= IDLE_MAX {
            return None;
        }
        let until = match (self.in_flight, self.done_at) {
            (0, Some(done_at)) => done_at + IDLE_MAX,
            (0, None) => return None,
            // It asks again when it has its answer.
            _ => turn_end,
        };
        (now < until.min(turn_end)).then_some(until.min(turn_end))
    }
}
