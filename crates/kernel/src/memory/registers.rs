//! A device's registers in mapped memory, as drivers see them.

use super::MemoryError;
use super::owner::{is_memory, map_device};
use crate::base::registers::Registers;

/// Registers that stay mapped for the kernel's life; a copy names the same ones.
#[derive(Clone, Copy, Debug)]
pub struct DeviceRegisters {
    address: u64,
    bytes: usize,
}

impl DeviceRegisters {
    /// Maps registers at a physical address; ordinary memory is refused.
    pub fn map(physical: u64, bytes: usize, name: &'static str) -> Result<Self, MemoryError> {
        let is_reachable = physical
            .checked_add(bytes as u64)
            .is_some_and(|end| end <= physical_end());
        if bytes == 0 || !is_reachable || is_memory(physical, bytes as u64) {
            return Err(MemoryError::NoRegisters(physical));
        }
        let address = map_device(physical, bytes as u64, name)?;
        Ok(Self { address, bytes })
    }

    fn place<T>(&self, offset: usize) -> Option<*mut T> {
        let end = offset.checked_add(size_of::<T>())?;
        let address = self.address.wrapping_add(offset as u64);
        let is_inside = end <= self.bytes && address.is_multiple_of(size_of::<T>() as u64);
        is_inside.then_some(address as *mut T)
    }

    fn read<T>(&self, offset: usize, absent: T) -> T {
        match self.place::<T>(offset) {
            // SAFETY: inside of registers that are mapped uncached for good and are no
            // memory; what a device does when it is read is its driver's affair.
            Some(place) => unsafe { place.read_volatile() },
            None => absent,
        }
    }

    fn write<T>(&self, offset: usize, value: T) {
        if let Some(place) = self.place::<T>(offset) {
            // SAFETY: as for reading.
            unsafe { place.write_volatile(value) };
        }
    }
}

/// Where the processor's physical addresses end.
fn physical_end() -> u64 {
    const ADDRESS_SIZES: u32 = 0x8000_0008;
    const LARGEST: u64 = 52;
    let has_sizes = core::arch::x86_64::__cpuid(0x8000_0000).eax >= ADDRESS_SIZES;
    let bits = match has_sizes {
        true => u64::from(core::arch::x86_64::__cpuid(ADDRESS_SIZES).eax & 0xff),
        false => 36,
    };
    1 << bits.clamp(32, LARGEST)
}

impl Registers for DeviceRegisters {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn read_u8(&self, offset: usize) -> u8 {
        self.read(offset, u8::MAX)
    }

    fn read_u16(&self, offset: usize) -> u16 {
        self.read(offset, u16::MAX)
    }

    fn read_u32(&self, offset: usize) -> u32 {
        self.read(offset, u32::MAX)
    }

    fn write_u8(&self, offset: usize, value: u8) {
        self.write(offset, value);
    }

    fn write_u16(&self, offset: usize, value: u16) {
        self.write(offset, value);
    }

    fn write_u32(&self, offset: usize, value: u32) {
        self.write(offset, value);
    }
}
