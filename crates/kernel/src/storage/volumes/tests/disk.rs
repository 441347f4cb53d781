//! Disks whose power can be cut: unflushed sectors are lost or torn.

use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskFacts, DiskOperation, SECTOR_BYTES};
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::storage::io::{IoDone, IoError, IoRequest, Memory, Submit};
use std::collections::{BTreeMap, VecDeque};
use std::vec::Vec;

const REQUESTS_MAX: usize = 24;

#[derive(Clone, Default)]
pub struct Image {
    /// What is read.
    pub bytes: Vec<u8>,
    /// What stands on the medium where that is not sure yet: all versions since the flush.
    unsure: BTreeMap<u64, Vec<[u8; SECTOR_BYTES]>>,
    pub bad_sectors: Vec<u64>,
    pub is_gone: bool,
}

#[derive(Default)]
pub struct Disks {
    pub images: Vec<Image>,
    pub waiting: VecDeque<IoRequest>,
    pub spare: Vec<Buffer>,
    pub transfer_bytes_max: usize,
    /// Writes that were carried out.
    pub writes: u64,
}

impl Image {
    pub fn new(sectors: u64) -> Self {
        Self {
            bytes: std::vec![0; sectors as usize * SECTOR_BYTES],
            ..Self::default()
        }
    }

    fn sector(&self, sector: u64) -> [u8; SECTOR_BYTES] {
        let at = sector as usize * SECTOR_BYTES;
        let mut bytes = [0; SECTOR_BYTES];
        bytes.copy_from_slice(&self.bytes[at..at + SECTOR_BYTES]);
        bytes
    }

    fn write(&mut self, first: u64, data: &[u8]) {
        for (sector, bytes) in (first..).zip(data.chunks(SECTOR_BYTES)) {
            let before = self.sector(sector);
            let versions = self.unsure.entry(sector).or_insert_with(|| [before].into());
            let mut now = [0; SECTOR_BYTES];
            now.copy_from_slice(bytes);
            versions.push(now);
            let at = sector as usize * SECTOR_BYTES;
            self.bytes[at..at + SECTOR_BYTES].copy_from_slice(bytes);
        }
    }

    /// What a disk has after the power came back: of every sector that was not flushed one
    /// of its versions, each sector by itself.
    pub fn cut(&mut self, prng: &mut Prng) {
        for (sector, versions) in core::mem::take(&mut self.unsure) {
            let version = &versions[prng.below(versions.len() as u64) as usize];
            let at = sector as usize * SECTOR_BYTES;
            self.bytes[at..at + SECTOR_BYTES].copy_from_slice(version);
        }
    }
}

impl Disks {
    pub fn new(images: Vec<Image>) -> Self {
        Self {
            images,
            transfer_bytes_max: 1 << 20,
            ..Self::default()
        }
    }

    /// What the disks would have if the power went now: a write on its way may be there.
    pub fn after_cut(&self, prng: &mut Prng) -> Vec<Image> {
        let mut images = self.images.clone();
        for request in &self.waiting {
            if let (DiskOperation::Write, Some(data)) = (request.operation, &request.data) {
                let bytes = request.sectors as usize * SECTOR_BYTES;
                images[request.disk].write(request.sector, &data.bytes()[..bytes]);
            }
        }
        images.iter_mut().for_each(|image| image.cut(prng));
        images
    }

    /// Carries out one of those that wait.
    pub fn carry_out(&mut self, index: usize) -> Option<IoDone> {
        let mut request = self.waiting.remove(index)?;
        let image = &mut self.images[request.disk];
        let (first, end) = (request.sector, request.sector + request.sectors);
        if image.is_gone {
            let result = Err(IoError::Disk(DiskError::Gone));
            return Some(IoDone { request, result });
        }
        let mut bad = image.bad_sectors.iter();
        if let Some(sector) = bad.find(|bad| (first..end).contains(bad)) {
            let result = Err(IoError::Disk(DiskError::Device { sector: *sector }));
            return Some(IoDone { request, result });
        }
        let range = first as usize * SECTOR_BYTES..end as usize * SECTOR_BYTES;
        match (request.operation, request.data.as_mut()) {
            (DiskOperation::Read, Some(data)) => {
                data.bytes_mut()[..range.len()].copy_from_slice(&image.bytes[range]);
            }
            (DiskOperation::Write, Some(data)) => {
                self.writes += 1;
                image.write(first, &data.bytes()[..range.len()]);
            }
            (DiskOperation::Flush, _) => image.unsure.clear(),
            _ => panic!("the volumes ask for reads, writes and flushes only"),
        }
        Some(IoDone {
            request,
            result: Ok(()),
        })
    }
}

impl Submit for Disks {
    fn facts(&self, disk: usize) -> Option<DiskFacts> {
        let sectors = (self.images.get(disk)?.bytes.len() / SECTOR_BYTES) as u64;
        Some(DiskFacts {
            name: "disk0",
            sectors,
            is_read_only: false,
            has_write_cache: true,
            can_discard: false,
            can_write_zeroes: false,
            requests_max: REQUESTS_MAX,
            pieces_max: 1,
            transfer_bytes_max: self.transfer_bytes_max,
            starts: 1,
        })
    }

    fn space(&self, _: usize) -> usize {
        REQUESTS_MAX - self.waiting.len()
    }

    fn submit(&mut self, _: Instant, request: IoRequest) -> Result<(), (IoError, IoRequest)> {
        assert!(self.waiting.len() < REQUESTS_MAX, "space was not looked at");
        let facts = self.facts(request.disk).expect("there is such a disk");
        assert!(request.sector + request.sectors <= facts.sectors);
        assert!(request.sectors as usize * SECTOR_BYTES <= self.transfer_bytes_max);
        self.waiting.push_back(request);
        Ok(())
    }
}

impl Memory for Disks {
    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer> {
        let fits = |buffer: &Buffer| buffer.capacity() == bytes;
        match self.spare.iter().position(fits) {
            Some(at) => Some(self.spare.swap_remove(at)),
            None => Some(Buffer::new(std::vec![0xa5; bytes].leak(), 0)),
        }
    }
}
