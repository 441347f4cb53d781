//! Values by key: each put and each removal is there whole or not at all.
//!
//! Limits: one at a time; a value has up to 256 MiB, and comes and goes in parts as large as
//! a request.
//! Invariant: an entry of the directory is written when its value is mapped, and what it
//! replaced is given up behind it; so a power cut leaves the old value or the new one.

use super::Volumes;
use super::directory::{self, BUCKETS, BUCKETS_A_KEY, Entry, Spot, State, VALUE_BLOCKS};
use super::error::VolumeError;
use super::pointer::BLOCK_BYTES;
use super::request::{Asker, VolumeDone, VolumeId, VolumeOperation, VolumeRequest};
use super::row::Name;
use crate::base::buffer::Buffer;
use crate::storage::io::Priority;
use alloc::vec::Vec;

pub use super::directory::{KEYED_BLOCKS, Key, VALUES_AT};

/// Blocks of the directory that are read at a time.
pub const BLOCKS_READ: usize = BUCKETS_A_KEY;
/// Keys that one listing shows; more are counted.
pub const LISTED_MAX: usize = 64;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ObjectAct {
    /// A part of a value, which begins at a block; the last one makes it the key's.
    Put {
        offset: u64,
        bytes: usize,
        is_last: bool,
    },
    /// What fits into the memory, from there on.
    Get {
        offset: u64,
    },
    /// The keys that begin so.
    List,
    Remove,
}

/// What an act came to.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Value {
    /// Of all of it.
    pub bytes: u64,
    /// Of it, in the memory that came along.
    pub moved: usize,
}

#[derive(Default)]
pub struct Listing {
    pub keys: Vec<(Key, u64)>,
    pub count: u64,
    pub bytes: u64,
}

pub struct Objects {
    /// Memory for the directory.
    buffer: Option<Buffer>,
    act: Option<Running>,
    ended: Option<(Running, Result<Value, VolumeError>)>,
    pub listing: Listing,
}

pub struct Running {
    pub number: u64,
    volume: VolumeId,
    key: Key,
    act: ObjectAct,
    pub data: Option<Buffer>,
    stage: Stage,
    first: u64,
    spot: Option<Spot>,
    old: Option<Entry>,
    value: Value,
    /// Why it comes to nothing, once what it did is being undone.
    failure: Option<VolumeError>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Directory,
    /// What a put that did not come to its end left.
    Clearing,
    Value,
    Entry,
    /// What the key had before.
    OldValue,
    Flushing,
    /// What a put wrote that came to nothing.
    Undoing,
}

impl Objects {
    pub fn new() -> Self {
        Self {
            buffer: None,
            act: None,
            ended: None,
            listing: Listing::default(),
        }
    }

    pub const fn needs_memory(&self) -> bool {
        self.buffer.is_none() && self.act.is_none()
    }

    pub fn give_memory(&mut self, buffer: Buffer) {
        self.buffer = Some(buffer);
    }

    pub const fn is_idle(&self) -> bool {
        self.act.is_none() && self.ended.is_none()
    }

    #[cfg(test)]
    pub fn into_buffers(self) -> impl Iterator<Item = Buffer> {
        let running = self.act.and_then(|running| running.data);
        self.buffer.into_iter().chain(running)
    }
}

impl Volumes {
    /// Begins an act; `false` while another one runs, and the memory comes back. What came
    /// of it is to be had from `next_object`.
    pub fn start_object(
        &mut self,
        number: u64,
        volume: VolumeId,
        key: Key,
        act: ObjectAct,
        data: Option<Buffer>,
    ) -> Result<(), (VolumeError, Option<Buffer>)> {
        if !self.objects.is_idle() {
            return Err((VolumeError::Busy, data));
        }
        if let Err(error) = self.check_object(volume, &key, &act, data.as_ref()) {
            return Err((error, data));
        }
        let first = match act {
            ObjectAct::List => 0,
            _ => directory::bucket_of(&key),
        };
        self.objects.listing.keys.clear();
        if act == ObjectAct::List {
            self.objects.listing.keys.reserve_exact(LISTED_MAX);
        }
        self.objects.listing.count = 0;
        self.objects.listing.bytes = 0;
        self.objects.act = Some(Running {
            number,
            volume,
            key,
            act,
            data,
            stage: Stage::Directory,
            first,
            spot: None,
            old: None,
            value: Value::default(),
            failure: None,
        });
        self.read_directory();
        Ok(())
    }

    /// The act that has ended.
    pub fn next_object(&mut self) -> Option<(Running, Result<Value, VolumeError>)> {
        self.objects.ended.take()
    }

    pub const fn listing(&self) -> &Listing {
        &self.objects.listing
    }

    fn object_request(
        &mut self,
        operation: VolumeOperation,
        block: u64,
        blocks: u64,
        data: Option<Buffer>,
    ) {
        let Some(running) = &self.objects.act else {
            return;
        };
        let request = VolumeRequest {
            volume: running.volume,
            asker: Asker::Objects,
            number: 0,
            operation,
            block,
            blocks,
            data,
            priority: Priority::USUAL,
        };
        if let Err((error, request)) = self.submit(request) {
            self.take_object_memory(request.data);
            self.end_object(Err(error));
        }
    }

    /// Memory of the directory is as long as the buckets of a key; other is of the asker.
    fn take_object_memory(&mut self, data: Option<Buffer>) {
        let is_value = self
            .objects
            .act
            .as_ref()
            .is_some_and(|running| running.stage == Stage::Value);
        match (is_value, &mut self.objects.act) {
            (true, Some(running)) => running.data = data.or(running.data.take()),
            _ => self.objects.buffer = data.or(self.objects.buffer.take()),
        }
    }

    fn end_object(&mut self, result: Result<Value, VolumeError>) {
        if let Some(mut running) = self.objects.act.take() {
            let result = running.failure.take().map_or(result, Err);
            self.objects.ended = Some((running, result));
        }
    }

    fn read_directory(&mut self) {
        let (first, buffer) = (
            self.objects.act.as_ref().map(|it| it.first),
            self.objects.buffer.take(),
        );
        if let Some(first) = first {
            self.object_request(VolumeOperation::Read, first, BLOCKS_READ as u64, buffer);
        }
    }

    pub(super) fn on_object_io(&mut self, done: VolumeDone) {
        self.take_object_memory(done.request.data);
        let result = done.result.and_then(|()| self.go_on_with_object());
        if let Err(error) = result {
            self.undo(error);
        }
    }

    /// The value of a put that failed would count, and nobody could remove it.
    fn undo(&mut self, error: VolumeError) {
        let spot = self.objects.act.as_ref().and_then(|running| {
            let is_put = matches!(running.act, ObjectAct::Put { offset: 0, .. });
            let has_written = matches!(running.stage, Stage::Value | Stage::Entry);
            running.spot.filter(|_| is_put && has_written)
        });
        let (Some(running), Some(spot)) = (&mut self.objects.act, spot) else {
            return self.end_object(Err(error));
        };
        running.failure = Some(error);
        running.stage = Stage::Undoing;
        let at = spot.value_at(running.is_second());
        self.object_request(VolumeOperation::Discard, at, VALUE_BLOCKS, None);
    }

    /// Is one under way with this volume?
    pub(super) fn has_act_on(&self, volume: &Name) -> bool {
        let running = self.objects.act.as_ref();
        let live = running.and_then(|running| self.live_of(running.volume));
        live.is_some_and(|live| live.name == *volume)
    }

    fn go_on_with_object(&mut self) -> Result<(), VolumeError> {
        let Some(running) = &mut self.objects.act else {
            return Ok(());
        };
        match running.stage {
            Stage::Directory => return self.on_directory(),
            Stage::Clearing => self.write_value(),
            Stage::Value => return self.on_value(),
            Stage::Entry => self.clear_old(),
            Stage::OldValue => {
                running.stage = Stage::Flushing;
                self.object_request(VolumeOperation::Flush, 0, 0, None);
            }
            Stage::Flushing | Stage::Undoing => {
                let value = running.value;
                self.end_object(Ok(value));
            }
        }
        Ok(())
    }

    fn on_directory(&mut self) -> Result<(), VolumeError> {
        let (Some(running), Some(buffer)) = (&mut self.objects.act, &self.objects.buffer) else {
            return Ok(());
        };
        let blocks = &buffer.bytes()[..BLOCKS_READ * BLOCK_BYTES];
        if running.act == ObjectAct::List {
            return self.list_blocks();
        }
        let found = directory::find(blocks, running.first, &running.key)?;
        running.old = found.entry.as_ref().map(|(_, entry)| entry.clone());
        running.spot = found.entry.map(|(spot, _)| spot);
        let has_value = running
            .old
            .as_ref()
            .is_some_and(|old| old.state == State::Complete);
        match running.act.clone() {
            ObjectAct::Put { offset, .. } => {
                if offset > 0 && running.old.is_none() {
                    return Err(VolumeError::NoObject);
                }
                running.spot = running.spot.or(found.free);
                let spot = running.spot.ok_or(VolumeError::DirectoryFull)?;
                let at = spot.value_at(running.is_second());
                if offset > 0 {
                    self.write_value();
                    return Ok(());
                }
                running.stage = Stage::Clearing;
                self.object_request(VolumeOperation::Discard, at, VALUE_BLOCKS, None);
            }
            _ if !has_value => return Err(VolumeError::NoObject),
            ObjectAct::Get { offset } => self.read_value(offset),
            ObjectAct::Remove => self.write_entry(None),
            ObjectAct::List => {}
        }
        Ok(())
    }

    fn list_blocks(&mut self) -> Result<(), VolumeError> {
        let (Some(running), Some(buffer)) = (&mut self.objects.act, &self.objects.buffer) else {
            return Ok(());
        };
        let listing = &mut self.objects.listing;
        let blocks = &buffer.bytes()[..BLOCKS_READ * BLOCK_BYTES];
        for (block, bucket) in blocks.chunks(BLOCK_BYTES).zip(running.first..) {
            for index in 0..directory::ENTRIES_A_BUCKET {
                let found = directory::entry(block, bucket, index)?;
                let is_shown = |entry: &Entry| {
                    entry.state == State::Complete && entry.key.starts_with(running.key.as_str())
                };
                let Some(entry) = found.filter(is_shown) else {
                    continue;
                };
                listing.count += 1;
                listing.bytes = listing.bytes.saturating_add(entry.bytes);
                let at = listing
                    .keys
                    .partition_point(|(key, _)| key.as_str() < entry.key.as_str());
                if listing.keys.len() == LISTED_MAX && at < LISTED_MAX {
                    listing.keys.pop();
                }
                if listing.keys.len() < LISTED_MAX {
                    listing.keys.insert(at, (entry.key, entry.bytes));
                }
            }
        }
        running.first += BLOCKS_READ as u64;
        if running.first + BLOCKS_READ as u64 <= BUCKETS {
            self.read_directory();
        } else {
            self.end_object(Ok(Value::default()));
        }
        Ok(())
    }

    fn read_value(&mut self, offset: u64) {
        let Some(running) = &mut self.objects.act else {
            return;
        };
        let (Some(spot), Some(old)) = (running.spot, &running.old) else {
            return;
        };
        let left = old.bytes.saturating_sub(offset);
        let room = running.data.as_ref().map_or(0, Buffer::capacity);
        let room = room.min(crate::limits::VOLUME_REQUEST_BLOCKS_MAX * BLOCK_BYTES);
        let moved = (room as u64).min(left) as usize;
        running.value = Value {
            bytes: old.bytes,
            moved,
        };
        if moved == 0 {
            let value = running.value;
            return self.end_object(Ok(value));
        }
        let at = spot.value_at(old.is_second) + offset / BLOCK_BYTES as u64;
        running.stage = Stage::Value;
        let data = running.data.take();
        let blocks = moved.div_ceil(BLOCK_BYTES) as u64;
        self.object_request(VolumeOperation::Read, at, blocks, data);
    }

    fn write_value(&mut self) {
        let Some(running) = &mut self.objects.act else {
            return;
        };
        let (ObjectAct::Put { offset, bytes, .. }, Some(spot)) = (&running.act, running.spot)
        else {
            return;
        };
        let (offset, bytes) = (*offset, *bytes);
        let at = spot.value_at(running.is_second()) + offset / BLOCK_BYTES as u64;
        running.stage = Stage::Value;
        running.value = Value {
            bytes: offset + bytes as u64,
            moved: bytes,
        };
        let mut data = running.data.take();
        let whole = bytes.next_multiple_of(BLOCK_BYTES).max(BLOCK_BYTES);
        if let Some(data) = &mut data {
            data.bytes_mut()[bytes..whole].fill(0);
        }
        let write = VolumeOperation::Write { is_synced: false };
        self.object_request(write, at, (whole / BLOCK_BYTES) as u64, data);
    }

    fn on_value(&mut self) -> Result<(), VolumeError> {
        let Some(running) = &mut self.objects.act else {
            return Ok(());
        };
        let value = running.value;
        let ObjectAct::Put { is_last, .. } = running.act else {
            self.end_object(Ok(value));
            return Ok(());
        };
        if !is_last && running.old.is_some() {
            self.end_object(Ok(value));
            return Ok(());
        }
        let entry = Entry {
            state: if is_last {
                State::Complete
            } else {
                State::Unfinished
            },
            is_second: running.is_second(),
            bytes: value.bytes,
            key: running.key.clone(),
        };
        self.write_entry(Some(&entry));
        Ok(())
    }

    fn write_entry(&mut self, entry: Option<&Entry>) {
        let Some(running) = &mut self.objects.act else {
            return;
        };
        let (Some(spot), Some(mut buffer)) = (running.spot, self.objects.buffer.take()) else {
            return;
        };
        let from = (spot.bucket - running.first) as usize * BLOCK_BYTES;
        buffer.bytes_mut().copy_within(from..from + BLOCK_BYTES, 0);
        directory::set_entry(&mut buffer.bytes_mut()[..BLOCK_BYTES], spot.index, entry);
        running.stage = Stage::Entry;
        let write = VolumeOperation::Write { is_synced: false };
        self.object_request(write, spot.bucket, 1, Some(buffer));
    }

    fn clear_old(&mut self) {
        let Some(running) = &mut self.objects.act else {
            return;
        };
        if let ObjectAct::Put { is_last: false, .. } = running.act {
            let value = running.value;
            return self.end_object(Ok(value));
        }
        running.stage = Stage::OldValue;
        let old = running
            .old
            .as_ref()
            .filter(|old| old.state == State::Complete);
        match (old, running.spot) {
            (Some(old), Some(spot)) => {
                let at = spot.value_at(old.is_second);
                self.object_request(VolumeOperation::Discard, at, VALUE_BLOCKS, None);
            }
            _ => {
                running.stage = Stage::Flushing;
                self.object_request(VolumeOperation::Flush, 0, 0, None);
            }
        }
    }
}

impl Running {
    /// Where a new value goes: not where the old one is.
    fn is_second(&self) -> bool {
        match &self.old {
            Some(old) if old.state == State::Complete => !old.is_second,
            Some(old) => old.is_second,
            None => false,
        }
    }
}
