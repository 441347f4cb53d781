//! A write-ahead log in a region: what was flushed is found again in order.
//!
//! Records are numbered from 1 on, gathered in batches of whole sectors, and written
//! once each into a circle behind two superblocks. `docs/storage-log.md` has the format,
//! what a power cut can do to it, and what is not promised.
//!
//! Limits: `LOG_BATCHES_MAX` batches on their way, `LOG_RECORD_BYTES_MAX` a record.
//! Invariants: no sector that holds acknowledged records is written again before the
//! records are given up; a token covers only what was flushed; both superblocks
//! say where the log begins before the space in front of it is used again.

mod answers;
mod area;
mod batch;
mod bytes;
mod closing;
mod control;
mod cutting;
mod draft;
mod error;
mod fetch;
mod flights;
mod header;
mod index;
mod judgement;
mod machine;
mod reader;
mod recovery;
mod requests;
mod retention;
mod rules;
mod send;
mod superblock;
mod view;
mod walk;

#[cfg(test)]
mod tests;

pub use area::LogSetup;
pub use draft::LogDraft;
pub use error::LogError;
pub use judgement::{Damage, DamagedPart};
pub use machine::Log;
pub use reader::ReadEnd;
pub use view::{LogStateView, LogView};

use core::fmt;

/// The number of a record, from 1 on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lsn(pub u64);

/// Which of the logs of a machine it is; the highest byte of the tags of its requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogId(pub u8);

/// Says what is on the disk. Only a log makes one, and it is asked for anew behind
/// `truncate`, which gives numbers out a second time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Durable {
    through: u64,
}

impl LogId {
    pub const AUDIT: Self = Self(1);
    pub const MESSAGES: Self = Self(2);
    pub const RAFT: Self = Self(3);
    /// From there on: those of the volumes, one a disk.
    const FIRST_OF_DISKS: u8 = 16;

    /// The log of the volumes on that disk.
    pub const fn of_volumes(disk: usize) -> Self {
        Self(Self::FIRST_OF_DISKS + disk as u8)
    }

    /// The disk whose log of the volumes it is.
    pub fn disk(self) -> Option<usize> {
        self.0.checked_sub(Self::FIRST_OF_DISKS).map(usize::from)
    }

    /// Whose answer it is, by the number of its tag.
    pub const fn of_tag(number: u64) -> Self {
        Self((number >> 56) as u8)
    }

    const fn tag(self, serial: u64) -> u64 {
        (self.0 as u64) << 56 | serial & (u64::MAX >> 8)
    }
}

impl Durable {
    /// Will that record be there after a power cut?
    pub const fn covers(&self, lsn: Lsn) -> bool {
        lsn.0 <= self.through
    }

    /// The last that it covers; number 0 for none.
    pub const fn through(&self) -> Lsn {
        Lsn(self.through)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
