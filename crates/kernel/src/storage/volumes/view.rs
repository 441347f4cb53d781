//! What is to be seen of the volumes.

use super::live::VolumeCounters;
use super::members::MemberState;
use super::pointer::BLOCK_BYTES;
use super::row::{Kind, Limits, Name};
use super::scrub::{Found, Progress};
use super::state::State;
use super::table::RootOf;
use super::{Damage, Failure, Phase, Volumes};
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::Duration;
use crate::limits::{VOLUME_SNAPSHOTS_MAX, VOLUMES_MAX};

#[derive(Clone, Copy, Debug)]
pub struct PoolView {
    pub state: &'static str,
    pub failure: Option<Failure>,
    pub size_bytes: u64,
    pub used_bytes: u64,
    pub free_bytes: u64,
    /// Of that, maps; unknown while it was not counted since the last change.
    pub metadata_bytes: Option<u64>,
    /// What deleted things still hold.
    pub is_reclaiming: bool,
    pub lost_pages: u64,
    pub transactions: u64,
    pub transactions_took: Duration,
    pub transaction_took_max: Duration,
    pub checkpoints: u64,
    pub page_misses: u64,
    /// Answers of disks that nobody had asked for.
    pub answers_ignored: u64,
    /// Blocks that were given up more often than they were in use: a forged map.
    pub contradictions: u64,
    pub running: Option<Progress>,
    pub scrubbed: Option<Progress>,
}

#[derive(Clone, Copy, Debug)]
pub struct VolumeView<'a> {
    pub name: &'a Name,
    pub kind: Option<Kind>,
    pub state: State,
    pub size_bytes: u64,
    pub referenced_bytes: u64,
    /// What would be free without it; unknown while it was not counted.
    pub own_bytes: Option<u64>,
    pub tenant: Option<Tenant>,
    pub limits: Limits,
    pub counters: VolumeCounters,
    pub newest: Option<&'a Name>,
    pub damage: Option<Damage>,
}

#[derive(Clone, Copy, Debug)]
pub struct SnapshotView<'a> {
    pub name: &'a Name,
    pub kind: Kind,
    /// `None`: it was deleted.
    pub volume: Option<&'a Name>,
    pub parent: Option<&'a Name>,
    pub size_bytes: u64,
    pub referenced_bytes: u64,
    pub own_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub struct MemberView {
    /// `None`: it is not there.
    pub disk: Option<usize>,
    pub state: MemberState,
    pub errors: u64,
}

const fn bytes(blocks: u64) -> u64 {
    blocks.saturating_mul(BLOCK_BYTES as u64)
}

impl Volumes {
    pub fn view(&self) -> PoolView {
        let (state, failure) = match &self.phase {
            Phase::Unmounted => ("absent", None),
            Phase::Mounting(_) => ("mounting", None),
            Phase::Ready if self.lost_pages > 0 => ("read-only", None),
            Phase::Ready if self.is_degraded() => ("degraded", None),
            Phase::Ready => ("ready", None),
            Phase::Failed(failure) => ("failed", Some(*failure)),
        };
        let generation = self.table.generation();
        let map_pages = self
            .scrub
            .map_pages(generation)
            .filter(|_| !self.open.has_changes());
        PoolView {
            state,
            failure,
            size_bytes: bytes(u64::from(self.counts.blocks())),
            used_bytes: bytes(u64::from(self.counts.used())),
            free_bytes: self.counts.free_bytes(),
            // And the header.
            metadata_bytes: map_pages.map(|pages| bytes(pages + 1)),
            is_reclaiming: !self.reaper.is_idle(),
            lost_pages: self.lost_pages,
            transactions: self.commit.count,
            transactions_took: self.commit.took,
            transaction_took_max: self.commit.took_max,
            checkpoints: self.commit.checkpoints,
            page_misses: self.cache.misses,
            answers_ignored: self.transfers.answers_ignored(),
            contradictions: self.counts.contradictions(),
            running: self.scrub.progress(),
            scrubbed: self.scrub.last,
        }
    }

    pub fn visit_volumes(&self, visit: &mut dyn FnMut(&VolumeView<'_>)) {
        let generation = self.table.generation();
        for (slot, live) in self.live.iter().enumerate() {
            let Some(live) = live else { continue };
            let row = self.table.volume(slot).filter(|row| row.id == live.id);
            let own = self
                .scrub
                .own(slot, generation)
                .filter(|_| !live.is_changed);
            visit(&VolumeView {
                name: &live.name,
                kind: row.map(|row| row.kind),
                state: live.state,
                size_bytes: bytes(live.blocks),
                referenced_bytes: bytes(live.tree.data_blocks + live.tree.map_pages),
                own_bytes: own.map(bytes),
                tenant: live.tenant,
                limits: row.map(|row| row.limits).unwrap_or_default(),
                counters: live.counters,
                newest: row.and_then(|row| self.table.name_of_snapshot(row.newest)),
                damage: live.last_damage,
            });
        }
    }

    pub fn visit_snapshots(&self, visit: &mut dyn FnMut(&SnapshotView<'_>)) {
        let generation = self.table.generation();
        for (slot, row) in self.table.snapshots() {
            visit(&SnapshotView {
                name: &row.name,
                kind: row.kind,
                volume: self.table.name_of_volume(row.volume),
                parent: self.table.name_of_snapshot(row.parent),
                size_bytes: bytes(row.blocks),
                referenced_bytes: bytes(row.tree.data_blocks.saturating_add(row.tree.map_pages)),
                own_bytes: self.scrub.own(VOLUMES_MAX + slot, generation).map(bytes),
            });
        }
    }

    pub fn visit_members(&self, visit: &mut dyn FnMut(&MemberView)) {
        let count = self
            .table
            .pool()
            .map_or(0, |pool| usize::from(pool.members));
        for member in (0..count).filter_map(|member| self.members.get(member)) {
            visit(&MemberView {
                disk: member.region.map(|region| region.disk),
                state: member.state,
                errors: member.errors,
            });
        }
    }

    /// What the last walks found that no member has, oldest first.
    pub fn visit_damages(&self, visit: &mut dyn FnMut(&Found)) {
        self.scrub.found.iter().for_each(visit);
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        let volumes = self.table.volumes().count() as u64;
        let snapshots = self.table.snapshots().count() as u64;
        visit(&Usage::of("VOLUMES_MAX", VOLUMES_MAX).used(volumes));
        visit(&Usage::of("VOLUME_SNAPSHOTS_MAX", VOLUME_SNAPSHOTS_MAX).used(snapshots));
        visit(&self.requests.usage());
        visit(&self.transfers.usage());
        visit(&self.changes.usage());
        visit(&self.reaper.usage());
        visit(&self.errands.usage());
        self.cache.usages().iter().for_each(visit);
    }
}

const _: () = assert!(RootOf::COUNT == VOLUMES_MAX + VOLUME_SNAPSHOTS_MAX);
