//! One thing that is done with files: from its wish to what is answered.
//!
//! Invariants: a turn looks at sectors and keeps its place, or makes one change whole;
//! what was learned of directories is void once one of them has changed; new clusters
//! that nothing refers to are given back when the work fails.

use super::error::FileError;
use super::listing;
use super::locate::{Locate, Located};
use super::wish::{Act, Wish};
use crate::base::buffer::Buffer;
use crate::base::digest::Hasher;
use crate::base::operation::OperationId;
use crate::storage::fat::{
    self, Chain, Entry, FatError, Found, FreeCount, Freeing, Fresh, Geometry, Item, LongName,
    Reading, Search, Sectors, Stop, Walk,
};
use alloc::boxed::Box;

/// Pieces of a file or entries that one turn takes.
const PIECES_A_TURN: usize = 64;

/// What a turn stands on.
pub struct Ground<'a> {
    pub sectors: &'a mut dyn Sectors,
    pub geometry: &'a Geometry,
    /// Where free clusters are looked for next.
    pub search: &'a mut Search,
    pub free: &'a mut Option<u32>,
    /// Counts changes of directories.
    pub generation: u64,
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
    /// On the way to the file's last cluster.
    Seeking(Box<Item>, Chain),
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
    /// Entries that the buffer had no room for.
    pub more: u64,
    /// Of what was read for a sum.
    pub hasher: Hasher,
    pub result: Result<(), FileError>,
    /// Its change is on the way to the disk.
    pub is_committing: bool,
    phase: Phase,
    has_all: bool,
    fresh: Fresh,
    /// Its own round through the table, from where others have ended.
    search: Option<Search>,
    /// All that is to be in the file or directory is on the disk, and has no name yet.
    is_prepared: bool,
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
            search: None,
            is_prepared: false,
            seen: generation,
        };
        let text = work.wish.text().unwrap_or_default().as_bytes();
        if let Some(place) = work.buffer.bytes_mut().get_mut(..text.len()) {
            place.copy_from_slice(text);
            work.filled = text.len();
        }
        work
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
            _ => self.freeing(self.fresh.first),
        };
        self.fresh = Fresh::default();
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
                let known = *ground.free;
                let counted = match known {
                    Some(_) => known,
                    None => count.step(ground.sectors, ground.geometry)?,
                };
                if counted.is_some() {
                    *ground.free = counted;
                    self.phase = Phase::Ended;
                }
            }
            Phase::Freeing(freeing) => {
                let (left, freed) = freeing.step(ground.sectors, ground.geometry)?;
                *ground.free = ground.free.map(|free| free.saturating_add(freed));
                self.phase = match left.is_done() {
                    true => Phase::Ended,
                    false => Phase::Freeing(left),
                };
            }
            Phase::Ended => {}
        }
        Ok(Turn::More)
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
        if self.wish.is_reading() {
            (self.filled, self.more, self.size) = (0, 0, 0);
            self.hasher = Hasher::default();
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
            (Act::Show | Act::Sum | Act::Script, Found::Item(item)) => {
                self.size = u64::from(item.size);
                Phase::Reading(Reading::new(item.first, item.size))
            }
            (_, Found::Item(item)) if item.is_read_only => return Err(FatError::ReadOnly),
            (Act::Append { .. }, Found::Item(_)) if self.is_prepared => {
                return Err(FatError::Exists);
            }
            (Act::Append { .. }, Found::Item(item)) => match item.size {
                0 => Phase::Appending(item, 0),
                _ => {
                    let chain = Chain::new(ground.geometry, item.first)?;
                    Phase::Seeking(item, chain)
                }
            },
            (_, found) if self.is_prepared => Phase::Placing(name, found),
            (Act::MakeDirectory, _) => Phase::MakingDirectory(parent),
            (_, _) => Phase::Writing,
        };
        Ok(())
    }

    /// Notes an entry that is to be shown.
    fn keep(&mut self, item: &Item) {
        match listing::push(self.buffer.bytes_mut(), self.filled, item) {
            Some(end) if self.more == 0 => self.filled = end,
            _ => self.more += 1,
        }
    }

    fn list(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        for _ in 0..PIECES_A_TURN {
            let Phase::Listing(walk) = &mut self.phase else {
                return Ok(());
            };
            match walk.next(ground.sectors, ground.geometry)? {
                Some(item) => self.keep(&item),
                None => self.phase = Phase::Ended,
            }
        }
        Ok(())
    }

    fn read(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        for _ in 0..PIECES_A_TURN {
            let Phase::Reading(reading) = &mut self.phase else {
                return Ok(());
            };
            let (buffer, filled) = (&mut self.buffer, &mut self.filled);
            let (is_sum, hasher) = (self.wish.act == Act::Sum, &mut self.hasher);
            let is_full = *filled == buffer.capacity();
            let has_more = !is_full
                && reading.next(ground.sectors, ground.geometry, &mut |piece| {
                    if is_sum {
                        return hasher.update(piece);
                    }
                    let room = &mut buffer.bytes_mut()[*filled..];
                    let count = room.len().min(piece.len());
                    room[..count].copy_from_slice(&piece[..count]);
                    *filled += count;
                })?;
            if !has_more {
                self.phase = Phase::Ended;
            }
        }
        Ok(())
    }

    fn write(&mut self, ground: &mut Ground<'_>) -> Result<Turn, Stop> {
        if self.is_idle() {
            return Ok(Turn::Idle);
        }
        let data = &self.buffer.bytes()[..self.filled];
        let search = self.search.unwrap_or(ground.search.anew());
        let geometry = ground.geometry;
        let extended = fat::extend(ground.sectors, geometry, search, self.fresh, data)?;
        self.search = Some(extended.search);
        *ground.search = extended.search;
        take(ground.free, extended.clusters);
        self.fresh = extended.fresh;
        self.buffer
            .bytes_mut()
            .copy_within(extended.bytes..self.filled, 0);
        self.filled -= extended.bytes;
        if self.has_all && self.filled == 0 {
            self.is_prepared = true;
            self.size = u64::from(self.fresh.size);
            self.phase = Phase::Locating(Box::default());
        }
        Ok(Turn::More)
    }

    fn place(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        let Phase::Placing(name, found) = &self.phase else {
            return Ok(());
        };
        let (first, size) = (self.fresh.first, self.fresh.size);
        let entry = match self.wish.act {
            Act::MakeDirectory => Entry::Directory { first },
            _ => Entry::File { first, size },
        };
        let search = self.search.unwrap_or(ground.search.anew());
        let geometry = ground.geometry;
        let published = fat::publish(ground.sectors, geometry, search, name, found, entry)?;
        self.search = Some(published.search);
        *ground.search = published.search;
        if published.is_done {
            take(ground.free, published.clusters);
            let old = match found {
                Found::Item(item) => item.first,
                Found::Absent(_) => 0,
            };
            self.fresh = Fresh::default();
            self.phase = self.freeing(old);
        }
        Ok(())
    }

    fn seek(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        for _ in 0..PIECES_A_TURN {
            let Phase::Seeking(item, chain) = &mut self.phase else {
                return Ok(());
            };
            let clusters = item.size.div_ceil(ground.geometry.cluster_bytes());
            if chain.walked() == clusters {
                let last = chain.cluster;
                self.phase = Phase::Appending(item.clone(), last);
            } else if !chain.advance(ground.sectors, ground.geometry)? {
                let cluster = chain.cluster;
                return Err(FatError::BrokenChain { cluster }.into());
            }
        }
        Ok(())
    }

    fn append(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        let Phase::Appending(item, last) = &self.phase else {
            return Ok(());
        };
        let data = &self.buffer.bytes()[..self.filled];
        let search = self.search.unwrap_or(ground.search.anew());
        let geometry = ground.geometry;
        let appended = fat::append(ground.sectors, geometry, search, item, *last, data)?;
        self.search = Some(appended.search);
        *ground.search = appended.search;
        if appended.is_done {
            take(ground.free, appended.clusters);
            self.size = u64::from(appended.size);
            self.phase = Phase::Ended;
        }
        Ok(())
    }

    fn make_directory(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        let Phase::MakingDirectory(parent) = self.phase else {
            return Ok(());
        };
        let search = self.search.unwrap_or(ground.search.anew());
        let geometry = ground.geometry;
        let (made, search) = fat::make_directory(ground.sectors, geometry, search, parent)?;
        self.search = Some(search);
        *ground.search = search;
        if let Some(first) = made {
            take(ground.free, 1);
            self.fresh = Fresh::of_directory(first);
            self.is_prepared = true;
            self.phase = Phase::Locating(Box::default());
        }
        Ok(())
    }
}

/// How an entry goes.
fn removal(item: Box<Item>, geometry: &Geometry) -> Result<Phase, FatError> {
    if item.is_read_only {
        return Err(FatError::ReadOnly);
    }
    if !item.is_directory {
        return Ok(Phase::Removing(item));
    }
    let cluster = item.first;
    if !geometry.has(cluster) {
        return Err(FatError::BrokenChain { cluster });
    }
    let walk = Box::new(Walk::new(cluster));
    Ok(Phase::Emptiness(item, walk))
}

fn take(free: &mut Option<u32>, clusters: u32) {
    *free = free.map(|free| free.saturating_sub(clusters));
}
