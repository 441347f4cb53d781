//! A map page: which blocks a part of a volume lies in.
//!
//! Invariant: a page that passed `check` has entries inside the pool, none written later than
//! the page itself; whoever walks over checked pages ends, for levels only go down.

use super::pointer::{BLOCK_BYTES, POINTER_BYTES, Pointer};
use crate::base::crc32c::crc32c;
use core::fmt;

const HEADER_BYTES: usize = 64;
pub const ENTRIES: usize = (BLOCK_BYTES - HEADER_BYTES) / POINTER_BYTES;
/// 252 to the fourth: 15 TiB.
pub const LEVELS_MAX: u8 = 4;
const MAGIC: u32 = u32::from_le_bytes(*b"RMAP");

/// Which part of a volume a page is for. Entries of level 0 point to data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub level: u8,
    /// The first block of the volume that it is for.
    pub first: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageError {
    /// The bytes are not those that were written.
    Checksum,
    /// The bytes are what somebody wrote, but no page, or one for another place.
    Wrong,
    /// An entry names a block outside of the pool, or one of the future.
    Entry { index: usize },
}

impl Place {
    pub const fn root(levels: u8) -> Self {
        Self {
            level: levels.saturating_sub(1),
            first: 0,
        }
    }

    /// Blocks of the volume for one entry.
    pub const fn span(&self) -> u64 {
        (ENTRIES as u64).pow(self.level as u32)
    }

    /// The entry for a block of the volume; only for blocks of this page.
    pub const fn index_of(&self, block: u64) -> usize {
        (block.saturating_sub(self.first) / self.span()) as usize % ENTRIES
    }

    /// The first block of the volume of an entry.
    pub const fn first_of(&self, index: usize) -> u64 {
        self.first + index as u64 * self.span()
    }

    /// The page that an entry points to; only above level 0.
    pub const fn child(&self, index: usize) -> Self {
        Self {
            level: self.level.saturating_sub(1),
            first: self.first_of(index),
        }
    }
}

/// Levels of pages that a volume of so many blocks needs; `None` when it is too large.
pub fn levels_for(blocks: u64) -> Option<u8> {
    (1..=LEVELS_MAX).find(|levels| blocks <= (ENTRIES as u64).pow(u32::from(*levels)))
}

/// Is this the page that the pointer wants?
pub fn check(
    bytes: &[u8],
    place: Place,
    pointer: &Pointer,
    pool_blocks: u32,
) -> Result<(), PageError> {
    if bytes.len() != BLOCK_BYTES || crc32c(bytes) != pointer.crc {
        return Err(PageError::Checksum);
    }
    if bytes[..HEADER_BYTES] != header(place, pointer.birth) {
        return Err(PageError::Wrong);
    }
    let is_wrong = |index: &usize| {
        let entry = entry(bytes, *index);
        let is_inside = entry.block < pool_blocks && entry.birth <= pointer.birth;
        !is_inside || (entry.is_none() && entry != Pointer::NONE)
    };
    match (0..ENTRIES).find(is_wrong) {
        Some(index) => Err(PageError::Entry { index }),
        None => Ok(()),
    }
}

/// Makes a page without entries.
pub fn begin(bytes: &mut [u8], place: Place, birth: u64) {
    bytes.fill(0);
    set_header(bytes, place, birth);
}

pub fn set_header(bytes: &mut [u8], place: Place, birth: u64) {
    bytes[..HEADER_BYTES].copy_from_slice(&header(place, birth));
}

fn header(place: Place, birth: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&MAGIC.to_le_bytes());
    header[4] = place.level;
    header[8..16].copy_from_slice(&birth.to_le_bytes());
    header[16..24].copy_from_slice(&place.first.to_le_bytes());
    header
}

pub fn entry(bytes: &[u8], index: usize) -> Pointer {
    let (entries, _) = bytes[HEADER_BYTES..].as_chunks::<POINTER_BYTES>();
    entries.get(index).map_or(Pointer::NONE, Pointer::parse)
}

pub fn set_entry(bytes: &mut [u8], index: usize, pointer: &Pointer) {
    let (entries, _) = bytes[HEADER_BYTES..].as_chunks_mut::<POINTER_BYTES>();
    if let Some(entry) = entries.get_mut(index) {
        *entry = pointer.emit();
    }
}

pub fn is_empty(bytes: &[u8]) -> bool {
    (0..ENTRIES).all(|index| entry(bytes, index).is_none())
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum => f.write_str("its bytes are not those that were written"),
            Self::Wrong => f.write_str("it is no page of the map, or one for another place"),
            Self::Entry { index } => write!(f, "its entry {index} cannot be"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    const PLACE: Place = Place {
        level: 1,
        first: 63_504,
    };

    fn page(entry: Pointer) -> (vec::Vec<u8>, Pointer) {
        let mut bytes = vec![0xa5; BLOCK_BYTES];
        begin(&mut bytes, PLACE, 9);
        set_entry(&mut bytes, 251, &entry);
        let pointer = Pointer {
            block: 7,
            crc: crc32c(&bytes),
            birth: 9,
        };
        (bytes, pointer)
    }

    fn to(block: u32, birth: u64) -> Pointer {
        Pointer {
            block,
            crc: 1,
            birth,
        }
    }

    #[test]
    fn a_page_is_taken_only_for_its_own_place_and_time() {
        let (mut bytes, pointer) = page(to(99, 9));
        assert_eq!(check(&bytes, PLACE, &pointer, 100), Ok(()));
        assert_eq!(
            (entry(&bytes, 251), entry(&bytes, 250)),
            (to(99, 9), Pointer::NONE)
        );
        let other = Place { level: 0, ..PLACE };
        assert_eq!(check(&bytes, other, &pointer, 100), Err(PageError::Wrong));
        let older = Pointer {
            birth: 8,
            ..pointer
        };
        assert_eq!(check(&bytes, PLACE, &older, 100), Err(PageError::Wrong));
        bytes[4000] ^= 1;
        assert_eq!(
            check(&bytes, PLACE, &pointer, 100),
            Err(PageError::Checksum)
        );
    }

    #[test]
    fn an_entry_outside_of_the_pool_or_of_the_future_is_refused() {
        for bad in [to(100, 9), to(5, 10), to(0, 3)] {
            let (bytes, pointer) = page(bad);
            let index = 251;
            assert_eq!(
                check(&bytes, PLACE, &pointer, 100),
                Err(PageError::Entry { index })
            );
        }
    }

    #[test]
    fn every_block_of_a_volume_has_its_entry() {
        assert_eq!(levels_for(1), Some(1));
        assert_eq!((levels_for(252), levels_for(253)), (Some(1), Some(2)));
        assert_eq!(levels_for(u64::MAX), None);
        let root = Place::root(3);
        for block in [0, 251, 252, 63_503, 63_504, 16_003_007] {
            let mut place = root;
            while place.level > 0 {
                place = place.child(place.index_of(block));
            }
            assert_eq!(place.first_of(place.index_of(block)), block);
        }
    }
}
