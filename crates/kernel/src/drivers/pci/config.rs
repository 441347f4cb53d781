//! Configuration space: 4 KiB of registers a function, by memory or by ports.

use super::address::Address;
use crate::base::registers::Registers;
use alloc::sync::Arc;

/// Registers that somebody mapped and that more than one may hold.
pub type SharedRegisters = Arc<dyn Registers + Send + Sync>;

/// Access to the functions' own registers. A function that is not there reads as ones.
///
/// Offsets are multiples of the access and below 256, which every way reaches.
pub trait ConfigSpace: Send {
    /// The last bus that can be reached.
    fn last_bus(&self) -> u8;
    fn read_u32(&self, address: Address, offset: u8) -> u32;
    fn write_u32(&self, address: Address, offset: u8, value: u32);
    fn write_u16(&self, address: Address, offset: u8, value: u16);

    fn read_u16(&self, address: Address, offset: u8) -> u16 {
        let word = self.read_u32(address, offset & !3);
        (word >> (8 * u32::from(offset & 2))) as u16
    }

    fn read_u8(&self, address: Address, offset: u8) -> u8 {
        let word = self.read_u32(address, offset & !3);
        (word >> (8 * u32::from(offset & 3))) as u8
    }
}

/// Configuration space in memory (PCI Express 5.0, 7.2.2).
pub struct Ecam {
    registers: SharedRegisters,
    first_bus: u8,
    last_bus: u8,
}

/// Bytes of a bus.
pub const BUS_BYTES: usize = 1 << 20;
const FUNCTION_BYTES: usize = 4096;

impl Ecam {
    /// `registers` begin with the first bus.
    pub fn new(registers: SharedRegisters, first_bus: u8, last_bus: u8) -> Self {
        Self {
            registers,
            first_bus,
            last_bus,
        }
    }

    fn offset(&self, address: Address, offset: u8) -> usize {
        match (self.first_bus..=self.last_bus).contains(&address.bus()) {
            true => {
                let first = usize::from(self.first_bus) * BUS_BYTES;
                address.index() * FUNCTION_BYTES - first + usize::from(offset)
            }
            // Outside of the registers: ones.
            false => usize::MAX - 7,
        }
    }
}

impl ConfigSpace for Ecam {
    fn last_bus(&self) -> u8 {
        self.last_bus
    }

    fn read_u32(&self, address: Address, offset: u8) -> u32 {
        self.registers.read_u32(self.offset(address, offset))
    }

    fn write_u32(&self, address: Address, offset: u8, value: u32) {
        self.registers
            .write_u32(self.offset(address, offset), value);
    }

    fn write_u16(&self, address: Address, offset: u8, value: u16) {
        self.registers
            .write_u16(self.offset(address, offset), value);
    }
}
