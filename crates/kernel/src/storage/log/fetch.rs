//! A piece of the area that is read; unreadable sectors count as empty.

use super::area::Area;
use super::requests::{Ask, Job, Requests, Walker};
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskOperation, SECTOR_BYTES};
use crate::base::time::Instant;
use crate::storage::io::{IoError, Submit};

pub struct Fetch {
    /// Here while the disk has it not.
    buffer: Option<Buffer>,
    position: u64,
    sectors: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Wanted,
    Asked,
    /// Sector by sector, from that one on.
    Patching(u64),
    PatchAsked(u64),
    Ready,
    Failed(IoError),
}

impl Fetch {
    pub const fn new(buffer: Buffer) -> Self {
        Self {
            buffer: Some(buffer),
            position: 0,
            sectors: 0,
            state: State::Idle,
        }
    }

    /// Asks for as much as fits from that position on.
    pub fn want(&mut self, area: &Area, position: u64, sectors_max: u64) {
        self.position = position;
        self.sectors = area.batch_sectors.min(area.run(position)).min(sectors_max);
        self.state = State::Wanted;
    }

    /// The bytes from that position on, if they are there.
    pub fn bytes_at(&self, position: u64) -> Option<&[u8]> {
        let offset = position.checked_sub(self.position)?;
        let is_there = self.state == State::Ready && offset < self.sectors;
        let buffer = self.buffer.as_ref().filter(|_| is_there)?;
        let range = offset as usize * SECTOR_BYTES..self.sectors as usize * SECTOR_BYTES;
        buffer.bytes().get(range)
    }

    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The disk has nothing of it.
    pub const fn is_home(&self) -> bool {
        self.buffer.is_some() && !matches!(self.state, State::PatchAsked(_))
    }

    pub const fn error(&self) -> Option<IoError> {
        match self.state {
            State::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Could something be asked of the disk now?
    pub const fn is_pending(&self) -> bool {
        matches!(self.state, State::Wanted | State::Patching(_))
    }

    pub fn into_buffer(self) -> Option<Buffer> {
        self.buffer
    }

    /// Asks the disk. `block` is a sector's buffer for what has to be read piece by piece.
    pub fn step(
        &mut self,
        now: Instant,
        area: &Area,
        whose: (Walker, usize),
        requests: &mut Requests,
        block: &mut Option<Buffer>,
        io: &mut dyn Submit,
    ) {
        let (ask, sector, sectors, data) = match self.state {
            State::Wanted => {
                let ask = Ask::Chunk(whose.0, whose.1);
                (
                    ask,
                    area.sector(self.position),
                    self.sectors,
                    self.buffer.take(),
                )
            }
            State::Patching(index) => {
                let sector = area.sector(self.position + index);
                (Ask::Patch(whose.1), sector, 1, block.take())
            }
            _ => return,
        };
        let Some(data) = data else {
            return;
        };
        let job = Job {
            ask,
            operation: DiskOperation::Read,
            sector,
            sectors,
            data: Some(data),
        };
        let is_whole = self.state == State::Wanted;
        match requests.submit(now, io, job) {
            Ok(()) => {
                self.state = match self.state {
                    State::Patching(index) => State::PatchAsked(index),
                    _ => State::Asked,
                };
            }
            Err(refused) => {
                match is_whole {
                    true => self.buffer = refused.data,
                    false => *block = refused.data,
                }
                if let Some(error) = refused.error {
                    self.state = State::Failed(error);
                }
            }
        }
    }

    /// The whole of it has been answered; when it failed, it is read sector by sector if
    /// that can help.
    pub fn on_done(&mut self, buffer: Option<Buffer>, result: Result<(), IoError>, patch: bool) {
        self.buffer = buffer.or(self.buffer.take());
        self.state = match result {
            Ok(()) => State::Ready,
            Err(error) if patch && is_of_a_sector(&error) => State::Patching(0),
            Err(error) => State::Failed(error),
        };
    }

    /// A single sector was answered; says whether it could be read.
    pub fn on_patch(&mut self, sector: Option<&Buffer>, result: Result<(), IoError>) -> bool {
        let State::PatchAsked(index) = self.state else {
            return false;
        };
        let start = index as usize * SECTOR_BYTES;
        let place = self.buffer.as_mut().map(|buffer| buffer.bytes_mut());
        let place = place.and_then(|bytes| bytes.get_mut(start..start + SECTOR_BYTES));
        if let (Some(place), Some(sector)) = (place, sector) {
            match result {
                Ok(()) => place.copy_from_slice(&sector.bytes()[..SECTOR_BYTES]),
                Err(_) => place.fill(0),
            }
        }
        self.state = match result {
            Err(error) if !is_of_a_sector(&error) => State::Failed(error),
            _ if index + 1 == self.sectors => State::Ready,
            _ => State::Patching(index + 1),
        };
        result.is_ok()
    }
}

/// Other sectors may well be read.
fn is_of_a_sector(error: &IoError) -> bool {
    matches!(error, IoError::Disk(DiskError::Device { .. }))
}
