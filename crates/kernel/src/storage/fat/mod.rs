//! FAT12, FAT16 and FAT32: what the sectors of a volume mean.
//!
//! Nothing here waits. Code asks for sectors through `Sectors`; one that is not at
//! hand ends the call with `Stop::Miss`, and whoever called fetches it and calls again.
//! So what only looks keeps its place in a cursor, sector by sector, and what changes
//! something is a short transaction that may be run again from its start: its changes
//! count only when it came through.
//!
//! Limits: each call looks at a bounded number of sectors and says when it has more to do.
//! Invariants: nothing of a volume is believed before it was checked; a change says
//! when it may become visible (`Stage`), so that a power cut finds whole files.

mod allocation;
mod append;
mod chain;
mod directory;
mod entry;
mod error;
mod file;
mod format;
mod geometry;
mod long_name;
mod name;
mod path;
mod publish;
mod removal;
mod short_name;
mod table;
#[cfg(test)]
mod tests;

pub use allocation::Search;
pub use append::append;
pub use chain::{Chain, Reading};
pub use directory::{Found, Item, Lookup, Walk};
pub use entry::Stamp;
pub use error::{FatError, Stop};
pub use file::{Fresh, extend};
pub use format::Format;
pub use geometry::{Geometry, Kind};
pub use name::{LongName, NAME_UNITS_MAX};
pub use path::{PathError, path_names};
pub use publish::{Entry, make_directory, publish};
pub use removal::{Freeing, remove};
pub use table::FreeCount;

use crate::base::disk::SECTOR_BYTES;

pub type Sector = [u8; SECTOR_BYTES];

/// When a change may reach the disk. Between two stages everything is made safe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// At any time: nothing refers to it yet.
    Fresh,
    /// Behind what it refers to: it makes that visible, or ends that it is.
    Visible,
    /// Behind that: what is not needed any more, or only completes it.
    After,
}

/// The sectors of a volume, counted from its first.
pub trait Sectors {
    fn read(&mut self, sector: u64) -> Result<&Sector, Stop>;

    /// To change a part of it.
    fn change(&mut self, sector: u64, stage: Stage) -> Result<&mut Sector, Stop>;

    /// To write all of it; what comes is zeroes.
    fn replace(&mut self, sector: u64, stage: Stage) -> Result<&mut Sector, Stop>;
}

/// Numbers in sectors: little-endian, at places that exist.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..at + 2) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}
