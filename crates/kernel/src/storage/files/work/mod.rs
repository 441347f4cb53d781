//! One thing that is done with files: from its wish to what is answered.
//!
//! Invariants: a turn looks at sectors and keeps its place, or makes one change whole;
//! what was learned of directories is void once one of them has changed; new clusters
//! that nothing refers to are given back when the work fails.

mod changing;
mod looking;

use super::error::FileError;
use super::locate::{Locate, Located};
use super::wish::{Act, Wish};
use crate::base::buffer::Buffer;
use crate::base::digest::Hasher;
use crate::base::operation::OperationId;
use crate::storage::fat::{
    self, Chain, FatError, Found, FreeCount, Freeing, Fresh, Geometry, Item, LongName, Reading,
    Search, Sectors, Stop, Walk,
};
use alloc::boxed::Box;
use changing::removal;

/// What a turn stands on.
pub struct Ground<'a> {
    pub sectors: &'a mut dyn Sectors,
    pub geometry: &'a Geometry,
    /// Where free clusters are looked for next.
    pub search: &'a mut Search,
    pub free: &'a mut Option<u32>,
    /// Counts changes of directories.
    pub generation: u64,
    /// Counts changes of anything.
    pub changes: u64,
}

/// What there is to do after a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    More,
    /// More bytes have to come.
    Idle,
}

enum Phase {
    Locating(Box<Locate>),
    Listing(Box<Walk>),
    Reading(Reading),
    /// What is in the buffer becomes clusters.
    Writing,
    Placing(Box<LongName>, Found),
    /// On the way to the end of the file's chain; the cluster with its last byte, 0 before.
    Seeking(Box<Item>, Chain, u32),
    Appending(Box<Item>, u32),
    /// Is a directory empty?
    Emptiness(Box<Item>, Box<Walk>),
    Removing(Box<Item>),
    MakingDirectory(u32),
    Counting(FreeCount),
    Freeing(Freeing),
    Ended,
}

pub struct Work {
    /// `None` once nobody waits for it.
    pub by: Option<OperationId>,
    pub wish: Wish,
    /// The sector that has to come before the next turn.
    pub waits_for: Option<u64>,
    pub buffer: Buffer,
    /// Bytes of the buffer that are in use.
    pub filled: usize,
    /// Of the file that is read or was written.
    pub size: u64,
    /// Entries that are shown.
    kept: u64,
    /// Entries that the answer has no room for.
    pub more: u64,
    /// Of what was read for a sum.
    pub hasher: Hasher,
    pub result: Result<(), FileError>,
    /// Its change is on the way to the disk.
    pub is_committing: bool,
    phase: Phase,
    has_all: bool,
    fresh: Fresh,
    /// What of it is on the disk for sure.
    safe: Fresh,
    /// A file that was being read when some directory changed.
    paused: Option<Reading>,
    /// Clusters that were free when it counted them.
    pub counted: Option<u32>,
    /// Changes that there were before it began.
    changes_before: Option<u64>,
    /// Where the name goes, as of that generation. A large directory is not looked through
    /// once more when nothing has changed in any since.
    place: Option<(u64, Box<LongName>, Found)>,
    /// Its own round through the table, from where others have ended.
    search: Option<Search>,
    /// All that is to be in the file or directory is on the disk, and has no name yet.
    is_prepared: bool,
    /// Once that has been given back.
    begins_again: bool,
    seen: u64,
}

impl Work {
    pub fn new(by: OperationId, wish: Wish, buffer: Buffer, generation: u64) -> Self {
        let mut work = Self {
            by: Some(by),
            waits_for: None,
            buffer,
            filled: 0,
            size: 0,
            kept: 0,
            more: 0,
            hasher: Hasher::default(),
            result: Ok(()),
            is_committing: false,
            phase: match wish.act {
                Act::Measure => Phase::Counting(FreeCount::default()),
                _ => Phase::Locating(Box::default()),
            },
            has_all: !matches!(wish.act, Act::Receive),
            wish,
            fresh: Fresh::default(),
            safe: Fresh::default(),
            paused: None,
            counted: None,
            changes_before: None,
            place: None,
            search: None,
            is_prepared: false,
            begins_again: false,
            seen: generation,
        };
        work.fill();
        work
    }

    /// Puts the text that came with the wish into the buffer.
    fn fill(&mut self) {
        let text = self.wish.text().unwrap_or_default().as_bytes();
        if let Some(place) = self.buffer.bytes_mut().get_mut(..text.len()) {
            place.copy_from_slice(text);
            self.filled = text.len();
        }
    }

    pub const fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended) && !self.is_committing
    }

    pub const fn room(&self) -> usize {
        match self.has_all || self.is_ended() {
            true => 0,
            false => self.buffer.capacity() - self.filled,
        }
    }

    /// Takes bytes that are to be in the file.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let count = self.room().min(bytes.len());
        let room = &mut self.buffer.bytes_mut()[self.filled..];
        room[..count].copy_from_slice(&bytes[..count]);
        self.filled += count;
        count
    }

    pub const fn end(&mut self) {
        self.has_all = true;
    }

    /// It does not go on; what it has of new clusters is given back.
    pub fn fail(&mut self, error: FileError) {
        if self.result.is_ok() {
            self.result = Err(error);
        }
        self.phase = match self.phase {
            Phase::Freeing(_) | Phase::Ended => Phase::Ended,
            _ if self.fresh.first != 0 => Phase::Freeing(Freeing::of(&self.fresh)),
            _ => Phase::Ended,
        };
        self.fresh = Fresh::default();
    }

    /// Its change is on the disk.
    pub const fn on_committed(&mut self) {
        self.is_committing = false;
        self.safe = self.fresh;
    }

    /// Its change is on the disk in part. What it was to take is free there or is not, so
    /// others may have it soon, and only what was taken before is given back.
    pub fn on_torn(&mut self, error: FileError) {
        self.is_committing = false;
        self.fresh = self.safe;
        self.fail(error);
    }

    /// Nobody waits for it any more.
    pub fn abandon(&mut self) {
        self.by = None;
        if !matches!(self.phase, Phase::Freeing(_) | Phase::Ended) {
            self.fail(FileError::Abandoned);
        }
    }

    /// Its disk is gone.
    pub fn cut_off(&mut self) {
        if !self.is_ended() {
            self.result = Err(FileError::Gone);
            self.phase = Phase::Ended;
            self.is_committing = false;
        }
    }

    fn freeing(&self, first: u32) -> Phase {
        match first {
            0 => Phase::Ended,
            first => Phase::Freeing(Freeing::new(first)),
        }
    }

    /// Will it go on without more bytes from elsewhere?
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Writing)
            && !self.has_all
            && self.filled < self.buffer.capacity()
    }

    /// Goes on a little. A change that it makes counts only when this is no error.
    pub fn turn(&mut self, ground: &mut Ground<'_>) -> Result<Turn, Stop> {
        if self.seen != ground.generation && self.depends_on_directories() {
            self.begin_anew();
        }
        self.seen = ground.generation;
        match &mut self.phase {
            Phase::Locating(locate) => {
                let located = locate.step(&self.wish.path, ground.sectors, ground.geometry)?;
                self.on_located(located, ground)?;
            }
            Phase::Listing(_) => self.list(ground)?,
            Phase::Reading(_) => self.read(ground)?,
            Phase::Writing => return self.write(ground),
            Phase::Placing(..) => self.place(ground)?,
            Phase::Seeking(..) => self.seek(ground)?,
            Phase::Appending(..) => self.append(ground)?,
            Phase::Emptiness(item, walk) => {
                if walk.next(ground.sectors, ground.geometry)?.is_some() {
                    return Err(FatError::NotEmpty.into());
                }
                self.phase = Phase::Removing(item.clone());
            }
            Phase::Removing(item) => {
                fat::remove(ground.sectors, item)?;
                let first = item.first;
                self.phase = self.freeing(first);
            }
            Phase::MakingDirectory(_) => self.make_directory(ground)?,
            Phase::Counting(count) => {
                let before = *self.changes_before.get_or_insert(ground.changes);
                let known = *ground.free;
                let counted = match known {
                    Some(_) => known,
                    None => count.step(ground.sectors, ground.geometry)?,
                };
                if counted.is_some() {
                    self.counted = counted;
                    self.phase = Phase::Ended;
                    // What was taken meanwhile may have been counted as free.
                    if before == ground.changes {
                        *ground.free = counted;
                    }
                }
            }
            Phase::Freeing(freeing) => {
                let (left, freed) = freeing.step(ground.sectors, ground.geometry)?;
                *ground.free = ground.free.map(|free| free.saturating_add(freed));
                let is_done = left.is_done();
                let begins_again = is_done && core::mem::take(&mut self.begins_again);
                self.phase = match (is_done, begins_again && self.by.is_some()) {
                    (false, _) => Phase::Freeing(left),
                    (true, true) => Phase::Locating(Box::default()),
                    (true, false) => Phase::Ended,
                };
            }
            Phase::Ended => {}
        }
        Ok(Turn::More)
    }

    /// What it is to name is on the disk.
    fn become_placing(&mut self, generation: u64) {
        self.is_prepared = true;
        self.phase = match self.place.take() {
            Some((of, name, found)) if of == generation => Phase::Placing(name, found),
            _ => Phase::Locating(Box::default()),
        };
    }

    /// Somebody else has made the file meanwhile, so the text goes behind what is there.
    fn begin_append_again(&mut self) -> Phase {
        let freeing = Freeing::of(&self.fresh);
        (self.fresh, self.safe) = (Fresh::default(), Fresh::default());
        (self.is_prepared, self.begins_again) = (false, true);
        self.fill();
        Phase::Freeing(freeing)
    }

    const fn depends_on_directories(&self) -> bool {
        matches!(
            self.phase,
            Phase::Locating(_)
                | Phase::Listing(_)
                | Phase::Reading(_)
                | Phase::Placing(..)
                | Phase::Seeking(..)
                | Phase::Appending(..)
                | Phase::Emptiness(..)
                | Phase::Removing(_)
                | Phase::MakingDirectory(_)
        )
    }

    fn begin_anew(&mut self) {
        match self.phase {
            Phase::Reading(reading) => self.paused = Some(reading),
            Phase::Listing(_) => (self.filled, self.kept, self.more) = (0, 0, 0),
            _ => {}
        }
        self.phase = Phase::Locating(Box::default());
    }

    fn on_located(&mut self, located: Located, ground: &Ground<'_>) -> Result<(), FatError> {
        let (name, parent, found) = match located {
            Located::Root => {
                return match self.wish.act {
                    Act::List => {
                        let root = ground.geometry.root_cluster();
                        self.phase = Phase::Listing(Box::new(Walk::new(root)));
                        Ok(())
                    }
                    _ => Err(FatError::IsADirectory),
                };
            }
            Located::Entry {
                name,
                parent,
                found,
            } => (name, parent, found),
        };
        self.phase = match (&self.wish.act, found) {
            (Act::List | Act::Show | Act::Sum | Act::Script | Act::Remove, Found::Absent(_)) => {
                return Err(FatError::NotFound);
            }
            (Act::List, Found::Item(item)) => {
                if !item.is_directory {
                    self.keep(&item);
                    Phase::Ended
                } else if ground.geometry.has(item.first) {
                    Phase::Listing(Box::new(Walk::new(item.first)))
                } else {
                    let cluster = item.first;
                    return Err(FatError::BrokenChain { cluster });
                }
            }
            (Act::MakeDirectory, Found::Item(_)) => return Err(FatError::Exists),
            (Act::Remove, Found::Item(item)) => removal(item, ground.geometry)?,
            (_, Found::Item(item)) if item.is_directory => return Err(FatError::IsADirectory),
            (Act::Show | Act::Sum | Act::Script, Found::Item(item)) => self.begin_reading(&item),
            (_, Found::Absent(_)) if name.is_of_a_device() => return Err(FatError::DeviceName),
            (_, Found::Item(item)) if item.is_read_only => return Err(FatError::ReadOnly),
            (Act::Append { .. }, Found::Item(_)) if self.is_prepared => self.begin_append_again(),
            (Act::Append { .. }, Found::Item(item)) => match item.size {
                0 => Phase::Appending(item, 0),
                _ => {
                    let chain = Chain::new(ground.geometry, item.first)?;
                    Phase::Seeking(item, chain, 0)
                }
            },
            (_, found) if self.is_prepared => Phase::Placing(name, found),
            (act, found) => {
                let is_directory = *act == Act::MakeDirectory;
                self.place = Some((ground.generation, name, found));
                match is_directory {
                    true => Phase::MakingDirectory(parent),
                    false => Phase::Writing,
                }
            }
        };
        Ok(())
    }
}
