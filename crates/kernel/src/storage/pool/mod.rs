//! The disks of the pool: each has a copy of its blocks and of its journal.
//!
//! The journal of the volumes on every disk that was laid out is read; those of one pool are
//! mounted together. A disk that comes later takes its place again, and is filled.
//!
//! Limits: `DISKS_MAX` journals are read, `VOLUME_REPLICAS_MAX` are appended to.
//! Invariant: a disk whose journal misses a record is no member until it was filled anew.

mod choice;
mod copy;
mod journal;

pub use choice::Choice;

use super::io::{IoDone, Memory, Submit};
use super::layout::{DiskState, Layouts};
use super::log::{Log, LogError, LogId, LogStateView};
use super::retry::Retry;
use super::shelf::Shelf;
use super::volumes::{Failure, Places, Volumes};
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::{DISKS_MAX, VOLUME_RECORD_BYTES};
use alloc::vec::Vec;
use choice::{Entries, Entry, choose};
use copy::{Copy, Joined, State};

/// What a person wants of the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// This disk becomes a member.
    Join { disk: usize },
    /// It goes on without the disks that are missing.
    Degraded,
}

pub struct Pool {
    copies: [Option<Copy>; DISKS_MAX],
    /// The number of the next record.
    next: u64,
    /// The last record, for those that had no room for it.
    carried: Vec<u8>,
    /// A bit for each member whose copy was lost and who was not told yet.
    lost: u8,
    /// Did a person say that it goes on without those that are missing?
    is_allowed: bool,
    choice: Choice,
}

impl Pool {
    pub fn new() -> Self {
        Self {
            copies: Default::default(),
            next: 1,
            carried: Vec::with_capacity(VOLUME_RECORD_BYTES),
            lost: 0,
            is_allowed: false,
            choice: Choice::Nothing,
        }
    }

    /// Opens what is there, gives up what is gone, and has all logs go on.
    pub fn step(
        &mut self,
        now: Instant,
        layouts: &Layouts,
        shelf: &mut Shelf,
        memory: &mut dyn Memory,
        io: &mut dyn Submit,
    ) {
        for disk in 0..DISKS_MAX {
            let layout = layouts.state(disk).layout().copied();
            if self.copies[disk].as_ref().map(|copy| copy.layout) != layout {
                self.lose(disk, None);
            }
            self.end_or_try_again(disk, now, shelf);
            let retry = match &mut self.copies[disk] {
                None => Some(Retry::default()),
                Some(copy) => copy.wants_room(now).then_some(copy.retry),
            };
            if let (Some(mut retry), Some(layout)) = (retry, layout) {
                retry.begin(now);
                let memory = &mut shelf.before(memory);
                self.copies[disk] = Some(Copy::open(layout, retry, memory));
            }
            self.step_log(disk, now, io);
        }
        self.carry();
    }

    fn step_log(&mut self, disk: usize, now: Instant, io: &mut dyn Submit) {
        let failed = match self.copies[disk].as_mut().map(|copy| &mut copy.state) {
            Some(State::Open(log, reading)) => {
                log.step(now, io, &mut |_, record| reading.replay(record));
                failure(log)
            }
            Some(State::Joined(log, _)) => {
                log.step(now, io, &mut |_, _| {});
                failure(log)
            }
            _ => None,
        };
        if failed.is_some() {
            self.lose(disk, failed);
        }
    }

    /// What was appended goes to the disks in the same tick.
    pub fn send(&mut self, now: Instant, io: &mut dyn Submit) {
        (0..DISKS_MAX).for_each(|disk| self.step_log(disk, now, io));
    }

    /// Gives up the copy of a disk; without an error its disk is gone.
    fn lose(&mut self, disk: usize, error: Option<LogError>) {
        let Some(copy) = &mut self.copies[disk] else {
            return;
        };
        if let Some(joined) = copy.joined() {
            self.lost |= 1 << joined.member;
        }
        copy.give_up(error);
        if matches!((&copy.state, error), (State::Refused, None)) {
            self.copies[disk] = None;
        }
    }

    /// Has a copy read anew that is well but of no use without others.
    fn leave(&mut self, disk: usize) {
        let copy = self.copies[disk].as_ref();
        if copy.is_some_and(|copy| copy.joined().is_some()) {
            self.lose(disk, None);
        }
    }

    /// The memory of one that the disk has nothing of any more goes to others, and what
    /// failed is tried again.
    fn end_or_try_again(&mut self, disk: usize, now: Instant, shelf: &mut Shelf) {
        let Some(copy) = &mut self.copies[disk] else {
            return;
        };
        copy.maybe_reopen(now);
        if matches!(&copy.state, State::Closing(log) if log.is_idle())
            && let Some(copy) = self.copies[disk].take()
            && let State::Closing(log) = copy.state
        {
            log.close(&mut |buffer| shelf.put(buffer));
        }
    }

    pub fn on_done(&mut self, now: Instant, done: IoDone) {
        let disk = LogId::of_tag(done.request.tag.number).disk();
        let copy = disk.and_then(|disk| self.copies.get_mut(disk)?.as_mut());
        if let Some(log) = copy.and_then(Copy::log_mut) {
            log.on_done(now, done);
        }
    }

    /// Mounts what belongs together, or brings back who has come later. `home` is the disk
    /// where a pool is made if there is none, with the number `fresh`.
    pub fn mind(
        &mut self,
        now: Instant,
        volumes: &mut Volumes,
        layouts: &Layouts,
        home: (Option<usize>, u64),
        memory: &mut dyn Memory,
    ) {
        let is_joined = self.all_joined().next().is_some();
        if !volumes.is_mounted() {
            let looking = |disk| layouts.state(disk) == DiskState::Looking;
            let is_reading = self.copies.iter().flatten().any(Copy::is_reading);
            if !is_joined && !is_reading && !(0..DISKS_MAX).any(looking) {
                self.mount(now, volumes, home, memory);
            }
        } else if volumes.view().failure == Some(Failure::Journal) {
            // The last whole member is gone, and those that are left are of no use alone: all
            // is read anew, and waits for it.
            (0..DISKS_MAX).for_each(|disk| self.leave(disk));
            volumes.give_up_pool();
        } else if is_joined {
            self.bring_back(volumes);
        } else if !self.has_refused() {
            // Whoever waits is told, and then all begins anew.
            volumes.give_up_pool();
        }
    }

    /// Is there a journal that cannot be understood? That is to be seen, and no fresh pool.
    fn has_refused(&self) -> bool {
        let mut known = self.copies.iter().flatten().filter_map(Copy::known);
        known.any(|(_, reading)| reading.error.is_some())
    }

    /// Is it about to be in use, if it is not?
    pub fn is_preparing(&self) -> bool {
        let mut copies = self.copies.iter().flatten();
        let waits = matches!(
            self.choice,
            Choice::Waits { .. } | Choice::NoneWhole | Choice::Torn
        );
        copies.any(|copy| copy.is_reading() || !waits && copy.known().is_some())
    }

    fn entries(&self) -> Entries {
        let entry = |copy: &Option<Copy>| {
            let (log, reading) = copy.as_ref()?.known()?;
            let is_good = reading.error.is_none() && reading.table.is_some();
            Some(Entry {
                journal: log.identity(),
                generation: reading.generation,
                pool: reading.pool.clone().filter(|_| is_good)?,
            })
        };
        core::array::from_fn(|disk| entry(&self.copies[disk]))
    }

    fn mount(
        &mut self,
        now: Instant,
        volumes: &mut Volumes,
        (home, fresh): (Option<usize>, u64),
        memory: &mut dyn Memory,
    ) {
        self.choice = choose(&self.entries(), self.is_allowed);
        let (source, members, stale) = match self.choice {
            Choice::Mount {
                source,
                members,
                stale,
            } => (source, members, stale),
            Choice::Nothing => match home {
                Some(home) => (home, [Some(home), None, None], 0),
                None => return,
            },
            Choice::Waits { .. } | Choice::NoneWhole | Choice::Torn => return,
        };
        let Some(State::Open(log, reading)) =
            self.copies[source].as_mut().map(|copy| &mut copy.state)
        else {
            return;
        };
        if let Some(error) = reading.error {
            volumes.refuse(error);
            return;
        }
        let Some(mut table) = reading.table.take_if(|_| log.is_open()) else {
            return;
        };
        table.miss(stale);
        (self.next, self.lost, self.is_allowed) = (log.next_lsn().0, 0, false);
        let mut places = Places::default();
        for (member, disk) in members.iter().enumerate() {
            if let Some(disk) = disk
                && let Some(copy) = &mut self.copies[*disk]
            {
                places[member] = copy.place();
                // The true one goes on, the others begin anew with the table.
                copy.join(member, (*disk == source).then_some(0));
            }
        }
        volumes.take_table(&mut table);
        // What is wrong is to be seen in its view.
        let _ = volumes.mount(now, &places, fresh, memory);
    }

    /// Members that were missing and have come take their places again.
    fn bring_back(&mut self, volumes: &mut Volumes) {
        if self.lost != 0 || !volumes.is_ready() {
            return;
        }
        for disk in 0..DISKS_MAX {
            let is_member = |pool: &super::volumes::PoolRow, journal| pool.disks.contains(&journal);
            let Some(place) = self.copies[disk].as_ref().and_then(|copy| {
                let (log, reading) = copy.known()?;
                let (own, pool) = (reading.pool.as_ref()?, volumes.pool()?);
                let is_ours = own.id == pool.id && is_member(pool, log.identity());
                // It went on without any of those that are whole here.
                let is_torn =
                    own.disks == pool.disks && own.stale | pool.stale == everybody(pool.members);
                copy.place().filter(|_| is_ours && !is_torn)
            }) else {
                continue;
            };
            if let Ok(member) = volumes.add_member(place)
                && let Some(copy) = &mut self.copies[disk]
            {
                copy.join(member, None);
            }
        }
    }

    pub fn apply(&mut self, change: Change, volumes: &mut Volumes) -> Result<(), &'static str> {
        match change {
            Change::Join { disk } => self.join(disk, volumes),
            Change::Degraded => {
                if volumes.is_mounted() || !matches!(self.choice, Choice::Waits { .. }) {
                    return Err("the pool waits for no disk; see storage status");
                }
                self.is_allowed = true;
                Ok(())
            }
        }
    }

    fn join(&mut self, disk: usize, volumes: &mut Volumes) -> Result<(), &'static str> {
        let copy = self.copies.get_mut(disk).and_then(Option::as_mut);
        let copy = copy.ok_or("the disk is not laid out; see storage format")?;
        if copy.joined().is_some() {
            return Err("the disk is a member of the pool already; see storage status");
        }
        let (log, reading) = copy
            .known()
            .ok_or("the journal of the disk is not there yet; see storage logs")?;
        if reading.pool.is_some() || reading.error.is_some() {
            return Err("the disk has a pool of its own; lay it out anew with storage format");
        }
        let (pool, journal) = (volumes.pool(), log.identity());
        if pool.is_some_and(|pool| pool.disks.contains(&journal)) {
            return Err("the disk is a copy of a member; lay it out anew with storage format");
        }
        let place = copy.place().ok_or("the disk is gone; see disk list")?;
        let member = volumes
            .add_member(place)
            .map_err(|error| error.why_no_member())?;
        copy.join(member, None);
        Ok(())
    }

    fn all_joined(&self) -> impl Iterator<Item = (&Log, &Joined)> {
        let copies = self.copies.iter().flatten();
        copies.filter_map(|copy| copy.log().zip(copy.joined()))
    }

    /// Damaged ones give up what they have lost.
    pub fn accept_loss(&mut self) -> Result<(), &'static str> {
        let logs = self.copies.iter_mut().flatten().filter_map(Copy::log_mut);
        match logs.filter_map(|log| log.accept_loss().ok()).count() {
            0 => Err("the log is not damaged; see storage logs"),
            _ => Ok(()),
        }
    }

    /// What it waits for, while it is not mounted.
    pub const fn choice(&self) -> Choice {
        self.choice
    }

    /// Also those whose disk has failed them.
    pub fn logs(&self) -> impl Iterator<Item = &Log> {
        self.copies.iter().flatten().filter_map(Copy::shown)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let copies = self.copies.iter().flatten();
        copies.filter_map(Copy::next_deadline).min()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.logs().for_each(|log| log.visit_usages(visit));
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

const fn everybody(members: u8) -> u8 {
    (1 << members) - 1
}

fn failure(log: &Log) -> Option<LogError> {
    match log.view().state {
        LogStateView::Failed(error) => Some(error),
        _ => None,
    }
}
