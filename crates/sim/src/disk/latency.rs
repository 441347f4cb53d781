//! When a request is answered.

use super::DiskModel;
use rayos_kernel::base::disk::DiskRequest;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::storage::io::model::{Access, Model};

/// The kernel's own model of a disk, or the same time for everything.
pub enum Timer {
    Fixed(Duration),
    Model(Model),
}

impl Timer {
    pub const fn new(model: DiskModel) -> Self {
        match model {
            DiskModel::Fixed(latency) => Self::Fixed(latency),
            DiskModel::Of(kind) => Self::Model(kind.model()),
        }
    }

    pub fn answer_at(&mut self, now: Instant, request: &DiskRequest) -> Instant {
        match self {
            Self::Fixed(latency) => now + *latency,
            Self::Model(model) => model.service(
                now,
                &Access {
                    operation: request.operation,
                    sector: request.sector,
                    sectors: request.sectors,
                },
            ),
        }
    }
}
