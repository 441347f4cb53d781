//! What there is to know of files, for tables and checks.

use super::error::Unusable;
use super::{Files, State};
use crate::base::disk::SECTOR_BYTES;
use crate::base::fixed::Text;
use crate::base::metric::Usage;
use crate::limits::{FILE_CHANGED_SECTORS_MAX, FILE_LINES_MAX, FILE_WORKS_MAX, FILE_WRITES_MAX};
use crate::storage::fat::Kind;
use crate::storage::region::Region;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FilesState {
    NoDisk,
    Mounting,
    Mounted(Measured),
    Failed(Unusable),
}

/// A volume that is mounted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    pub region: Region,
    pub kind: Kind,
    pub label: [u8; 11],
    pub cluster_bytes: u32,
    pub clusters: u32,
    /// Clusters, once somebody has counted them.
    pub free: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilesView {
    pub state: FilesState,
    pub works: usize,
    /// Sectors that were here when they were wanted, and that were not.
    pub cache_hits: u64,
    pub cache_misses: u64,
    /// Changes that are on the disk, and requests that it failed.
    pub changes: u64,
    pub failures: u64,
    pub answers_ignored: u64,
}

impl Measured {
    pub fn label(&self) -> Text<11> {
        let label = core::str::from_utf8(&self.label).unwrap_or_default();
        Text::cut_from(label.trim_end())
    }

    pub fn total_bytes(&self) -> u64 {
        u64::from(self.clusters) * u64::from(self.cluster_bytes)
    }

    pub fn free_bytes(&self) -> Option<u64> {
        Some(u64::from(self.free?) * u64::from(self.cluster_bytes))
    }
}

impl Files {
    pub(super) fn measured(&self) -> Option<Measured> {
        let State::Mounted(mounted) = &self.state else {
            return None;
        };
        let geometry = &mounted.geometry;
        Some(Measured {
            region: mounted.volume.region,
            kind: geometry.kind,
            label: geometry.label,
            cluster_bytes: geometry.sectors_per_cluster * SECTOR_BYTES as u32,
            clusters: geometry.clusters,
            free: mounted.free,
        })
    }

    pub fn view(&self) -> FilesView {
        let counts = &self.counts;
        FilesView {
            state: match (&self.state, self.measured()) {
                (State::Mounting(_), _) => FilesState::Mounting,
                (State::Failed(reason, _), _) => FilesState::Failed(*reason),
                (_, Some(measured)) => FilesState::Mounted(measured),
                (_, None) => FilesState::NoDisk,
            },
            works: self.works.iter().flatten().count(),
            cache_hits: self.cache.hits,
            cache_misses: self.cache.misses,
            changes: counts.changes,
            failures: counts.failures,
            answers_ignored: counts.answers_ignored,
        }
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        let counts = &self.counts;
        let works = self.works.iter().flatten().count();
        visit(
            &Usage::of("FILE_WORKS_MAX", FILE_WORKS_MAX)
                .used(works as u64)
                .high_water(counts.works_high_water as u64)
                .refused(counts.works_refused),
        );
        visit(
            &Usage::of("FILE_LINES_MAX", FILE_LINES_MAX)
                .used(self.cache.used() as u64)
                .ring(),
        );
        visit(
            &Usage::of("FILE_CHANGED_SECTORS_MAX", FILE_CHANGED_SECTORS_MAX)
                .used(self.overlay.slots().len() as u64)
                .high_water(self.overlay.high_water() as u64)
                .refused(self.overlay.refused()),
        );
        // All of them in use is how a large file is written.
        visit(
            &Usage::of("FILE_WRITES_MAX", FILE_WRITES_MAX)
                .used(self.writes.in_use() as u64)
                .ring(),
        );
    }
}
