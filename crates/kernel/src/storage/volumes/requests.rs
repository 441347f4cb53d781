//! Requests that run: where each is, and what it waits for.
//!
//! Limits: `VOLUME_REQUESTS_MAX`, ended ones included until they are fetched.
//! Invariant: a request is answered once, with the memory that came with it.

use super::error::What;
use super::pointer::Pointer;
use super::request::{VolumeDone, VolumeRequest};
use crate::base::fixed::{Queue, Vec};
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::{VOLUME_REQUEST_BLOCKS_MAX, VOLUME_REQUESTS_MAX};
use crate::storage::volumes::VolumeError;
use alloc::boxed::Box;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// For its volume's limits, and for blocks.
    Waiting,
    /// Where do the blocks lie?
    Looking,
    Reading,
    /// Something was not as it should be: does it still lie there?
    Confirming(Suspect),
    Writing,
    /// The map is to say where the new blocks are.
    Mapping,
    /// All up to this block of the volume are given up.
    Discarding(u64),
    /// Until that transaction is durable.
    Committing(u64),
}

/// A block that could not be had, from any member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suspect {
    pub piece: usize,
    pub pointer: Pointer,
    pub member: usize,
    pub what: What,
}

pub struct Running {
    pub request: VolumeRequest,
    pub stage: Stage,
    pub began: Instant,
    pub was_throttled: bool,
    pub pointers: [Pointer; VOLUME_REQUEST_BLOCKS_MAX],
    /// Is every block to be moved by itself?
    pub is_in_pieces: bool,
    /// The first block that has no transfer yet.
    pub next_piece: usize,
    /// Transfers that are on their way.
    pub moving: usize,
    pub suspect: Option<Suspect>,
    pub error: Option<VolumeError>,
}

pub struct Requests {
    pub slots: Box<[Option<Running>]>,
    /// In the order in which they came.
    pub order: Vec<usize, VOLUME_REQUESTS_MAX>,
    pub done: Box<Queue<VolumeDone, VOLUME_REQUESTS_MAX>>,
    /// Of the volumes' own machines.
    pub own_done: Box<Queue<VolumeDone, VOLUME_REQUESTS_MAX>>,
    /// When the first that waits for its volume's limits may run.
    pub ready_at: Option<Instant>,
    high_water: usize,
    refused: u64,
}

impl Requests {
    #[inline(never)]
    pub fn new() -> Self {
        let mut slots = alloc::vec::Vec::with_capacity(VOLUME_REQUESTS_MAX);
        slots.resize_with(VOLUME_REQUESTS_MAX, || None);
        Self {
            slots: slots.into_boxed_slice(),
            order: Vec::new(),
            done: Box::default(),
            own_done: Box::default(),
            ready_at: None,
            high_water: 0,
            refused: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn used(&self) -> usize {
        self.order.len() + self.done.len() + self.own_done.len()
    }

    /// A place for one more; `None` when all are taken.
    pub fn add(&mut self, now: Instant, request: VolumeRequest) -> Result<(), VolumeRequest> {
        let used = self.used();
        let slot = self.slots.iter().position(Option::is_none);
        let Some(slot) = slot.filter(|_| used < VOLUME_REQUESTS_MAX) else {
            self.refused += 1;
            return Err(request);
        };
        self.slots[slot] = Some(Running {
            request,
            stage: Stage::Waiting,
            began: now,
            was_throttled: false,
            pointers: [Pointer::NONE; VOLUME_REQUEST_BLOCKS_MAX],
            is_in_pieces: false,
            next_piece: 0,
            moving: 0,
            suspect: None,
            error: None,
        });
        // There are as many places as slots.
        let _ = self.order.push(slot);
        self.high_water = self.high_water.max(used + 1);
        Ok(())
    }

    /// Takes one out that has ended.
    pub fn remove(&mut self, slot: usize) -> Option<Running> {
        let at = self.order.iter().position(|other| *other == slot)?;
        self.order.remove(at);
        self.slots[slot].take()
    }

    pub fn space(&self) -> usize {
        VOLUME_REQUESTS_MAX - self.used()
    }

    pub const fn next_deadline(&self) -> Option<Instant> {
        self.ready_at
    }

    pub fn usage(&self) -> Usage {
        Usage::of("VOLUME_REQUESTS_MAX", VOLUME_REQUESTS_MAX)
            .used(self.used() as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }
}
