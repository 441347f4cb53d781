//! What becomes of a request that the disk has answered, refused or left.

use super::slots::{Held, Stage};
use super::transfer::{Transfer, is_final};
use super::writers::Writers;
use super::{ASK_AGAIN, BlockQueue, TRIES_MAX};
use crate::base::disk::{DiskError, DiskOperation};
use crate::base::time::Instant;
use crate::limits::IO_REQUESTS_MAX;
use crate::storage::io::IoError;
use crate::storage::io::schedulers::{Finished, SlotIndex};

impl BlockQueue {
    /// The disk would not take it; says whether it may take another one. One that is being
    /// reset takes none until it is up again; if it does not come up, it goes.
    pub(super) fn on_refused(
        &mut self,
        now: Instant,
        transfer: Transfer,
        error: DiskError,
    ) -> bool {
        if matches!(error, DiskError::Busy | DiskError::Gone) {
            self.stalled = Some(transfer);
            if self.in_flight == 0 {
                self.ask_again_at = Some(now + ASK_AGAIN);
            }
            return false;
        }
        if transfer.operation == DiskOperation::Flush {
            self.on_flushed(Err(error));
        }
        let mut next = Some(transfer.first);
        while let Some(slot) = next {
            next = self.slots.get_mut(slot).and_then(|held| held.next.take());
            self.on_answer(now, slot, &transfer, Err(error));
        }
        true
    }

    /// What the disk said of a transfer, for one of its requests.
    pub(super) fn on_answer(
        &mut self,
        now: Instant,
        slot: SlotIndex,
        transfer: &Transfer,
        result: Result<(), DiskError>,
    ) {
        let Some(held) = self.slots.get_mut(slot) else {
            return;
        };
        let is_flush = transfer.operation == DiskOperation::Flush;
        let finished = finished(now, held, transfer);
        // Flushes are not its affair; whatever else it gave has left the disk.
        if !is_flush {
            self.scheduler.on_done(now, &finished);
        }
        let error = match result {
            Ok(()) => {
                if !is_flush && transfer.operation != DiskOperation::Read && self.has_write_cache {
                    self.unflushed.add(Writers::of(held.request.tag));
                }
                let taken = now.since(held.arrived);
                self.counts.on_answered(transfer.operation, taken);
                self.end(slot, Ok(()));
                return;
            }
            Err(error) => error,
        };
        held.tries += 1;
        held.is_alone = true;
        // A flush that failed may have lost writes; trying again would hide that.
        if is_final(error, transfer.members)
            || is_flush
            || (held.tries >= TRIES_MAX && transfer.members == 1)
        {
            self.end(slot, Err(IoError::Disk(error)));
            return;
        }
        if transfer.members > 1 {
            // It is not said whose sector it was.
            held.tries = 0;
        }
        self.counts.retried += 1;
        self.hand_over(now, slot);
    }

    pub(super) fn end(&mut self, slot: SlotIndex, result: Result<(), IoError>) {
        if let Some(held) = self.slots.get_mut(slot) {
            held.stage = Stage::Ended(result);
            match result {
                Ok(()) => self.counts.done += 1,
                Err(_) => self.counts.failed += 1,
            }
            let kept = self.ended.push(slot);
            crate::invariant!(kept.is_ok(), "more requests have ended than there are");
        }
    }

    /// Ends everything that is not with the disk.
    pub(super) fn give_up(&mut self, error: IoError) {
        let mut next = self.stalled.take().map(|transfer| transfer.first);
        while let Some(slot) = next {
            next = self.slots.get_mut(slot).and_then(|held| held.next.take());
            self.end(slot, Err(error));
        }
        for index in 0..IO_REQUESTS_MAX as u16 {
            let slot = SlotIndex(index);
            let Some(held) = self.slots.get(slot) else {
                continue;
            };
            let sector = held.request.sector;
            match held.stage {
                Stage::Waits => {
                    self.scheduler.take(Instant::ZERO, slot);
                    self.slots.unplace(sector, slot);
                    self.end(slot, Err(error));
                }
                Stage::HeldBack => {
                    self.limits.forget(held.request.tenant);
                    self.end(slot, Err(error));
                }
                Stage::WaitsToFlush => self.end(slot, Err(error)),
                Stage::Sent | Stage::Ended(_) => {}
            }
        }
        self.limits.disarm();
        self.ask_again_at = None;
        // Whoever comes with another disk has lost nothing on it.
        self.unflushed = Writers::NONE;
        self.unheard = Writers::NONE;
        self.suspect = Writers::NONE;
        self.starts = None;
    }
}

fn finished(now: Instant, held: &Held, transfer: &Transfer) -> Finished {
    Finished {
        operation: transfer.operation,
        sectors: held.request.sectors,
        priority: held.request.priority,
        tenant: held.request.tenant,
        waited: transfer.sent_at.since(held.waits_since),
        served: now.since(transfer.sent_at),
    }
}
