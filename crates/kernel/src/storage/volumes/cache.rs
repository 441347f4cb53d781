//! Map pages in memory: those in use, and those a transaction has changed.
//!
//! Limits: `VOLUME_MAP_PAGES`, of which `VOLUME_DIRTY_PAGES_MAX` are changed ones.
//! Invariants: a changed page stays until it is on the disk; a page is known by its block and
//! birth, so a block that was used anew never yields what stood there before.

use super::error::What;
use super::moving::is_medium_error;
use super::page::{self, Place};
use super::pointer::{BLOCK_BYTES, Pointer};
use crate::base::buffer::Buffer;
use crate::base::metric::Usage;
use crate::limits::{VOLUME_DIRTY_PAGES_MAX, VOLUME_MAP_PAGES};
use crate::storage::io::IoError;
use alloc::vec::Vec;

/// A page that could not be had, and from where it was to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bad {
    pub what: What,
    pub member: usize,
}

impl Bad {
    /// A trouble that may be over the next time: it says nothing about what is on the disk.
    pub const fn passing(&self) -> Option<IoError> {
        match self.what {
            What::Unreadable(error) if !is_medium_error(&error) => Some(error),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Empty,
    Reading,
    Clean,
    /// Changed by the open transaction, for this volume.
    Dirty(usize),
    /// Changed by the transaction that is on its way to the disk.
    Sealed,
    Writing,
    Bad(Bad),
}

struct Frame {
    buffer: Option<Buffer>,
    state: State,
    pointer: Pointer,
    place: Place,
    used_at: u64,
}

pub struct Cache {
    frames: Vec<Frame>,
    clock: u64,
    dirty: usize,
    dirty_high_water: usize,
    pub misses: u64,
}

pub enum Found {
    Here(usize),
    /// On its way from or to the disk.
    Moving,
    Bad(Bad),
    Nowhere,
}

impl Cache {
    pub fn new() -> Self {
        Self {
            frames: Vec::with_capacity(VOLUME_MAP_PAGES),
            clock: 0,
            dirty: 0,
            dirty_high_water: 0,
            misses: 0,
        }
    }

    /// Memory for one more page.
    pub fn add(&mut self, buffer: Buffer) {
        crate::invariant!(
            buffer.capacity() >= BLOCK_BYTES,
            "a small buffer for a page"
        );
        if self.frames.len() < VOLUME_MAP_PAGES {
            self.frames.push(Frame {
                buffer: Some(buffer),
                state: State::Empty,
                pointer: Pointer::NONE,
                place: Place { level: 0, first: 0 },
                used_at: 0,
            });
        }
    }

    pub fn is_complete(&self) -> bool {
        self.frames.len() == VOLUME_MAP_PAGES
    }

    /// Forgets all pages; none may be on its way.
    pub fn clear(&mut self) {
        for frame in &mut self.frames {
            frame.state = State::Empty;
        }
        self.dirty = 0;
    }

    pub fn find(&mut self, pointer: &Pointer, place: Place) -> Found {
        // Of the place as well: who forged a pointer to a good page gets no other one by it.
        let is_it = |frame: &Frame| {
            frame.state != State::Empty && frame.pointer == *pointer && frame.place == place
        };
        let Some(index) = self.frames.iter().position(is_it) else {
            return Found::Nowhere;
        };
        let frame = &mut self.frames[index];
        match frame.state {
            State::Clean | State::Dirty(_) | State::Sealed => {
                self.clock += 1;
                frame.used_at = self.clock;
                Found::Here(index)
            }
            State::Bad(bad) => Found::Bad(bad),
            _ => Found::Moving,
        }
    }

    pub fn is_unknown(&self, pointer: &Pointer) -> bool {
        let is_it = |frame: &Frame| frame.state != State::Empty && frame.pointer == *pointer;
        !self.frames.iter().any(is_it)
    }

    /// Makes room for a page; `None` while everything is in use.
    fn vacate(&mut self) -> Option<usize> {
        let can_go =
            |frame: &Frame| matches!(frame.state, State::Empty | State::Clean | State::Bad(_));
        let age = |frame: &Frame| match frame.state {
            State::Empty => 0,
            _ => frame.used_at + 1,
        };
        let frames = self.frames.iter().enumerate();
        let idle = frames.filter(|(_, frame)| can_go(frame));
        let (index, _) = idle.min_by_key(|(_, frame)| age(frame))?;
        Some(index)
    }

    fn occupy(&mut self, index: usize, state: State, pointer: Pointer, place: Place) {
        self.clock += 1;
        let frame = &mut self.frames[index];
        frame.state = state;
        frame.pointer = pointer;
        frame.place = place;
        frame.used_at = self.clock;
    }

    /// A frame for a page that is about to be read, and its memory.
    pub fn begin_reading(&mut self, pointer: Pointer, place: Place) -> Option<(usize, Buffer)> {
        let index = self.vacate()?;
        let buffer = self.frames[index].buffer.take()?;
        self.misses += 1;
        self.occupy(index, State::Reading, pointer, place);
        Some((index, buffer))
    }

    /// What is expected in a frame that was being read.
    pub fn expected(&self, index: usize) -> (Pointer, Place) {
        (self.frames[index].pointer, self.frames[index].place)
    }

    pub fn end_reading(&mut self, index: usize, buffer: Option<Buffer>, bad: Option<Bad>) {
        let frame = &mut self.frames[index];
        frame.state = bad.map_or(State::Clean, State::Bad);
        frame.buffer = buffer;
    }

    /// Can so many more pages be changed?
    pub fn has_room(&self, count: usize) -> bool {
        let is_fixed =
            |frame: &&Frame| !matches!(frame.state, State::Empty | State::Clean | State::Bad(_));
        let idle = self.frames.len() - self.frames.iter().filter(is_fixed).count();
        // One path of pages has to find room beside them.
        self.dirty + count <= VOLUME_DIRTY_PAGES_MAX && count + 8 <= idle
    }

    /// A page that the open transaction makes for a volume; without entries, or like another.
    pub fn make(
        &mut self,
        pointer: Pointer,
        place: Place,
        volume: usize,
        like: Option<usize>,
    ) -> Option<usize> {
        let from = like.and_then(|from| Some((from, self.frames[from].buffer.take()?)));
        // What it is to be like is not made room of, for it was used just now; but be sure.
        let index = self.vacate().filter(|index| Some(*index) != like);
        if let Some(index) = index {
            self.occupy(index, State::Dirty(volume), pointer, place);
            if let Some(buffer) = &mut self.frames[index].buffer {
                let bytes = &mut buffer.bytes_mut()[..BLOCK_BYTES];
                match &from {
                    Some((_, other)) => {
                        bytes.copy_from_slice(&other.bytes()[..BLOCK_BYTES]);
                        page::set_header(bytes, place, pointer.birth);
                    }
                    None => page::begin(bytes, place, pointer.birth),
                }
            }
            self.dirty += 1;
            self.dirty_high_water = self.dirty_high_water.max(self.dirty);
        }
        if let Some((from, buffer)) = from {
            self.frames[from].buffer = Some(buffer);
        }
        index
    }

    pub fn bytes(&self, index: usize) -> &[u8] {
        let buffer = self.frames[index].buffer.as_ref();
        buffer.map_or(&[], |buffer| &buffer.bytes()[..BLOCK_BYTES])
    }

    /// Of a changed page.
    pub fn bytes_mut(&mut self, index: usize) -> &mut [u8] {
        let frame = &mut self.frames[index];
        crate::invariant!(
            matches!(frame.state, State::Dirty(_)),
            "a page that is not ours is changed"
        );
        match frame.buffer.as_mut() {
            Some(buffer) => &mut buffer.bytes_mut()[..BLOCK_BYTES],
            None => &mut [],
        }
    }

    pub fn entry(&self, index: usize, entry: usize) -> Pointer {
        page::entry(self.bytes(index), entry)
    }

    pub fn is_dirty(&self, index: usize) -> bool {
        matches!(self.frames[index].state, State::Dirty(_))
    }

    /// Changed pages of a level: frame and volume.
    pub fn dirty_at(&self, level: u8) -> impl Iterator<Item = (usize, usize)> {
        let of_level = move |(index, frame): (usize, &Frame)| match frame.state {
            State::Dirty(volume) if frame.place.level == level => Some((index, volume)),
            _ => None,
        };
        self.frames.iter().enumerate().filter_map(of_level)
    }

    /// What its bytes give from now on; they are not changed any more.
    pub fn seal(&mut self, index: usize, crc: u32) -> Pointer {
        if self.is_dirty(index) {
            self.dirty -= 1;
        }
        let frame = &mut self.frames[index];
        frame.state = State::Sealed;
        frame.pointer.crc = crc;
        frame.pointer
    }

    /// One of the pages that are to be written.
    pub fn next_sealed(&self) -> Option<usize> {
        self.frames
            .iter()
            .position(|frame| frame.state == State::Sealed)
    }

    /// Its memory, to be written.
    pub fn begin_writing(&mut self, index: usize) -> Option<(Pointer, Buffer)> {
        let frame = &mut self.frames[index];
        let buffer = frame.buffer.take()?;
        frame.state = State::Writing;
        Some((frame.pointer, buffer))
    }

    pub fn end_writing(&mut self, index: usize, buffer: Option<Buffer>) {
        let frame = &mut self.frames[index];
        frame.state = State::Clean;
        frame.buffer = buffer;
    }

    /// A changed page is not needed after all.
    pub fn drop_dirty(&mut self, index: usize) {
        if self.is_dirty(index) {
            self.frames[index].state = State::Empty;
            self.dirty -= 1;
        }
    }

    /// A page could not be had: the next one who wants it tries again.
    pub fn forget_bad(&mut self) {
        for frame in &mut self.frames {
            if matches!(frame.state, State::Bad(_)) {
                frame.state = State::Empty;
            }
        }
    }

    pub fn usages(&self) -> [Usage; 2] {
        let used = self
            .frames
            .iter()
            .filter(|frame| frame.state != State::Empty);
        [
            Usage::of("VOLUME_MAP_PAGES", VOLUME_MAP_PAGES)
                .used(used.count() as u64)
                .ring(),
            Usage::of("VOLUME_DIRTY_PAGES_MAX", VOLUME_DIRTY_PAGES_MAX)
                .used(self.dirty as u64)
                .high_water(self.dirty_high_water as u64)
                .ring(),
        ]
    }
}

#[cfg(test)]
impl Cache {
    pub fn into_buffers(self) -> impl Iterator<Item = Buffer> {
        self.frames.into_iter().filter_map(|frame| frame.buffer)
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}
