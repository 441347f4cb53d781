//! Device registers in the address space: mapped once, uncached, kept.

use super::MemoryError;
use super::address_space::{AddressSpace, Protection};
use super::frames::Frames;
use super::layout::{BIG_PAGE_BYTES, DEVICES_BASE, PAGE_BYTES};
use crate::base::fixed::Vec;
use crate::limits::MMIO_RANGES_MAX;

#[derive(Clone, Copy)]
pub(super) struct Mapped {
    pub name: &'static str,
    pub physical: u64,
    pub address: u64,
    pub bytes: u64,
    pub protection: Protection,
}

pub(super) struct Devices {
    ranges: Vec<Mapped, MMIO_RANGES_MAX>,
    next: u64,
}

impl Devices {
    pub const fn new() -> Self {
        Self {
            ranges: Vec::new(),
            next: DEVICES_BASE,
        }
    }

    /// Where `physical` is seen; asking again for the same range, or a part, gives the same.
    /// What consists of big pages is mapped in such.
    pub fn map(
        &mut self,
        space: &mut AddressSpace,
        frames: &mut Frames,
        range: (u64, u64),
        name: &'static str,
        protection: Protection,
    ) -> Result<u64, MemoryError> {
        let (physical, bytes) = range;
        let first = physical / PAGE_BYTES * PAGE_BYTES;
        let length = (physical + bytes).next_multiple_of(PAGE_BYTES) - first;
        let known = self.ranges.iter().find(|known| {
            known.physical <= first
                && first + length <= known.physical + known.bytes
                && known.protection == protection
        });
        if let Some(known) = known {
            return Ok(known.address + physical - known.physical);
        }
        let is_big = first.is_multiple_of(BIG_PAGE_BYTES) && length.is_multiple_of(BIG_PAGE_BYTES);
        let address = match is_big {
            true => self.next.next_multiple_of(BIG_PAGE_BYTES),
            false => self.next,
        };
        let mapped = Mapped {
            name,
            physical: first,
            address,
            bytes: length,
            protection,
        };
        self.ranges
            .push(mapped)
            .map_err(|_| MemoryError::TableFull("device ranges"))?;
        let step = if is_big { BIG_PAGE_BYTES } else { PAGE_BYTES };
        for offset in (0..length).step_by(step as usize) {
            let (seen, place) = (address + offset, first + offset);
            match is_big {
                true => space.map_big(frames, seen, place, protection)?,
                false => space.map(frames, seen, place, protection)?,
            }
        }
        // A page between two devices stays unmapped.
        self.next = address + length + PAGE_BYTES;
        Ok(address + physical - first)
    }

    pub fn ranges(&self) -> &[Mapped] {
        &self.ranges
    }

    pub fn bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.bytes).sum()
    }
}
