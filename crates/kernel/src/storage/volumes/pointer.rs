//! Where a block is, what its bytes give, and which transaction wrote it.

use crate::base::disk::SECTOR_BYTES;

pub const BLOCK_BYTES: usize = 4096;
pub const BLOCK_SECTORS: u64 = (BLOCK_BYTES / SECTOR_BYTES) as u64;
pub const POINTER_BYTES: usize = 16;

/// An entry of a map page, or the root of a tree.
///
/// The checksum stands with the pointer and not with the block, so that a write that
/// the disk lost or put elsewhere is noticed, too: what stands there then has a good
/// checksum of its own, but not this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pointer {
    pub block: u32,
    /// CRC-32C of the block.
    pub crc: u32,
    /// The transaction that wrote it.
    pub birth: u64,
}

impl Pointer {
    /// Nothing was written: it reads as zeroes. Block 0 is the pool's header.
    pub const NONE: Self = Self {
        block: 0,
        crc: 0,
        birth: 0,
    };

    pub const fn is_none(&self) -> bool {
        self.block == 0
    }

    pub fn parse(bytes: &[u8; POINTER_BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, birth @ ..] = *bytes;
        Self {
            block: u32::from_le_bytes([a, b, c, d]),
            crc: u32::from_le_bytes([e, f, g, h]),
            birth: u64::from_le_bytes(birth),
        }
    }

    pub fn emit(&self) -> [u8; POINTER_BYTES] {
        let mut bytes = [0; POINTER_BYTES];
        bytes[..4].copy_from_slice(&self.block.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.crc.to_le_bytes());
        bytes[8..].copy_from_slice(&self.birth.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_comes_back_as_it_went() {
        let pointer = Pointer {
            block: 0x0102_0304,
            crc: 0xdead_beef,
            birth: 0x1122_3344_5566_7788,
        };
        let bytes = pointer.emit();
        assert_eq!(bytes[..5], [4, 3, 2, 1, 0xef]);
        assert_eq!(Pointer::parse(&bytes), pointer);
        assert!(Pointer::parse(&[0; POINTER_BYTES]).is_none());
    }
}
