//! Disks in memory for tests; they answer when they are told to.

use super::io::{IoDone, IoError, IoRequest, Memory, Submit};
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskFacts, DiskOperation, SECTOR_BYTES};
use crate::base::time::Instant;
use crate::limits::IO_REQUESTS_MAX;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

#[derive(Default)]
pub struct Rig {
    pub disks: Vec<Vec<u8>>,
    pub waiting: VecDeque<IoRequest>,
    /// Requests to these sectors fail.
    pub bad_sectors: Vec<u64>,
    /// Nothing needs a flush.
    pub has_no_cache: bool,
    /// What was carried out, in order.
    pub done: Vec<(DiskOperation, u64, u64)>,
}

impl Rig {
    /// Disks of so many sectors each.
    pub fn new(sectors: &[u64]) -> Self {
        let disk = |sectors: &u64| vec![0; *sectors as usize * SECTOR_BYTES];
        Self {
            disks: sectors.iter().map(disk).collect(),
            ..Self::default()
        }
    }

    /// Carries out the oldest request.
    pub fn answer(&mut self) -> Option<IoDone> {
        let request = self.waiting.pop_front()?;
        Some(self.carry_out(request))
    }

    pub fn carry_out(&mut self, mut request: IoRequest) -> IoDone {
        let (first, end) = (request.sector, request.sector + request.sectors);
        self.done.push((request.operation, first, request.sectors));
        if let Some(sector) = self
            .bad_sectors
            .iter()
            .find(|bad| (first..end).contains(bad))
        {
            let result = Err(IoError::Disk(DiskError::Device { sector: *sector }));
            return IoDone { request, result };
        }
        let range = first as usize * SECTOR_BYTES..end as usize * SECTOR_BYTES;
        let disk = &mut self.disks[request.disk];
        match (request.operation, request.data.as_mut()) {
            (DiskOperation::Read, Some(data)) => {
                data.bytes_mut()[..range.len()].copy_from_slice(&disk[range]);
            }
            (DiskOperation::Write, Some(data)) => {
                let length = range.len();
                disk[range].copy_from_slice(&data.bytes()[..length]);
            }
            (DiskOperation::WriteZeroes | DiskOperation::Discard, _) => disk[range].fill(0),
            _ => {}
        }
        IoDone {
            request,
            result: Ok(()),
        }
    }
}

impl Submit for Rig {
    fn facts(&self, disk: usize) -> Option<DiskFacts> {
        let sectors = (self.disks.get(disk)?.len() / SECTOR_BYTES) as u64;
        Some(DiskFacts {
            name: "disk0",
            sectors,
            is_read_only: false,
            has_write_cache: !self.has_no_cache,
            can_discard: true,
            can_write_zeroes: true,
            requests_max: 64,
            pieces_max: 1,
            transfer_bytes_max: 1 << 20,
            starts: 1,
        })
    }

    fn space(&self, _: usize) -> usize {
        IO_REQUESTS_MAX - self.waiting.len()
    }

    fn submit(&mut self, _: Instant, request: IoRequest) -> Result<(), (IoError, IoRequest)> {
        let Some(facts) = self.facts(request.disk) else {
            return Err((IoError::NoDisk, request));
        };
        if self.waiting.len() == IO_REQUESTS_MAX {
            return Err((IoError::Full, request));
        }
        if request.sector + request.sectors > facts.sectors {
            let sector = request.sector;
            return Err((IoError::Disk(DiskError::OutOfRange { sector }), request));
        }
        self.waiting.push_back(request);
        Ok(())
    }
}

impl Memory for Rig {
    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer> {
        Some(Buffer::new(vec![0xa5; bytes].leak(), 0))
    }
}
