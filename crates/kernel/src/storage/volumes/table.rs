//! The table of volumes and snapshots: what the journal's rows add up to.
//!
//! Invariant: while the kernel runs and when the journal is read again, rows change it
//! through the same `apply`; so what is recovered is what was.

use super::row::{Name, PoolRow, Record, Row, RowError, SnapshotRow, Tree, VolumeRow, levels_of};
use crate::limits::{VOLUME_SNAPSHOTS_MAX, VOLUMES_MAX};
use alloc::boxed::Box;
use alloc::vec::Vec;

pub struct Table {
    pool: Option<PoolRow>,
    volumes: Box<[Option<VolumeRow>]>,
    snapshots: Box<[Option<SnapshotRow>]>,
    /// That of the last transaction.
    generation: u64,
    /// A whole table that is being read, and does not count yet.
    next: Option<Box<Self>>,
}

/// A root of the pool: everything that is in use is below one of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RootOf {
    Volume(usize),
    Snapshot(usize),
}

impl RootOf {
    pub const COUNT: usize = VOLUMES_MAX + VOLUME_SNAPSHOTS_MAX;

    /// All of them, one by one.
    pub const fn at(index: usize) -> Option<Self> {
        if index < VOLUMES_MAX {
            Some(Self::Volume(index))
        } else if index < Self::COUNT {
            Some(Self::Snapshot(index - VOLUMES_MAX))
        } else {
            None
        }
    }
}

impl Table {
    #[inline(never)]
    pub fn new() -> Self {
        let mut volumes = Vec::with_capacity(VOLUMES_MAX);
        volumes.resize_with(VOLUMES_MAX, || None);
        let mut snapshots = Vec::with_capacity(VOLUME_SNAPSHOTS_MAX);
        snapshots.resize_with(VOLUME_SNAPSHOTS_MAX, || None);
        Self {
            pool: None,
            volumes: volumes.into_boxed_slice(),
            snapshots: snapshots.into_boxed_slice(),
            generation: 0,
            next: None,
        }
    }

    pub const fn pool(&self) -> Option<&PoolRow> {
        self.pool.as_ref()
    }

    pub const fn generation(&self) -> u64 {
        self.generation
    }

    pub fn volume(&self, slot: usize) -> Option<&VolumeRow> {
        self.volumes.get(slot)?.as_ref()
    }

    pub fn snapshot(&self, slot: usize) -> Option<&SnapshotRow> {
        self.snapshots.get(slot)?.as_ref()
    }

    pub fn volumes(&self) -> impl Iterator<Item = (usize, &VolumeRow)> {
        let filled = |(slot, row): (usize, &'_ Option<VolumeRow>)| row.as_ref().map(|_| slot);
        let slots = self.volumes.iter().enumerate().filter_map(filled);
        slots.filter_map(|slot| Some((slot, self.volume(slot)?)))
    }

    pub fn snapshots(&self) -> impl Iterator<Item = (usize, &SnapshotRow)> {
        let rows = self.snapshots.iter().enumerate();
        rows.filter_map(|(slot, row)| Some((slot, row.as_ref()?)))
    }

    pub fn volume_named(&self, name: &str) -> Option<(usize, &VolumeRow)> {
        self.volumes().find(|(_, row)| row.name.as_str() == name)
    }

    pub fn snapshot_named(&self, name: &str) -> Option<(usize, &SnapshotRow)> {
        self.snapshots().find(|(_, row)| row.name.as_str() == name)
    }

    pub fn is_taken(&self, name: &str) -> bool {
        self.volume_named(name).is_some() || self.snapshot_named(name).is_some()
    }

    pub fn free_snapshot(&self) -> Option<usize> {
        self.snapshots.iter().position(Option::is_none)
    }

    /// The name of a snapshot that may be gone.
    pub fn name_of_snapshot(&self, id: u32) -> Option<&Name> {
        let mut snapshots = self.snapshots();
        snapshots
            .find(|(_, row)| row.id == id)
            .map(|(_, row)| &row.name)
    }

    /// The name of a volume that may be gone.
    pub fn name_of_volume(&self, id: u32) -> Option<&Name> {
        let mut volumes = self.volumes();
        volumes
            .find(|(_, row)| row.id == id)
            .map(|(_, row)| &row.name)
    }

    /// The tree below a root and its levels.
    pub fn tree(&self, root: RootOf) -> Option<(Tree, u8)> {
        let (tree, kind, blocks) = match root {
            RootOf::Volume(slot) => {
                let row = self.volume(slot)?;
                (row.tree, row.kind, row.blocks)
            }
            RootOf::Snapshot(slot) => {
                let row = self.snapshot(slot)?;
                (row.tree, row.kind, row.blocks)
            }
        };
        Some((tree, levels_of(kind, blocks)?))
    }

    /// Takes a record of the journal into the table.
    pub fn replay(&mut self, bytes: &[u8]) -> Result<(), RowError> {
        let (is_part, is_whole) = self.look_at(bytes)?;
        let Some(mut next) = self.next.take_if(|_| is_part) else {
            // One that did not come to its end never counts.
            self.next = None;
            return good(!is_part).and_then(|()| self.replay_here(bytes));
        };
        next.replay_here(bytes)?;
        match is_whole {
            true => *self = *next,
            false => self.next = Some(next),
        }
        Ok(())
    }

    /// Is the record part of a whole table, and its last?
    fn look_at(&mut self, bytes: &[u8]) -> Result<(bool, bool), RowError> {
        let (mut is_part, mut is_whole, mut is_first) = (false, false, true);
        let before = self.generation;
        Record::parse(bytes, &mut |generation, row| {
            match row {
                Row::Anew if is_first => {
                    good(generation >= before)?;
                    self.next = Some(Box::new(Self::new()));
                    is_part = true;
                }
                Row::More if is_first => is_part = true,
                Row::Anew | Row::More => return Err(RowError::Order),
                _ => {}
            }
            is_whole = matches!(row, Row::Whole);
            is_first = false;
            Ok(())
        })?;
        good(is_part || !is_whole)?;
        Ok((is_part, is_whole))
    }

    fn replay_here(&mut self, bytes: &[u8]) -> Result<(), RowError> {
        let before = self.generation;
        let generation = Record::parse(bytes, &mut |generation, row| {
            let is_late = generation < before;
            if is_late {
                return Err(RowError::Order);
            }
            self.generation = generation;
            self.apply(row)
        })?;
        good(generation >= before)
    }

    /// A disk gets a place among the members, and has nothing of it yet.
    pub fn widen(&mut self, member: usize, disk: u64) {
        if let Some(pool) = &mut self.pool
            && let Some(place) = pool.disks.get_mut(member)
        {
            *place = disk;
            pool.members = pool.members.max(member as u8 + 1);
            pool.stale |= 1 << member;
        }
    }

    /// These members missed something.
    pub fn miss(&mut self, members: u8) {
        if let Some(pool) = &mut self.pool {
            pool.stale |= members & ((1 << pool.members) - 1);
        }
    }

    pub fn begin(&mut self, generation: u64) {
        crate::invariant!(generation > self.generation, "a transaction of the past");
        self.generation = generation;
    }

    /// Changes what a row says; refuses what contradicts the rest.
    pub fn apply(&mut self, row: Row) -> Result<(), RowError> {
        match row {
            Row::Pool(pool) => {
                let fits = |old: &PoolRow| {
                    old.id == pool.id
                        && old.blocks == pool.blocks
                        && old.members <= pool.members
                        && old.last_id <= pool.last_id
                };
                good(self.pool.as_ref().is_none_or(fits))?;
                self.pool = Some(pool);
            }
            Row::Volume(slot, volume) => {
                self.check_tree(&volume.tree)?;
                self.check_identity(volume.id, &volume.name, RootOf::Volume(slot))?;
                self.volumes[slot] = Some(volume);
            }
            Row::Tree(slot, id, tree) => {
                self.check_tree(&tree)?;
                let volume = self.volumes[slot].as_mut().filter(|row| row.id == id);
                volume.ok_or(RowError::Order)?.tree = tree;
            }
            Row::VolumeGone(slot) => good(self.volumes[slot].take().is_some())?,
            Row::Snapshot(slot, snapshot) => {
                self.check_tree(&snapshot.tree)?;
                self.check_identity(snapshot.id, &snapshot.name, RootOf::Snapshot(slot))?;
                good(snapshot.parent != snapshot.id)?;
                self.snapshots[slot] = Some(snapshot);
            }
            Row::SnapshotGone(slot) => {
                let gone = self.snapshots[slot].take().ok_or(RowError::Order)?;
                self.close_the_gap(&gone);
            }
            // They say how the others are to be taken.
            Row::Anew | Row::More | Row::Whole => {}
        }
        Ok(())
    }

    /// Whoever came from a snapshot that is gone comes from the one before it.
    fn close_the_gap(&mut self, gone: &SnapshotRow) {
        for volume in self.volumes.iter_mut().flatten() {
            if volume.newest == gone.id {
                volume.newest = gone.parent;
            }
        }
        for snapshot in self.snapshots.iter_mut().flatten() {
            if snapshot.parent == gone.id {
                snapshot.parent = gone.parent;
            }
        }
    }

    fn check_tree(&self, tree: &Tree) -> Result<(), RowError> {
        let pool = self.pool.as_ref().ok_or(RowError::Order)?;
        good(tree.root.block < pool.blocks && tree.root.birth <= self.generation)
    }

    /// A name and a number belong to one row only.
    fn check_identity(&self, id: u32, name: &Name, place: RootOf) -> Result<(), RowError> {
        let of_volumes = self
            .volumes()
            .map(|(slot, row)| (RootOf::Volume(slot), row.id, &row.name));
        let of_snapshots = self
            .snapshots()
            .map(|(slot, row)| (RootOf::Snapshot(slot), row.id, &row.name));
        let mut others = of_volumes
            .chain(of_snapshots)
            .filter(|(at, ..)| *at != place);
        let is_known = self.pool.as_ref().is_some_and(|pool| id <= pool.last_id);
        good(is_known && others.all(|(_, other, taken)| other != id && taken != name))
    }

    /// Rows that say everything, for a journal that begins anew.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let pool = self.pool.iter().map(|pool| Row::Pool(pool.clone()));
        let volumes = self
            .volumes()
            .map(|(slot, row)| Row::Volume(slot, row.clone()));
        let snapshots = self
            .snapshots()
            .map(|(slot, row)| Row::Snapshot(slot, row.clone()));
        pool.chain(volumes).chain(snapshots)
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

fn good(is_good: bool) -> Result<(), RowError> {
    if is_good {
        Ok(())
    } else {
        Err(RowError::Order)
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::{Kind, Limits};
    use super::*;

    fn pool(last_id: u32) -> Row {
        Row::Pool(PoolRow {
            id: 1,
            blocks: 100,
            members: 1,
            stale: 0,
            last_id,
            disks: [7, 0, 0],
        })
    }

    fn volume(slot: usize, id: u32, name: &str, newest: u32) -> Row {
        Row::Volume(
            slot,
            VolumeRow {
                id,
                name: Name::cut_from(name),
                kind: Kind::Block,
                tenant: None,
                is_damaged: false,
                blocks: 10,
                tree: Tree::default(),
                newest,
                limits: Limits::default(),
            },
        )
    }

    fn snapshot(slot: usize, id: u32, name: &str, parent: u32) -> Row {
        Row::Snapshot(
            slot,
            SnapshotRow {
                id,
                name: Name::cut_from(name),
                kind: Kind::Block,
                volume: 1,
                parent,
                blocks: 10,
                tree: Tree::default(),
            },
        )
    }

    #[test]
    fn a_chain_closes_over_a_snapshot_that_is_gone() {
        let mut table = Table::new();
        let rows = [
            pool(4),
            volume(0, 1, "db", 3),
            snapshot(0, 2, "a", 0),
            snapshot(1, 3, "b", 2),
            snapshot(2, 4, "c", 3),
            Row::SnapshotGone(1),
        ];
        for row in rows {
            assert_eq!(table.apply(row), Ok(()));
        }
        assert_eq!(table.volume(0).map(|row| row.newest), Some(2));
        assert_eq!(table.snapshot(2).map(|row| row.parent), Some(2));
    }

    #[test]
    fn rows_that_contradict_others_are_refused() {
        let mut table = Table::new();
        assert_eq!(table.apply(volume(0, 1, "db", 0)), Err(RowError::Order));
        for row in [pool(4), volume(0, 1, "db", 0)] {
            assert_eq!(table.apply(row), Ok(()));
        }
        let mut far = Tree::default();
        far.root.block = 100;
        let contradictions = [
            volume(1, 2, "db", 0),
            volume(1, 1, "other", 0),
            volume(1, 5, "other", 0),
            snapshot(0, 2, "db", 0),
            snapshot(0, 2, "a", 2),
            Row::SnapshotGone(0),
            Row::VolumeGone(1),
            Row::Tree(0, 2, Tree::default()),
            Row::Tree(0, 1, far),
            pool(3),
        ];
        for row in contradictions {
            assert_eq!(table.apply(row.clone()), Err(RowError::Order), "{row:?}");
        }
    }

    #[test]
    fn a_journal_that_begins_anew_says_all_that_the_old_one_said() {
        let mut table = Table::new();
        for row in [pool(4), volume(0, 1, "db", 3), snapshot(1, 3, "b", 0)] {
            assert_eq!(table.apply(row), Ok(()));
        }
        let mut record = Record::new(5);
        for row in table.rows() {
            assert_eq!(record.push(&row), Ok(()));
        }
        let mut other = Table::new();
        assert_eq!(other.replay(record.bytes()), Ok(()));
        assert_eq!(other.replay(record.bytes()), Ok(()));
        assert!(other.rows().eq(table.rows()));
        assert_eq!(other.generation(), 5);
        assert_eq!(other.replay(Record::new(4).bytes()), Err(RowError::Order));
    }
}
