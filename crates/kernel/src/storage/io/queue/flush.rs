//! Flushes: one is with the disk, and all that come meanwhile are the next.

use super::BlockQueue;
use super::slots::Stage;
use super::transfer::Transfer;
use super::writers::Writers;
use crate::base::disk::{Disk, DiskError, DiskOperation};
use crate::base::time::Instant;
use crate::limits::IO_REQUESTS_MAX;
use crate::storage::io::IoError;
use crate::storage::io::schedulers::SlotIndex;

impl BlockQueue {
    /// One flush for all that wait for one.
    pub fn maybe_flush(&mut self, now: Instant, disk: &mut dyn Disk) {
        if self.is_flushing {
            return;
        }
        let Some(first) = self.slots.at_stage(Stage::WaitsToFlush).next() else {
            return;
        };
        let mut chain: Option<SlotIndex> = None;
        let Some(mut transfer) = Transfer::of(&self.slots, first) else {
            return;
        };
        let (suspect, mut asking) = (self.suspect, Writers::NONE);
        for index in (0..IO_REQUESTS_MAX as u16).rev() {
            let slot = SlotIndex(index);
            let Some(held) = self.slots.get_mut(slot) else {
                continue;
            };
            if held.stage != Stage::WaitsToFlush {
                continue;
            }
            let tag = held.request.tag;
            if suspect.has(tag) {
                self.suspect.remove(Writers::of(tag));
                self.end(slot, Err(IoError::Disk(DiskError::Gone)));
                continue;
            }
            asking.add(Writers::of(tag));
            held.stage = Stage::Sent;
            held.next = chain;
            chain = Some(slot);
        }
        let Some(first) = chain else {
            return;
        };
        transfer.first = first;
        // Writes that are answered from now on are not safe by it.
        let covered = self.unflushed.take();
        self.unheard = covered;
        self.unheard.remove(asking);
        if self.send(now, transfer, disk) {
            return;
        }
        self.unheard = Writers::NONE;
        self.unflushed.add(covered);
        // The disk takes no more now: they wait as before.
        if let Some(stalled) = self
            .stalled
            .take_if(|each| each.operation == DiskOperation::Flush)
        {
            let mut next = Some(stalled.first);
            while let Some(held) = next.and_then(|slot| self.slots.get_mut(slot)) {
                held.stage = Stage::WaitsToFlush;
                next = held.next.take();
            }
        }
    }

    /// What has become of a flush, for those whose writes it covered: of a failure only
    /// who asked for it hears now, the others with their next one.
    pub fn on_flushed(&mut self, result: Result<(), DiskError>) {
        self.is_flushing = false;
        let unheard = self.unheard.take();
        if result.is_err() {
            self.suspect.add(unheard);
        }
    }
}
