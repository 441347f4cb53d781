//! One slot of a directory: an entry, a part of a long name, or free.

use super::geometry::Kind;
use super::name::PART_UNITS;
use super::short_name::ShortName;
use super::{put, u16_at};

pub const SLOT_BYTES: usize = 32;
pub const SLOTS_A_SECTOR: usize = 16;
pub const DELETED: u8 = 0xe5;
pub const ATTRIBUTES_AT: usize = 11;

const READ_ONLY: u8 = 0x01;
const LABEL: u8 = 0x08;
const DIRECTORY: u8 = 0x10;
pub const ARCHIVE: u8 = 0x20;
const LONG: u8 = 0x0f;
const LAST_PART: u8 = 0x40;
/// Where the units of a part stand.
const UNITS_AT: [usize; PART_UNITS] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

/// When something was changed, as FAT writes it. The kernel has no calendar, so what it
/// writes bears the first day that FAT knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub date: u16,
    pub time: u16,
}

impl Stamp {
    /// 1980-01-01 00:00.
    pub const FIRST: Self = Self {
        date: 0x0021,
        time: 0,
    };
}

impl core::fmt::Display for Stamp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (year, month, day) = (self.date >> 9, self.date >> 5 & 0xf, self.date & 0x1f);
        let (hour, minute) = (self.time >> 11, self.time >> 5 & 0x3f);
        let year = year + 1980;
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// Neither this one nor any behind it is in use.
    End,
    Free,
    /// A label, or something that nobody knows.
    Other,
    Part(Part),
    Short(Short),
}

/// A part of a long name; the last comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    pub number: u8,
    pub is_last: bool,
    pub checksum: u8,
    pub units: [u16; PART_UNITS],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Short {
    pub name: ShortName,
    /// Are base and extension meant in small letters?
    pub lower: (bool, bool),
    pub is_directory: bool,
    pub is_read_only: bool,
    pub first: u32,
    pub size: u32,
    pub stamp: Stamp,
}

impl Slot {
    pub fn parse(bytes: &[u8; SLOT_BYTES], kind: Kind) -> Self {
        let attributes = bytes[11];
        match bytes[0] {
            0 => Self::End,
            DELETED => Self::Free,
            _ if attributes & 0x3f == LONG => Self::Part(Part::parse(bytes)),
            _ if attributes & LABEL != 0 => Self::Other,
            _ => Self::Short(Short::parse(bytes, kind)),
        }
    }
}

impl Part {
    fn parse(bytes: &[u8; SLOT_BYTES]) -> Self {
        Self {
            number: bytes[0] & 0x3f,
            is_last: bytes[0] & LAST_PART != 0,
            checksum: bytes[13],
            units: UNITS_AT.map(|at| u16_at(bytes, at)),
        }
    }

    pub fn emit(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        bytes[0] = self.number | if self.is_last { LAST_PART } else { 0 };
        bytes[11] = LONG;
        bytes[13] = self.checksum;
        for (at, unit) in UNITS_AT.iter().zip(self.units) {
            put(&mut bytes, *at, &unit.to_le_bytes());
        }
        bytes
    }
}

impl Short {
    pub const fn file(name: ShortName, first: u32, size: u32) -> Self {
        Self {
            name,
            lower: (false, false),
            is_directory: false,
            is_read_only: false,
            first,
            size,
            stamp: Stamp::FIRST,
        }
    }

    pub const fn directory(name: ShortName, first: u32) -> Self {
        Self {
            is_directory: true,
            ..Self::file(name, first, 0)
        }
    }

    fn parse(bytes: &[u8; SLOT_BYTES], kind: Kind) -> Self {
        // Without need of so large numbers some systems keep something else there.
        let upper = match kind {
            Kind::Fat32 => u16_at(bytes, 20),
            Kind::Fat12 | Kind::Fat16 => 0,
        };
        let mut name = [0; 11];
        name.copy_from_slice(&bytes[..11]);
        // The first letter of some languages would look like a free slot.
        if name[0] == 0x05 {
            name[0] = DELETED;
        }
        Self {
            name,
            lower: (bytes[12] & 0x08 != 0, bytes[12] & 0x10 != 0),
            is_directory: bytes[11] & DIRECTORY != 0,
            is_read_only: bytes[11] & READ_ONLY != 0,
            first: u32::from(upper) << 16 | u32::from(u16_at(bytes, 26)),
            size: super::u32_at(bytes, 28),
            stamp: Stamp {
                date: u16_at(bytes, 24),
                time: u16_at(bytes, 22),
            },
        }
    }

    /// An entry that is made here.
    pub fn emit(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        put(&mut bytes, 0, &self.name);
        bytes[11] = if self.is_directory {
            DIRECTORY
        } else {
            ARCHIVE
        };
        put(&mut bytes, 16, &self.stamp.date.to_le_bytes());
        put(&mut bytes, 18, &self.stamp.date.to_le_bytes());
        self.emit_contents(&mut bytes);
        bytes
    }

    /// Changes what an entry says of its contents, and nothing else.
    pub fn emit_contents(&self, bytes: &mut [u8]) {
        put(bytes, 20, &((self.first >> 16) as u16).to_le_bytes());
        put(bytes, 22, &self.stamp.time.to_le_bytes());
        put(bytes, 24, &self.stamp.date.to_le_bytes());
        put(bytes, 26, &(self.first as u16).to_le_bytes());
        put(bytes, 28, &self.size.to_le_bytes());
    }
}
