//! The directory of a volume with keys: which key stands where.
//!
//! A key's hash names a bucket; it stands in that one or in the next few. Where it stands
//! says where its bytes are, in one of two places by turns: the new value is written beside
//! the old one, and the entry goes over to it in one step.

use super::error::VolumeError;
use super::pointer::BLOCK_BYTES;
use crate::base::crc32c::crc32c;
use crate::base::fixed::Text;
use crate::limits::VOLUME_KEY_MAX;

pub type Key = Text<VOLUME_KEY_MAX>;

/// Blocks of the directory.
pub const BUCKETS: u64 = 960;
/// Buckets in which a key may stand.
pub const BUCKETS_A_KEY: usize = 4;
const ENTRY_BYTES: usize = 128;
/// The first place has the block's mark.
pub const ENTRIES_A_BUCKET: usize = BLOCK_BYTES / ENTRY_BYTES - 1;
/// The first block of values.
pub const VALUES_AT: u64 = 1 << 16;
/// Blocks of one value at most: 256 MiB.
pub const VALUE_BLOCKS: u64 = 1 << 16;
/// Blocks of a volume with keys; most are never there.
pub const KEYED_BLOCKS: u64 = VALUES_AT + BUCKETS * ENTRIES_A_BUCKET as u64 * 2 * VALUE_BLOCKS;
const MARK: &[u8; 8] = b"RAYKEYS1";

const _: () = assert!(KEYED_BLOCKS <= 252 * 252 * 252 * 252);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Its first value is being written.
    Unfinished,
    Complete,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub state: State,
    /// Which of its two places has the value.
    pub is_second: bool,
    pub bytes: u64,
    pub key: Key,
}

/// Where in the directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    pub bucket: u64,
    pub index: usize,
}

impl Spot {
    /// The first block of one of its two places.
    pub const fn value_at(&self, is_second: bool) -> u64 {
        let number = self.bucket * ENTRIES_A_BUCKET as u64 + self.index as u64;
        VALUES_AT + (2 * number + is_second as u64) * VALUE_BLOCKS
    }
}

/// The first bucket of a key.
pub fn bucket_of(key: &str) -> u64 {
    u64::from(crc32c(key.as_bytes())) % (BUCKETS - BUCKETS_A_KEY as u64 + 1)
}

/// The entries of a bucket; `None` where there is none.
pub fn entry(block: &[u8], bucket: u64, index: usize) -> Result<Option<Entry>, VolumeError> {
    let damaged = VolumeError::DirectoryDamaged { block: bucket };
    let at = (index + 1) * ENTRY_BYTES;
    let bytes = block.get(at..at + ENTRY_BYTES).ok_or(damaged.clone())?;
    let state = match bytes[0] {
        0 => return Ok(None),
        1 => State::Unfinished,
        2 => State::Complete,
        _ => return Err(damaged),
    };
    let length = bytes
        .get(8..)
        .and_then(|rest| rest.first_chunk())
        .map(|it| u64::from_le_bytes(*it));
    let key = bytes.get(16..16 + usize::from(bytes[2]));
    let key = key.and_then(|key| core::str::from_utf8(key).ok());
    let most = VALUE_BLOCKS * BLOCK_BYTES as u64;
    match (length.filter(|length| *length <= most), key) {
        (Some(bytes_of), Some(key)) if is_key(key) && block.starts_with(MARK) && bytes[1] < 2 => {
            Ok(Some(Entry {
                state,
                is_second: bytes[1] == 1,
                bytes: bytes_of,
                key: Key::cut_from(key),
            }))
        }
        _ => Err(damaged),
    }
}

pub fn set_entry(block: &mut [u8], index: usize, entry: Option<&Entry>) {
    block[..MARK.len()].copy_from_slice(MARK);
    let at = (index + 1) * ENTRY_BYTES;
    let bytes = &mut block[at..at + ENTRY_BYTES];
    bytes.fill(0);
    let Some(entry) = entry else { return };
    bytes[0] = match entry.state {
        State::Unfinished => 1,
        State::Complete => 2,
    };
    bytes[1] = u8::from(entry.is_second);
    bytes[2] = entry.key.len() as u8;
    bytes[8..16].copy_from_slice(&entry.bytes.to_le_bytes());
    bytes[16..16 + entry.key.len()].copy_from_slice(entry.key.as_bytes());
}

pub fn is_key(key: &str) -> bool {
    (1..=VOLUME_KEY_MAX).contains(&key.len()) && !key.contains(char::is_control)
}

/// Where a key stands, and the first free spot of its buckets.
#[derive(Default)]
pub struct Found {
    pub entry: Option<(Spot, Entry)>,
    pub free: Option<Spot>,
}

/// Looks for a key in its buckets.
pub fn find(blocks: &[u8], first: u64, key: &str) -> Result<Found, VolumeError> {
    let mut all = Found::default();
    for (block, bucket) in blocks.chunks(BLOCK_BYTES).zip(first..) {
        for index in 0..ENTRIES_A_BUCKET {
            let spot = Spot { bucket, index };
            match entry(block, bucket, index)? {
                Some(found) if found.key.as_str() == key => {
                    all.entry = Some((spot, found));
                    return Ok(all);
                }
                Some(_) => {}
                None => all.free = all.free.or(Some(spot)),
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn an_entry_comes_back_and_what_cannot_be_is_refused() {
        let mut block = vec![0; BLOCK_BYTES];
        assert_eq!(entry(&block, 7, 3), Ok(None));
        let own = Entry {
            state: State::Complete,
            is_second: true,
            bytes: 12_345,
            key: Key::cut_from("a/b"),
        };
        set_entry(&mut block, 30, Some(&own));
        assert_eq!(entry(&block, 7, 30), Ok(Some(own.clone())));
        let at = 31 * ENTRY_BYTES;
        for (offset, value) in [
            (0, 3),
            (1, 2),
            (2, 0),
            (2, 65),
            (15, 9),
            (16, 0xff),
            (16, 7),
        ] {
            let mut bad = block.clone();
            bad[at + offset] = value;
            let error = VolumeError::DirectoryDamaged { block: 7 };
            assert_eq!(entry(&bad, 7, 30), Err(error), "{offset}");
        }
        set_entry(&mut block, 30, None);
        assert_eq!(entry(&block, 7, 30), Ok(None));
    }

    #[test]
    fn no_two_values_stand_in_the_same_place() {
        let spot = |bucket, index| Spot { bucket, index };
        let last = spot(BUCKETS - 1, ENTRIES_A_BUCKET - 1);
        assert_eq!(last.value_at(true) + VALUE_BLOCKS, KEYED_BLOCKS);
        assert_eq!(
            spot(0, 0).value_at(true),
            spot(0, 0).value_at(false) + VALUE_BLOCKS
        );
        assert_eq!(
            spot(1, 0).value_at(false),
            spot(0, 30).value_at(true) + VALUE_BLOCKS
        );
        for key in ["a", "b", "another"] {
            assert!(bucket_of(key) + BUCKETS_A_KEY as u64 <= BUCKETS);
        }
    }
}
