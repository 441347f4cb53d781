//! What the disk has answered, to the part of the log that waits for it.

use super::machine::Log;
use super::recovery::Recovery;
use super::requests::{Ask, Walker};
use super::walk::Walk;
use crate::base::time::Instant;
use crate::storage::io::IoDone;

impl Log {
    /// An answer of the disk to this log.
    pub fn on_done(&mut self, now: Instant, done: IoDone) {
        let Some(ask) = self.requests.take(&done) else {
            return;
        };
        let (buffer, result) = (done.request.data, done.result);
        let failed = result.err();
        match ask {
            Ask::Superblock(slot) => self.on_superblock(slot, buffer, result),
            Ask::Chunk(walker, index) => {
                let patches = walker == Walker::Recovery && !self.is_patient;
                match self.walk_of(walker) {
                    Some(walk) => walk.fetch_mut(index).on_done(buffer, result, patches),
                    None => self.buffers_back(buffer),
                }
            }
            Ask::Patch(index) => {
                let walk = self.recovery.as_mut().and_then(Recovery::walk_mut);
                let is_read = walk
                    .is_some_and(|walk| walk.fetch_mut(index).on_patch(buffer.as_ref(), result));
                self.counters.unreadable_sectors += u64::from(!is_read);
                self.block = buffer;
            }
            Ask::Batch(number) => {
                self.buffers_back(buffer);
                match failed {
                    None => self.flights.on_written(number, self.has_cache),
                    Some(_) => self.fail_if(failed),
                }
            }
            Ask::Flush => match failed {
                None => self.flights.on_flushed(),
                Some(_) => self.fail_if(failed),
            },
            Ask::Control => {
                self.block = buffer.or(self.block.take());
                match failed {
                    None => self.control.on_done(),
                    Some(_) => self.fail_if(failed),
                }
            }
        }
        while let Some(place) = self.flights.take_safe() {
            self.synced = place;
            self.progress_at = now;
        }
    }

    fn walk_of(&mut self, walker: Walker) -> Option<&mut Walk> {
        match walker {
            Walker::Recovery => self.recovery.as_mut()?.walk_mut(),
            Walker::Cutting => self.cutting.as_mut()?.walk_mut(),
            Walker::Reader => Some(self.reader.as_mut()?.walk_mut()),
        }
    }
}
