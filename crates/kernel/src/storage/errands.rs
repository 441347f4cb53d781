//! Errands to disks: each has a buffer, and ends when its disk has answered.
//!
//! Limits: `DISK_ERRANDS_MAX` at the same time, `DISK_ERRAND_BYTES` each.
//! Invariants: a buffer is with the disk or here; an errand whose asker has gone
//! keeps its place until the disk has given the buffer back.

use super::errand::{Errand, ErrandError, GUARDED_SECTORS, SECTORS_MAX, Wish, guarded};
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskFacts, DiskOperation, SECTOR_BYTES};
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::{DISK_ERRAND_BYTES, DISK_ERRANDS_MAX};
use crate::storage::io::{IoDone, IoError, IoRequest, IoTag, Owner, Priority, Submit};

#[derive(Default)]
pub struct Errands {
    places: Vec<Place, DISK_ERRANDS_MAX>,
    high_water: usize,
    refused: u64,
    /// Answers that nobody had asked for.
    answers_ignored: u64,
}

struct Place {
    /// Here while no disk has it.
    buffer: Option<Buffer>,
    state: State,
}

enum State {
    Free,
    /// The disk looks at its first sectors before it destroys anything.
    Guarding(Asked),
    Running(Asked),
    Ended(Asked, Result<(), ErrandError>),
}

struct Asked {
    /// `None` once the asker has gone.
    by: Option<OperationId>,
    errand: Errand,
    facts: DiskFacts,
}

impl Errands {
    pub const BUSY: &str = "too many disk commands run; wait until one has ended";
    pub const GONE: &str = "the disk is gone; see disk list";
    pub const NO_MEMORY: &str =
        "there was no memory for disk commands at boot; give the machine more";

    /// Gives it memory that disks reach, once for each errand at a time.
    pub fn add_buffer(&mut self, buffer: Buffer) {
        crate::invariant!(
            buffer.capacity() >= DISK_ERRAND_BYTES,
            "a buffer of {} bytes for errands",
            buffer.capacity()
        );
        let place = Place {
            buffer: Some(buffer),
            state: State::Free,
        };
        // What is given beyond the capacity is not used.
        let _ = self.places.push(place);
    }

    /// Takes on an errand; its answer comes later.
    pub fn start(
        &mut self,
        now: Instant,
        by: OperationId,
        errand: Errand,
        io: &mut dyn Submit,
    ) -> Result<(), &'static str> {
        let facts = io.facts(errand.disk).ok_or(Self::GONE)?;
        let is_free = |place: &Place| matches!(place.state, State::Free);
        let Some(index) = self.places.iter().position(is_free) else {
            self.refused += 1;
            return Err(match self.places.is_empty() {
                true => Self::NO_MEMORY,
                false => Self::BUSY,
            });
        };
        let asked = Asked {
            by: Some(by),
            facts,
            errand,
        };
        let place = &mut self.places[index];
        match asked.errand.wish.is_guarded() && asked.facts.sectors >= GUARDED_SECTORS as u64 {
            true => place.guard(now, index, asked, io),
            false => place.run(now, index, asked, io),
        }
        let used = self.places.iter().filter(|place| !is_free(place)).count();
        self.high_water = self.high_water.max(used);
        Ok(())
    }

    /// A disk has answered.
    pub fn on_done(&mut self, now: Instant, done: IoDone, io: &mut dyn Submit) {
        let index = done.request.tag.number as usize;
        let Some(place) = self.places.get_mut(index) else {
            self.answers_ignored += 1;
            return;
        };
        if let Some(buffer) = done.request.data {
            place.buffer = Some(buffer);
        }
        let result = done.result.map_err(ErrandError::Io);
        match core::mem::replace(&mut place.state, State::Free) {
            State::Guarding(asked) | State::Running(asked) if asked.by.is_none() => {}
            State::Guarding(asked) => match result.and_then(|()| place.judge()) {
                Ok(()) => place.run(now, index, asked, io),
                Err(error) => place.state = State::Ended(asked, Err(error)),
            },
            State::Running(asked) => place.state = State::Ended(asked, result),
            state => {
                self.answers_ignored += 1;
                place.state = state;
            }
        }
    }

    pub fn usage(&self) -> Usage {
        let is_used = |place: &&Place| !matches!(place.state, State::Free);
        Usage::of("DISK_ERRANDS_MAX", DISK_ERRANDS_MAX)
            .used(self.places.iter().filter(is_used).count() as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }

    pub const fn answers_ignored(&self) -> u64 {
        self.answers_ignored
    }
}

impl Performer for Errands {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let is_it = |place: &&mut Place| place.is_ended_for(id);
        let Some(place) = self.places.iter_mut().find(is_it) else {
            return false;
        };
        if let State::Ended(asked, result) = core::mem::replace(&mut place.state, State::Free) {
            let bytes = place.buffer.as_ref().map_or(&[][..], Buffer::bytes);
            asked.report(result, bytes, report);
        }
        true
    }

    fn forget(&mut self, id: OperationId) {
        for place in self.places.iter_mut() {
            match &mut place.state {
                State::Guarding(asked) | State::Running(asked) if asked.by == Some(id) => {
                    asked.by = None;
                }
                State::Ended(asked, _) if asked.by == Some(id) => place.state = State::Free,
                _ => {}
            }
        }
    }
}

impl Place {
    fn is_ended_for(&self, id: OperationId) -> bool {
        matches!(&self.state, State::Ended(asked, _) if asked.by == Some(id))
    }

    fn guard(&mut self, now: Instant, index: usize, asked: Asked, io: &mut dyn Submit) {
        let what = (DiskOperation::Read, 0, GUARDED_SECTORS as u64);
        let request = request(index, &asked, what);
        self.submit(now, request, asked, State::Guarding, io);
    }

    fn judge(&self) -> Result<(), ErrandError> {
        let bytes = self.buffer.as_ref().map_or(&[][..], Buffer::bytes);
        match guarded(bytes) {
            Some(what) => Err(ErrandError::Guarded { what }),
            None => Ok(()),
        }
    }

    fn run(&mut self, now: Instant, index: usize, asked: Asked, io: &mut dyn Submit) {
        if let Wish::Write { text, .. } = &asked.errand.wish
            && let Some(buffer) = &mut self.buffer
        {
            let sector = &mut buffer.bytes_mut()[..SECTOR_BYTES];
            sector.fill(0);
            sector[..text.len()].copy_from_slice(text.as_bytes());
        }
        let request = request(index, &asked, asked.errand.wish.request());
        self.submit(now, request, asked, State::Running, io);
    }

    fn submit(
        &mut self,
        now: Instant,
        mut request: IoRequest,
        asked: Asked,
        next: fn(Asked) -> State,
        io: &mut dyn Submit,
    ) {
        if matches!(
            request.operation,
            DiskOperation::Read | DiskOperation::Write
        ) {
            if !(1..=SECTORS_MAX).contains(&request.sectors) {
                let error = IoError::Disk(DiskError::OutOfRange {
                    sector: request.sector,
                });
                self.state = State::Ended(asked, Err(ErrandError::Io(error)));
                return;
            }
            request.data = self.buffer.take();
        }
        self.state = match io.submit(now, request) {
            Ok(()) => next(asked),
            Err((error, request)) => {
                self.buffer = request.data.or(self.buffer.take());
                State::Ended(asked, Err(ErrandError::Io(error)))
            }
        };
    }
}

/// What the errand in this place asks its disk for, without its buffer.
fn request(
    index: usize,
    asked: &Asked,
    (operation, sector, sectors): (DiskOperation, u64, u64),
) -> IoRequest {
    IoRequest {
        disk: asked.errand.disk,
        tag: IoTag {
            owner: Owner::Errand,
            number: index as u64,
        },
        operation,
        sector,
        sectors,
        data: None,
        priority: Priority::USUAL,
        deadline: None,
        tenant: Tenant::KERNEL,
    }
}

impl Asked {
    fn report(&self, result: Result<(), ErrandError>, bytes: &[u8], report: &mut Report) {
        match result {
            Ok(()) => {
                let (_, _, sectors) = self.errand.wish.request();
                let sectors = sectors.min(SECTORS_MAX);
                let length = (sectors as usize * SECTOR_BYTES).min(bytes.len());
                self.errand
                    .wish
                    .report(&self.facts, &bytes[..length], report);
            }
            Err(error) => report.fail(format_args!("{}: {error}", self.facts.name)),
        }
    }
}
