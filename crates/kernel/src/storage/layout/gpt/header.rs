//! The header of a partition table (UEFI 2.10, 5.3.2).

use super::{ENTRY_BYTES, GptError, Guid, read_u32, read_u64};
use crate::base::crc32::crc32;
use crate::base::disk::SECTOR_BYTES;

pub const SIGNATURE: &[u8; 8] = b"EFI PART";
pub const REVISION: u32 = 0x0001_0000;
/// Bytes of it that its checksum covers.
pub const HEADER_BYTES: usize = 92;
pub const CRC_AT: usize = 16;
/// Larger tables are nobody's; smaller ones than the usual are allowed.
const ENTRIES_MAX: u32 = 1024;
const ENTRY_BYTES_MAX: u32 = 1024;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Where it stands, and where its twin does.
    pub own: u64,
    pub other: u64,
    pub first_usable: u64,
    pub last_usable: u64,
    pub disk: Guid,
    pub entries_at: u64,
    pub entries: usize,
    pub entry_bytes: usize,
    pub entries_crc: u32,
}

impl Header {
    /// Of the sector `at` of a disk with so many.
    pub fn parse(sector: &[u8; SECTOR_BYTES], at: u64, sectors: u64) -> Result<Self, GptError> {
        let field = |name, value| Err(GptError::Field { name, value });
        if &sector[..8] != SIGNATURE {
            return Err(GptError::Absent);
        }
        let length = read_u32(sector, 12);
        if !(HEADER_BYTES as u32..=SECTOR_BYTES as u32).contains(&length) {
            return field("header length", u64::from(length));
        }
        let mut covered = *sector;
        covered[CRC_AT..CRC_AT + 4].fill(0);
        if crc32(&covered[..length as usize]) != read_u32(sector, CRC_AT) {
            return Err(GptError::Checksum { of: "header" });
        }
        let revision = read_u32(sector, 8);
        if revision >> 16 != REVISION >> 16 {
            return field("revision", u64::from(revision));
        }
        let (entries, entry_bytes) = (read_u32(sector, 80), read_u32(sector, 84));
        if !(1..=ENTRIES_MAX).contains(&entries) {
            return field("number of entries", u64::from(entries));
        }
        let is_usual = (ENTRY_BYTES as u32..=ENTRY_BYTES_MAX).contains(&entry_bytes);
        if !is_usual || !entry_bytes.is_power_of_two() {
            return field("entry length", u64::from(entry_bytes));
        }
        let header = Self {
            own: read_u64(sector, 24),
            other: read_u64(sector, 32),
            first_usable: read_u64(sector, 40),
            last_usable: read_u64(sector, 48),
            disk: Guid::read(sector, 56),
            entries_at: read_u64(sector, 72),
            entries: entries as usize,
            entry_bytes: entry_bytes as usize,
            entries_crc: read_u32(sector, 88),
        };
        header.check(at, sectors)?;
        Ok(header)
    }

    fn check(&self, at: u64, sectors: u64) -> Result<(), GptError> {
        let field = |name, value| Err(GptError::Field { name, value });
        if self.own != at {
            return field("own sector", self.own);
        }
        if self.first_usable > self.last_usable || self.last_usable >= sectors {
            return field("last usable sector", self.last_usable);
        }
        let end = self.entries_at.saturating_add(self.entry_sectors());
        let is_free = end <= self.first_usable || self.entries_at > self.last_usable;
        if self.entries_at < 2 || end > sectors || !is_free {
            return field("first sector of entries", self.entries_at);
        }
        Ok(())
    }

    pub const fn entries_bytes(&self) -> usize {
        self.entries * self.entry_bytes
    }

    pub const fn entry_sectors(&self) -> u64 {
        self.entries_bytes().div_ceil(SECTOR_BYTES) as u64
    }
}
