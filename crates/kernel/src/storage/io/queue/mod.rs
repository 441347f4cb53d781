//! The queue before one disk: waiting, picking, merging, sending, again.
//!
//! Which request goes next is the scheduler's to say, within two bounds of the queue: a
//! request that has waited for `WAIT_MAX` goes before all others, and a tenant that has
//! used up its bandwidth waits before the scheduler sees it. Flushes pass by: one is
//! with the disk, and all that come meanwhile go together as the next.
//!
//! Limits: `IO_REQUESTS_MAX` requests, `IO_MERGES_MAX` merged transfers on their way.
//! Invariants: what was taken is given back once, with its memory, whatever the disk
//! does; a flush is not said to have worked when the disk was reset since a write of
//! the same writer was answered, for its cache may be lost, nor when a flush has failed
//! that was to make that write safe and that another had asked for.

mod answers;
mod counts;
mod flush;
mod limits;
mod slots;
#[cfg(test)]
mod tests;
mod transfer;
mod writers;

pub use counts::QueueView;

use super::schedulers::{DiskNow, IoKind, Scheduler, SlotIndex};
use super::{IoDone, IoError, IoRequest, Priority};
use crate::base::disk::{Disk, DiskDone, DiskError, DiskFacts, DiskOperation};
use crate::base::fixed::Queue;
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::limits::{BLOCK_REQUESTS_MAX, IO_MERGES_MAX, IO_REQUESTS_MAX};
use alloc::boxed::Box;
use counts::Counts;
pub use limits::TenantLimits;
use slots::{Held, Slots, Stage};
use transfer::{Spare, Transfer};
use writers::Writers;

/// Longer than this nobody waits for others to be served first.
pub const WAIT_MAX: Duration = Duration::from_secs(5);
/// How often it is looked for requests that have waited too long.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Times that a disk may fail a request before its asker hears of it.
pub const TRIES_MAX: u8 = 3;
/// When a disk that refused a request without having any is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(1);

pub struct BlockQueue {
    slots: Slots,
    scheduler: Box<dyn Scheduler>,
    /// With the disk, by their tags.
    transfers: Box<[Option<Transfer>; BLOCK_REQUESTS_MAX]>,
    in_flight: usize,
    /// Of those, what is no flush, by kind.
    at_disk: [usize; IoKind::COUNT],
    /// How many may be; the disk may take fewer.
    depth: usize,
    /// Picked, but the disk took no more.
    stalled: Option<Transfer>,
    ask_again_at: Option<Instant>,
    /// Had the disk room when the scheduler was asked last?
    has_room: bool,
    spare: Box<Spare>,
    ended: Box<Queue<SlotIndex, IO_REQUESTS_MAX>>,
    limits: TenantLimits,
    /// Is a flush with the disk?
    is_flushing: bool,
    /// Those with answered writes behind which no flush was sent.
    unflushed: Writers,
    /// Whose writes the flush that is with the disk covers, though others asked for it.
    unheard: Writers,
    /// Those whose writes may be lost, and who have not heard of it.
    suspect: Writers,
    /// Would a write that was answered be lost with the disk's cache?
    has_write_cache: bool,
    /// How often the disk had been started when it was looked last.
    starts: Option<u32>,
    /// Behind the last sector that was asked for.
    head: u64,
    looked_at: Instant,
    counts: Box<Counts>,
}

impl BlockQueue {
    #[inline(never)]
    pub fn new(scheduler: Box<dyn Scheduler>) -> Self {
        let mut spare: Box<Spare> = Box::default();
        for _ in 0..IO_MERGES_MAX {
            // As many as there are places.
            let _ = spare.push(Box::default());
        }
        Self {
            slots: Slots::new(),
            scheduler,
            transfers: Box::new([None; BLOCK_REQUESTS_MAX]),
            in_flight: 0,
            at_disk: [0; IoKind::COUNT],
            depth: BLOCK_REQUESTS_MAX,
            stalled: None,
            ask_again_at: None,
            has_room: false,
            spare,
            ended: Box::new(Queue::new()),
            limits: TenantLimits::default(),
            is_flushing: false,
            unflushed: Writers::NONE,
            unheard: Writers::NONE,
            suspect: Writers::NONE,
            has_write_cache: true,
            starts: None,
            head: 0,
            looked_at: Instant::ZERO,
            counts: Box::default(),
        }
    }

    pub fn space(&self) -> usize {
        self.slots.space()
    }

    /// Takes a request in; it goes to the disk in the next `step`.
    pub fn submit(&mut self, now: Instant, request: IoRequest) -> Result<(), (IoError, IoRequest)> {
        let sector = request.sector;
        if sector.checked_add(request.sectors).is_none() {
            let error = DiskError::OutOfRange { sector };
            return Err((IoError::Disk(error), request));
        }
        // Before its tenant pays for it.
        if self.space() == 0 {
            self.counts.refused += 1;
            return Err((IoError::Full, request));
        }
        let stage = match request.operation {
            DiskOperation::Flush => Stage::WaitsToFlush,
            _ if self.limits.may_pass(now, &request) => Stage::Waits,
            _ => Stage::HeldBack,
        };
        let held = Held {
            request,
            arrived: now,
            waits_since: now,
            order: self.counts.submitted,
            stage,
            tries: 0,
            is_alone: false,
            next: None,
        };
        let slot = self
            .slots
            .insert(held)
            .map_err(|request| (IoError::Full, request))?;
        self.counts.submitted += 1;
        self.counts.high_water = self.counts.high_water.max(self.slots.used());
        if stage == Stage::Waits {
            self.hand_over(now, slot);
        }
        Ok(())
    }

    /// The next request that has ended.
    pub fn take_done(&mut self) -> Option<IoDone> {
        let slot = self.ended.pop()?;
        let held = self.slots.remove(slot)?;
        let Stage::Ended(result) = held.stage else {
            crate::invariant!(false, "a request has ended that still waits");
            return None;
        };
        Some(IoDone {
            request: held.request,
            result,
        })
    }

    /// Sends what may go. Without a disk everything that waits ends.
    pub fn step(&mut self, now: Instant, disk: Option<&mut dyn Disk>) {
        let Some(disk) = disk else {
            self.give_up(IoError::Disk(DiskError::Gone));
            return;
        };
        let facts = disk.facts();
        self.ask_again_at = None;
        self.look_for_restart(&facts);
        self.release_held_back(now);
        if let Some(stalled) = self.stalled.take()
            && !self.send(now, stalled, disk)
        {
            self.has_room = false;
            disk.kick();
            return;
        }
        self.maybe_flush(now, disk);
        self.has_room = false;
        while self.in_flight < self.depth.min(facts.requests_max) {
            let Some(transfer) = self.pick(now, &facts) else {
                self.has_room = true;
                break;
            };
            if !self.send(now, transfer, disk) {
                break;
            }
        }
        disk.kick();
    }

    /// The disk has answered.
    pub fn on_done(&mut self, now: Instant, done: DiskDone) {
        let index = usize::try_from(done.request.tag).unwrap_or(usize::MAX);
        let place = self.transfers.get_mut(index);
        let Some(transfer) = place.and_then(Option::take) else {
            self.counts.answers_ignored += 1;
            return;
        };
        self.in_flight -= 1;
        transfer.unload(&mut self.slots, &mut self.spare, done.request.data);
        match transfer.operation {
            DiskOperation::Flush => self.on_flushed(done.result),
            operation => self.at_disk[IoKind::of(operation) as usize] -= 1,
        }
        if done.result == Err(DiskError::Gone) {
            self.suspect.add(self.unflushed.take());
        }
        let mut next = Some(transfer.first);
        while let Some(slot) = next {
            next = self.slots.get_mut(slot).and_then(|held| held.next.take());
            self.on_answer(now, slot, &transfer, done.result);
        }
    }

    /// Another scheduler for all that waits and will come.
    pub fn set_scheduler(&mut self, now: Instant, scheduler: Box<dyn Scheduler>) {
        let mut old = core::mem::replace(&mut self.scheduler, scheduler);
        while let Some(waiting) = old.drain() {
            self.scheduler.add(now, waiting);
        }
    }

    pub fn set_depth(&mut self, depth: usize) {
        self.depth = depth.clamp(1, BLOCK_REQUESTS_MAX);
    }

    pub const fn limits_mut(&mut self) -> &mut TenantLimits {
        &mut self.limits
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        if !self.ended.is_empty() {
            // The disk would not have it: no answer of a disk tells its owner.
            return Some(now);
        }
        let waits = !self.scheduler.is_empty();
        let looks = waits.then(|| now + LOOK_EVERY);
        let others = [
            // A full disk is not sent anything, whatever the scheduler would like.
            self.scheduler
                .next_deadline()
                .filter(|_| waits && self.has_room),
            self.limits.next_deadline(),
            self.ask_again_at,
        ];
        others.into_iter().flatten().chain(looks).min()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("IO_REQUESTS_MAX", IO_REQUESTS_MAX)
            .used(self.slots.used() as u64)
            .high_water(self.counts.high_water as u64)
            .refused(self.counts.refused)
    }

    pub fn view(&self) -> QueueView<'_> {
        let mut waiting_by_class = [0; Priority::CLASSES.len()];
        let waiting = self.slots.iter();
        for (_, held) in waiting.filter(|(_, held)| held.stage == Stage::Waits) {
            waiting_by_class[held.request.priority.class_index()] += 1;
        }
        QueueView {
            counts: &self.counts,
            waiting: self.scheduler.len(),
            waiting_by_class,
            waiting_to_flush: self.slots.at_stage(Stage::WaitsToFlush).count(),
            held_back: self.slots.at_stage(Stage::HeldBack).count(),
            in_flight: self.in_flight,
            depth: self.depth,
        }
    }

    /// To the scheduler, and to where neighbours find it.
    fn hand_over(&mut self, now: Instant, slot: SlotIndex) {
        if let Some(held) = self.slots.get_mut(slot) {
            held.stage = Stage::Waits;
        }
        if let Some(waiting) = self.slots.waiting(slot) {
            self.scheduler.add(now, waiting);
            self.slots.place(waiting.sector, slot);
        }
    }

    /// A disk that has begun anew has lost what was in its cache.
    fn look_for_restart(&mut self, facts: &DiskFacts) {
        self.has_write_cache = facts.has_write_cache;
        let before = self.starts.replace(facts.starts);
        if before.is_some_and(|before| before != facts.starts) {
            self.suspect.add(self.unflushed.take());
        }
    }

    fn release_held_back(&mut self, now: Instant) {
        if !self.limits.take_due(now) {
            return;
        }
        for tenant in Tenant::all() {
            while let Some(slot) = self.next_of(now, tenant) {
                if let Some(held) = self.slots.get_mut(slot) {
                    held.waits_since = now;
                }
                self.hand_over(now, slot);
            }
        }
    }

    /// In the order of their coming, so that nobody is overtaken by a smaller one.
    fn next_of(&mut self, now: Instant, tenant: Tenant) -> Option<SlotIndex> {
        let is_its = |held: &Held| held.stage == Stage::HeldBack && held.request.tenant == tenant;
        let held_back = self.slots.iter().filter(|(_, held)| is_its(held));
        let (slot, held) = held_back.min_by_key(|(_, held)| held.order)?;
        let may = self.limits.may_pass_held(now, &held.request);
        may.then_some(slot)
    }

    /// What goes to the disk next, with the neighbours that go along.
    fn pick(&mut self, now: Instant, facts: &DiskFacts) -> Option<Transfer> {
        let slot = self.take_overdue(now).or_else(|| {
            let disk = DiskNow {
                head: self.head,
                sectors: facts.sectors,
                in_flight: self.in_flight,
                depth: self.depth.min(facts.requests_max),
                at_disk: self.at_disk,
            };
            self.scheduler.next(now, disk).map(|waiting| waiting.slot)
        })?;
        let mut transfer = Transfer::of(&self.slots, slot)?;
        self.slots.unplace(transfer.sector, slot);
        if !self.spare.is_empty() {
            transfer.gather(now, facts, &mut self.slots, self.scheduler.as_mut());
        }
        self.counts.merged += transfer.members as u64 - 1;
        Some(transfer)
    }

    /// A request that has waited for too long, whatever the scheduler thinks.
    fn take_overdue(&mut self, now: Instant) -> Option<SlotIndex> {
        if now.since(self.looked_at) < LOOK_EVERY {
            return None;
        }
        let waiting = self.slots.at_stage(Stage::Waits);
        let since = |slot: &SlotIndex| self.slots.get(*slot).map(|held| held.waits_since);
        let oldest = waiting.min_by_key(since)?;
        let is_overdue = since(&oldest).is_some_and(|at| now.since(at) >= WAIT_MAX);
        if !is_overdue {
            self.looked_at = now;
            return None;
        }
        self.counts.overdue += 1;
        self.scheduler.take(now, oldest).map(|waiting| waiting.slot)
    }

    /// Gives a transfer to the disk; false when it takes no more now.
    fn send(&mut self, now: Instant, mut transfer: Transfer, disk: &mut dyn Disk) -> bool {
        let free = self.transfers.iter().position(Option::is_none);
        let loaded = free.and_then(|index| {
            let payload = transfer.load(&mut self.slots, &mut self.spare)?;
            Some((index, payload))
        });
        let Some((index, payload)) = loaded else {
            self.stalled = Some(transfer);
            return false;
        };
        self.mark_sent(transfer.first);
        transfer.sent_at = now;
        match disk.submit(transfer.request(index as u64, payload)) {
            Ok(()) => {
                match transfer.operation {
                    DiskOperation::Flush => self.is_flushing = true,
                    operation => {
                        self.head = transfer.sector + transfer.sectors;
                        self.at_disk[IoKind::of(operation) as usize] += 1;
                    }
                }
                self.transfers[index] = Some(transfer);
                self.in_flight += 1;
                self.counts.transfers += 1;
                let most = &mut self.counts.in_flight_high_water;
                *most = (*most).max(self.in_flight);
                true
            }
            Err((error, request)) => {
                transfer.unload(&mut self.slots, &mut self.spare, request.data);
                self.on_refused(now, transfer, error)
            }
        }
    }

    fn mark_sent(&mut self, first: SlotIndex) {
        let mut next = Some(first);
        while let Some(held) = next.and_then(|slot| self.slots.get_mut(slot)) {
            held.stage = Stage::Sent;
            next = held.next;
        }
    }
}
