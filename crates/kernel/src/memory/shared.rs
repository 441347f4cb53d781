//! Memory that a driver and its device use at the same time: rings, requests.
//!
//! The device may write at any moment, so nothing in here is ever seen as a slice:
//! every access is one atomic word, bounds-checked, in the byte order of the device.

use super::MemoryError;
use super::backing::Backing;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::*};

/// A handle; clones see the same bytes, and the last one gives the memory back.
#[derive(Clone)]
pub struct SharedMemory {
    base: usize,
    bytes: usize,
    device_address: u64,
    _backing: Arc<Backing>,
}

macro_rules! words {
    ($( $word:ident, $cell:ident, $read:ident, $write:ident; )+) => {
        $(
            #[inline]
            pub fn $read(&self, offset: usize) -> $word {
                $word::from_le(self.$word(offset).load(Relaxed))
            }

            #[inline]
            pub fn $write(&self, offset: usize, value: $word) {
                self.$word(offset).store(value.to_le(), Relaxed);
            }

            /// The word at `offset`; a place outside of the memory is a mistake of ours.
            #[inline]
            fn $word(&self, offset: usize) -> &$cell {
                let size = size_of::<$word>();
                let is_inside = offset.is_multiple_of(size)
                    && offset.checked_add(size).is_some_and(|end| end <= self.bytes);
                crate::invariant!(is_inside, "no word at {offset} of shared memory");
                // SAFETY: the word lies inside of memory that lives as long as `self` and is
                // reached by atomic words only, here and by the device; the base is a page's.
                unsafe { $cell::from_ptr((self.base + offset) as *mut $word) }
            }
        )+
    };
}

impl SharedMemory {
    /// At least `bytes`, zeroed, in one run that begins with a page.
    pub fn allocate(bytes: usize) -> Result<Self, MemoryError> {
        let backing = Backing::allocate(bytes, true)?;
        Ok(Self {
            base: backing.address(),
            bytes: backing.bytes(),
            device_address: backing.device_address(),
            _backing: Arc::new(backing),
        })
    }

    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where a device finds the first byte.
    pub const fn device_address(&self) -> u64 {
        self.device_address
    }

    words! {
        u8, AtomicU8, read_u8, write_u8;
        u16, AtomicU16, read_u16, write_u16;
        u32, AtomicU32, read_u32, write_u32;
        u64, AtomicU64, read_u64, write_u64;
    }

    /// Reads an index; what the device wrote before it is seen by later reads.
    #[inline]
    pub fn acquire_u16(&self, offset: usize) -> u16 {
        u16::from_le(self.u16(offset).load(Acquire))
    }

    /// Writes an index; the device sees all that was written before it.
    #[inline]
    pub fn release_u16(&self, offset: usize, value: u16) {
        self.u16(offset).store(value.to_le(), Release);
    }

    pub fn read_bytes(&self, offset: usize, bytes: &mut [u8]) {
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = self.read_u8(offset + index);
        }
    }

    pub fn write_bytes(&self, offset: usize, bytes: &[u8]) {
        for (index, byte) in bytes.iter().enumerate() {
            self.write_u8(offset + index, *byte);
        }
    }

    pub fn fill_with_zeroes(&self) {
        (0..self.bytes)
            .step_by(8)
            .for_each(|offset| self.write_u64(offset, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_see_the_same_bytes_in_the_devices_order() {
        let memory = SharedMemory::allocate(100).unwrap();
        let clone = memory.clone();
        memory.write_u32(4, 0x1122_3344);
        assert_eq!((clone.read_u8(4), clone.read_u16(6)), (0x44, 0x1122));
        clone.release_u16(8, 7);
        assert_eq!(memory.acquire_u16(8), 7);
        clone.fill_with_zeroes();
        assert_eq!(memory.read_u64(0), 0);
    }

    #[test]
    #[should_panic(expected = "no word at")]
    fn a_word_across_the_end_is_a_mistake() {
        let memory = SharedMemory::allocate(64).unwrap();
        memory.read_u32(memory.bytes() - 2);
    }

    #[test]
    #[should_panic(expected = "no word at")]
    fn a_crooked_word_is_a_mistake() {
        SharedMemory::allocate(64).unwrap().write_u16(3, 1);
    }
}
