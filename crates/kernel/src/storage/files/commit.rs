//! A change on its way to the disk, stage by stage, each made safe.
//!
//! Limits: `FILE_WRITES_MAX` writes at a time, `FILE_WRITE_BYTES` each.
//! Invariants: nothing of a stage is asked for before all of the stage before it was
//! answered and, on a disk with a write cache, made safe.

use super::overlay::Overlay;
use super::volume::Volume;
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskOperation, SECTOR_BYTES};
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::limits::{FILE_CHANGED_SECTORS_MAX, FILE_WRITE_BYTES, FILE_WRITES_MAX};
use crate::storage::fat::Stage;
use crate::storage::io::{IoError, Submit};

/// The memory of writes, and where it is.
#[derive(Default)]
pub struct Writes {
    buffers: Vec<Option<Buffer>, FILE_WRITES_MAX>,
}

impl Writes {
    pub fn add_buffer(&mut self, buffer: Buffer) {
        // What is given beyond the capacity is not used.
        let _ = self.buffers.push(Some(buffer));
    }

    pub fn is_full(&self) -> bool {
        self.buffers.is_full()
    }

    pub fn in_use(&self) -> usize {
        self.buffers.iter().filter(|place| place.is_none()).count()
    }

    pub fn give_back(&mut self, place: usize, buffer: Buffer) {
        if let Some(place) = self.buffers.get_mut(place) {
            *place = Some(buffer);
        }
    }
}

/// What comes next in a stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// What was written before is made safe, so that this stage may begin.
    Barrier(Stage),
    Write(Stage),
    /// The last: what the asker hears of is safe.
    Final,
}

pub struct Commit {
    /// Slots of the overlay in the order in which they are written.
    order: Vec<u8, FILE_CHANGED_SECTORS_MAX>,
    next: usize,
    step: Step,
    in_flight: usize,
    is_flushing: bool,
    error: Option<IoError>,
}

/// What a commit is made with.
pub struct Around<'a> {
    pub now: Instant,
    pub io: &'a mut dyn Submit,
    pub volume: &'a mut Volume,
    pub overlay: &'a Overlay,
    pub writes: &'a mut Writes,
}

impl Commit {
    pub fn new(overlay: &Overlay) -> Self {
        let mut order = Vec::new();
        for slot in 0..overlay.slots().len() {
            // There is room for as many as the overlay has.
            let _ = order.push(slot as u8);
        }
        let key = |slot: &u8| {
            overlay
                .slots()
                .get(usize::from(*slot))
                .map(|(sector, stage)| (*stage, *sector))
        };
        order.sort_unstable_by_key(key);
        Self {
            order,
            next: 0,
            step: Step::Write(Stage::Fresh),
            in_flight: 0,
            is_flushing: false,
            error: None,
        }
    }

    /// Goes on as far as it goes without waiting; says what came of it once it is over.
    pub fn step(&mut self, around: &mut Around<'_>) -> Option<Result<(), IoError>> {
        loop {
            if self.error.is_some() && self.in_flight == 0 {
                return self.error.map(Err);
            }
            if self.error.is_some() || self.is_flushing {
                return None;
            }
            match self.step {
                Step::Write(stage) => {
                    if !self.write(stage, around) || self.in_flight > 0 {
                        return None;
                    }
                    self.step = match self.next_stage(around.overlay) {
                        Some(stage) => Step::Barrier(stage),
                        None if stage == Stage::Fresh => return Some(Ok(())),
                        None => Step::Final,
                    };
                }
                Step::Barrier(stage) if !around.volume.is_unsafe => self.step = Step::Write(stage),
                Step::Final if !around.volume.is_unsafe => return Some(Ok(())),
                Step::Barrier(_) | Step::Final => {
                    if !self.flush(around) {
                        return None;
                    }
                }
            }
        }
    }

    fn stage_of(&self, at: usize, overlay: &Overlay) -> Option<(u64, Stage)> {
        let slot = usize::from(*self.order.get(at)?);
        overlay.slots().get(slot).copied()
    }

    fn next_stage(&self, overlay: &Overlay) -> Option<Stage> {
        self.stage_of(self.next, overlay).map(|(_, stage)| stage)
    }

    /// Asks for the writes of a stage; says whether all were asked for.
    fn write(&mut self, stage: Stage, around: &mut Around<'_>) -> bool {
        while self.next_stage(around.overlay) == Some(stage) {
            let mut places = around.writes.buffers.iter_mut().enumerate();
            let free = places.find(|(_, place)| place.is_some());
            let Some((place, buffer)) = free else {
                return false;
            };
            if around.io.space(around.volume.region.disk) == 0 {
                return false;
            }
            let Some(mut data) = buffer.take() else {
                return false;
            };
            let most = around.volume.transfer_bytes_max.min(FILE_WRITE_BYTES) / SECTOR_BYTES;
            let run = self.fill_run(stage, most.max(1), around.overlay, &mut data);
            let Some((first, count)) = run else {
                *buffer = Some(data);
                return false;
            };
            let request = around
                .volume
                .request(DiskOperation::Write, first, count, Some(data));
            let request = request.tagged(super::tag::Tag::Write(place));
            match request.submit(around.now, around.io) {
                Ok(()) => {
                    self.next += count as usize;
                    self.in_flight += 1;
                    around.volume.is_unsafe = true;
                }
                Err((error, data)) => {
                    *buffer = data;
                    if error != IoError::Full {
                        self.error = Some(error);
                    }
                    return false;
                }
            }
        }
        true
    }

    /// Copies neighbours into one piece; answers where they go, and how many they are.
    fn fill_run(
        &self,
        stage: Stage,
        most: usize,
        overlay: &Overlay,
        data: &mut Buffer,
    ) -> Option<(u64, u64)> {
        let (first, _) = self.stage_of(self.next, overlay)?;
        let places = data.bytes_mut().chunks_exact_mut(SECTOR_BYTES).take(most);
        let mut count = 0;
        for place in places {
            let at = self.next + count as usize;
            if self.stage_of(at, overlay) != Some((first + count, stage)) {
                break;
            }
            let slot = usize::from(*self.order.get(at)?);
            place.copy_from_slice(overlay.bytes(slot)?);
            count += 1;
        }
        Some((first, count))
    }

    fn flush(&mut self, around: &mut Around<'_>) -> bool {
        if !around.volume.has_write_cache {
            around.volume.is_unsafe = false;
            return true;
        }
        let request = around.volume.request(DiskOperation::Flush, 0, 0, None);
        let request = request.tagged(super::tag::Tag::Flush);
        match request.submit(around.now, around.io) {
            Ok(()) => {
                self.is_flushing = true;
                self.in_flight += 1;
            }
            Err((IoError::Full, _)) => {}
            Err((error, _)) => self.error = Some(error),
        }
        false
    }

    pub fn on_written(&mut self, result: Result<(), IoError>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.error = self.error.or(result.err());
    }

    pub fn on_flushed(&mut self, result: Result<(), IoError>, volume: &mut Volume) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.is_flushing = false;
        volume.is_unsafe &= result.is_err();
        self.error = self.error.or(result.err());
    }
}
