//! The first block of a member: which pool it is of, and which of its members.

use super::pointer::BLOCK_BYTES;
use crate::base::crc32c::crc32c;

const MAGIC: &[u8; 8] = b"RAYPOOL1";
/// Bytes that say something; behind them stands their checksum.
const SAID: usize = 22;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub pool: u64,
    pub blocks: u32,
    pub member: u8,
    pub members: u8,
}

impl Header {
    /// `None`: nobody wrote it, or it was damaged.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let said = bytes.get(..SAID)?;
        let crc = bytes.get(SAID..)?.first_chunk()?;
        if !said.starts_with(MAGIC) || crc32c(said) != u32::from_le_bytes(*crc) {
            return None;
        }
        let pool = said.get(8..)?.first_chunk()?;
        let blocks = said.get(16..)?.first_chunk()?;
        Some(Self {
            pool: u64::from_le_bytes(*pool),
            blocks: u32::from_le_bytes(*blocks),
            member: *said.get(20)?,
            members: *said.get(21)?,
        })
    }

    pub fn emit(&self, bytes: &mut [u8]) {
        let bytes = &mut bytes[..BLOCK_BYTES];
        bytes.fill(0);
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.pool.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.blocks.to_le_bytes());
        bytes[20] = self.member;
        bytes[21] = self.members;
        let crc = crc32c(&bytes[..SAID]);
        bytes[SAID..SAID + 4].copy_from_slice(&crc.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_and_a_damaged_one_does_not() {
        let header = Header {
            pool: 0x1234_5678_9abc_def0,
            blocks: 77,
            member: 1,
            members: 3,
        };
        let mut bytes = [0xa5; BLOCK_BYTES];
        header.emit(&mut bytes);
        assert_eq!(Header::parse(&bytes), Some(header));
        for at in 0..SAID + 4 {
            bytes[at] ^= 1;
            assert_eq!(Header::parse(&bytes), None, "{at}");
            bytes[at] ^= 1;
        }
        assert_eq!(Header::parse(&bytes[..SAID + 3]), None);
    }
}
