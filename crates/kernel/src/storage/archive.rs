//! A log that keeps the newest of what it is given: when it is full, the oldest goes.
//!
//! It has a part of a disk or waits for one. Nobody waits for it: what it cannot take now
//! is refused, and the caller comes back.

use super::io::{IoDone, Memory, Submit};
use super::log::{Log, LogError, LogId, LogMemory, LogSetup, Lsn};
use super::region::Region;
use crate::base::time::Instant;
use alloc::boxed::Box;

/// Such a part of its records goes at once when it is full.
const DROPPED_PART: u64 = 8;

pub struct Archive {
    id: LogId,
    log: Option<Box<Log>>,
    /// Of the log before, for the next one.
    memory: Option<LogMemory>,
    is_leaving: bool,
    /// Records that made room for newer ones.
    dropped: u64,
    refusal: Option<LogError>,
}

impl Archive {
    pub const fn new(id: LogId) -> Self {
        Self {
            id,
            log: None,
            memory: None,
            is_leaving: false,
            dropped: 0,
            refusal: None,
        }
    }

    /// Opens the log in that part of a disk, unless it has one.
    pub fn mount(&mut self, region: Region, memory: &mut dyn Memory) {
        if self.log.is_some() {
            return;
        }
        let setup = LogSetup::small(self.id, region);
        let taken = match self.memory.take() {
            Some(memory) => Ok(memory),
            None => LogMemory::take(&setup, memory),
        };
        match taken.and_then(|memory| Log::open_with(&setup, memory)) {
            Ok(log) => self.log = Some(Box::new(log)),
            Err(error) => self.refusal = Some(error),
        }
    }

    /// The disk is gone or laid out anew; what it still has is waited for.
    pub const fn unmount(&mut self) {
        self.is_leaving = self.log.is_some();
    }

    pub fn region(&self) -> Option<Region> {
        Some(self.log.as_ref()?.view().region)
    }

    /// Has it failed to be opened for good?
    pub const fn refusal(&self) -> Option<LogError> {
        self.refusal
    }

    pub fn step(
        &mut self,
        now: Instant,
        io: &mut dyn Submit,
        recovered: &mut dyn FnMut(Lsn, &[u8]),
    ) {
        if self.is_leaving {
            self.maybe_leave();
        } else if let Some(log) = &mut self.log {
            log.step(now, io, recovered);
        }
    }

    fn maybe_leave(&mut self) {
        let Some(log) = self.log.take_if(|log| log.is_idle()) else {
            return;
        };
        self.memory = log.close();
        self.is_leaving = false;
    }

    pub fn on_done(&mut self, now: Instant, done: IoDone) {
        if let Some(log) = &mut self.log {
            log.on_done(now, done);
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let log = self.log.as_ref()?;
        match self.is_leaving {
            true => log.is_idle().then_some(Instant::ZERO),
            false => log.next_deadline(),
        }
    }

    /// Keeps a record; `Busy` also while the oldest ones make room.
    pub fn append(&mut self, record: &[u8]) -> Result<Lsn, LogError> {
        let is_leaving = self.is_leaving;
        let log = self.log.as_mut().filter(|_| !is_leaving);
        let log = log.ok_or(LogError::NotFormatted)?;
        match log.append(record) {
            Err(LogError::Full) => {
                let (first, next) = (log.first_lsn().0, log.next_lsn().0);
                let keep_from = first + (next - first).div_ceil(DROPPED_PART).max(1);
                log.checkpoint(Lsn(keep_from.min(next)))?;
                self.dropped += keep_from.min(next) - first;
                Err(LogError::Busy)
            }
            result => result,
        }
    }

    /// The log, where there is one in use.
    pub fn log(&self) -> Option<&Log> {
        self.log.as_deref().filter(|_| !self.is_leaving)
    }

    pub fn log_mut(&mut self) -> Option<&mut Log> {
        self.log.as_deref_mut().filter(|_| !self.is_leaving)
    }

    pub fn is_open(&self) -> bool {
        self.log().is_some_and(Log::is_open)
    }

    /// Is all of it on the disk, or can it not be?
    pub fn is_safe(&self) -> bool {
        let Some(log) = self.log().filter(|log| log.is_open()) else {
            return true;
        };
        log.durable().through().0 + 1 >= log.next_lsn().0
    }

    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}
