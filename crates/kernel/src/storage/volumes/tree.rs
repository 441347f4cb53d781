//! The tree of map pages of a volume: where a block lies, and its changes.
//!
//! A page of a former transaction is never changed: it is copied to a fresh block first, and
//! so is every page above it. What was there before is given up when the transaction is
//! durable, and not sooner.
//!
//! Invariant: every page points once to each block that it names, and is counted for it. A
//! page that only one tree has hands its children over to its copy; one that others have
//! keeps them, and the copy is counted beside it.

use super::cache::{Bad, Cache, Found};
use super::counts::Counts;
use super::page::{ENTRIES, Place, is_empty, set_entry};
use super::pointer::Pointer;
use super::row::Tree;
use crate::limits::{VOLUME_DIRTY_PAGES_MAX, VOLUME_FREED_MAX};
use alloc::vec::Vec;

/// Pages that one change may need: two paths, for it may cross the edge of a leaf.
pub const PAGES_A_CHANGE: usize = 8;
/// Blocks that one change may set free: all of a leaf, and the pages above.
const FREED_A_CHANGE: usize = ENTRIES + PAGES_A_CHANGE;

/// Why something cannot be done at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Miss {
    /// This page has to be read first.
    Wants(Pointer, Place),
    /// A page is on its way.
    Moving,
    Bad(Pointer, Place, Bad),
    /// The transaction is full; it has to be committed first.
    Full,
    /// There are no blocks for pages.
    NoSpace,
}

/// A tree that nobody has any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dropped {
    pub pointer: Pointer,
    pub place: Place,
}

/// What a transaction gives up once it is durable.
pub struct GivenUp {
    /// Counted down, and free when nobody is left.
    pub blocks: Vec<u32>,
    /// The same, and what is below them, too.
    pub trees: Vec<Dropped>,
}

/// A volume's tree as it is changed.
pub struct Change<'a> {
    pub cache: &'a mut Cache,
    pub counts: &'a mut Counts,
    pub given_up: &'a mut GivenUp,
    pub tree: &'a mut Tree,
    pub levels: u8,
    pub volume: usize,
    pub generation: u64,
}

impl GivenUp {
    pub fn new() -> Self {
        Self {
            blocks: Vec::with_capacity(VOLUME_FREED_MAX),
            trees: Vec::with_capacity(2 * VOLUME_DIRTY_PAGES_MAX),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.trees.is_empty()
    }

    pub fn clear(&mut self) {
        self.blocks.clear();
        self.trees.clear();
    }

    fn has_room(&self) -> bool {
        self.blocks.len() + FREED_A_CHANGE <= VOLUME_FREED_MAX
            && self.trees.len() + PAGES_A_CHANGE <= VOLUME_DIRTY_PAGES_MAX
    }
}

impl Default for GivenUp {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a block of a volume lies.
pub fn look_up(cache: &mut Cache, root: Pointer, levels: u8, block: u64) -> Result<Pointer, Miss> {
    let (mut pointer, mut place) = (root, Place::root(levels));
    loop {
        if pointer.is_none() {
            return Ok(Pointer::NONE);
        }
        let frame = page_of(cache, pointer, place)?;
        let index = place.index_of(block);
        pointer = cache.entry(frame, index);
        if place.level == 0 {
            return Ok(pointer);
        }
        place = place.child(index);
    }
}

/// The same for blocks beside each other.
pub fn look_up_run(
    cache: &mut Cache,
    root: Pointer,
    levels: u8,
    first: u64,
    found: &mut [Pointer],
) -> Result<(), Miss> {
    let mut done = 0;
    while done < found.len() {
        let block = first + done as u64;
        let left = ENTRIES - (block % ENTRIES as u64) as usize;
        let count = left.min(found.len() - done);
        let (mut pointer, mut place) = (root, Place::root(levels));
        while place.level > 0 && !pointer.is_none() {
            let frame = page_of(cache, pointer, place)?;
            let index = place.index_of(block);
            pointer = cache.entry(frame, index);
            place = place.child(index);
        }
        let leaf = match pointer.is_none() {
            true => None,
            false => Some(page_of(cache, pointer, place)?),
        };
        for (at, slot) in found[done..done + count].iter_mut().enumerate() {
            *slot = leaf.map_or(Pointer::NONE, |leaf| {
                cache.entry(leaf, place.index_of(block) + at)
            });
        }
        done += count;
    }
    Ok(())
}

/// The frame of a page.
pub fn page_of(cache: &mut Cache, pointer: Pointer, place: Place) -> Result<usize, Miss> {
    match cache.find(&pointer, place) {
        Found::Here(frame) => Ok(frame),
        Found::Moving => Err(Miss::Moving),
        Found::Bad(bad) => Err(Miss::Bad(pointer, place, bad)),
        Found::Nowhere => Err(Miss::Wants(pointer, place)),
    }
}

impl Change<'_> {
    /// Is everything there to change the blocks from `first` on, up to two leaves of them?
    pub fn prepare(&mut self, first: u64, count: u64) -> Result<(), Miss> {
        let is_full = !self.given_up.has_room() || !self.cache.has_room(PAGES_A_CHANGE);
        if is_full {
            return Err(Miss::Full);
        }
        if (self.counts.free() as usize) < PAGES_A_CHANGE {
            return Err(Miss::NoSpace);
        }
        let mut block = first;
        while block < first + count {
            look_up(self.cache, self.tree.root, self.levels, block)?;
            block = (block / ENTRIES as u64 + 1) * ENTRIES as u64;
        }
        Ok(())
    }

    /// Has the blocks from `first` on lie elsewhere. Only after `prepare` said yes.
    pub fn set(&mut self, first: u64, pointers: &[Pointer]) -> Result<(), Miss> {
        for (block, pointer) in (first..).zip(pointers) {
            let leaf = self.own_path(block)?;
            let place = self.cache.expected(leaf).1;
            let index = place.index_of(block);
            let old = self.cache.entry(leaf, index);
            let fresh = Pointer {
                birth: self.generation,
                ..*pointer
            };
            set_entry(self.cache.bytes_mut(leaf), index, &fresh);
            self.give_up(old);
            self.tree.data_blocks = self.tree.data_blocks.saturating_add(1);
        }
        Ok(())
    }

    /// Forgets blocks of one leaf; says where the next leaf begins. Only after `prepare`.
    pub fn discard(&mut self, first: u64, end: u64) -> Result<u64, Miss> {
        let next = match self.hole_at(first)? {
            Some(next) => return Ok(next),
            None => (first / ENTRIES as u64 + 1) * ENTRIES as u64,
        };
        let leaf = self.own_path(first)?;
        let place = self.cache.expected(leaf).1;
        for block in first..end.min(next) {
            let index = place.index_of(block);
            let old = self.cache.entry(leaf, index);
            set_entry(self.cache.bytes_mut(leaf), index, &Pointer::NONE);
            self.give_up(old);
        }
        if is_empty(self.cache.bytes(leaf)) {
            self.prune(first)?;
        }
        Ok(next)
    }

    /// Where the hole ends in which a block is; `None` when there is a leaf for it.
    fn hole_at(&mut self, block: u64) -> Result<Option<u64>, Miss> {
        let (mut pointer, mut place) = (self.tree.root, Place::root(self.levels));
        if pointer.is_none() {
            return Ok(Some(u64::MAX));
        }
        while place.level > 0 {
            let frame = page_of(self.cache, pointer, place)?;
            let index = place.index_of(block);
            pointer = self.cache.entry(frame, index);
            if pointer.is_none() {
                return Ok(Some(place.first_of(index + 1)));
            }
            place = place.child(index);
        }
        page_of(self.cache, pointer, place)?;
        Ok(None)
    }

    fn give_up(&mut self, old: Pointer) {
        if !old.is_none() {
            self.given_up.blocks.push(old.block);
            self.tree.data_blocks = self.tree.data_blocks.saturating_sub(1);
        }
    }

    /// Pages of this transaction from the root down to the leaf of a block; the leaf's frame.
    fn own_path(&mut self, block: u64) -> Result<usize, Miss> {
        let mut parent = None;
        let (mut pointer, mut place) = (self.tree.root, Place::root(self.levels));
        loop {
            let frame = self.own(pointer, place, parent)?;
            if place.level == 0 {
                return Ok(frame);
            }
            let index = place.index_of(block);
            parent = Some((frame, index));
            pointer = self.cache.entry(frame, index);
            place = place.child(index);
        }
    }

    /// A page that this transaction may change in the place of this one.
    fn own(
        &mut self,
        pointer: Pointer,
        place: Place,
        parent: Option<(usize, usize)>,
    ) -> Result<usize, Miss> {
        let old = match pointer.is_none() {
            true => None,
            false => Some(page_of(self.cache, pointer, place)?),
        };
        if let Some(frame) = old
            && self.cache.is_dirty(frame)
        {
            return Ok(frame);
        }
        let block = self.counts.take_run(1).ok_or(Miss::NoSpace)?;
        let fresh = Pointer {
            block,
            crc: 0,
            birth: self.generation,
        };
        let Some(frame) = self.cache.make(fresh, place, self.volume, old) else {
            self.counts.lower(block);
            return Err(Miss::Full);
        };
        match old {
            None => self.tree.map_pages = self.tree.map_pages.saturating_add(1),
            Some(_) => self.part_from(pointer, place, frame),
        }
        match parent {
            Some((above, index)) => set_entry(self.cache.bytes_mut(above), index, &fresh),
            None => self.tree.root = fresh,
        }
        Ok(frame)
    }

    /// A page has a copy, which was made just now.
    fn part_from(&mut self, old: Pointer, place: Place, copy: usize) {
        if self.counts.count(old.block) == 1 {
            self.given_up.blocks.push(old.block);
            return;
        }
        for index in 0..ENTRIES {
            let entry = self.cache.entry(copy, index);
            if !entry.is_none() {
                self.counts.raise(entry.block);
            }
        }
        self.given_up.trees.push(Dropped {
            pointer: old,
            place,
        });
    }

    /// Takes out the leaf of a block, which is empty, and what is empty above it.
    fn prune(&mut self, block: u64) -> Result<(), Miss> {
        for level in 0..self.levels {
            let (mut parent, mut pointer, mut place) =
                (None, self.tree.root, Place::root(self.levels));
            while place.level > level {
                let frame = page_of(self.cache, pointer, place)?;
                let index = place.index_of(block);
                parent = Some((frame, index));
                pointer = self.cache.entry(frame, index);
                place = place.child(index);
            }
            let frame = page_of(self.cache, pointer, place)?;
            if !is_empty(self.cache.bytes(frame)) {
                return Ok(());
            }
            // It was never on the disk, so its block is free at once.
            self.cache.drop_dirty(frame);
            self.counts.lower(pointer.block);
            self.tree.map_pages = self.tree.map_pages.saturating_sub(1);
            match parent {
                Some((above, index)) => {
                    set_entry(self.cache.bytes_mut(above), index, &Pointer::NONE);
                }
                None => self.tree.root = Pointer::NONE,
            }
        }
        Ok(())
    }
}

/// Gives a changed page its checksum, and tells the page above; from the leaves upwards.
pub fn seal(cache: &mut Cache, frame: usize, crc: u32, tree: &mut Tree, levels: u8) {
    let (_, place) = cache.expected(frame);
    let sealed = cache.seal(frame, crc);
    let (mut pointer, mut above) = (tree.root, Place::root(levels));
    if above.level == place.level {
        tree.root = sealed;
        return;
    }
    loop {
        let Ok(parent) = page_of(cache, pointer, above) else {
            crate::invariant!(false, "a changed page has a parent that is not in memory");
            return;
        };
        let index = above.index_of(place.first);
        if above.level == place.level + 1 {
            set_entry(cache.bytes_mut(parent), index, &sealed);
            return;
        }
        pointer = cache.entry(parent, index);
        above = above.child(index);
    }
}
