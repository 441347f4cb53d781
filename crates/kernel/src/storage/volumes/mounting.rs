//! Mounting: headers are read, then every map is walked over and counted.

use super::counts::CHUNK_BYTES;
use super::error::{Failure, VolumeError};
use super::header::Header;
use super::live::Live;
use super::members::{MemberState, Members};
use super::objects::BLOCKS_READ;
use super::pointer::BLOCK_BYTES;
use super::row::{PoolRow, RowError};
use super::state::{Event, State};
use super::table::{RootOf, Table};
use super::transfers::{Ended, Purpose, Wish};
use super::walk::{Seen, Walk};
use super::{Phase, Volumes};
use crate::base::disk::DiskOperation;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::{VOLUME_BOUNCES, VOLUME_POOL_BLOCKS_MAX, VOLUME_REPLICAS_MAX};
use crate::storage::io::{Memory, Priority};
use crate::storage::region::Region;
use crate::storage::volumes::pointer::BLOCK_SECTORS;
use alloc::boxed::Box;

/// Entries that are looked at in one step.
const ENTRIES_A_STEP: usize = 2048;
/// The smallest pool: room for the pages of two transactions, and some data.
const BLOCKS_MIN: u64 = 256;

/// Where the pool of one member lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub region: Region,
    /// The number of its copy of the journal.
    pub journal: u64,
}

/// The members that are there, each at its place.
pub type Places = [Option<Place>; VOLUME_REPLICAS_MAX];

pub struct Mounting {
    stage: Stage,
    heads: [Option<Header>; VOLUME_REPLICAS_MAX],
    waiting: usize,
    /// The root that is walked over.
    root: usize,
    walk: Walk,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Reading,
    Writing,
    Counting,
}

impl Volumes {
    /// A record that the journal still had, before `mount`; in their order.
    pub fn replay(&mut self, record: &[u8]) -> Result<(), RowError> {
        let result = self.table.replay(record);
        if let Err(error) = result {
            self.fail(Failure::Row(error));
        }
        result
    }

    /// Begins to mount the pool that the replayed records tell of; `fresh` is the number of a
    /// new one, if they tell of none.
    pub fn mount(
        &mut self,
        now: Instant,
        places: &Places,
        fresh: u64,
        memory: &mut dyn Memory,
    ) -> Result<(), VolumeError> {
        match &self.phase {
            Phase::Unmounted => {}
            Phase::Failed(failure) => return Err(VolumeError::PoolFailed(*failure)),
            Phase::Mounting(_) | Phase::Ready => return Err(VolumeError::Mounting),
        }
        self.now = now;
        let result = self.begin_mount(places, fresh, memory);
        if let Err(failure) = result {
            self.fail(failure);
            return Err(VolumeError::PoolFailed(failure));
        }
        Ok(())
    }

    fn begin_mount(
        &mut self,
        places: &Places,
        fresh: u64,
        memory: &mut dyn Memory,
    ) -> Result<(), Failure> {
        let smallest = places
            .iter()
            .flatten()
            .map(|place| place.region.sectors / BLOCK_SECTORS)
            .min();
        let found = smallest
            .filter(|blocks| *blocks >= BLOCKS_MIN)
            .ok_or(Failure::NoMember)?;
        self.take_memory(memory)?;
        let usable = found.min(VOLUME_POOL_BLOCKS_MAX as u64) as u32;
        let wanted = self.table.pool().map_or(usable, |pool| pool.blocks);
        if u64::from(wanted) > found {
            return Err(Failure::WrongPool);
        }
        let counted = self
            .counts
            .begin(wanted, &mut || memory.take_buffer(CHUNK_BYTES));
        match self.table.pool() {
            Some(pool) if counted < pool.blocks => return Err(Failure::Memory),
            None if u64::from(counted) < BLOCKS_MIN => return Err(Failure::Memory),
            _ => {}
        }
        self.members = Members::new();
        for (member, place) in places.iter().enumerate() {
            if let Some(place) = place {
                self.members.set(member, place.region, MemberState::Healthy);
            }
        }
        if self.table.pool().is_none() {
            self.begin_fresh(fresh, places)?;
        }
        self.phase = Phase::Mounting(Box::new(Mounting {
            stage: Stage::Reading,
            heads: [None; VOLUME_REPLICAS_MAX],
            waiting: 0,
            root: 0,
            walk: Walk::default(),
        }));
        for (member, place) in places.iter().enumerate() {
            if place.is_some() {
                self.begin_header(member, DiskOperation::Read);
            }
        }
        Ok(())
    }

    fn begin_fresh(&mut self, id: u64, places: &Places) -> Result<(), Failure> {
        let members = places.iter().flatten().count();
        let pool = PoolRow {
            id,
            blocks: self.counts.blocks(),
            members: members as u8,
            stale: 0,
            last_id: 0,
            disks: places.map(|place| place.map_or(0, |place| place.journal)),
        };
        self.table
            .apply(super::row::Row::Pool(pool))
            .map_err(Failure::Row)?;
        self.open.is_pool_changed = true;
        self.open.is_wanted = true;
        self.open.touch(self.now);
        Ok(())
    }

    fn take_memory(&mut self, memory: &mut dyn Memory) -> Result<(), Failure> {
        while !self.cache.is_complete() {
            self.cache
                .add(memory.take_buffer(BLOCK_BYTES).ok_or(Failure::Memory)?);
        }
        if self.objects.needs_memory() {
            let buffer = memory.take_buffer(BLOCKS_READ * BLOCK_BYTES);
            self.objects.give_memory(buffer.ok_or(Failure::Memory)?);
        }
        while self.errands.needs_memory() {
            let buffer = memory.take_buffer(BLOCK_BYTES);
            self.errands.give_memory(buffer.ok_or(Failure::Memory)?);
        }
        while self.bounces.len() < VOLUME_BOUNCES {
            self.bounces
                .push(memory.take_buffer(BLOCK_BYTES).ok_or(Failure::Memory)?);
        }
        Ok(())
    }

    pub(super) fn begin_header(&mut self, member: usize, operation: DiskOperation) {
        let Some(mut buffer) = self.bounces.pop() else {
            return;
        };
        if let (DiskOperation::Write, Some(pool)) = (operation, self.table.pool()) {
            let header = Header {
                pool: pool.id,
                blocks: pool.blocks,
                member: member as u8,
                members: pool.members,
            };
            header.emit(buffer.bytes_mut());
        }
        if let Phase::Mounting(mounting) = &mut self.phase {
            mounting.waiting += 1;
        }
        let wish = Wish {
            purpose: Purpose::Header(member),
            operation,
            block: 0,
            blocks: 1,
            priority: Priority::URGENT,
            tenant: Tenant::KERNEL,
            deadline: None,
        };
        self.transfers.start_with(wish, Some(buffer), member);
    }

    pub(super) fn on_header(&mut self, member: usize, ended: Ended) {
        if let Phase::Mounting(mounting) = &mut self.phase {
            mounting.waiting -= 1;
            let bytes = ended.buffer.as_ref().map(|buffer| buffer.bytes());
            match (ended.result, mounting.stage) {
                (Ok(()), Stage::Reading) => {
                    mounting.heads[member] = bytes.and_then(Header::parse);
                }
                (Ok(()), _) => {}
                (Err(_), _) => self.members.become_state(member, MemberState::Stale),
            }
        }
        self.bounces.extend(ended.buffer);
    }

    pub(super) fn go_on_mounting(&mut self) -> bool {
        let Phase::Mounting(mounting) = &mut self.phase else {
            return false;
        };
        match mounting.stage {
            Stage::Reading | Stage::Writing if mounting.waiting > 0 => false,
            Stage::Reading => {
                let heads = mounting.heads;
                mounting.stage = Stage::Writing;
                match self.judge_members(heads) {
                    Ok(()) => self.write_headers(heads),
                    Err(failure) => self.fail(failure),
                }
                true
            }
            Stage::Writing => {
                mounting.stage = Stage::Counting;
                self.begin_counting();
                true
            }
            Stage::Counting => self.go_on_counting(),
        }
    }

    /// Sees who can be read from.
    fn judge_members(
        &mut self,
        heads: [Option<Header>; VOLUME_REPLICAS_MAX],
    ) -> Result<(), Failure> {
        let pool = self.table.pool().cloned().ok_or(Failure::NoMember)?;
        if self.table.generation() == 0 {
            // Nothing was ever said about it: what stands there is of a former pool.
            return self
                .members
                .healthy()
                .next()
                .map(drop)
                .ok_or(Failure::NoMember);
        }
        let is_ours = |head: &Header| {
            head.pool == pool.id && head.blocks == pool.blocks && head.member < pool.members
        };
        if heads.iter().flatten().count() > 0 && !heads.iter().flatten().any(is_ours) {
            return Err(Failure::WrongPool);
        }
        for (index, head) in heads.iter().enumerate() {
            let state = self.members.get(index).map(|member| member.state);
            let is_its_own = head
                .as_ref()
                .is_some_and(|head| is_ours(head) && usize::from(head.member) == index);
            // A lone disk whose header is damaged is taken as it is: its maps are checked anyway.
            let is_trusted = is_its_own || pool.members == 1;
            let is_stale = pool.stale >> index & 1 != 0;
            if state == Some(MemberState::Healthy) && (is_stale || !is_trusted) {
                self.members.become_state(index, MemberState::Stale);
            }
        }
        self.members
            .healthy()
            .next()
            .map(drop)
            .ok_or(Failure::NoMember)
    }

    /// A header that is missing or damaged is written.
    fn write_headers(&mut self, heads: [Option<Header>; VOLUME_REPLICAS_MAX]) {
        let pool = self.table.pool().map(|pool| pool.id);
        for member in 0..VOLUME_REPLICAS_MAX {
            let is_written = heads
                .iter()
                .flatten()
                .any(|head| usize::from(head.member) == member && Some(head.pool) == pool);
            if !is_written && self.members.healthy().any(|healthy| healthy == member) {
                self.begin_header(member, DiskOperation::Write);
            }
        }
    }

    fn begin_counting(&mut self) {
        let generation = self.table.generation();
        self.open.generation = generation + 1;
        self.commit.reset(generation);
        self.reaper.reset();
        self.scrub.reset();
        self.cache.forget_bad();
        self.lost_pages = 0;
        for slot in 0..self.live.len() {
            let row = self.table.volume(slot);
            let is_known = |live: &Live| row.is_some_and(|row| row.id == live.id);
            if !self.live[slot].as_ref().is_some_and(is_known) {
                self.live[slot] = row.map(|row| Live::new(row, State::Initializing));
            }
        }
    }

    /// Counts for one step. Is there more to be done at once?
    fn go_on_counting(&mut self) -> bool {
        for _ in 0..ENTRIES_A_STEP {
            let Phase::Mounting(mounting) = &mut self.phase else {
                return false;
            };
            if mounting.walk.is_over() {
                let Some(root) = RootOf::at(mounting.root) else {
                    self.end_mount();
                    return true;
                };
                mounting.root += 1;
                enter_root(&mut mounting.walk, &self.table, root, &mut self.counts);
                continue;
            }
            match mounting.walk.next(&mut self.cache) {
                Ok(Seen::Data(pointer, _)) => drop(self.counts.raise(pointer.block)),
                Ok(Seen::Page(pointer, place)) => {
                    if self.counts.raise(pointer.block) == 1 {
                        mounting.walk.enter(pointer, place);
                    }
                }
                Ok(Seen::Left(..) | Seen::End) => {}
                Err(miss) => {
                    let walk = mounting.walk.clone();
                    match self.fetch_for(&walk, miss, Priority::USUAL) {
                        Ok(()) => return false,
                        Err((place, bad)) => match bad.passing() {
                            Some(error) => self.fail(Failure::Disk(error)),
                            None => self.on_lost_page(place, bad),
                        },
                    }
                }
            }
        }
        true
    }

    fn on_lost_page(&mut self, place: super::page::Place, bad: super::cache::Bad) {
        self.lost_pages += 1;
        let Phase::Mounting(mounting) = &mut self.phase else {
            return;
        };
        let root = RootOf::at(mounting.root - 1);
        let at = mounting
            .walk
            .leave()
            .map_or(0, |(pointer, _)| pointer.block);
        let damage = self.damage(place.first, at, bad.member, bad.what);
        if let Some(RootOf::Volume(slot)) = root
            && let Some(live) = &mut self.live[slot]
        {
            live.on(Event::Damage);
            live.is_damaged = true;
            live.last_damage = Some(damage);
        }
    }

    fn end_mount(&mut self) {
        let is_degraded = self.is_degraded();
        for live in self.live.iter_mut().flatten() {
            let event = match live.is_damaged || is_degraded {
                true => Event::Damage,
                false => Event::Counted,
            };
            live.on(event);
        }
        self.phase = Phase::Ready;
        self.want_filling();
    }

    /// A page of a map was lost, and now what had it is gone: perhaps all is whole again.
    pub(super) fn count_anew(&mut self) {
        let blocks = self.counts.blocks();
        self.counts.begin(blocks, &mut || None);
        self.phase = Phase::Mounting(Box::new(Mounting {
            stage: Stage::Writing,
            heads: [None; VOLUME_REPLICAS_MAX],
            waiting: 0,
            root: 0,
            walk: Walk::default(),
        }));
    }

    /// Members that failed and are not called stale in the table yet.
    pub(super) fn missed_unsaid(&self) -> u8 {
        let said = self.table.pool().map_or(0, |pool| pool.stale);
        self.stale_members() & !said
    }

    pub(super) fn stale_members(&self) -> u8 {
        let members = self.table.pool().map_or(0, |pool| pool.members);
        let is_stale = |member: &u8| {
            let state = self
                .members
                .get(usize::from(*member))
                .map(|member| member.state);
            state != Some(MemberState::Healthy)
        };
        (0..members)
            .filter(is_stale)
            .fold(0, |bits, member| bits | 1 << member)
    }

    pub(super) fn is_degraded(&self) -> bool {
        self.stale_members() != 0
    }

    pub(super) fn pool_row(&self) -> Option<PoolRow> {
        let mut pool = self.table.pool()?.clone();
        pool.stale = self.stale_members();
        Some(pool)
    }
}

/// Begins with a root, unless another one has it, too.
fn enter_root(walk: &mut Walk, table: &Table, root: RootOf, counts: &mut super::Counts) {
    if let Some((tree, levels)) = table.tree(root)
        && !tree.root.is_none()
        && counts.raise(tree.root.block) == 1
    {
        walk.enter(tree.root, super::page::Place::root(levels));
    }
}
