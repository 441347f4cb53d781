//! How a disk is laid out: which partition is what, and how large it is.

use super::gpt::{BACK_SECTORS, Guid, Partition, Table};
use crate::base::disk::SECTOR_BYTES;
use crate::base::fixed::Text;
use crate::base::report::Report;
use crate::storage::region::Region;
use core::fmt;

/// Basic data, which every operating system opens.
const EXCHANGE: Guid = Guid::new(0xebd0_a0a2, 0xb9e5, 0x4433, 0x87c0, 0x68b6_b726_99c7);
const LOG: Guid = Guid::new(0x1d6e_7a0c, 0x52e4, 0x4b7f, 0x9a31, 0x5261_794f_534c);
const POOL: Guid = Guid::new(0x8f02_c5b1, 0x3d9a, 0x4e16, 0xb7d8, 0x5261_794f_5350);
const EXCHANGE_NAME: &str = "RayOS exchange";

/// Partitions begin at whole mebibytes, as every tool does it.
const ALIGNMENT: u64 = MEBIBYTE;
const MEBIBYTE: u64 = (1 << 20) / SECTOR_BYTES as u64;
/// The exchange and the log get this share of a disk, within these bounds.
const SHARE: u64 = 8;
const EXCHANGE_BOUNDS: (u64, u64) = (4 * MEBIBYTE, 1024 * MEBIBYTE);
const LOG_BOUNDS: (u64, u64) = (4 * MEBIBYTE, 512 * MEBIBYTE);
const POOL_LEAST: u64 = 8 * MEBIBYTE;

/// The partitions of a disk that was laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// A FAT file system that the host reads and writes, too.
    pub exchange: Region,
    pub log: Region,
    pub pool: Region,
}

/// One of the logs that share the log partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogArea {
    /// What became of volumes.
    Volumes,
    Audit,
    /// The kernel's own messages.
    Messages,
    /// What machines agree on.
    Agreement,
}

impl LogArea {
    pub const ALL: [Self; 4] = [Self::Volumes, Self::Audit, Self::Messages, Self::Agreement];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Volumes => "volumes",
            Self::Audit => "audit",
            Self::Messages => "messages",
            Self::Agreement => "agreement",
        }
    }

    /// Where it begins and how long it is, in eighths of the partition.
    const fn share(self) -> (u64, u64) {
        match self {
            Self::Volumes => (0, 1),
            Self::Audit => (1, 2),
            Self::Messages => (3, 1),
            Self::Agreement => (4, 4),
        }
    }
}

/// The disk is too small for all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooSmall {
    pub sectors: u64,
    pub least: u64,
}

impl Layout {
    /// For a disk of so many sectors.
    pub fn plan(disk: usize, sectors: u64) -> Result<Self, TooSmall> {
        let of = |(least, most): (u64, u64)| {
            (sectors / SHARE / ALIGNMENT * ALIGNMENT).clamp(least, most)
        };
        let (exchange, log) = (of(EXCHANGE_BOUNDS), of(LOG_BOUNDS));
        let least = ALIGNMENT + EXCHANGE_BOUNDS.0 + LOG_BOUNDS.0 + POOL_LEAST + BACK_SECTORS;
        let too_small = TooSmall { sectors, least };
        let log_first = ALIGNMENT + exchange;
        let pool_first = log_first + log;
        let end = sectors.checked_sub(BACK_SECTORS).ok_or(too_small)?;
        let pool = end.checked_sub(pool_first).ok_or(too_small)? / ALIGNMENT * ALIGNMENT;
        if pool < POOL_LEAST {
            return Err(too_small);
        }
        let region = |first, sectors| Region {
            disk,
            first,
            sectors,
        };
        Ok(Self {
            exchange: region(ALIGNMENT, exchange),
            log: region(log_first, log),
            pool: region(pool_first, pool),
        })
    }

    /// What a table says, if the disk was laid out here.
    pub fn of(disk: usize, table: &Table) -> Option<Self> {
        let region = |partition: &Partition| Region {
            disk,
            first: partition.first,
            sectors: partition.sectors,
        };
        let is_exchange =
            |each: &&Partition| each.kind == EXCHANGE && each.name.as_str() == EXCHANGE_NAME;
        Some(Self {
            exchange: region(table.partitions.iter().find(is_exchange)?),
            log: region(table.find(LOG)?),
            pool: region(table.find(POOL)?),
        })
    }

    /// The table that says so. `id` gives a random name to the disk and each partition.
    pub fn table(&self, id: &mut dyn FnMut() -> Guid) -> Table {
        let parts = [
            (EXCHANGE, EXCHANGE_NAME, self.exchange),
            (LOG, "RayOS log", self.log),
            (POOL, "RayOS pool", self.pool),
        ];
        let disk = id();
        let partitions = parts.map(|(kind, name, region)| Partition {
            kind,
            id: id(),
            first: region.first,
            sectors: region.sectors,
            name: Text::cut_from(name),
        });
        let partitions = partitions.into();
        Table { disk, partitions }
    }

    pub fn report(&self, report: &mut Report) {
        let columns = &["partition", "first_sector", "size_bytes"];
        let mut table = report.table("partitions", columns);
        let parts = [
            ("exchange", self.exchange),
            ("log", self.log),
            ("pool", self.pool),
        ];
        for (name, region) in parts {
            let bytes = region.sectors * SECTOR_BYTES as u64;
            table.row(&[name.into(), region.first.into(), bytes.into()]);
        }
    }

    /// The part of the log partition that one log has to itself.
    pub fn log_area(&self, area: LogArea) -> Region {
        // Whole pages of 4 KiB.
        let eighth = self.log.sectors / 8 / 8 * 8;
        let (start, length) = area.share();
        Region {
            disk: self.log.disk,
            first: self.log.first + start * eighth,
            sectors: length * eighth,
        }
    }
}

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |sectors: u64| sectors.div_ceil(MEBIBYTE);
        write!(
            f,
            "the disk has {} MiB; {} MiB are needed",
            self.sectors / MEBIBYTE,
            mebibytes(self.least)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> impl FnMut() -> Guid {
        let mut number = 0;
        move || {
            number += 1;
            Guid::random([number; 16])
        }
    }

    #[test]
    fn what_is_planned_lies_apart_on_the_disk_and_is_read_back_from_its_table() {
        for mebibytes in [18, 20, 33, 64, 100, 1024, 10_240, 1 << 20] {
            let sectors = mebibytes * MEBIBYTE + 3;
            let layout = Layout::plan(2, sectors).expect("it is large enough");
            let Layout {
                exchange,
                log,
                pool,
            } = layout;
            assert!(exchange.first >= super::super::gpt::FRONT_SECTORS);
            assert_eq!(exchange.first + exchange.sectors, log.first);
            assert_eq!(log.first + log.sectors, pool.first);
            assert!(pool.first + pool.sectors <= sectors - BACK_SECTORS);
            assert_eq!(Layout::of(2, &layout.table(&mut id())), Some(layout));
            let mut end = log.first;
            for area in LogArea::ALL {
                let region = layout.log_area(area);
                assert_eq!(region.first, end, "{}", area.name());
                end += region.sectors;
            }
            assert!(end <= log.first + log.sectors);
        }
        assert!(Layout::plan(0, 17 * MEBIBYTE).is_err());
        assert!(Layout::plan(0, 3).is_err());
    }

    #[test]
    fn a_disk_that_lacks_one_of_the_partitions_is_somebody_elses() {
        let layout = Layout::plan(0, 64 * MEBIBYTE).expect("it is large enough");
        for left_out in 0..3 {
            let mut table = layout.table(&mut id());
            table.partitions.remove(left_out);
            assert_eq!(Layout::of(0, &table), None);
        }
    }
}
