//! Making changes of the table: the rows, the counts, and what is given up.

use super::Volumes;
use super::changes::Change;
use super::error::VolumeError;
use super::live::Live;
use super::page::Place;
use super::pointer::BLOCK_BYTES;
use super::row::{Kind, Limits, Name, Record, Row, SnapshotRow, Tree, VolumeRow};
use super::state::{Event, State};
use super::table::RootOf;
use super::tree::Dropped;

impl Volumes {
    pub(super) fn make(&mut self, change: &Change, record: &mut Record) -> Result<(), VolumeError> {
        // Another change of the same transaction may have come first.
        match change {
            Change::Snapshot { volume, name } => {
                self.check_new(name)?;
                self.live_named(volume).ok_or(VolumeError::NoVolume)?;
            }
            Change::Detach { volume } => {
                self.live_named(volume).ok_or(VolumeError::NoVolume)?;
            }
            _ => self.check(change)?,
        }
        match change {
            Change::Create { name, kind, bytes } => {
                let blocks = bytes.div_ceil(BLOCK_BYTES as u64);
                self.add_volume(name, *kind, blocks, Tree::default(), 0, record)
            }
            Change::Snapshot { volume, name } => self.make_snapshot(volume, name, record),
            Change::Restore { volume, snapshot } => self.make_restore(volume, snapshot, record),
            Change::Clone { snapshot, name } => {
                let found = self.table.snapshot_named(snapshot);
                let (_, row) = found.ok_or(VolumeError::NoSnapshot)?;
                let (kind, blocks, tree, id) = (row.kind, row.blocks, row.tree, row.id);
                self.add_volume(name, kind, blocks, tree, id, record)
            }
            Change::Delete { name } => self.make_delete(name, record),
            Change::Attach { volume, tenant } => {
                self.edit(volume, record, |row| row.tenant = Some(*tenant))?;
                self.on_event(volume, Event::Attach);
                self.edit_live(volume, |live| live.tenant = Some(*tenant))
            }
            Change::Detach { volume } => {
                self.edit(volume, record, |row| row.tenant = None)?;
                self.on_event(volume, Event::Drained);
                let is_degraded = self.is_degraded();
                self.edit_live(volume, |live| {
                    live.tenant = None;
                    // What is lost of it is so without a tenant, too.
                    if live.is_damaged || is_degraded {
                        live.on(Event::Damage);
                    }
                })
            }
            Change::Limit { volume, limits } => {
                self.edit(volume, record, |row| row.limits = *limits)?;
                self.edit_live(volume, |live| live.limit(limits))
            }
        }
    }

    fn edit(
        &mut self,
        volume: &Name,
        record: &mut Record,
        edit: impl FnOnce(&mut VolumeRow),
    ) -> Result<(), VolumeError> {
        let (slot, row) = self
            .table
            .volume_named(volume)
            .ok_or(VolumeError::NoVolume)?;
        let mut row = row.clone();
        edit(&mut row);
        self.put_row(record, Row::Volume(slot, row));
        Ok(())
    }

    fn edit_live(
        &mut self,
        volume: &Name,
        edit: impl FnOnce(&mut Live),
    ) -> Result<(), VolumeError> {
        let (slot, _) = self
            .table
            .volume_named(volume)
            .ok_or(VolumeError::NoVolume)?;
        if let Some(live) = &mut self.live[slot] {
            edit(live);
        }
        Ok(())
    }

    fn next_id(&mut self, record: &mut Record) -> Result<u32, VolumeError> {
        let mut pool = self.pool_row().ok_or(VolumeError::NotMounted)?;
        pool.last_id = pool
            .last_id
            .checked_add(1)
            .ok_or(VolumeError::TooManyVolumes)?;
        let id = pool.last_id;
        self.put_row(record, Row::Pool(pool));
        Ok(id)
    }

    fn add_volume(
        &mut self,
        name: &Name,
        kind: Kind,
        blocks: u64,
        tree: Tree,
        newest: u32,
        record: &mut Record,
    ) -> Result<(), VolumeError> {
        let slot = self.free_slot()?;
        let id = self.next_id(record)?;
        let row = VolumeRow {
            id,
            name: name.clone(),
            kind,
            tenant: None,
            is_damaged: false,
            blocks,
            tree,
            newest,
            limits: Limits::default(),
        };
        if !tree.root.is_none() {
            self.counts.raise(tree.root.block);
        }
        self.live[slot] = Some(Live::new(&row, State::Created));
        self.put_row(record, Row::Volume(slot, row));
        Ok(())
    }

    fn make_snapshot(
        &mut self,
        volume: &Name,
        name: &Name,
        record: &mut Record,
    ) -> Result<(), VolumeError> {
        let slot = self
            .table
            .free_snapshot()
            .ok_or(VolumeError::TooManySnapshots)?;
        let id = self.next_id(record)?;
        let (at, row) = self
            .table
            .volume_named(volume)
            .ok_or(VolumeError::NoVolume)?;
        let mut row = row.clone();
        let snapshot = SnapshotRow {
            id,
            name: name.clone(),
            kind: row.kind,
            volume: row.id,
            parent: row.newest,
            blocks: row.blocks,
            tree: row.tree,
        };
        if !row.tree.root.is_none() {
            self.counts.raise(row.tree.root.block);
        }
        row.newest = id;
        self.put_row(record, Row::Snapshot(slot, snapshot));
        self.put_row(record, Row::Volume(at, row));
        Ok(())
    }

    fn make_restore(
        &mut self,
        volume: &Name,
        snapshot: &Name,
        record: &mut Record,
    ) -> Result<(), VolumeError> {
        let found = self.table.snapshot_named(snapshot);
        let (_, from) = found.ok_or(VolumeError::NoSnapshot)?;
        let (tree, id) = (from.tree, from.id);
        let (slot, row) = self
            .table
            .volume_named(volume)
            .ok_or(VolumeError::NoVolume)?;
        let mut row = row.clone();
        self.drop_tree(RootOf::Volume(slot));
        if !tree.root.is_none() {
            self.counts.raise(tree.root.block);
        }
        row.tree = tree;
        row.newest = id;
        if let Some(live) = &mut self.live[slot] {
            live.tree = tree;
        }
        self.put_row(record, Row::Volume(slot, row));
        Ok(())
    }

    fn make_delete(&mut self, name: &Name, record: &mut Record) -> Result<(), VolumeError> {
        let found = self.table.snapshot_named(name).map(|(slot, _)| slot);
        let (root, row) = match found {
            Some(slot) => (RootOf::Snapshot(slot), Row::SnapshotGone(slot)),
            None => {
                let found = self.table.volume_named(name);
                let (slot, _) = found.ok_or(VolumeError::NoVolume)?;
                self.on_event(name, Event::Delete);
                (RootOf::Volume(slot), Row::VolumeGone(slot))
            }
        };
        self.drop_tree(root);
        self.put_row(record, row);
        Ok(())
    }

    fn drop_tree(&mut self, root: RootOf) {
        if let Some((tree, levels)) = self.table.tree(root)
            && !tree.root.is_none()
        {
            self.open.given_up.trees.push(Dropped {
                pointer: tree.root,
                place: Place::root(levels),
            });
        }
    }
}
