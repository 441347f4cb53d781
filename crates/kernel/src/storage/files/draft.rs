//! The exchange partition of a disk that is being laid out: a fresh volume.

use crate::base::disk::SECTOR_BYTES;
use crate::storage::fat::Format;
use crate::storage::layout::Draft;
use crate::storage::region::Region;

const LABEL: &[u8; 11] = b"RAYOS      ";

/// What is still to be written of it.
pub struct FreshVolume {
    format: Option<Format>,
    next: u64,
}

impl FreshVolume {
    /// For a region of some size; one that suits no volume stays as it is.
    pub fn new(region: &Region, serial: u32) -> Self {
        Self {
            format: Format::new(region.sectors, region.first, serial, LABEL),
            next: 0,
        }
    }
}

impl Draft for FreshVolume {
    fn next(&mut self, buffer: &mut [u8]) -> Option<(u64, u64)> {
        let format = self.format.as_ref()?;
        let first = self.next;
        let (places, _) = buffer.as_chunks_mut::<SECTOR_BYTES>();
        for place in places {
            if self.next == format.written() {
                break;
            }
            format.fill(self.next, place);
            self.next += 1;
        }
        (self.next > first).then_some((first, self.next - first))
    }
}
