//! The sectors of a simulated disk, with those that are only in its cache.

use rayos_kernel::base::disk::{DiskOperation, DiskRequest, SECTOR_BYTES};
use rayos_kernel::base::prng::Prng;
use std::ops::Range;

#[derive(Clone)]
pub struct Store {
    /// What a reader sees.
    seen: Vec<u8>,
    /// What is there whatever happens.
    safe: Vec<u8>,
    /// Writes in their order that were not flushed: where they begin, and their bytes.
    cached: Vec<(usize, Vec<u8>)>,
}

impl Store {
    pub fn new(sectors: u64) -> Self {
        let bytes = sectors as usize * SECTOR_BYTES;
        Self {
            seen: vec![0; bytes],
            safe: vec![0; bytes],
            cached: Vec::new(),
        }
    }

    pub fn seen_mut(&mut self) -> &mut [u8] {
        &mut self.seen
    }

    pub fn safe(&self) -> &[u8] {
        &self.safe
    }

    pub fn change(&mut self, sector: u64, change: impl Fn(&mut [u8])) {
        let range = sectors(sector, 1);
        change(&mut self.seen[range.clone()]);
        change(&mut self.safe[range]);
    }

    pub fn read(&self, request: &mut DiskRequest) {
        let range = sectors(request.sector, request.sectors);
        let mut rest = &self.seen[range.clone()];
        request.data.visit_mut(range.len(), &mut |bytes| {
            let (front, behind) = rest.split_at(bytes.len());
            bytes.copy_from_slice(front);
            rest = behind;
        });
    }

    /// Writes, zeroes and discards.
    pub fn write(&mut self, request: &DiskRequest) {
        let range = sectors(request.sector, request.sectors);
        let mut written = Vec::with_capacity(range.len());
        request.data.visit(range.len(), &mut |buffer, bytes| {
            written.extend_from_slice(&buffer.bytes()[..bytes]);
        });
        if request.operation != DiskOperation::Write {
            written.clear();
        }
        written.resize(range.len(), 0);
        self.seen[range.clone()].copy_from_slice(&written);
        self.cached.push((range.start, written));
    }

    /// Turns a bit of what was just written.
    pub fn flip(&mut self, request: &DiskRequest, bit: u64) {
        let at = (bit / 8) as usize;
        let place = sectors(request.sector, request.sectors).start + at;
        self.seen[place] ^= 1 << (bit % 8);
        if let Some((_, bytes)) = self.cached.last_mut() {
            bytes[at] ^= 1 << (bit % 8);
        }
    }

    pub fn flush(&mut self) {
        for (start, bytes) in self.cached.drain(..) {
            self.safe[start..start + bytes.len()].copy_from_slice(&bytes);
        }
    }

    /// Each write that was not flushed is kept, lost or torn, and they go in any order.
    pub fn cut_power(&mut self, prng: &mut Prng, is_torn: bool) {
        let mut cached = std::mem::take(&mut self.cached);
        let touched: Vec<_> = cached
            .iter()
            .map(|(start, bytes)| *start..*start + bytes.len())
            .collect();
        while !cached.is_empty() {
            let any = prng.below(cached.len() as u64) as usize;
            let (start, bytes) = cached.swap_remove(any);
            let fate = prng.below(if is_torn { 3 } else { 2 });
            for (index, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                let is_kept = match fate {
                    0 => false,
                    1 => true,
                    _ => prng.one_in(2),
                };
                if is_kept {
                    let at = start + index * SECTOR_BYTES;
                    self.safe[at..at + sector.len()].copy_from_slice(sector);
                }
            }
        }
        for range in touched {
            self.seen[range.clone()].copy_from_slice(&self.safe[range]);
        }
    }
}

fn sectors(first: u64, count: u64) -> Range<usize> {
    first as usize * SECTOR_BYTES..(first + count) as usize * SECTOR_BYTES
}
