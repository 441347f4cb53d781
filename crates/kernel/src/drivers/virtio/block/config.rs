//! What a virtio disk says of itself (virtio 1.2, 5.2.4), checked once.

use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskFacts, DiskOperation, DiskRequest, Payload, SECTOR_BYTES};
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::transport::{Transport, read_config};
use crate::limits::{BLOCK_REQUEST_BYTES_MAX, IO_PIECES_MAX};

const SIZE_MAX: u64 = 1 << 1;
const SEGMENTS_MAX: u64 = 1 << 2;
const READ_ONLY: u64 = 1 << 5;
const BLOCK_SIZE: u64 = 1 << 6;
const FLUSH: u64 = 1 << 9;
const DISCARD: u64 = 1 << 13;
const WRITE_ZEROES: u64 = 1 << 14;
pub const WANTED: u64 =
    SIZE_MAX | SEGMENTS_MAX | READ_ONLY | BLOCK_SIZE | FLUSH | DISCARD | WRITE_ZEROES;

const CAPACITY_AT: usize = 0;
const SIZE_MAX_AT: usize = 8;
const SEGMENTS_MAX_AT: usize = 12;
const BLOCK_SIZE_AT: usize = 20;
const DISCARD_SECTORS_AT: usize = 36;
const DISCARD_ALIGNMENT_AT: usize = 44;
const ZERO_SECTORS_AT: usize = 48;
const CAPACITY_BYTES: usize = 8;
const BLOCK_BYTES_MAX: u32 = 64 << 10;
/// More bytes than can be counted in 63 bits are no disk.
const SECTORS_MAX: u64 = i64::MAX as u64 / SECTOR_BYTES as u64;

#[derive(Clone, Copy, Default)]
pub struct Config {
    features: u64,
    sectors: u64,
    /// Sectors of the device's own unit.
    block_sectors: u64,
    transfer_sectors_max: u64,
    /// Bytes of one piece, and pieces of one request.
    piece_bytes_max: u64,
    pieces_max: usize,
    discard_sectors_max: u64,
    discard_alignment: u64,
    zero_sectors_max: u64,
}

impl Config {
    pub fn read(transport: &mut dyn Transport, features: u64) -> Result<Self, DeviceLie> {
        let sectors = read_capacity(transport)?;
        let mut config = Self {
            features,
            sectors,
            block_sectors: 1,
            transfer_sectors_max: (BLOCK_REQUEST_BYTES_MAX / SECTOR_BYTES) as u64,
            piece_bytes_max: BLOCK_REQUEST_BYTES_MAX as u64,
            // Without a word about it a device takes one (5.2.5).
            pieces_max: 1,
            ..Self::default()
        };
        let field = |transport: &mut dyn Transport, feature, name, at| match features & feature {
            0 => Ok(0),
            _ if at + 4 > transport.config_bytes() => Err(lie(name, u64::MAX)),
            _ => read_config(transport, |transport| transport.config_u32(at)),
        };
        if features & BLOCK_SIZE != 0 {
            let bytes = field(transport, BLOCK_SIZE, "block size", BLOCK_SIZE_AT)?;
            let is_usual =
                bytes.is_power_of_two() && (SECTOR_BYTES as u32..=BLOCK_BYTES_MAX).contains(&bytes);
            if !is_usual {
                return Err(lie("block size", u64::from(bytes)));
            }
            config.block_sectors = u64::from(bytes) / SECTOR_BYTES as u64;
        }
        if features & SIZE_MAX != 0 {
            let bytes = field(transport, SIZE_MAX, "largest segment", SIZE_MAX_AT)?;
            if (bytes as usize) < SECTOR_BYTES {
                return Err(lie("largest segment", u64::from(bytes)));
            }
            config.piece_bytes_max = config.piece_bytes_max.min(u64::from(bytes));
        }
        let pieces = field(transport, SEGMENTS_MAX, "segments", SEGMENTS_MAX_AT)?;
        config.pieces_max = (pieces as usize).clamp(1, IO_PIECES_MAX);
        // One piece alone can be a whole request.
        let sectors = config.piece_bytes_max / SECTOR_BYTES as u64;
        config.transfer_sectors_max = config.transfer_sectors_max.min(sectors);
        let discard = field(transport, DISCARD, "discard length", DISCARD_SECTORS_AT)?;
        let alignment = field(
            transport,
            DISCARD,
            "discard alignment",
            DISCARD_ALIGNMENT_AT,
        )?;
        let zero = field(transport, WRITE_ZEROES, "zeroes length", ZERO_SECTORS_AT)?;
        config.discard_sectors_max = u64::from(discard);
        config.discard_alignment = u64::from(alignment).max(1);
        config.zero_sectors_max = u64::from(zero);
        Ok(config)
    }

    /// A request goes into the queue whole, with a header and a status, or never.
    pub fn fit(&mut self, queue_entries: usize) {
        self.pieces_max = self.pieces_max.min(queue_entries.saturating_sub(2)).max(1);
    }

    /// A disk can grow and shrink while it is used.
    pub fn reread_capacity(&mut self, transport: &mut dyn Transport) -> Result<(), DeviceLie> {
        self.sectors = read_capacity(transport)?;
        Ok(())
    }

    const fn has(&self, feature: u64) -> bool {
        self.features & feature != 0
    }

    /// Has it a cache that a flush empties?
    pub const fn has_flush(&self) -> bool {
        self.has(FLUSH)
    }

    pub fn facts(&self, name: &'static str, requests_max: usize, starts: u32) -> DiskFacts {
        DiskFacts {
            name,
            sectors: self.sectors,
            is_read_only: self.has(READ_ONLY),
            has_write_cache: self.has_flush(),
            can_discard: self.has(DISCARD) && self.discard_sectors_max > 0,
            can_write_zeroes: self.has(WRITE_ZEROES) && self.zero_sectors_max > 0,
            requests_max,
            pieces_max: self.pieces_max,
            transfer_bytes_max: self.transfer_sectors_max as usize * SECTOR_BYTES,
            starts,
        }
    }

    /// Can the disk do it, on sectors that it has?
    pub fn check(&self, request: &DiskRequest) -> Result<(), DiskError> {
        let is_write = request.operation != DiskOperation::Read;
        let most = match request.operation {
            DiskOperation::Flush => return Ok(()),
            DiskOperation::Read | DiskOperation::Write => self.transfer_sectors_max,
            DiskOperation::Discard => self.discard_sectors_max,
            DiskOperation::WriteZeroes => self.zero_sectors_max,
        };
        if is_write && self.has(READ_ONLY) {
            return Err(DiskError::ReadOnly);
        }
        if most == 0 {
            return Err(DiskError::Unsupported);
        }
        let unit = match request.operation {
            DiskOperation::Discard => self.discard_alignment.max(self.block_sectors),
            _ => self.block_sectors,
        };
        let end = request.sector.checked_add(request.sectors);
        let is_on_disk = end.is_some_and(|end| end <= self.sectors);
        let is_whole = request.sector.is_multiple_of(unit) && request.sectors.is_multiple_of(unit);
        let has_length = (1..=most).contains(&request.sectors);
        if !is_on_disk || !is_whole || !has_length {
            return Err(DiskError::OutOfRange {
                sector: request.sector,
            });
        }
        let is_transfer = matches!(
            request.operation,
            DiskOperation::Read | DiskOperation::Write
        );
        // The length is at most `transfer_sectors_max`, so the product fits.
        let bytes = request.sectors * SECTOR_BYTES as u64;
        match is_transfer && !self.has_room(&request.data, bytes) {
            true => Err(DiskError::OutOfRange {
                sector: request.sector,
            }),
            false => Ok(()),
        }
    }
}

impl Config {
    /// Do the pieces hold just so many bytes, and does the device take so many pieces?
    fn has_room(&self, data: &Payload, bytes: u64) -> bool {
        let room = data.bytes() as u64;
        match data {
            Payload::None => false,
            Payload::One(_) => room >= bytes,
            Payload::Many(pieces) => {
                let is_whole = |(buffer, bytes): &(Buffer, usize)| {
                    *bytes > 0
                        && *bytes <= buffer.capacity()
                        && *bytes as u64 <= self.piece_bytes_max
                };
                room == bytes && pieces.0.len() <= self.pieces_max && pieces.0.iter().all(is_whole)
            }
        }
    }
}

const fn lie(name: &'static str, value: u64) -> DeviceLie {
    DeviceLie::Field { name, value }
}

fn read_capacity(transport: &mut dyn Transport) -> Result<u64, DeviceLie> {
    if transport.config_bytes() < CAPACITY_BYTES {
        return Err(lie("configuration length", transport.config_bytes() as u64));
    }
    let sectors = read_config(transport, |transport| {
        let low = u64::from(transport.config_u32(CAPACITY_AT));
        low | u64::from(transport.config_u32(CAPACITY_AT + 4)) << 32
    })?;
    match sectors {
        1..=SECTORS_MAX => Ok(sectors),
        _ => Err(lie("capacity in sectors", sectors)),
    }
}
