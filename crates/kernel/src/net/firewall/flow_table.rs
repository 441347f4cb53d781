//! The flows that are followed: found by their ends, forgotten when silent.
//!
//! Limits: `FLOWS_MAX`; a tenant's guests have `FLOWS_TENANT_MAX` each.
//! Invariants: a flow is in exactly one queue, that of its stage, and queues are in the
//! order of the last packet; so the head of a queue is the next one to expire, and the
//! oldest one to make room. A stage that does not make room is never pushed out.

use super::flow::{Flow, FlowKey, Stage};
use super::tuple::Hash;
use crate::base::fixed::Full;
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::{FLOWS_MAX, FLOWS_TENANT_MAX, TENANTS_MAX};
use alloc::vec::Vec;

/// Stands for no flow.
const NONE: u16 = u16::MAX;

pub struct FlowTable {
    /// `FLOWS_MAX` of them.
    slots: Vec<Slot>,
    free: Queue,
    queues: [Queue; Stage::ALL.len()],
    /// The first flow of each bucket.
    buckets: Vec<u16>,
    seed: Hash,
    tenants: [u16; TENANTS_MAX],
    counts: FlowCounts,
    high_water: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FlowCounts {
    pub begun: u64,
    pub expired: u64,
    /// Made room for another one.
    pub pushed_out: u64,
    /// Not followed, for all that are there are kept up by both ends.
    pub refused_full: u64,
    /// Not followed, for their tenant has as many as it may have.
    pub refused_tenant: u64,
}

struct Slot {
    flow: Option<Flow>,
    /// In its bucket.
    next_alike: u16,
    /// In its queue.
    before: u16,
    behind: u16,
    /// The queue it is in: a stage's, or that of the free slots.
    queue: usize,
}

#[derive(Clone, Copy)]
struct Queue {
    head: u16,
    tail: u16,
    length: u16,
}

const FREE: usize = Stage::ALL.len();

impl FlowTable {
    pub fn new(seed: u64) -> Self {
        let empty = |_| Slot {
            flow: None,
            next_alike: NONE,
            before: NONE,
            behind: NONE,
            queue: FREE,
        };
        let mut table = Self {
            slots: (0..FLOWS_MAX).map(empty).collect(),
            free: Queue::EMPTY,
            queues: [Queue::EMPTY; Stage::ALL.len()],
            buckets: (0..FLOWS_MAX).map(|_| NONE).collect(),
            seed: Hash::new(seed),
            tenants: [0; TENANTS_MAX],
            counts: FlowCounts::default(),
            high_water: 0,
        };
        for index in 0..FLOWS_MAX as u16 {
            table.enqueue(index, FREE);
        }
        table
    }

    /// The flow's place, if it is followed and its time is not over.
    pub fn find(&self, now: Instant, key: &FlowKey) -> Option<usize> {
        let mut index = self.buckets[self.bucket_of(key)];
        while index != NONE {
            let slot = &self.slots[usize::from(index)];
            if let Some(flow) = slot.flow.as_ref().filter(|flow| flow.key == *key) {
                return (now < flow.expires_at()).then_some(usize::from(index));
            }
            index = slot.next_alike;
        }
        None
    }

    pub fn get(&self, index: usize) -> Option<&Flow> {
        self.slots.get(index)?.flow.as_ref()
    }

    /// Changes a flow and puts it where it belongs then.
    pub fn update(&mut self, index: usize, change: impl FnOnce(&mut Flow)) {
        let Some(flow) = self
            .slots
            .get_mut(index)
            .and_then(|slot| slot.flow.as_mut())
        else {
            return;
        };
        change(flow);
        let stage = flow.stage() as usize;
        self.dequeue(index as u16);
        self.enqueue(index as u16, stage);
    }

    /// Follows a flow that is not followed yet, if there is or can be made room.
    pub fn insert(&mut self, now: Instant, flow: Flow) -> Result<(), Full> {
        if let Some(old) = self.find_any(&flow.key) {
            // Silent for too long, and not yet forgotten.
            self.counts.expired += 1;
            self.remove(old);
        }
        let tenant = flow.key.tenant;
        let count = usize::from(self.tenants[tenant.index()]);
        if tenant != Tenant::KERNEL && count >= FLOWS_TENANT_MAX {
            self.expire(now, FLOWS_MAX);
            if usize::from(self.tenants[tenant.index()]) >= FLOWS_TENANT_MAX {
                self.counts.refused_tenant += 1;
                return Err(Full);
            }
        }
        let index = self.free_slot(now)?;
        self.counts.begun += 1;
        self.tenants[tenant.index()] += 1;
        let (bucket, stage) = (self.bucket_of(&flow.key), flow.stage() as usize);
        self.dequeue(index);
        let slot = &mut self.slots[usize::from(index)];
        slot.flow = Some(flow);
        slot.next_alike = core::mem::replace(&mut self.buckets[bucket], index);
        self.enqueue(index, stage);
        self.high_water = self.high_water.max(self.used());
        Ok(())
    }

    pub fn remove(&mut self, index: usize) {
        let Some(flow) = self.slots.get_mut(index).and_then(|slot| slot.flow.take()) else {
            return;
        };
        self.tenants[flow.key.tenant.index()] -= 1;
        self.unlink(self.bucket_of(&flow.key), index as u16);
        self.dequeue(index as u16);
        self.enqueue(index as u16, FREE);
    }

    /// Forgets at most so many flows whose time is over.
    pub fn expire(&mut self, now: Instant, most: usize) {
        for _ in 0..most {
            let heads = self.queues.iter().map(|queue| queue.head);
            let is_over = |index: &u16| {
                let flow = self.slots.get(usize::from(*index));
                flow.and_then(|slot| slot.flow.as_ref())
                    .is_some_and(|flow| flow.expires_at() <= now)
            };
            let Some(index) = heads.into_iter().find(is_over) else {
                return;
            };
            self.counts.expired += 1;
            self.remove(usize::from(index));
        }
    }

    /// When the next flow's time is over.
    pub fn next_deadline(&self) -> Option<Instant> {
        let heads = self.queues.iter().map(|queue| usize::from(queue.head));
        let flows = heads.filter_map(|index| self.get(index));
        flows.map(Flow::expires_at).min()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Flow> {
        self.slots.iter().filter_map(|slot| slot.flow.as_ref())
    }

    pub fn in_stage(&self, stage: Stage) -> usize {
        usize::from(self.queues[stage as usize].length)
    }

    pub fn used(&self) -> usize {
        FLOWS_MAX - usize::from(self.free.length)
    }

    pub const fn counts(&self) -> FlowCounts {
        self.counts
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("FLOWS_MAX", FLOWS_MAX)
                .used(self.used() as u64)
                .high_water(self.high_water as u64)
                .refused(self.counts.refused_full),
        );
        let fullest = self.tenants[1..].iter().max().copied().unwrap_or(0);
        visit(
            &Usage::of("FLOWS_TENANT_MAX", FLOWS_TENANT_MAX)
                .used(u64::from(fullest))
                .refused(self.counts.refused_tenant),
        );
    }

    /// A free slot; the oldest of the fullest stage that makes room gives up its own.
    fn free_slot(&mut self, now: Instant) -> Result<u16, Full> {
        if self.free.head == NONE {
            self.expire(now, FLOWS_MAX);
        }
        if self.free.head == NONE {
            let stages = Stage::ALL.into_iter().filter(|stage| stage.makes_room());
            // A flood fills one stage, so it pushes out its own kind.
            let fullest = stages.max_by_key(|stage| self.in_stage(*stage));
            let oldest = fullest.map(|stage| self.queues[stage as usize].head);
            match oldest.filter(|index| *index != NONE) {
                Some(index) => {
                    self.counts.pushed_out += 1;
                    self.remove(usize::from(index));
                }
                None => self.counts.refused_full += 1,
            }
        }
        Some(self.free.head)
            .filter(|index| *index != NONE)
            .ok_or(Full)
    }

    fn find_any(&self, key: &FlowKey) -> Option<usize> {
        self.find(Instant::ZERO, key)
    }

    fn bucket_of(&self, key: &FlowKey) -> usize {
        let rest = u64::from(key.local.port) << 16
            | u64::from(key.remote.port)
            | u64::from(key.protocol) << 32
            | (key.tenant.index() as u64) << 40
            | (key.interface as u64) << 48;
        let hash = self.seed.address(key.remote.address);
        hash.address(key.local.address).word(rest).place(FLOWS_MAX)
    }

    /// Takes a flow out of its bucket.
    fn unlink(&mut self, bucket: usize, index: u16) {
        let behind = self.slots[usize::from(index)].next_alike;
        let mut before = NONE;
        let mut here = self.buckets[bucket];
        while here != index {
            crate::invariant!(here != NONE, "a flow is not in its bucket");
            before = here;
            here = self.slots[usize::from(here)].next_alike;
        }
        match before {
            NONE => self.buckets[bucket] = behind,
            before => self.slots[usize::from(before)].next_alike = behind,
        }
    }

    fn queue(&mut self, queue: usize) -> &mut Queue {
        match queue {
            FREE => &mut self.free,
            stage => &mut self.queues[stage],
        }
    }

    /// Puts a slot at the end of a queue.
    fn enqueue(&mut self, index: u16, number: usize) {
        let queue = self.queue(number);
        let before = core::mem::replace(&mut queue.tail, index);
        queue.length += 1;
        match before {
            NONE => queue.head = index,
            before => self.slots[usize::from(before)].behind = index,
        }
        let slot = &mut self.slots[usize::from(index)];
        (slot.before, slot.behind, slot.queue) = (before, NONE, number);
    }

    /// Takes a slot out of the queue it is in.
    fn dequeue(&mut self, index: u16) {
        let slot = &self.slots[usize::from(index)];
        let (before, behind, number) = (slot.before, slot.behind, slot.queue);
        match before {
            NONE => self.queue(number).head = behind,
            before => self.slots[usize::from(before)].behind = behind,
        }
        match behind {
            NONE => self.queue(number).tail = before,
            behind => self.slots[usize::from(behind)].before = before,
        }
        self.queue(number).length -= 1;
    }
}

impl Queue {
    const EMPTY: Self = Self {
        head: NONE,
        tail: NONE,
        length: 0,
    };
}
