//! The requests of a queue by their slots, and by their places on the disk.

use crate::base::disk::DiskOperation;
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::limits::IO_REQUESTS_MAX;
use crate::storage::io::schedulers::{SlotIndex, Waiting};
use crate::storage::io::{IoError, IoRequest};
use alloc::boxed::Box;

/// One request in the queue.
pub struct Held {
    pub request: IoRequest,
    pub arrived: Instant,
    /// Since when the disk is what it waits for, and not its tenant's bandwidth.
    pub waits_since: Instant,
    /// Grows with each that comes.
    pub order: u64,
    pub stage: Stage,
    /// Times that the disk has failed it.
    pub tries: u8,
    /// It failed, so nothing is merged with it: what fails next is its own sector.
    pub is_alone: bool,
    /// Behind it in the transfer that it is part of.
    pub next: Option<SlotIndex>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Its tenant has used up its bandwidth.
    HeldBack,
    /// A flush; no scheduler knows of it.
    WaitsToFlush,
    /// With the scheduler.
    Waits,
    /// With the disk, or about to be: no scheduler knows of it.
    Sent,
    Ended(Result<(), IoError>),
}

pub struct Slots {
    held: Box<[Option<Held>]>,
    free: Box<Vec<SlotIndex, IO_REQUESTS_MAX>>,
    /// Of those that the scheduler has, by their first sectors.
    by_place: Box<Vec<(u64, SlotIndex), IO_REQUESTS_MAX>>,
}

impl Slots {
    #[inline(never)]
    pub fn new() -> Self {
        let held = (0..IO_REQUESTS_MAX).map(|_| None).collect();
        let mut free: Box<Vec<SlotIndex, IO_REQUESTS_MAX>> = Box::default();
        for index in (0..IO_REQUESTS_MAX as u16).rev() {
            // As many as there are slots.
            let _ = free.push(SlotIndex(index));
        }
        Self {
            held,
            free,
            by_place: Box::default(),
        }
    }

    pub fn space(&self) -> usize {
        self.free.len()
    }

    pub fn used(&self) -> usize {
        IO_REQUESTS_MAX - self.free.len()
    }

    /// Gives the request back when there is no slot for it.
    pub fn insert(&mut self, held: Held) -> Result<SlotIndex, IoRequest> {
        let Some(slot) = self.free.pop() else {
            return Err(held.request);
        };
        self.held[usize::from(slot.0)] = Some(held);
        Ok(slot)
    }

    pub fn remove(&mut self, slot: SlotIndex) -> Option<Held> {
        let held = self.held[usize::from(slot.0)].take()?;
        let kept = self.free.push(slot);
        crate::invariant!(kept.is_ok(), "more free slots than slots");
        Some(held)
    }

    pub fn get(&self, slot: SlotIndex) -> Option<&Held> {
        self.held[usize::from(slot.0)].as_ref()
    }

    pub fn get_mut(&mut self, slot: SlotIndex) -> Option<&mut Held> {
        self.held[usize::from(slot.0)].as_mut()
    }

    pub fn iter(&self) -> impl Iterator<Item = (SlotIndex, &Held)> {
        let slots = self.held.iter().enumerate();
        slots.filter_map(|(index, held)| Some((SlotIndex(index as u16), held.as_ref()?)))
    }

    /// The slots of all that are at this stage.
    pub fn at_stage(&self, stage: Stage) -> impl Iterator<Item = SlotIndex> {
        self.iter()
            .filter(move |(_, held)| held.stage == stage)
            .map(|(slot, _)| slot)
    }

    /// What a scheduler may know of it.
    pub fn waiting(&self, slot: SlotIndex) -> Option<Waiting> {
        let held = self.get(slot)?;
        let request = &held.request;
        Some(Waiting {
            slot,
            operation: request.operation,
            sector: request.sector,
            sectors: request.sectors,
            priority: request.priority,
            tenant: request.tenant,
            arrived: held.waits_since,
            deadline: request.deadline,
        })
    }

    /// From now on its neighbours find it.
    pub fn place(&mut self, sector: u64, slot: SlotIndex) {
        let at = self.by_place.partition_point(|each| *each < (sector, slot));
        let kept = self.by_place.insert(at, (sector, slot));
        crate::invariant!(kept.is_ok(), "more requests have a place than wait");
    }

    pub fn unplace(&mut self, sector: u64, slot: SlotIndex) {
        if let Ok(at) = self.by_place.binary_search(&(sector, slot)) {
            self.by_place.remove(at);
        }
    }

    /// A waiting request that begins at this sector and does the same.
    pub fn beginning_at(&self, sector: u64, operation: DiskOperation) -> Option<SlotIndex> {
        let at = self.by_place.partition_point(|(first, _)| *first < sector);
        let here = self.by_place[at..].iter();
        here.take_while(|(first, _)| *first == sector)
            .map(|(_, slot)| *slot)
            .find(|slot| self.can_merge(*slot, operation))
    }

    /// A waiting request that ends before this sector and does the same.
    pub fn ending_at(&self, sector: u64, operation: DiskOperation) -> Option<SlotIndex> {
        let at = self.by_place.partition_point(|(first, _)| *first < sector);
        let (_, slot) = *self.by_place[..at].last()?;
        let request = &self.get(slot)?.request;
        let is_it = request.sector + request.sectors == sector && self.can_merge(slot, operation);
        is_it.then_some(slot)
    }

    fn can_merge(&self, slot: SlotIndex, operation: DiskOperation) -> bool {
        self.get(slot).is_some_and(|held| {
            let request = &held.request;
            request.operation == operation && !held.is_alone && request.data.is_some()
        })
    }
}
