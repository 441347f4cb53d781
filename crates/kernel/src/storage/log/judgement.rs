//! What a place without a whole batch means: the end of the log, or a loss.

use super::Lsn;
use super::area::{Area, Place};
use super::header::{BadRecord, Header};
use crate::base::disk::SECTOR_BYTES;
use core::fmt;

/// Where a chain of batches ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Break {
    pub at: Place,
    pub part: DamagedPart,
    /// Of the batch, where its header can be read.
    pub records: Option<u32>,
    pub bytes: Option<u32>,
    /// First byte of the batch that is wrong, and the first record that is lost.
    pub offset: usize,
    pub lsn: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DamagedPart {
    /// There is no header, or it is that of another batch.
    Header,
    Records,
    /// The batch is whole, and not the one that was written last at its place.
    Link,
    /// The superblock is older than the batches behind it.
    Superblock,
}

/// What is known about the place where the chain ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evidence {
    pub part: DamagedPart,
    /// A superblock or a later batch says that the batch was on the disk.
    pub is_proven: bool,
    /// A batch with a greater number is there.
    pub has_later: bool,
    /// A batch of an epoch is there that no superblock knows.
    pub has_newer_epoch: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing was ever written there.
    End,
    /// What was on its way when the power went: it was acknowledged to nobody.
    Dropped,
    /// Acknowledged records are gone.
    Damaged(DamagedPart),
}

/// The truth table of recovery.
pub const fn judge(evidence: &Evidence) -> Verdict {
    match evidence {
        Evidence {
            has_newer_epoch: true,
            ..
        } => Verdict::Damaged(DamagedPart::Superblock),
        Evidence {
            part: DamagedPart::Link | DamagedPart::Superblock,
            ..
        }
        | Evidence {
            is_proven: true, ..
        } => Verdict::Damaged(evidence.part),
        Evidence {
            part: DamagedPart::Records,
            ..
        }
        | Evidence {
            has_later: true, ..
        } => Verdict::Dropped,
        Evidence {
            part: DamagedPart::Header,
            ..
        } => Verdict::End,
    }
}

/// A loss, with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    pub part: DamagedPart,
    /// On the disk.
    pub sector: u64,
    pub batch: u64,
    /// The first record that is lost.
    pub lsn: Lsn,
    /// Of the batch, as its header says, where that can be read.
    pub bytes: Option<u32>,
    /// Whole batches behind it, which are lost with it.
    pub later_batches: u64,
}

impl Break {
    pub const fn at(at: Place, part: DamagedPart) -> Self {
        Self {
            at,
            part,
            records: None,
            bytes: None,
            offset: 0,
            lsn: at.lsn,
        }
    }

    pub const fn of_records(at: Place, header: &Header, bad: BadRecord) -> Self {
        Self {
            at,
            part: DamagedPart::Records,
            records: Some(header.records),
            bytes: Some(header.bytes),
            offset: bad.at,
            lsn: bad.lsn,
        }
    }

    pub const fn damage(&self, area: &Area, part: DamagedPart, later_batches: u64) -> Damage {
        Damage {
            part,
            sector: area.sector(self.at.position) + (self.offset / SECTOR_BYTES) as u64,
            batch: self.at.number,
            lsn: Lsn(self.lsn),
            bytes: self.bytes,
            later_batches,
        }
    }
}

impl DamagedPart {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Records => "records",
            Self::Link => "link",
            Self::Superblock => "superblock",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, sector) = (self.part.name(), self.sector);
        let (batch, lsn) = (self.batch, self.lsn);
        write!(
            f,
            "{part} of batch {batch} at sector {sector}: records from {lsn} on are lost"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Evidence = Evidence {
        part: DamagedPart::Header,
        is_proven: false,
        has_later: false,
        has_newer_epoch: false,
    };

    #[test]
    fn a_place_where_nothing_was_written_is_the_end() {
        assert_eq!(judge(&NOTHING), Verdict::End);
    }

    #[test]
    fn a_torn_batch_is_dropped() {
        let torn = Evidence {
            part: DamagedPart::Records,
            ..NOTHING
        };
        assert_eq!(judge(&torn), Verdict::Dropped);
    }

    #[test]
    fn a_lost_batch_in_front_of_one_that_arrived_is_dropped_with_it() {
        let reordered = Evidence {
            has_later: true,
            ..NOTHING
        };
        assert_eq!(judge(&reordered), Verdict::Dropped);
    }

    #[test]
    fn a_batch_without_header_that_was_safe_is_a_loss() {
        let lost = Evidence {
            is_proven: true,
            ..NOTHING
        };
        assert_eq!(judge(&lost), Verdict::Damaged(DamagedPart::Header));
    }

    #[test]
    fn a_batch_with_bad_records_that_was_safe_is_a_loss() {
        let rotten = Evidence {
            part: DamagedPart::Records,
            is_proven: true,
            has_later: true,
            ..NOTHING
        };
        assert_eq!(judge(&rotten), Verdict::Damaged(DamagedPart::Records));
    }

    #[test]
    fn a_batch_of_an_older_epoch_in_place_of_a_safe_one_is_a_loss() {
        let stale = Evidence {
            part: DamagedPart::Link,
            ..NOTHING
        };
        assert_eq!(judge(&stale), Verdict::Damaged(DamagedPart::Link));
    }

    #[test]
    fn batches_of_an_epoch_that_no_superblock_knows_are_a_loss() {
        let stale = Evidence {
            has_newer_epoch: true,
            ..NOTHING
        };
        assert_eq!(judge(&stale), Verdict::Damaged(DamagedPart::Superblock));
    }
}
