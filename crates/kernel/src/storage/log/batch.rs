//! The batch that is being filled.

use super::area::Place;
use super::bytes::{Emitter, u32_at};
use super::header::{FRAME_BYTES, HEADER_BYTES, Header, record_checksum};
use crate::base::buffer::Buffer;
use crate::base::crc32c::extend;
use crate::base::disk::SECTOR_BYTES;

pub struct Batch {
    pub buffer: Buffer,
    /// Number of the first record.
    pub lsn: u64,
    pub records: u32,
    pub bytes: usize,
}

impl Batch {
    pub const fn new(buffer: Buffer, lsn: u64) -> Self {
        Self {
            buffer,
            lsn,
            records: 0,
            bytes: HEADER_BYTES,
        }
    }

    /// The number that the next record gets.
    pub const fn next_lsn(&self) -> u64 {
        self.lsn + self.records as u64
    }

    pub const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Sectors that it takes with that many bytes more.
    pub const fn sectors_with(&self, record_bytes: usize) -> u64 {
        (self.bytes + FRAME_BYTES + record_bytes).div_ceil(SECTOR_BYTES) as u64
    }

    /// The caller has looked that there is room.
    pub fn push(&mut self, record: &[u8]) {
        let mut emitter = Emitter::new(&mut self.buffer.bytes_mut()[self.bytes..]);
        emitter.u32(record.len() as u32).u32(0).put(record);
        self.bytes += FRAME_BYTES + record.len();
        self.records += 1;
    }

    /// Drops the records behind that one.
    pub fn cut(&mut self, through: u64) {
        let keep = (through + 1).saturating_sub(self.lsn);
        let keep = u32::try_from(keep).unwrap_or(u32::MAX).min(self.records);
        let mut at = HEADER_BYTES;
        for _ in 0..keep {
            at += FRAME_BYTES + self.length_at(at);
        }
        self.records = keep;
        self.bytes = at;
    }

    fn length_at(&self, at: usize) -> usize {
        u32_at(self.buffer.bytes(), at).map_or(0, |length| length as usize)
    }

    /// Makes it ready to be written at that place.
    pub fn seal(&mut self, identity: u64, epoch: u64, at: Place, synced: u64) -> Header {
        let mut header = Header {
            identity,
            epoch,
            number: at.number,
            position: at.position,
            lsn: self.lsn,
            synced,
            link: at.link,
            records: self.records,
            bytes: self.bytes as u32,
            frames: 0,
            checksum: 0,
        };
        let mut from = HEADER_BYTES;
        for index in 0..u64::from(self.records) {
            let (front, end) = (
                from + FRAME_BYTES,
                from + FRAME_BYTES + self.length_at(from),
            );
            let bytes = self.buffer.bytes_mut();
            let checksum = record_checksum(&header, self.lsn + index, &bytes[front..end]);
            bytes[from + 4..front].copy_from_slice(&checksum.to_le_bytes());
            header.frames = extend(header.frames, &bytes[from..front]);
            from = end;
        }
        let bytes = self.buffer.bytes_mut();
        header.checksum = header.emit(bytes);
        let end = header.sectors() as usize * SECTOR_BYTES;
        bytes[self.bytes..end].fill(0);
        header
    }
}
