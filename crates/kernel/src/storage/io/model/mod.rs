//! Models of disks: when one would answer what it was asked.
//!
//! A model keeps no data and knows no clock. It is told what goes to the disk and when,
//! and says when the answer would come; the same questions have the same answers. What
//! is measured with it are the model's times, never those of a disk.

mod hard_disk;
mod solid_state;

pub use hard_disk::HardDisk;
pub use solid_state::SolidState;

use crate::base::disk::DiskOperation;
use crate::base::time::Instant;

/// What a disk is asked for, as far as its time depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    pub operation: DiskOperation,
    pub sector: u64,
    /// 0 for a flush.
    pub sectors: u64,
}

/// Which kind of disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModelKind {
    Hdd,
    Ssd,
}

#[derive(Clone, Debug)]
pub enum Model {
    Hdd(HardDisk),
    Ssd(SolidState),
}

impl ModelKind {
    pub const ALL: [Self; 2] = [Self::Hdd, Self::Ssd];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Hdd => "hdd",
            Self::Ssd => "ssd",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// A disk that has nothing to do.
    pub const fn model(self) -> Model {
        match self {
            Self::Hdd => Model::Hdd(HardDisk::new()),
            Self::Ssd => Model::Ssd(SolidState::new()),
        }
    }
}

impl Model {
    /// When the disk would answer what it is sent now. Times that it is asked with never
    /// go back.
    pub fn service(&mut self, now: Instant, access: &Access) -> Instant {
        match self {
            Self::Hdd(disk) => disk.service(now, access),
            Self::Ssd(disk) => disk.service(now, access),
        }
    }

    /// Requests that it takes at the same time.
    pub const fn requests_max(&self) -> usize {
        match self {
            Self::Hdd(_) => HardDisk::REQUESTS_MAX,
            Self::Ssd(_) => SolidState::REQUESTS_MAX,
        }
    }
}
