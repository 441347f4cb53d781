//! What is chosen when a simulated disk is made.

use super::DiskFaults;
use rayos_kernel::base::time::Duration;
use rayos_kernel::storage::io::model::ModelKind;

#[derive(Clone, Debug)]
pub struct DiskSettings {
    pub sectors: u64,
    pub model: DiskModel,
    pub has_write_cache: bool,
    /// Does a power cut tear writes, or keep and lose whole ones?
    pub is_torn: bool,
    /// Requests that it takes at the same time.
    pub requests_max: usize,
    pub pieces_max: usize,
    pub transfer_bytes_max: usize,
    /// Up to so much later each answer comes, so that answers overtake each other.
    pub jitter: Duration,
    pub faults: DiskFaults,
}

/// How long requests take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskModel {
    /// As long as any other.
    Fixed(Duration),
    /// As long as `io bench` says of a disk of this kind.
    Of(ModelKind),
}

impl Default for DiskSettings {
    fn default() -> Self {
        Self {
            sectors: 64,
            model: DiskModel::Fixed(Duration::from_millis(2)),
            has_write_cache: true,
            is_torn: true,
            requests_max: 8,
            pieces_max: 1,
            transfer_bytes_max: 64 * 512,
            jitter: Duration::ZERO,
            faults: DiskFaults::default(),
        }
    }
}

impl DiskSettings {
    /// A solid-state disk of so many mebibytes with a queue as deep as usual.
    pub fn ssd(mebibytes: u64) -> Self {
        Self::of(ModelKind::Ssd, mebibytes)
    }

    /// A disk with an arm and a spindle.
    pub fn hdd(mebibytes: u64) -> Self {
        Self::of(ModelKind::Hdd, mebibytes)
    }

    fn of(kind: ModelKind, mebibytes: u64) -> Self {
        Self {
            sectors: mebibytes << 11,
            model: DiskModel::Of(kind),
            requests_max: kind.model().requests_max(),
            pieces_max: 126,
            transfer_bytes_max: 1 << 20,
            ..Self::default()
        }
    }
}
