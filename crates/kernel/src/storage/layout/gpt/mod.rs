//! GUID partition tables (UEFI 2.10, 5.3): parsed once, and made.
//!
//! A table stands on a disk twice, behind its first and before its last sector. Either
//! is hostile until its checksums hold and its partitions lie apart and on the disk.

mod emit;
mod guid;
mod header;
#[cfg(test)]
mod tests;

pub use emit::{copy_sectors, emit, is_protective};
pub use guid::Guid;
pub use header::Header;

use crate::base::crc32::crc32;
use crate::base::disk::SECTOR_BYTES;
use crate::base::fixed::Text;
use crate::limits::PARTITIONS_MAX;
use alloc::vec::Vec;
use core::fmt;

/// Bytes of an entry, in tables that are made here.
const ENTRY_BYTES: usize = 128;
/// Entries of a table that is made here: what every other tool expects.
const ENTRIES: usize = 128;
/// Sectors of those entries.
pub const ENTRY_SECTORS: u64 = (ENTRIES * ENTRY_BYTES / SECTOR_BYTES) as u64;
/// Sectors before the first one that a partition may have: the protective record, the
/// header, the entries.
pub const FRONT_SECTORS: u64 = 2 + ENTRY_SECTORS;
/// Behind the last one: the entries again, the header again.
pub const BACK_SECTORS: u64 = 1 + ENTRY_SECTORS;
/// Bytes of a name in UTF-8; 36 UTF-16 units on the disk.
const NAME_BYTES: usize = 72;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    pub kind: Guid,
    pub id: Guid,
    pub first: u64,
    pub sectors: u64,
    pub name: Text<NAME_BYTES>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    pub disk: Guid,
    /// At most `PARTITIONS_MAX`; on the heap, for it is looked at once and would fill a stack.
    pub partitions: Vec<Partition>,
}

/// Why bytes are no partition table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GptError {
    /// There is no sign of one.
    Absent,
    Field {
        name: &'static str,
        value: u64,
    },
    /// A checksum does not hold.
    Checksum {
        of: &'static str,
    },
    /// It has more partitions than are looked at.
    TooMany,
    /// Two partitions share sectors.
    Overlap {
        first: u64,
    },
}

impl Table {
    /// Of the copy whose header stands at `at`: the header's sector, then the sectors of
    /// its entries, as many as `Header::entry_sectors` says.
    pub fn parse(header: &Header, entries: &[u8]) -> Result<Self, GptError> {
        let bytes = header.entries_bytes();
        let entries = entries.get(..bytes).ok_or(GptError::Field {
            name: "length of the entries",
            value: bytes as u64,
        })?;
        if crc32(entries) != header.entries_crc {
            return Err(GptError::Checksum { of: "entries" });
        }
        let mut partitions = Vec::new();
        for entry in entries.chunks_exact(header.entry_bytes) {
            if let Some(partition) = parse_entry(entry, header)? {
                if partitions.len() == PARTITIONS_MAX {
                    return Err(GptError::TooMany);
                }
                partitions.push(partition);
            }
        }
        for (index, one) in partitions.iter().enumerate() {
            let others = partitions[index + 1..].iter();
            for other in others {
                let is_apart = one.first + one.sectors <= other.first
                    || other.first + other.sectors <= one.first;
                if !is_apart {
                    return Err(GptError::Overlap { first: other.first });
                }
            }
        }
        Ok(Self {
            disk: header.disk,
            partitions,
        })
    }

    pub fn find(&self, kind: Guid) -> Option<&Partition> {
        self.partitions.iter().find(|each| each.kind == kind)
    }
}

/// `None` for an entry that is not used.
fn parse_entry(bytes: &[u8], header: &Header) -> Result<Option<Partition>, GptError> {
    let kind = Guid::read(bytes, 0);
    if kind == Guid::ZERO {
        return Ok(None);
    }
    let (first, last) = (read_u64(bytes, 32), read_u64(bytes, 40));
    let is_inside = first >= header.first_usable && last <= header.last_usable && first <= last;
    if !is_inside {
        return Err(GptError::Field {
            name: "first sector of a partition",
            value: first,
        });
    }
    let mut name = Text::new();
    let units = bytes[56..128].chunks_exact(2);
    let units = units.map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    for letter in char::decode_utf16(units.take_while(|unit| *unit != 0)) {
        let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
        let shown = if letter.is_control() { '?' } else { letter };
        // 36 units are at most 108 bytes; what does not fit is cut.
        name.push_cut(shown.encode_utf8(&mut [0; 4]));
    }
    Ok(Some(Partition {
        kind,
        id: Guid::read(bytes, 16),
        first,
        sectors: last - first + 1,
        name,
    }))
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl fmt::Display for GptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no partition table"),
            Self::Field { name, value } => write!(f, "the partition table's {name} is {value}"),
            Self::Checksum { of } => write!(f, "the checksum of its {of} does not hold"),
            Self::TooMany => write!(f, "it has more than {PARTITIONS_MAX} partitions"),
            Self::Overlap { first } => {
                write!(f, "the partition at sector {first} overlaps another")
            }
        }
    }
}
