//! One transfer to a disk: a request, or neighbours that go as one.

use super::slots::Slots;
use crate::base::disk::{
    DiskError, DiskFacts, DiskOperation, DiskRequest, Payload, Pieces, SECTOR_BYTES,
};
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::limits::{IO_MERGED_BYTES_MAX, IO_MERGES_MAX, IO_PIECES_MAX};
use crate::storage::io::schedulers::{Scheduler, SlotIndex};
use alloc::boxed::Box;

/// Lists of pieces that no transfer uses.
pub type Spare = Vec<Box<Pieces>, IO_MERGES_MAX>;

/// Requests in the order of their sectors, chained by `Held::next`.
#[derive(Clone, Copy)]
pub struct Transfer {
    pub first: SlotIndex,
    last: SlotIndex,
    pub members: usize,
    pub operation: DiskOperation,
    pub sector: u64,
    pub sectors: u64,
    pub sent_at: Instant,
}

impl Transfer {
    /// Of one request.
    pub fn of(slots: &Slots, slot: SlotIndex) -> Option<Self> {
        let request = &slots.get(slot)?.request;
        Some(Self {
            first: slot,
            last: slot,
            members: 1,
            operation: request.operation,
            sector: request.sector,
            sectors: request.sectors,
            sent_at: Instant::ZERO,
        })
    }

    /// Takes in the neighbours that wait, as many as one transfer carries.
    pub fn gather(
        &mut self,
        now: Instant,
        facts: &DiskFacts,
        slots: &mut Slots,
        scheduler: &mut dyn Scheduler,
    ) {
        let is_transfer = matches!(self.operation, DiskOperation::Read | DiskOperation::Write);
        let is_alone = slots.get(self.first).is_none_or(|held| held.is_alone);
        if !is_transfer || is_alone || !scheduler.merges() {
            return;
        }
        let bytes_max = IO_MERGED_BYTES_MAX.min(facts.transfer_bytes_max) as u64;
        let sectors_max = bytes_max / SECTOR_BYTES as u64;
        while self.members < IO_PIECES_MAX.min(facts.pieces_max) {
            let behind = slots.beginning_at(self.sector + self.sectors, self.operation);
            let found = behind.or_else(|| slots.ending_at(self.sector, self.operation));
            let Some(slot) = found else {
                return;
            };
            let Some(waiting) = slots.waiting(slot) else {
                return;
            };
            if self.sectors + waiting.sectors > sectors_max {
                return;
            }
            scheduler.take(now, slot);
            slots.unplace(waiting.sector, slot);
            self.chain(slots, slot, waiting.sector < self.sector);
            self.sector = self.sector.min(waiting.sector);
            self.sectors += waiting.sectors;
            self.members += 1;
        }
    }

    fn chain(&mut self, slots: &mut Slots, slot: SlotIndex, is_in_front: bool) {
        let (from, to) = match is_in_front {
            true => (slot, self.first),
            false => (self.last, slot),
        };
        if let Some(held) = slots.get_mut(from) {
            held.next = Some(to);
        }
        match is_in_front {
            true => self.first = slot,
            false => self.last = slot,
        }
    }

    /// The requests' memory as the disk wants it. `None` when all lists are in use.
    pub fn load(&self, slots: &mut Slots, spare: &mut Spare) -> Option<Payload> {
        if self.members == 1 {
            let held = slots.get_mut(self.first)?;
            return Some(held.request.data.take().into());
        }
        let mut pieces = spare.pop()?;
        self.visit(slots, &mut |held| {
            if let Some(buffer) = held.request.data.take() {
                let bytes = held.request.sectors as usize * SECTOR_BYTES;
                let kept = pieces.push(buffer, bytes);
                crate::invariant!(kept.is_ok(), "a transfer has more pieces than a list");
            }
        });
        Some(Payload::Many(pieces))
    }

    /// Gives its memory back to each request.
    pub fn unload(&self, slots: &mut Slots, spare: &mut Spare, payload: Payload) {
        match payload {
            Payload::Many(mut pieces) => {
                // They were pushed in the order of the chain; reversed, `pop` keeps it.
                pieces.0.reverse();
                self.visit(slots, &mut |held| {
                    held.request.data = pieces.0.pop().map(|(buffer, _)| buffer);
                });
                let kept = spare.push(pieces);
                crate::invariant!(kept.is_ok(), "more lists of pieces than there were");
            }
            one => {
                if let Some(held) = slots.get_mut(self.first) {
                    held.request.data = one.into_one();
                }
            }
        }
    }

    fn visit(&self, slots: &mut Slots, visit: &mut dyn FnMut(&mut super::slots::Held)) {
        let mut next = Some(self.first);
        while let Some(held) = next.and_then(|slot| slots.get_mut(slot)) {
            visit(held);
            next = held.next;
        }
    }

    pub const fn request(&self, tag: u64, data: Payload) -> DiskRequest {
        DiskRequest {
            tag,
            operation: self.operation,
            sector: self.sector,
            sectors: self.sectors,
            data,
        }
    }
}

/// Is the disk not to be asked again, for it would say the same? Of a transfer of several
/// requests one may lie beyond the end, and the others not.
pub const fn is_final(error: DiskError, members: usize) -> bool {
    match error {
        DiskError::OutOfRange { .. } => members == 1,
        DiskError::ReadOnly | DiskError::Unsupported => true,
        DiskError::Busy | DiskError::Device { .. } | DiskError::Gone => false,
    }
}
