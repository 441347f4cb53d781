//! The turns of a work that only look: a listing, a file that is read.

use super::{Ground, Phase, Work};
use crate::base::digest::Hasher;
use crate::storage::fat::{Item, Reading, Stop};
use crate::storage::files::listing;
use crate::storage::files::wish::Act;

/// Pieces of a file or entries that one turn takes.
pub const PIECES_A_TURN: usize = 64;

impl Work {
    /// Notes an entry that is to be shown.
    pub(super) fn keep(&mut self, item: &Item) {
        let has_room = self.more == 0 && self.kept < listing::ROWS_MAX;
        match listing::push(self.buffer.bytes_mut(), self.filled, item) {
            Some(end) if has_room => {
                self.filled = end;
                self.kept += 1;
            }
            _ => self.more += 1,
        }
    }

    /// Whoever reads a large file reads on where only others have changed: until the next
    /// turn nobody can have replaced it twice, with the old clusters in use again.
    pub(super) fn begin_reading(&mut self, item: &Item) -> Phase {
        let paused = self.paused.take();
        if let Some(reading) = paused.filter(|reading| reading.is_of(item)) {
            return Phase::Reading(reading);
        }
        self.filled = 0;
        self.hasher = Hasher::default();
        self.size = u64::from(item.size);
        Phase::Reading(Reading::new(item.first, item.size))
    }

    pub(super) fn list(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        for _ in 0..PIECES_A_TURN {
            let Phase::Listing(walk) = &mut self.phase else {
                return Ok(());
            };
            match walk.next(ground.sectors, ground.geometry)? {
                Some(item) => self.keep(&item),
                None => self.phase = Phase::Ended,
            }
        }
        Ok(())
    }

    pub(super) fn read(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        for _ in 0..PIECES_A_TURN {
            let Phase::Reading(reading) = &mut self.phase else {
                return Ok(());
            };
            let (buffer, filled) = (&mut self.buffer, &mut self.filled);
            let (is_sum, hasher) = (self.wish.act == Act::Sum, &mut self.hasher);
            let is_full = *filled == buffer.capacity() && !reading.is_at_end();
            let has_more = !is_full
                && reading.next(ground.sectors, ground.geometry, &mut |piece| {
                    if is_sum {
                        return hasher.update(piece);
                    }
                    let room = &mut buffer.bytes_mut()[*filled..];
                    let count = room.len().min(piece.len());
                    room[..count].copy_from_slice(&piece[..count]);
                    *filled += count;
                })?;
            if !has_more {
                self.phase = Phase::Ended;
            }
        }
        Ok(())
    }
}
