//! Members that come and go while the pool is in use.
//!
//! Invariant: whoever comes is stale, is said to be so, and is filled before it is read from.

use super::error::{Failure, VolumeError};
use super::members::MemberState;
use super::mounting::Place;
use super::pointer::BLOCK_SECTORS;
use super::row::{PoolRow, RowError};
use super::state::Event;
use super::table::Table;
use super::{Phase, Volumes};
use crate::limits::VOLUME_REPLICAS_MAX;

impl Volumes {
    /// What the journal adds up to, read by somebody else; before `mount`.
    pub fn take_table(&mut self, table: &mut Table) {
        core::mem::swap(&mut self.table, table);
    }

    /// There is a journal, and it cannot be read.
    pub fn refuse(&mut self, error: RowError) {
        self.fail(Failure::Row(error));
    }

    /// The pool as its table has it.
    pub const fn pool(&self) -> Option<&PoolRow> {
        self.table.pool()
    }

    /// Gives a disk a place among the members: its own one if it has one already, that of a
    /// member that is not there, or a new one. It is filled when nothing else is walked over.
    pub fn add_member(&mut self, place: Place) -> Result<usize, VolumeError> {
        self.readiness()?;
        let pool = self.table.pool().ok_or(VolumeError::NotMounted)?;
        if place.region.sectors / BLOCK_SECTORS < u64::from(pool.blocks) {
            return Err(VolumeError::SmallDisk);
        }
        let own = pool.disks.iter().position(|disk| *disk == place.journal);
        let is_free = |member: &usize| {
            let member = self.members.get(*member);
            member.is_some_and(|member| member.region.is_none())
        };
        let mut free = (0..VOLUME_REPLICAS_MAX).filter(is_free);
        let member = match own {
            Some(own) => free.find(|member| *member == own),
            None => free.next(),
        };
        let member = member.ok_or(VolumeError::ManyDisks)?;
        self.table.widen(member, place.journal);
        self.members.set(member, place.region, MemberState::Stale);
        self.open.is_pool_changed = true;
        self.open.is_wanted = true;
        self.open.touch(self.now);
        self.become_degraded();
        self.want_filling();
        Ok(member)
    }

    /// Their copies of the journal are lost: nothing more is asked of them.
    pub(super) fn drop_members(&mut self, lost: u8) {
        for member in (0..VOLUME_REPLICAS_MAX).filter(|member| lost >> member & 1 != 0) {
            self.members.remove(member);
        }
        if lost != 0 {
            self.note_members();
        }
    }

    /// Members that failed since the last look are to be in the table.
    pub(super) fn note_members(&mut self) {
        if !matches!(self.phase, Phase::Ready) {
            return;
        }
        let stale = self.stale_members();
        let said = self.table.pool().map(|pool| pool.stale);
        if said.is_none_or(|said| said == stale) {
            return;
        }
        if said.is_some_and(|said| stale & !said != 0) {
            self.become_degraded();
        }
        if !self.open.is_pool_changed {
            self.open.is_pool_changed = true;
            self.open.is_wanted = true;
            self.open.touch(self.now);
        }
    }

    fn become_degraded(&mut self) {
        for live in self.live.iter_mut().flatten() {
            live.on(Event::Damage);
        }
    }
}
