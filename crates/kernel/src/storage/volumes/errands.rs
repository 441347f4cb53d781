//! What people want of volumes: each wish ends with an answer.
//!
//! Limits: `VOLUME_ERRANDS_MAX` at the same time, a block of memory each.

use super::Volumes;
use super::changes::{Change, ChangeId};
use super::error::VolumeError;
use super::objects::{Key, ObjectAct, Value};
use super::pointer::BLOCK_BYTES;
use super::request::{Asker, VolumeDone, VolumeOperation, VolumeRequest};
use super::row::Name;
use crate::base::buffer::Buffer;
use crate::base::metric::Usage;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::Duration;
use crate::limits::VOLUME_ERRANDS_MAX;
use crate::storage::io::Priority;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A full pool that has to take trees apart first answers sooner.
pub const LIMIT: Duration = Duration::from_secs(60);
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
}

enum State {
    Free,
    Starting,
    Changing(ChangeId),
    Reading,
    Writing,
    WithObjects,
    Ended(Result<Value, VolumeError>),
}

impl Errands {
    pub fn new() -> Self {
        Self {
            places: Vec::with_capacity(VOLUME_ERRANDS_MAX),
            high_water: 0,
            refused: 0,
            with_objects: None,
        }
    }

    pub fn needs_memory(&self) -> bool {
        self.places.len() < VOLUME_ERRANDS_MAX
    }

    pub fn give_memory(&mut self, buffer: Buffer) {
        self.places.push(Place {
            buffer: Some(buffer),
            state: State::Free,
            by: None,
            wish: None,
        });
    }

    fn used(&self) -> usize {
        let is_used = |place: &&Place| !matches!(place.state, State::Free);
        self.places.iter().filter(is_used).count()
    }

    /// Does somebody read or write this block so as to write a text into it?
    fn is_written(&self, volume: &Name, offset: u64) -> bool {
        let block = |offset: u64| offset / BLOCK_BYTES as u64;
        self.places.iter().any(|place| {
            let is_there = matches!(
                place.wish.as_deref(),
                Some(Wish::Write { volume: other, offset: at, .. })
                    if other == volume && block(*at) == block(offset)
            );
            is_there && matches!(place.state, State::Reading | State::Writing)
        })
    }

    fn is_restoring(&self) -> bool {
        self.places.iter().any(|place| {
            let wish = place.wish.as_deref();
            let is_restore = matches!(wish, Some(Wish::Change(Change::Restore { .. })));
            is_restore && matches!(place.state, State::Changing(_))
        })
    }

    fn is_list_to_be_shown(&self, index: usize) -> bool {
        let place = &self.places[index];
        let is_list = matches!(place.wish.as_deref(), Some(Wish::List { .. }));
        is_list && matches!(place.state, State::Ended(Ok(_)))
    }

    /// What it had of the directory is not needed any more.
    fn let_go(&mut self, index: usize) {
        self.with_objects.take_if(|with| *with == index);
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
        if self.errands.places.is_empty() {
            return Err("there is no pool of volumes; see storage status");
        }
        let is_free = |place: &Place| matches!(place.state, State::Free) && place.buffer.is_some();
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
            self.errands.places[index].buffer = running.data;
            self.end_errand(index, result);
            // A listing stays the asker's until it was shown.
            if !self.errands.is_list_to_be_shown(index) {
                self.errands.with_objects = None;
            }
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
                _ => {}
            }
        }
        has_moved
    }

    fn end_errand(&mut self, index: usize, result: Result<Value, VolumeError>) {
        let place = &mut self.errands.places[index];
        place.state = match place.by {
            Some(_) => State::Ended(result),
            None => State::Free,
        };
    }

    /// Begins what it can; what has to wait for the directory stays.
    fn begin_errand(&mut self, index: usize) -> bool {
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
            // A directory is not exchanged under the hands of who changes it.
            Wish::Change(Change::Restore { .. }) if self.errands.with_objects.is_some() => {
                Err(VolumeError::Busy)
            }
            Wish::Change(change) => self.change(change.clone()).map(State::Changing),
            Wish::Read { volume, offset, .. } => {
                self.errand_io(index, volume, *offset, VolumeOperation::Read)
            }
            // The rest of the block stays as it is, so whoever else writes there is first done.
            Wish::Write { volume, offset, .. } => {
                if self.errands.is_written(volume, *offset) {
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
                self.start_scrub()?;
                Ok(State::Ended(Ok(Value::default())))
            }
        }
    }

    fn errand_object(
        &mut self,
        index: usize,
        volume: &Name,
        key: &Key,
        act: ObjectAct,
    ) -> Result<State, VolumeError> {
        let volume = self.volume_named(volume)?;
        if self.errands.with_objects.is_some() || self.errands.is_restoring() {
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
                let bytes = self.errands.places[index].buffer.as_ref();
                let bytes = bytes.map_or(&[][..], Buffer::bytes);
                self.report(&wish, value, bytes, report);
                self.errands.let_go(index);
            }
            (State::Ended(Err(error)), _) => report.fail(format_args!("{error}")),
            _ => {}
        }
        true
    }

    fn forget(&mut self, id: OperationId) {
        let mut left = None;
        let (places, with_objects) = (&mut self.errands.places, &mut self.errands.with_objects);
        let own = places.iter_mut().enumerate();
        for (index, place) in own.filter(|(_, place)| place.by == Some(id)) {
            place.by = None;
            match place.state {
                State::Ended(_) => {
                    place.state = State::Free;
                    with_objects.take_if(|with| *with == index);
                }
                State::Starting => place.state = State::Free,
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
