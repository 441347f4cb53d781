//! Askers that share a disk: a queue for each tenant and priority.
//!
//! What CFQ and BFQ have in common. Classes go strictly in their order, but a request
//! that has starved for two seconds gets one pick of eight.

use super::idling::Pattern;
use super::rescue::Rescue;
use super::sorted::Sorted;
use super::table::Table;
use super::{DiskNow, Finished, SlotIndex, Waiting};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::TENANTS_MAX;
use crate::storage::io::Priority;
use alloc::boxed::Box;
use alloc::vec;

/// Urgent, real time, best effort, idle.
pub(super) const CLASSES: usize = 4;
/// Askers that are told apart.
pub(super) const ASKERS: usize = Priority::COUNT * TENANTS_MAX;

/// A tenant's requests of one step of priority. The more urgent ones have lower numbers,
/// so a class is a run of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Asker(pub u16);

impl Asker {
    pub const fn of(tenant: Tenant, priority: Priority) -> Self {
        Self((priority.index() * TENANTS_MAX + tenant.index()) as u16)
    }

    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub const fn weight(self) -> u64 {
        match Priority::new(self.index() / TENANTS_MAX) {
            Some(priority) => priority.weight() as u64,
            None => 1,
        }
    }

    pub const fn class(self) -> u16 {
        match self.index() / TENANTS_MAX {
            0 => 0,
            1..=8 => 1,
            9..=16 => 2,
            _ => 3,
        }
    }
}

pub(super) struct Askers {
    table: Table,
    by_sector: Sorted,
    rescue: Rescue,
    patterns: Box<[Pattern]>,
}

impl Default for Askers {
    fn default() -> Self {
        Self {
            table: Table::default(),
            by_sector: Sorted::default(),
            rescue: Rescue::default(),
            patterns: vec![Pattern::default(); ASKERS].into(),
        }
    }
}

impl Askers {
    pub fn add(&mut self, now: Instant, waiting: Waiting) -> Asker {
        let asker = Asker::of(waiting.tenant, waiting.priority);
        self.table.add(waiting);
        self.by_sector.insert(asker.0, waiting.sector, waiting.slot);
        self.rescue.add(asker.class(), &waiting);
        self.patterns[asker.index()].on_add(now, &waiting);
        asker
    }

    /// It goes to the disk.
    pub fn take(&mut self, slot: SlotIndex) -> Option<(Asker, Waiting)> {
        let (waiting, _) = self.table.remove(slot)?;
        let asker = Asker::of(waiting.tenant, waiting.priority);
        self.by_sector.remove(asker.0, waiting.sector, slot);
        self.rescue.remove(asker.class(), &waiting);
        let pattern = &mut self.patterns[asker.index()];
        pattern.in_flight += 1;
        pattern.place = waiting.sector;
        Some((asker, waiting))
    }

    pub fn drain(&mut self) -> Option<Waiting> {
        let slot = self.table.oldest()?;
        self.take(slot).map(|(_, waiting)| waiting)
    }

    pub fn on_done(&mut self, now: Instant, finished: &Finished) {
        let asker = Asker::of(finished.tenant, finished.priority);
        self.patterns[asker.index()].on_done(now, finished);
    }

    /// The asker's next request in its own way over the disk.
    pub fn pick(&self, asker: Asker) -> Option<SlotIndex> {
        let place = self.patterns[asker.index()].place;
        let ahead = self.by_sector.at_or_above(asker.0, place);
        let found = ahead.or_else(|| self.by_sector.first(asker.0));
        found.map(|(_, slot)| slot)
    }

    pub fn has(&self, asker: Asker) -> bool {
        self.by_sector.has(asker.0)
    }

    /// The highest class that waits.
    pub fn class(&self) -> Option<u16> {
        self.rescue.class()
    }

    /// A request that would starve, if its pick has come; `class` would go now.
    pub fn starved(&mut self, now: Instant, class: u16) -> Option<SlotIndex> {
        self.rescue.due(now, class, CLASSES as u16)
    }

    /// Those of a class that wait, the one behind `after` first, once round.
    pub fn next_of_class(&self, class: u16, after: Option<Asker>) -> Option<Asker> {
        let behind = after.and_then(|asker| self.by_sector.group_from(asker.0 + 1));
        let is_its = |group: &u16| Asker(*group).class() == class;
        let found = behind.filter(is_its);
        found
            .or_else(|| self.waiting(class).next().map(|asker| asker.0))
            .map(Asker)
    }

    /// All of a class that wait.
    pub fn waiting(&self, class: u16) -> impl Iterator<Item = Asker> {
        let mut from = match class {
            0 => 0,
            1 => TENANTS_MAX,
            2 => 9 * TENANTS_MAX,
            _ => 17 * TENANTS_MAX,
        } as u16;
        core::iter::from_fn(move || {
            let asker = Asker(self.by_sector.group_from(from)?);
            from = asker.0 + 1;
            (asker.class() == class).then_some(asker)
        })
    }

    pub fn is_sequential(&self, asker: Asker) -> bool {
        self.patterns[asker.index()].is_sequential()
    }

    /// Until when the disk is kept for this asker, who has nothing that waits now.
    pub fn idle_until(&self, now: Instant, asker: Asker, turn_end: Instant) -> Option<Instant> {
        self.patterns[asker.index()].idle_until(now, turn_end)
    }

    /// The disk has nothing, so nobody has anything there: what was picked and never
    /// sent was counted wrong.
    pub fn heal(&mut self, disk: DiskNow) {
        if disk.in_flight == 0 {
            self.patterns.iter_mut().for_each(|it| it.in_flight = 0);
        }
    }

    pub const fn len(&self) -> usize {
        self.table.len()
    }
}
