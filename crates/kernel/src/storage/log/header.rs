//! A batch on the disk: its header, and its records with a checksum each.

use super::area::{Area, NUMBER_MAX, Place};
use super::bytes::{Emitter, u32_at, u64_at};
use crate::base::crc32c::{crc32c, extend};
use crate::base::disk::SECTOR_BYTES;

const MAGIC: &[u8; 8] = b"rayosbat";
pub const HEADER_BYTES: usize = 76;
const CHECKED_BYTES: usize = HEADER_BYTES - 4;
/// Before each record: its length and its checksum.
pub const FRAME_BYTES: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Random number of the log, so that the remains of another are not taken for its own.
    pub identity: u64,
    /// Grows whenever numbers are given out a second time.
    pub epoch: u64,
    pub number: u64,
    pub position: u64,
    /// Of the first record.
    pub lsn: u64,
    /// All batches before this one were on the disk when it was written.
    pub synced: u64,
    /// The checksum of the batch before.
    pub link: u32,
    pub records: u32,
    /// Header and records, without the rest of the last sector.
    pub bytes: u32,
    /// Of the lengths and checksums of its records.
    pub frames: u32,
    /// Of the header itself.
    pub checksum: u32,
}

impl Header {
    /// What is no whole header is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(MAGIC) {
            return None;
        }
        let checksum = u32_at(bytes, CHECKED_BYTES)?;
        if crc32c(bytes.get(..CHECKED_BYTES)?) != checksum {
            return None;
        }
        let header = Self {
            identity: u64_at(bytes, 8)?,
            epoch: u64_at(bytes, 16)?,
            number: u64_at(bytes, 24)?,
            position: u64_at(bytes, 32)?,
            lsn: u64_at(bytes, 40)?,
            synced: u64_at(bytes, 48)?,
            link: u32_at(bytes, 56)?,
            records: u32_at(bytes, 60)?,
            bytes: u32_at(bytes, 64)?,
            frames: u32_at(bytes, 68)?,
            checksum,
        };
        header.is_sane().then_some(header)
    }

    fn is_sane(&self) -> bool {
        let numbers = [
            self.number,
            self.position,
            self.lsn,
            self.synced,
            self.epoch,
        ];
        let least = HEADER_BYTES as u64 + u64::from(self.records) * FRAME_BYTES as u64;
        numbers.into_iter().all(|number| number < NUMBER_MAX)
            && self.number > 0
            && self.lsn > 0
            && u64::from(self.bytes) >= least
    }

    /// Puts it into the first bytes of a batch; says its checksum.
    pub fn emit(&self, bytes: &mut [u8]) -> u32 {
        let mut emitter = Emitter::new(bytes);
        emitter.put(MAGIC).u64(self.identity).u64(self.epoch);
        emitter.u64(self.number).u64(self.position);
        emitter.u64(self.lsn).u64(self.synced).u32(self.link);
        emitter.u32(self.records).u32(self.bytes).u32(self.frames);
        let checksum = crc32c(emitter.written());
        emitter.u32(checksum);
        checksum
    }

    pub const fn sectors(&self) -> u64 {
        (self.bytes as u64).div_ceil(SECTOR_BYTES as u64)
    }

    /// Where the batch behind it begins.
    pub const fn after(&self, area: &Area) -> Place {
        Place {
            number: self.number + 1,
            position: area.begin(self.position + self.sectors()),
            lsn: self.lsn + self.records as u64,
            link: self.checksum,
        }
    }

    /// Every record with its number; `Err` with the number of the first that is not whole.
    pub fn records<'a>(
        &self,
        batch: &'a [u8],
        mut visit: impl FnMut(u64, &'a [u8]),
    ) -> Result<(), BadRecord> {
        let mut at = HEADER_BYTES;
        let mut frames = 0;
        for index in 0..u64::from(self.records) {
            let lsn = self.lsn + index;
            let bad = BadRecord { lsn, at };
            let (length, checksum) = u32_at(batch, at).zip(u32_at(batch, at + 4)).ok_or(bad)?;
            let end = (at + FRAME_BYTES).checked_add(length as usize).ok_or(bad)?;
            let bytes = batch.get(at + FRAME_BYTES..end).ok_or(bad)?;
            if end > self.bytes as usize || record_checksum(self, lsn, bytes) != checksum {
                return Err(bad);
            }
            frames = extend(frames, &batch[at..at + FRAME_BYTES]);
            visit(lsn, bytes);
            at = end;
        }
        match frames == self.frames && at == self.bytes as usize {
            true => Ok(()),
            false => Err(BadRecord { lsn: self.lsn, at }),
        }
    }
}

/// The first record of a batch that is not as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadRecord {
    pub lsn: u64,
    /// Byte of the batch.
    pub at: usize,
}

/// Of a record and of all that tells it from others: the same bytes elsewhere do not pass.
pub fn record_checksum(header: &Header, lsn: u64, bytes: &[u8]) -> u32 {
    let mut prefix = [0; 32];
    let mut emitter = Emitter::new(&mut prefix);
    emitter.u64(header.identity).u64(header.epoch).u64(lsn);
    emitter.u64(bytes.len() as u64);
    extend(crc32c(&prefix), bytes)
}
