//! What was read of a file system: pieces in buffers that disks reach.
//!
//! Limits: `FILE_LINES_MAX` of `FILE_LINE_BYTES`; the one not used for longest makes room.
//! Invariants: a buffer is here or with the disk; what comes back from a disk that was
//! unmounted meanwhile is not believed.

use crate::base::buffer::Buffer;
use crate::base::disk::SECTOR_BYTES;
use crate::base::fixed::Vec;
use crate::limits::{FILE_LINE_BYTES, FILE_LINES_MAX};
use crate::storage::fat::Sector;

/// Sectors of a line.
pub const LINE_SECTORS: u64 = (FILE_LINE_BYTES / SECTOR_BYTES) as u64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Empty,
    /// The disk has its buffer.
    Loading(u64),
    /// The disk has its buffer, and nobody wants what it will bring.
    Abandoned,
    Holds(u64),
}

struct Line {
    buffer: Option<Buffer>,
    state: State,
    used_at: u64,
}

#[derive(Default)]
pub struct Cache {
    lines: Vec<Line, FILE_LINES_MAX>,
    uses: u64,
    pub hits: u64,
    pub misses: u64,
}

impl Cache {
    pub fn add_buffer(&mut self, buffer: Buffer) {
        let line = Line {
            buffer: Some(buffer),
            state: State::Empty,
            used_at: 0,
        };
        // What is given beyond the capacity is not used.
        let _ = self.lines.push(line);
    }

    pub fn is_full(&self) -> bool {
        self.lines.is_full()
    }

    pub fn used(&self) -> usize {
        let lines = self.lines.iter();
        lines.filter(|line| line.state != State::Empty).count()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        for line in self.lines.iter_mut() {
            line.state = match line.state {
                State::Loading(_) | State::Abandoned => State::Abandoned,
                State::Holds(_) | State::Empty => State::Empty,
            };
        }
    }

    pub fn is_loading(&self) -> bool {
        let mut lines = self.lines.iter();
        lines.any(|line| matches!(line.state, State::Loading(_)))
    }

    pub fn is_loading_sector(&self, sector: u64) -> bool {
        let number = sector / LINE_SECTORS;
        let mut lines = self.lines.iter();
        lines.any(|line| line.state == State::Loading(number))
    }

    /// A sector, when it is here.
    pub fn sector(&mut self, sector: u64) -> Option<&Sector> {
        let number = sector / LINE_SECTORS;
        let mut lines = self.lines.iter_mut();
        let line = lines.find(|line| line.state == State::Holds(number));
        let Some(line) = line else {
            self.misses += 1;
            return None;
        };
        self.hits += 1;
        self.uses += 1;
        line.used_at = self.uses;
        let at = (sector % LINE_SECTORS) as usize * SECTOR_BYTES;
        line.buffer.as_ref()?.bytes()[at..].first_chunk()
    }

    /// Gives a buffer away for the line of a sector, unless all are on their way. `give`
    /// hands it back when the disk does not take it.
    pub fn load(
        &mut self,
        sector: u64,
        give: impl FnOnce(usize, Buffer) -> Result<(), Option<Buffer>>,
    ) {
        let idle = self.lines.iter_mut().enumerate();
        let idle = idle.filter(|(_, line)| line.buffer.is_some());
        let oldest = idle.min_by_key(|(_, line)| match line.state {
            State::Empty => 0,
            _ => line.used_at,
        });
        let Some((place, line)) = oldest else {
            return;
        };
        let Some(buffer) = line.buffer.take() else {
            return;
        };
        line.state = match give(place, buffer) {
            Ok(()) => State::Loading(sector / LINE_SECTORS),
            Err(buffer) => {
                line.buffer = buffer;
                State::Empty
            }
        };
    }

    /// The disk has brought a line, or not; answers the line if somebody may want it.
    pub fn on_loaded(&mut self, place: usize, buffer: Buffer, is_read: bool) -> Option<u64> {
        let line = self.lines.get_mut(place)?;
        line.buffer = Some(buffer);
        match core::mem::replace(&mut line.state, State::Empty) {
            State::Loading(number) => {
                if is_read {
                    self.uses += 1;
                    line.used_at = self.uses;
                    line.state = State::Holds(number);
                }
                Some(number)
            }
            State::Abandoned => None,
            state @ (State::Empty | State::Holds(_)) => {
                line.state = state;
                None
            }
        }
    }

    /// What was written to the disk is so here, too.
    pub fn on_written(&mut self, sector: u64, bytes: &Sector) {
        let number = sector / LINE_SECTORS;
        let mut lines = self.lines.iter_mut();
        let line = lines.find(|line| line.state == State::Holds(number));
        if let Some(buffer) = line.and_then(|line| line.buffer.as_mut()) {
            let at = (sector % LINE_SECTORS) as usize * SECTOR_BYTES;
            buffer.bytes_mut()[at..at + SECTOR_BYTES].copy_from_slice(bytes);
        }
    }
}
