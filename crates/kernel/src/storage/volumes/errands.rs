//! What people want of volumes: each wish ends with an answer.
//!
//! Limits: `VOLUME_ERRANDS_MAX` at the same time, a block of memory each.

use super::Volumes;
use super::changes::{Change, ChangeId};
use super::error::VolumeError;
use super::objects::{Key, Listing, ObjectAct, Value};
use super::pointer::BLOCK_BYTES;
use super::request::{Asker, VolumeDone, VolumeOperation, VolumeRequest};
use super::row::Name;
use crate::base::buffer::Buffer;
use crate::base::metric::Usage;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use crate::limits::VOLUME_ERRANDS_MAX;
use crate::storage::io::Priority;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A full pool that has to take trees apart first answers sooner.
pub const LIMIT: Duration = Duration::from_secs(60);
/// So long a scrub is waited for; it goes on behind that.
const SCRUB_LIMIT: Duration = Duration::from_secs(50);
pub const BUSY: &str = "too many storage commands run; wait until one has ended";

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    Change(Change),
    /// Bytes of a volume, within one block.
    Read {
        volume: Name,
        offset: u64,
        bytes: usize,
    },
    Write {
        volume: Name,
        offset: u64,
        text: Box<str>,
    },
    Put {
        volume: Name,
        key: Key,
        text: Box<str>,
    },
    Get {
        volume: Name,
        key: Key,
    },
    List {
        volume: Name,
        prefix: Key,
    },
    Remove {
        volume: Name,
        key: Key,
    },
    Scrub,
}

pub struct Errands {
    places: Vec<Place>,
    high_water: usize,
    refused: u64,
    /// Which place has the directory.
    with_objects: Option<usize>,
}

struct Place {
    buffer: Option<Buffer>,
    state: State,
    by: Option<OperationId>,
    wish: Option<Box<Wish>>,
    /// What was found, if keys were to be listed.
    listing: Listing,
}

enum State {
    Free,
    /// It waits for the pool, or for another one to end.
    Starting,
    Changing(ChangeId),
    Reading,
    Writing,
    WithObjects,
    /// Answered by then at the latest.
    Scrubbing(Instant),
    Ended(Result<Value, VolumeError>),
}

impl Errands {
    pub fn new() -> Self {
        let mut places = Vec::with_capacity(VOLUME_ERRANDS_MAX);
        places.resize_with(VOLUME_ERRANDS_MAX, || Place {
            buffer: None,
            state: State::Free,
            by: None,
            wish: None,
            listing: Listing::default(),
        });
        Self {
            places,
            high_water: 0,
            refused: 0,
            with_objects: None,
        }
    }

    pub fn needs_memory(&self) -> bool {
        self.places.iter().any(|place| place.buffer.is_none())
    }

    /// Once for each place, when the first pool is mounted.
    pub fn give_memory(&mut self, buffer: Buffer) {
        let mut places = self.places.iter_mut();
        if let Some(place) = places.find(|place| place.buffer.is_none()) {
            place.buffer = Some(buffer);
        }
    }

    fn used(&self) -> usize {
        let is_used = |place: &&Place| !matches!(place.state, State::Free);
        self.places.iter().filter(is_used).count()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("VOLUME_ERRANDS_MAX", VOLUME_ERRANDS_MAX)
            .used(self.used() as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }

    #[cfg(test)]
    pub fn into_buffers(self) -> impl Iterator<Item = Buffer> {
        self.places.into_iter().filter_map(|place| place.buffer)
    }
}

impl Default for Errands {
    fn default() -> Self {
        Self::new()
    }
}

impl Volumes {
    /// Takes on a wish; its answer comes later.
    pub fn start(&mut self, by: OperationId, wish: Box<Wish>) -> Result<(), &'static str> {
        let is_free = |place: &Place| matches!(place.state, State::Free);
        let Some(index) = self.errands.places.iter().position(is_free) else {
            self.errands.refused += 1;
            return Err(BUSY);
        };
        let place = &mut self.errands.places[index];
        place.by = Some(by);
        place.wish = Some(wish);
        place.state = State::Starting;
        self.errands.high_water = self.errands.high_water.max(self.errands.used());
        self.begin_errand(index);
        Ok(())
    }

    pub(super) fn go_on_with_errands(&mut self) -> bool {
        let mut has_moved = false;
        // Another machine's act is its own to look for.
        if let Some(index) = self.errands.with_objects
            && let Some((running, result)) = self.next_object()
        {
            has_moved = true;
            self.errands.with_objects = None;
            let place = &mut self.errands.places[index];
            place.buffer = running.data;
            // The next act has a list of its own.
            place.listing = core::mem::take(&mut self.objects.listing);
            self.end_errand(index, result);
        }
        for index in 0..self.errands.places.len() {
            match self.errands.places[index].state {
                State::Starting => has_moved |= self.begin_errand(index),
                State::Changing(id) => {
                    if let Some(result) = self.maybe_changed(id) {
                        has_moved = true;
                        self.end_errand(index, result.map(|()| Value::default()));
                    }
                }
                State::Scrubbing(until) if self.now >= until || self.is_scrub_over() => {
                    has_moved = true;
                    let result = self.readiness().map(|()| Value::default());
                    self.end_errand(index, result);
                }
                _ => {}
            }
        }
        has_moved
    }

    /// When somebody is told that a scrub still runs.
    pub(super) fn errand_deadline(&self) -> Option<Instant> {
        let untils = self.errands.places.iter().map(|place| match place.state {
            State::Scrubbing(until) => Some(until),
            _ => None,
        });
        untils.flatten().min()
    }

    fn end_errand(&mut self, index: usize, result: Result<Value, VolumeError>) {
        let place = &mut self.errands.places[index];
        place.state = match place.by {
            Some(_) => State::Ended(result),
            None => State::Free,
        };
    }

    /// Begins what it can; what has to wait for the pool or the directory stays.
    fn begin_errand(&mut self, index: usize) -> bool {
        if matches!(self.readiness(), Err(VolumeError::Mounting)) {
            return false;
        }
        let Some(wish) = self.errands.places[index].wish.take() else {
            return false;
        };
        let result = self.try_errand(index, &wish);
        self.errands.places[index].wish = Some(wish);
        match result {
            Ok(state) => self.errands.places[index].state = state,
            Err(VolumeError::Busy) => return false,
            Err(error) => self.end_errand(index, Err(error)),
        }
        true
    }

    fn try_errand(&mut self, index: usize, wish: &Wish) -> Result<State, VolumeError> {
        match wish {
            Wish::Change(change) => self.change(change.clone()).map(State::Changing),
            Wish::Read { volume, offset, .. } => {
                self.errand_io(index, volume, *offset, VolumeOperation::Read)
            }
            // The rest of the block stays as it is, so one after the other writes there.
            Wish::Write { volume, offset, .. } => {
                if self.is_block_written(volume, *offset) {
                    return Err(VolumeError::Busy);
                }
                self.errand_io(index, volume, *offset, VolumeOperation::Read)
            }
            Wish::Put { volume, key, text } => {
                if let Some(buffer) = &mut self.errands.places[index].buffer {
                    buffer.bytes_mut()[..text.len()].copy_from_slice(text.as_bytes());
                }
                let act = ObjectAct::Put {
                    offset: 0,
                    bytes: text.len(),
                    is_last: true,
                };
                self.errand_object(index, volume, key, act)
            }
            Wish::Get { volume, key } => {
                self.errand_object(index, volume, key, ObjectAct::Get { offset: 0 })
            }
            Wish::List { volume, prefix } => {
                self.errand_object(index, volume, prefix, ObjectAct::List)
            }
            Wish::Remove { volume, key } => {
                self.errand_object(index, volume, key, ObjectAct::Remove)
            }
            Wish::Scrub => {
                // Who wants another one waits for the one that runs.
                match self.start_scrub() {
                    Ok(()) | Err(VolumeError::Scrubbing) => {}
                    Err(error) => return Err(error),
                }
                Ok(State::Scrubbing(self.now + SCRUB_LIMIT))
            }
        }
    }

    /// Is a text being written into that block?
    fn is_block_written(&self, volume: &Name, offset: u64) -> bool {
        let block = |offset: u64| offset / BLOCK_BYTES as u64;
        let is_it = |place: &Place| {
            matches!(place.state, State::Reading | State::Writing)
                && matches!(place.wish.as_deref(), Some(Wish::Write { volume: other, offset: at, .. })
                    if other == volume && block(*at) == block(offset))
        };
        self.errands.places.iter().any(is_it)
    }

    fn errand_object(
        &mut self,
        index: usize,
        volume: &Name,
        key: &Key,
        act: ObjectAct,
    ) -> Result<State, VolumeError> {
        let volume = self.volume_named(volume)?;
        if self.errands.with_objects.is_some() {
            return Err(VolumeError::Busy);
        }
        let data = self.errands.places[index].buffer.take();
        match self.start_object(index as u64, volume, key.clone(), act, data) {
            Ok(()) => {
                self.errands.with_objects = Some(index);
                Ok(State::WithObjects)
            }
            Err((error, data)) => {
                self.errands.places[index].buffer = data;
                Err(error)
            }
        }
    }

    fn errand_io(
        &mut self,
        index: usize,
        volume: &Name,
        offset: u64,
        operation: VolumeOperation,
    ) -> Result<State, VolumeError> {
        let volume = self.volume_named(volume)?;
        let request = VolumeRequest {
            volume,
            asker: Asker::Person,
            number: index as u64,
            operation,
            block: offset / BLOCK_BYTES as u64,
            blocks: 1,
            data: self.errands.places[index].buffer.take(),
            priority: Priority::USUAL,
        };
        match self.submit(request) {
            Ok(()) if operation == VolumeOperation::Read => Ok(State::Reading),
            Ok(()) => Ok(State::Writing),
            Err((error, request)) => {
                self.errands.places[index].buffer = request.data;
                Err(error)
            }
        }
    }

    pub(super) fn on_errand_io(&mut self, done: VolumeDone) {
        let index = done.request.number as usize;
        let Some(place) = self.errands.places.get_mut(index) else {
            return;
        };
        place.buffer = done.request.data;
        let is_read = matches!(place.state, State::Reading);
        let Some(wish) = place.wish.take() else {
            return;
        };
        let result = match (done.result, &*wish) {
            (
                Ok(()),
                Wish::Write {
                    volume,
                    offset,
                    text,
                },
            ) if is_read => {
                let at = (*offset % BLOCK_BYTES as u64) as usize;
                if let Some(buffer) = &mut place.buffer {
                    buffer.bytes_mut()[at..at + text.len()].copy_from_slice(text.as_bytes());
                }
                let write = VolumeOperation::Write { is_synced: true };
                match self.errand_io(index, volume, *offset, write) {
                    Ok(state) => {
                        self.errands.places[index].state = state;
                        None
                    }
                    Err(error) => Some(Err(error)),
                }
            }
            (result, _) => Some(result),
        };
        self.errands.places[index].wish = Some(wish);
        if let Some(result) = result {
            self.end_errand(index, result.map(|()| Value::default()));
        }
    }
}

impl Performer for Volumes {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let mut places = self.errands.places.iter();
        let is_it = |place: &Place| place.by == Some(id) && matches!(place.state, State::Ended(_));
        let Some(index) = places.position(is_it) else {
            return false;
        };
        let place = &mut self.errands.places[index];
        place.by = None;
        let state = core::mem::replace(&mut place.state, State::Free);
        let wish = place.wish.take();
        match (state, wish) {
            (State::Ended(Ok(value)), Some(wish)) => {
                let listing = core::mem::take(&mut self.errands.places[index].listing);
                let bytes = self.errands.places[index].buffer.as_ref();
                let bytes = bytes.map_or(&[][..], Buffer::bytes);
                self.report(&wish, (value, &listing), bytes, report);
            }
            (State::Ended(Err(error)), _) => report.fail(format_args!("{error}")),
            _ => {}
        }
        true
    }

    fn forget(&mut self, id: OperationId) {
        let mut left = None;
        for place in self
            .errands
            .places
            .iter_mut()
            .filter(|place| place.by == Some(id))
        {
            place.by = None;
            match place.state {
                State::Ended(_) | State::Starting | State::Scrubbing(_) => {
                    place.state = State::Free;
                }
                State::Changing(change) => {
                    left = Some(change);
                    place.state = State::Free;
                }
                _ => {}
            }
        }
        if let Some(change) = left {
            self.forget_change(change);
        }
    }
}
