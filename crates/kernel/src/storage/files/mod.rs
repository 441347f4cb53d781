//! The files of the user: a FAT volume, and who works on it.
//!
//! Works take turns. One that needs a sector which is not here sleeps until the disk has
//! brought it; one that has made a change lets all others wait until that is on the disk.
//!
//! Limits: `FILE_WORKS_MAX` works, and the buffers of `memory`.
//! Invariants: a work sees the volume as of the last whole change; there is one change at
//! a time; what a power cut leaves is the volume before or after it, and clusters that
//! belong to nobody at most.

mod cache;
mod commit;
mod draft;
mod error;
mod listing;
mod locate;
mod overlay;
mod performing;
mod report;
mod sink;
mod tag;
#[cfg(test)]
mod tests;
mod view;
mod volume;
mod wish;
mod work;

pub use draft::FreshVolume;
pub use error::{FileError, Unusable};
pub use view::{FilesState, FilesView};
pub use wish::{Act, LIMIT, Wish};

use super::fat::{Geometry, Search, Sectors, Stage, Stop};
use super::io::{IoDone, IoError, Memory, Submit};
use super::region::Region;
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskOperation, SECTOR_BYTES};
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::limits::{FILE_LINE_BYTES, FILE_WORK_BYTES, FILE_WORKS_MAX, FILE_WRITE_BYTES};
use alloc::boxed::Box;
use cache::{Cache, LINE_SECTORS};
use commit::{Around, Commit, Writes};
use overlay::{OVERLAY_BYTES, Overlay, View};
use tag::Tag;
use volume::Volume;
use work::{Ground, Turn, Work};

/// Turns of all works in one step.
const TURNS_A_STEP: usize = 8;

enum State {
    /// No disk has an exchange partition.
    NoDisk,
    /// Its first sector is being read.
    Mounting(Volume),
    Mounted(Box<Mounted>),
    /// With the disk, if it may be worth another look.
    Failed(Unusable, Option<Volume>),
}

struct Mounted {
    volume: Volume,
    geometry: Geometry,
    search: Search,
    /// Clusters, once somebody has counted them.
    free: Option<u32>,
    generation: u64,
    /// A change on its way, and whose it is.
    commit: Option<(Box<Commit>, usize)>,
}

pub struct Files {
    state: State,
    mounts: u32,
    cache: Cache,
    overlay: Overlay,
    writes: Writes,
    /// Of works that are not there.
    spare: Vec<Buffer, FILE_WORKS_MAX>,
    works: [Option<Box<Work>>; FILE_WORKS_MAX],
    /// Whose turn is next.
    turn: usize,
    has_more: bool,
    counts: Counts,
}

/// What there was since boot.
#[derive(Clone, Copy, Default)]
struct Counts {
    works_high_water: usize,
    works_refused: u64,
    writes_high_water: usize,
    changes: u64,
    failures: u64,
    answers_ignored: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            state: State::NoDisk,
            mounts: 0,
            cache: Cache::default(),
            overlay: Overlay::default(),
            writes: Writes::default(),
            spare: Vec::new(),
            works: [const { None }; FILE_WORKS_MAX],
            turn: 0,
            has_more: false,
            counts: Counts::default(),
        }
    }
}

impl Files {
    /// In a box, for it is large.
    #[inline(never)]
    pub fn boxed() -> Box<Self> {
        Box::default()
    }

    /// Takes a partition into use. Its memory is taken at the first time and kept.
    pub fn mount(&mut self, region: Region, memory: &mut dyn Memory) {
        self.unmount();
        if self.take_memory(memory).is_none() {
            self.state = State::Failed(Unusable::NoMemory, None);
            return;
        }
        self.mounts += 1;
        self.state = State::Mounting(Volume {
            region,
            mount: self.mounts,
            transfer_bytes_max: SECTOR_BYTES,
            has_write_cache: true,
            is_unsafe: false,
        });
        self.has_more = true;
    }

    pub const fn is_mounting(&self) -> bool {
        matches!(self.state, State::Mounting(_))
    }

    /// Lets go of the partition, because its disk is gone or is laid out anew.
    pub fn unmount(&mut self) {
        self.state = State::NoDisk;
        self.cache.clear();
        self.overlay.clear();
        for work in self.works.iter_mut().flatten() {
            work.cut_off();
        }
        self.drop_ended();
    }

    fn take_memory(&mut self, memory: &mut dyn Memory) -> Option<()> {
        while !self.cache.is_full() {
            self.cache.add_buffer(memory.take_buffer(FILE_LINE_BYTES)?);
        }
        while !self.writes.is_full() {
            self.writes
                .add_buffer(memory.take_buffer(FILE_WRITE_BYTES)?);
        }
        if !self.overlay.has_buffer() {
            self.overlay.set_buffer(memory.take_buffer(OVERLAY_BYTES)?);
        }
        let running = self.works.iter().flatten().count();
        for _ in running + self.spare.len()..FILE_WORKS_MAX {
            // There is room for one of each work.
            let _ = self.spare.push(memory.take_buffer(FILE_WORK_BYTES)?);
        }
        Some(())
    }

    /// Does what can be done without waiting.
    pub fn step(&mut self, now: Instant, io: &mut dyn Submit) {
        self.has_more = false;
        if let State::Mounting(volume) = &self.state {
            let volume = *volume;
            self.continue_mounting(now, volume, io);
        }
        self.step_commit(now, io);
        for _ in 0..TURNS_A_STEP {
            if !self.step_works(now, io) {
                return;
            }
            self.step_commit(now, io);
        }
        self.has_more = true;
    }

    /// When it wants the next step though no disk has answered.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let mut works = self.works.iter().flatten();
        let has_answer = works.any(|work| work.is_ended() && work.by.is_some());
        (self.has_more || has_answer).then_some(now)
    }

    fn continue_mounting(&mut self, now: Instant, mut volume: Volume, io: &mut dyn Submit) {
        let Some(facts) = io.facts(volume.region.disk) else {
            self.state = State::Failed(Unusable::Disk(IoError::NoDisk), None);
            self.end_works();
            return;
        };
        volume.transfer_bytes_max = facts.transfer_bytes_max;
        volume.has_write_cache = facts.has_write_cache;
        let Some(sector) = self.cache.sector(0) else {
            self.fetch(now, &volume, 0, io);
            return;
        };
        self.state = match Geometry::parse(sector, volume.region.sectors) {
            Ok(geometry) => State::Mounted(Box::new(Mounted {
                volume,
                geometry,
                search: Search::default(),
                free: None,
                generation: 0,
                commit: None,
            })),
            Err(error) => State::Failed(Unusable::Fat(error), None),
        };
        if matches!(self.state, State::Failed(..)) {
            self.end_works();
        }
    }

    /// Asks for the line of a sector; one that is under way is not asked for twice.
    fn fetch(&mut self, now: Instant, volume: &Volume, sector: u64, io: &mut dyn Submit) {
        if self.cache.is_loading_sector(sector) || io.space(volume.region.disk) == 0 {
            return;
        }
        let first = sector / LINE_SECTORS * LINE_SECTORS;
        let count = volume
            .region
            .sectors
            .saturating_sub(first)
            .min(LINE_SECTORS);
        let mut failure = None;
        self.cache.load(sector, |place, buffer| {
            let data = Some(buffer);
            let request = volume.request(DiskOperation::Read, first, count, data);
            let sent = request.tagged(Tag::Line(place)).submit(now, io);
            sent.map_err(|(error, buffer)| {
                failure = Some(error);
                buffer
            })
        });
        if let Some(error) = failure.filter(|error| *error != IoError::Full) {
            self.on_unreadable(sector / LINE_SECTORS, error);
        }
    }

    /// A line cannot be read: whoever waits for it waits in vain.
    fn on_unreadable(&mut self, line: u64, error: IoError) {
        self.counts.failures += 1;
        if let State::Mounting(volume) = self.state {
            self.state = State::Failed(Unusable::Disk(error), Some(volume));
            self.end_works();
            return;
        }
        let is_it = |work: &&mut Box<Work>| {
            work.waits_for
                .is_some_and(|sector| sector / LINE_SECTORS == line)
        };
        for work in self.works.iter_mut().flatten().filter(is_it) {
            work.waits_for = None;
            work.fail(FileError::Disk(error));
        }
        self.has_more = true;
    }

    /// Works that were taken on before it was known that nothing can be done.
    fn end_works(&mut self) {
        if let State::Failed(reason, _) = self.state {
            for work in self.works.iter_mut().flatten() {
                work.cut_off();
                work.result = Err(FileError::NotMounted(reason));
            }
        }
        self.drop_ended();
    }

    /// The disk has answered.
    pub fn on_done(&mut self, _now: Instant, done: IoDone) {
        let Some((tag, mount)) = Tag::parse(done.request.tag.number) else {
            self.counts.answers_ignored += 1;
            return;
        };
        let is_current = mount == self.mounts;
        match (tag, done.request.data) {
            (Tag::Line(place), Some(buffer)) => {
                let is_read = done.result.is_ok();
                let line = self.cache.on_loaded(place, buffer, is_read);
                if let (Some(line), Err(error)) = (line.filter(|_| is_current), done.result) {
                    self.on_unreadable(line, error);
                }
            }
            (Tag::Write(place), Some(buffer)) => {
                self.writes.give_back(place, buffer);
                if let Some((commit, _)) = self.commit_of(is_current) {
                    commit.on_written(done.result);
                }
            }
            (Tag::Flush, _) => {
                if let Some((commit, volume)) = self.commit_of(is_current) {
                    commit.on_flushed(done.result, volume);
                }
            }
            (Tag::Line(_) | Tag::Write(_), None) => self.counts.answers_ignored += 1,
        }
        self.has_more = true;
    }

    fn commit_of(&mut self, is_current: bool) -> Option<(&mut Commit, &mut Volume)> {
        match &mut self.state {
            State::Mounted(mounted) if is_current => {
                let Mounted { volume, commit, .. } = &mut **mounted;
                Some((&mut commit.as_mut()?.0, volume))
            }
            _ => None,
        }
    }

    /// Goes on with the change that is on its way.
    fn step_commit(&mut self, now: Instant, io: &mut dyn Submit) {
        let State::Mounted(mounted) = &mut self.state else {
            return;
        };
        // Reads and writes of the same sectors would meet on the way.
        let Some((commit, work)) = mounted.commit.as_mut().filter(|_| !self.cache.is_loading())
        else {
            return;
        };
        let (work, overlay) = (*work, &self.overlay);
        let ended = commit.step(&mut Around {
            now,
            io,
            volume: &mut mounted.volume,
            overlay,
            writes: &mut self.writes,
        });
        let in_use = &mut self.counts.writes_high_water;
        *in_use = (*in_use).max(self.writes.in_use());
        let Some(result) = ended else {
            return;
        };
        mounted.commit = None;
        if let Some(work) = &mut self.works[work] {
            match result {
                Ok(()) => work.on_committed(),
                Err(error) => work.on_torn(FileError::Disk(error)),
            }
        }
        let slots = self.overlay.slots().iter().enumerate();
        let mut is_visible = false;
        for (slot, (sector, stage)) in slots {
            is_visible |= *stage == Stage::Visible;
            if let Some(bytes) = self.overlay.bytes(slot) {
                self.cache.on_written(*sector, bytes);
            }
        }
        self.counts.changes += u64::from(result.is_ok());
        mounted.generation += u64::from(is_visible || result.is_err());
        self.overlay.clear();
        if result.is_err() {
            // Nobody knows what of it is on the disk.
            self.counts.failures += 1;
            self.cache.clear();
            mounted.free = None;
        }
        self.drop_ended();
    }

    /// Gives one work its turn; says whether there may be more to do now.
    fn step_works(&mut self, now: Instant, io: &mut dyn Submit) -> bool {
        for offset in 0..FILE_WORKS_MAX {
            let State::Mounted(mounted) = &mut self.state else {
                return false;
            };
            if mounted.commit.is_some() {
                return false;
            }
            let index = (self.turn + offset) % FILE_WORKS_MAX;
            let Some(work) = &mut self.works[index] else {
                continue;
            };
            let is_loading = |sector| self.cache.is_loading_sector(sector);
            if work.is_ended() || work.is_idle() || work.waits_for.is_some_and(is_loading) {
                continue;
            }
            let mut view = View {
                cache: &mut self.cache,
                overlay: &mut self.overlay,
            };
            let sectors: &mut dyn Sectors = &mut view;
            let turn = work.turn(&mut Ground {
                sectors,
                geometry: &mounted.geometry,
                search: &mut mounted.search,
                free: &mut mounted.free,
                generation: mounted.generation,
                changes: self.counts.changes + self.counts.failures,
            });
            work.waits_for = None;
            match turn {
                Ok(Turn::Idle) => continue,
                Ok(Turn::More) if self.overlay.is_empty() => {}
                Ok(Turn::More) => {
                    let commit = Box::new(Commit::new(&self.overlay));
                    mounted.commit = Some((commit, index));
                    work.is_committing = true;
                }
                Err(Stop::Miss(sector)) => {
                    self.overlay.clear();
                    work.waits_for = Some(sector);
                    let volume = mounted.volume;
                    self.fetch(now, &volume, sector, io);
                    continue;
                }
                Err(Stop::Failed(error)) => {
                    self.overlay.clear();
                    work.fail(FileError::Fat(error));
                }
            }
            self.turn = index + 1;
            self.drop_ended();
            return true;
        }
        false
    }

    /// Works that have ended and that nobody waits for give their places back.
    fn drop_ended(&mut self) {
        for place in &mut self.works {
            if place
                .as_ref()
                .is_some_and(|work| work.is_ended() && work.by.is_none())
                && let Some(work) = place.take()
            {
                // There is room for one of each work.
                let _ = self.spare.push(work.buffer);
            }
        }
    }
}
