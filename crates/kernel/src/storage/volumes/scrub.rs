//! A walk over all that is in use: it counts, checks, or fills a member.
//!
//! A tree is held while it is walked over, as by a snapshot that is in memory only; so
//! nothing of it is used anew meanwhile, whatever is written.
//!
//! Limits: one walk at a time, `JOBS` blocks of it on their way.

use super::error::{Damage, What};
use super::members::MemberState;
use super::page::Place;
use super::pointer::Pointer;
use super::scrub_jobs::{Job, JobStage};
use super::state::Event;
use super::table::RootOf;
use super::tree::Dropped;
use super::walk::{Seen, Walk};
use super::{Name, Volumes};
use crate::base::disk::DiskOperation;
use crate::base::fixed::Ring;
use crate::base::time::{Duration, Instant};
use crate::storage::io::Priority;
use alloc::boxed::Box;
use alloc::vec::Vec;

const JOBS: usize = 8;
/// Entries that are looked at in one step.
const ENTRIES_A_STEP: usize = 512;
/// Memory and transfers that are left for requests.
const SPARE_BOUNCES: usize = 8;
const SPARE_TRANSFERS: usize = 48;
const DAMAGES_SHOWN: usize = 16;
/// How long nothing is counted again, whatever was changed.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Which blocks only one volume or snapshot has; reads maps only.
    Count,
    /// Reads every block from every member.
    Check,
    /// Writes every block to this member.
    Fill(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub mode: Mode,
    pub began: Instant,
    pub ended: Option<Instant>,
    pub checked: u64,
    /// Blocks that no member has.
    pub lost: u64,
    /// Blocks that a member had wrong, and has right now.
    pub repaired: u64,
}

/// A block that no member has.
#[derive(Clone, Debug)]
pub struct Found {
    /// The volume or the snapshot.
    pub name: Name,
    pub place: Damage,
}

pub struct Run {
    pub progress: Progress,
    /// The transaction that was the last one when it began.
    generation: u64,
    root: usize,
    held: Option<Held>,
    walk: Walk,
    map_pages: u64,
    own: u64,
    lost_of_root: u64,
}

pub struct Held {
    tree: Dropped,
    /// It is on the disks once this transaction is.
    since: u64,
}

pub struct Scrub {
    pub run: Option<Run>,
    wanted: Option<Mode>,
    is_hold_wanted: bool,
    pub jobs: [Option<Job>; JOBS],
    pub last: Option<Progress>,
    pub found: Ring<Found, DAMAGES_SHOWN>,
    own: Box<[Option<u64>]>,
    map_pages: u64,
    /// What was counted is of this transaction.
    counted: Option<u64>,
    counted_at: Instant,
}

impl Scrub {
    pub fn new() -> Self {
        let mut own = Vec::with_capacity(RootOf::COUNT);
        own.resize(RootOf::COUNT, None);
        Self {
            run: None,
            wanted: None,
            is_hold_wanted: false,
            jobs: [None; JOBS],
            last: None,
            found: Ring::new(),
            own: own.into_boxed_slice(),
            map_pages: 0,
            counted: None,
            counted_at: Instant::ZERO,
        }
    }

    pub fn reset(&mut self) {
        *self = Self::new();
    }

    pub const fn is_idle(&self) -> bool {
        self.run.is_none()
    }

    /// That of the walk that runs.
    pub fn progress(&self) -> Option<Progress> {
        self.run.as_ref().map(|run| run.progress)
    }

    /// Blocks that nobody else has, if nothing was changed since they were counted.
    pub fn own(&self, root: usize, generation: u64) -> Option<u64> {
        self.own[root].filter(|_| self.counted == Some(generation))
    }

    pub fn map_pages(&self, generation: u64) -> Option<u64> {
        (self.counted == Some(generation)).then_some(self.map_pages)
    }
}

impl Volumes {
    /// Has everything read and compared, or filled where a member is behind.
    pub fn start_scrub(&mut self) -> Result<(), super::VolumeError> {
        self.readiness()?;
        if !self.is_scrub_over() {
            return Err(super::VolumeError::Scrubbing);
        }
        self.scrub.wanted = Some(self.stale_but_there().map_or(Mode::Check, Mode::Fill));
        Ok(())
    }

    /// Is none wanted and none under way? Counting is none.
    pub(super) fn is_scrub_over(&self) -> bool {
        let is_scrub = |run: &Run| run.progress.mode != Mode::Count;
        self.scrub.wanted.is_none() && !self.scrub.run.as_ref().is_some_and(is_scrub)
    }

    fn stale_but_there(&self) -> Option<usize> {
        let mut members = self.members.iter();
        let stale = members.find(|(_, member)| member.state == MemberState::Stale);
        stale.map(|(index, _)| index)
    }

    pub(super) fn want_filling(&mut self) {
        self.scrub.wanted = self.stale_but_there().map(Mode::Fill);
    }

    pub(super) fn scrub_deadline(&self) -> Option<Instant> {
        let is_old = self.scrub.counted != Some(self.table.generation());
        let waits = is_old && self.scrub.is_idle() && self.is_ready() && self.lost_pages == 0;
        waits.then(|| self.scrub.counted_at + PAUSE)
    }

    pub(super) fn go_on_scrubbing(&mut self) -> bool {
        if self.scrub.run.is_none() {
            return self.maybe_begin_scrub();
        }
        (0..JOBS).for_each(|at| self.ask_for_job(at));
        let Some(run) = &self.scrub.run else {
            return false;
        };
        match &run.held {
            None => self.hold_next_root(),
            Some(held) if self.commit.durable < held.since => false,
            Some(_) => self.walk_on(),
        }
    }

    /// Does nobody want anything?
    pub(super) fn is_calm(&self) -> bool {
        let is_still = self.commit.is_idle() && self.reaper.is_idle();
        is_still && self.requests.is_empty() && !self.open.has_changes()
    }

    fn maybe_begin_scrub(&mut self) -> bool {
        let is_time = self.scrub_deadline().is_some_and(|at| at <= self.now);
        let has_room = self.bounces.len() > SPARE_BOUNCES && self.transfers.space() > 0;
        let mode = match self.scrub.wanted.take_if(|_| has_room) {
            Some(mode) => mode,
            None if !has_room => return false,
            None if is_time && self.is_calm() => Mode::Count,
            None => return false,
        };
        self.counts.forget_seen();
        self.cache.forget_bad();
        if let Mode::Fill(member) = mode {
            self.members.become_state(member, MemberState::Filling);
            self.begin_header(member, DiskOperation::Write);
        }
        self.scrub.counted = None;
        self.scrub.run = Some(Run {
            progress: Progress {
                mode,
                began: self.now,
                ended: None,
                checked: 0,
                lost: 0,
                repaired: 0,
            },
            generation: self.table.generation(),
            root: 0,
            held: None,
            walk: Walk::default(),
            map_pages: 0,
            own: 0,
            lost_of_root: 0,
        });
        true
    }

    fn hold_next_root(&mut self) -> bool {
        let Some(run) = &self.scrub.run else {
            return false;
        };
        let Some(root) = RootOf::at(run.root) else {
            self.end_scrub();
            return true;
        };
        let is_volume = matches!(root, RootOf::Volume(_));
        if is_volume && self.open.has_changes() {
            let is_new = !core::mem::replace(&mut self.scrub.is_hold_wanted, true);
            self.open.is_wanted = true;
            return is_new;
        }
        self.take_hold();
        true
    }

    /// Everything is in the table at the moment: takes the tree that is wanted from there.
    pub(super) fn maybe_take_hold(&mut self) {
        if core::mem::take(&mut self.scrub.is_hold_wanted) {
            self.take_hold();
        }
    }

    fn take_hold(&mut self) {
        let Some(run) = &mut self.scrub.run else {
            return;
        };
        let found = RootOf::at(run.root).and_then(|root| self.table.tree(root));
        let Some((tree, levels)) = found.filter(|(tree, _)| !tree.root.is_none()) else {
            if RootOf::at(run.root).is_some_and(|root| self.table.tree(root).is_some()) {
                self.scrub.own[run.root] = Some(0);
            }
            run.root += 1;
            return;
        };
        let pointer = tree.root;
        self.counts.raise(pointer.block);
        let place = Place::root(levels);
        run.held = Some(Held {
            tree: Dropped { pointer, place },
            since: self.table.generation(),
        });
        run.own = 0;
        run.lost_of_root = 0;
    }

    fn walk_on(&mut self) -> bool {
        for _ in 0..ENTRIES_A_STEP {
            let Some(run) = &mut self.scrub.run else {
                return true;
            };
            let Some(held) = &run.held else { return true };
            let is_checked = run.progress.mode != Mode::Count;
            let has_room = self.scrub.jobs.iter().any(Option::is_none)
                && self.bounces.len() > SPARE_BOUNCES
                && self.transfers.space() > SPARE_TRANSFERS;
            if is_checked && !has_room {
                return false;
            }
            if run.walk.is_over() {
                let tree = held.tree;
                if self.counts.see(tree.pointer.block) {
                    run.walk.enter(tree.pointer, tree.place);
                    self.on_block(tree.pointer, 0, true);
                    continue;
                }
                return self.maybe_leave_root();
            }
            match run.walk.next(&mut self.cache) {
                Ok(Seen::Page(pointer, place)) => {
                    if self.counts.see(pointer.block) {
                        run.walk.enter(pointer, place);
                        self.on_block(pointer, place.first, true);
                    }
                }
                Ok(Seen::Data(pointer, block)) => {
                    if self.counts.see(pointer.block) {
                        self.on_block(pointer, block, false);
                    }
                }
                Ok(Seen::Left(..) | Seen::End) => {}
                Err(miss) => {
                    let walk = run.walk.clone();
                    match self.fetch_for(&walk, miss, Priority::IDLE) {
                        Ok(()) => return false,
                        Err((place, bad)) => {
                            let run = self.scrub.run.as_mut();
                            let left = run.and_then(|run| run.walk.leave());
                            let at = left.map_or(0, |(pointer, _)| pointer.block);
                            self.on_lost(place.first, at, bad.member, bad.what);
                        }
                    }
                }
            }
        }
        true
    }

    /// A block is seen for the first time.
    fn on_block(&mut self, pointer: Pointer, block: u64, is_page: bool) {
        let Some(mut run) = self.scrub.run.take() else {
            return;
        };
        let root = run.held.as_ref().map(|held| held.tree.pointer.block);
        let counts = &self.counts;
        // The walk itself holds the root once.
        let has_one = |block: u32| match Some(block) == root {
            true => counts.count(block) == 2,
            false => counts.count(block) == 1,
        };
        let is_own = has_one(pointer.block) && run.walk.pages().all(|page| has_one(page.block));
        run.own += u64::from(is_own);
        run.map_pages += u64::from(is_page);
        run.progress.checked += 1;
        let mode = run.progress.mode;
        self.scrub.run = Some(run);
        let first = self.members.healthy().next().unwrap_or(0);
        match mode {
            Mode::Count => {}
            Mode::Check => self.begin_job(pointer, block, JobStage::Checking(first)),
            Mode::Fill(_) => self.begin_job(pointer, block, JobStage::Reading),
        }
    }

    /// No member has it.
    pub(super) fn on_lost(&mut self, block: u64, at: u32, member: usize, what: What) {
        let place = self.damage(block, at, member, what);
        let Some(run) = &mut self.scrub.run else {
            return;
        };
        run.progress.lost += 1;
        run.lost_of_root += 1;
        let root = RootOf::at(run.root);
        let name = match root {
            Some(RootOf::Volume(slot)) => self.table.volume(slot).map(|row| &row.name),
            Some(RootOf::Snapshot(slot)) => self.table.snapshot(slot).map(|row| &row.name),
            None => None,
        };
        let name = name.cloned().unwrap_or_default();
        self.scrub.found.push(Found { name, place });
        if let Some(RootOf::Volume(slot)) = root {
            self.note_damage(slot, place);
        }
    }

    /// All of a tree was seen: gives it back.
    fn maybe_leave_root(&mut self) -> bool {
        if self.scrub.jobs.iter().any(Option::is_some) {
            return false;
        }
        let Some(run) = &mut self.scrub.run else {
            return false;
        };
        if let Some(held) = &run.held
            && !self.reaper.take(held.tree, &mut self.counts)
        {
            return false;
        }
        run.held = None;
        self.scrub.own[run.root] = Some(run.own);
        let (root, mode, lost) = (run.root, run.progress.mode, run.lost_of_root);
        run.root += 1;
        if mode == Mode::Check && lost == 0 {
            self.on_whole(root);
        }
        true
    }

    /// All of a volume was read well.
    fn on_whole(&mut self, root: usize) {
        let is_degraded = self.is_degraded() || self.lost_pages > 0;
        if let Some(RootOf::Volume(slot)) = RootOf::at(root)
            && let Some(live) = &mut self.live[slot]
            && live.is_damaged
            && !is_degraded
        {
            live.is_damaged = false;
            live.on(Event::Repaired);
            self.open.touch(self.now);
        }
    }

    fn end_scrub(&mut self) {
        let Some(mut run) = self.scrub.run.take() else {
            return;
        };
        run.progress.ended = Some(self.now);
        self.scrub.map_pages = run.map_pages;
        // What changed meanwhile was counted in part.
        let generation = self.table.generation();
        let is_same = run.generation == generation && !self.open.has_changes();
        self.scrub.counted = is_same.then_some(generation);
        self.scrub.counted_at = self.now;
        if run.progress.repaired > 0 {
            // Before something else is relied on, what was mended is flushed.
            self.open.is_wanted = true;
            self.open.touch(self.now);
        }
        if let Mode::Fill(member) = run.progress.mode {
            self.end_filling(member, run.progress.lost);
        }
        if run.progress.mode != Mode::Count {
            self.scrub.last = Some(run.progress);
        }
    }

    fn end_filling(&mut self, member: usize, lost: u64) {
        let is_filling = |state| state == Some(MemberState::Filling);
        let state = self.members.get(member).map(|member| member.state);
        if !is_filling(state) {
            return;
        }
        let next = match lost {
            0 => MemberState::Healthy,
            _ => MemberState::Stale,
        };
        self.members.become_state(member, next);
        // There may be another one.
        if lost == 0 {
            self.want_filling();
        }
        self.note_members();
        if !self.is_degraded() && self.lost_pages == 0 {
            for live in self
                .live
                .iter_mut()
                .flatten()
                .filter(|live| !live.is_damaged)
            {
                live.on(Event::Repaired);
            }
        }
    }
}
