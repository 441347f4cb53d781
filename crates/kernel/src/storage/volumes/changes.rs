//! Changes of the table: made at a seal, answered when they are durable.
//!
//! Limits: `VOLUME_CHANGES_MAX` at the same time, looked at or not.
//! Invariant: a change is made whole, in one transaction with the trees that it speaks of, or
//! it is refused and nothing is changed.

use super::Volumes;
use super::error::VolumeError;
use super::live::Live;
use super::pointer::BLOCK_BYTES;
use super::row::{Kind, Limits, Name, Record, is_name};
use super::state::{Event, State};
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::limits::VOLUME_CHANGES_MAX;
use alloc::boxed::Box;

/// The largest volume: what four levels of pages can name.
const BYTES_MAX: u64 = 252 * 252 * 252 * 252 * BLOCK_BYTES as u64;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    Create {
        name: Name,
        kind: Kind,
        bytes: u64,
    },
    Snapshot {
        volume: Name,
        name: Name,
    },
    Restore {
        volume: Name,
        snapshot: Name,
    },
    Clone {
        snapshot: Name,
        name: Name,
    },
    /// A volume or a snapshot.
    Delete {
        name: Name,
    },
    Attach {
        volume: Name,
        tenant: Tenant,
    },
    Detach {
        volume: Name,
    },
    Limit {
        volume: Name,
        limits: Limits,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ChangeId(u64);

pub struct Changes {
    asked: Box<Vec<Asked, VOLUME_CHANGES_MAX>>,
    last: u64,
    high_water: usize,
    refused: u64,
    /// Changes that were made since boot.
    pub made: u64,
}

struct Asked {
    id: ChangeId,
    change: Change,
    progress: Progress,
    /// Does somebody look for the answer?
    is_awaited: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Progress {
    Waiting,
    /// Part of this transaction.
    Sealed(u64),
    Ended(Result<(), VolumeError>),
}

impl Changes {
    pub fn new() -> Self {
        Self {
            asked: Box::default(),
            last: 0,
            high_water: 0,
            refused: 0,
            made: 0,
        }
    }

    fn is_waiting(&self) -> bool {
        let mut asked = self.asked.iter();
        asked.any(|asked| asked.progress == Progress::Waiting)
    }

    pub fn usage(&self) -> Usage {
        Usage::of("VOLUME_CHANGES_MAX", VOLUME_CHANGES_MAX)
            .used(self.asked.len() as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }

    /// Everything that waits ends so.
    pub fn refuse_all(&mut self, error: &VolumeError) -> bool {
        let mut has_moved = false;
        for asked in self.asked.iter_mut() {
            if !matches!(asked.progress, Progress::Ended(_)) {
                asked.progress = Progress::Ended(Err(error.clone()));
                has_moved = true;
            }
        }
        self.sweep();
        has_moved
    }

    fn sweep(&mut self) {
        let is_over =
            |asked: &Asked| !asked.is_awaited && matches!(asked.progress, Progress::Ended(_));
        while let Some(index) = self.asked.iter().position(is_over) {
            self.asked.remove(index);
        }
    }
}

impl Volumes {
    /// Takes on a change; `maybe_changed` says when it is durable.
    pub fn change(&mut self, change: Change) -> Result<ChangeId, VolumeError> {
        self.readiness()?;
        if self.changes.asked.is_full() {
            self.changes.refused += 1;
            return Err(VolumeError::Busy);
        }
        self.check(&change)?;
        match &change {
            Change::Snapshot { volume, .. } => drop(self.on_event(volume, Event::Snapshot)),
            Change::Detach { volume } => drop(self.on_event(volume, Event::Detach)),
            _ => {}
        }
        self.changes.last += 1;
        let id = ChangeId(self.changes.last);
        let asked = Asked {
            id,
            change,
            progress: Progress::Waiting,
            is_awaited: true,
        };
        // It was looked at whether there is room.
        let _ = self.changes.asked.push(asked);
        self.changes.high_water = self.changes.high_water.max(self.changes.asked.len());
        Ok(id)
    }

    /// What came of a change, once; `None` while it is on its way.
    pub fn maybe_changed(&mut self, id: ChangeId) -> Option<Result<(), VolumeError>> {
        let index = self.changes.asked.iter().position(|asked| asked.id == id)?;
        match &self.changes.asked[index].progress {
            Progress::Ended(result) => {
                let result = result.clone();
                self.changes.asked.remove(index);
                Some(result)
            }
            _ => None,
        }
    }

    /// Nobody looks for the answer any more.
    pub fn forget_change(&mut self, id: ChangeId) {
        if let Some(asked) = self.changes.asked.iter_mut().find(|asked| asked.id == id) {
            asked.is_awaited = false;
        }
        self.changes.sweep();
    }

    /// Is there one that can be made now?
    pub(super) fn has_changes_to_make(&self) -> bool {
        self.changes.is_waiting()
            && self
                .changes
                .asked
                .iter()
                .any(|asked| asked.progress == Progress::Waiting && self.can_be_made(&asked.change))
    }

    /// Some wait for what others have begun with their volume.
    fn can_be_made(&self, change: &Change) -> bool {
        match change {
            Change::Detach { volume } => self.is_drained(volume),
            Change::Restore { volume, .. } => !self.has_act_on(volume),
            _ => true,
        }
    }

    pub(super) fn is_restore_waiting(&self, name: &Name) -> bool {
        self.changes.asked.iter().any(|asked| {
            asked.progress == Progress::Waiting
                && matches!(&asked.change, Change::Restore { volume, .. } if volume == name)
        })
    }

    fn is_drained(&self, volume: &Name) -> bool {
        self.live_named(volume).is_none_or(|live| live.pending == 0)
    }

    pub(super) fn live_named(&self, name: &Name) -> Option<&Live> {
        let (slot, _) = self.table.volume_named(name)?;
        self.live[slot].as_ref()
    }

    pub(super) fn on_event(&mut self, name: &Name, event: Event) -> bool {
        let Some((slot, _)) = self.table.volume_named(name) else {
            return false;
        };
        self.live[slot].as_mut().is_some_and(|live| live.on(event))
    }

    /// Can it be done, as things stand?
    pub(super) fn check(&self, change: &Change) -> Result<(), VolumeError> {
        if self.lost_pages > 0 && !matches!(change, Change::Delete { .. }) {
            return Err(VolumeError::ReadOnly);
        }
        match change {
            Change::Create { name, bytes, .. } => {
                self.check_new(name)?;
                let most_bytes = BYTES_MAX;
                if !(1..=most_bytes).contains(bytes) {
                    return Err(VolumeError::TooLarge { most_bytes });
                }
                self.free_slot().map(drop)
            }
            Change::Snapshot { volume, name } => {
                self.check_new(name)?;
                self.check_event(volume, Event::Snapshot)?;
                let free = self.table.free_snapshot();
                free.map(drop).ok_or(VolumeError::TooManySnapshots)
            }
            Change::Restore { volume, snapshot } => {
                let (_, row) = self
                    .table
                    .volume_named(volume)
                    .ok_or(VolumeError::NoVolume)?;
                let (_, of) = self
                    .table
                    .snapshot_named(snapshot)
                    .ok_or(VolumeError::NoSnapshot)?;
                if of.volume != row.id {
                    return Err(VolumeError::OfAnotherVolume);
                }
                self.check_event(volume, Event::Restore)
            }
            Change::Clone { snapshot, name } => {
                self.check_new(name)?;
                self.table
                    .snapshot_named(snapshot)
                    .ok_or(VolumeError::NoSnapshot)?;
                self.free_slot().map(drop)
            }
            Change::Delete { name } => match self.table.snapshot_named(name) {
                Some(_) => Ok(()),
                None => self.check_event(name, Event::Delete),
            },
            Change::Attach { volume, .. } => self.check_event(volume, Event::Attach),
            Change::Detach { volume } => {
                let live = self.live_named(volume).ok_or(VolumeError::NoVolume)?;
                if live.tenant.is_none() {
                    let name = volume.clone();
                    return Err(VolumeError::NotAttached { name });
                }
                self.check_event(volume, Event::Detach)
            }
            Change::Limit { volume, .. } => self
                .live_named(volume)
                .map(drop)
                .ok_or(VolumeError::NoVolume),
        }
    }

    pub(super) fn check_new(&self, name: &Name) -> Result<(), VolumeError> {
        if !is_name(name) {
            return Err(VolumeError::BadName);
        }
        match self.table.is_taken(name) {
            true => Err(VolumeError::Taken { name: name.clone() }),
            false => Ok(()),
        }
    }

    fn check_event(&self, name: &Name, event: Event) -> Result<(), VolumeError> {
        let live = self.live_named(name).ok_or(VolumeError::NoVolume)?;
        let has_tenant = live.tenant.is_some();
        if live.state.after(event, has_tenant).is_some() {
            return Ok(());
        }
        let name = name.clone();
        Err(match live.tenant {
            Some(tenant) if live.state != State::Detaching => {
                VolumeError::AttachedTo { name, tenant }
            }
            _ => VolumeError::State {
                name,
                state: live.state,
            },
        })
    }

    pub(super) fn free_slot(&self) -> Result<usize, VolumeError> {
        let is_free =
            |slot: &usize| self.table.volume(*slot).is_none() && self.live[*slot].is_none();
        let mut slots = 0..self.live.len();
        slots.find(is_free).ok_or(VolumeError::TooManyVolumes)
    }

    /// Makes the changes that wait, as many as the record has room for.
    pub(super) fn make_changes(&mut self, generation: u64, record: &mut Record) {
        for index in 0..self.changes.asked.len() {
            let asked = &self.changes.asked[index];
            if asked.progress != Progress::Waiting || !record.has_room() {
                continue;
            }
            let change = asked.change.clone();
            if !self.can_be_made(&change) {
                continue;
            }
            let progress = match self.make(&change, record) {
                Ok(()) => {
                    self.changes.made += 1;
                    Progress::Sealed(generation)
                }
                Err(error) => {
                    self.on_change_over(&change);
                    Progress::Ended(Err(error))
                }
            };
            self.changes.asked[index].progress = progress;
        }
        self.changes.sweep();
    }

    /// A transaction is durable: so are the changes in it.
    pub(super) fn on_durable_changes(&mut self, generation: u64) {
        let mut has_deleted = false;
        for index in 0..self.changes.asked.len() {
            let asked = &mut self.changes.asked[index];
            if asked.progress != Progress::Sealed(generation) {
                continue;
            }
            asked.progress = Progress::Ended(Ok(()));
            let change = asked.change.clone();
            has_deleted |= matches!(change, Change::Delete { .. });
            self.on_change_over(&change);
        }
        for live in self.live.iter_mut().flatten() {
            if live.on(Event::Durable) {
                live.on(Event::Counted);
            }
        }
        self.changes.sweep();
        if has_deleted && self.lost_pages > 0 {
            self.is_recount_wanted = true;
        }
    }

    /// A snapshot that was on its way is there, or is not going to be.
    fn on_change_over(&mut self, change: &Change) {
        if let Change::Snapshot { volume, .. } = change {
            self.on_event(volume, Event::SnapshotDone);
        }
    }

    /// Names of deleted volumes go when their blocks are free.
    pub(super) fn bury_the_deleted(&mut self) {
        if self.is_giving_up() {
            return;
        }
        for slot in 0..self.live.len() {
            let is_deleted = |live: &Live| live.state == State::Deleted && live.pending == 0;
            if self.live[slot].as_ref().is_some_and(is_deleted) && self.table.volume(slot).is_none()
            {
                self.live[slot] = None;
            }
        }
    }
}
