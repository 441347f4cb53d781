//! One PCI function: what it says it is, and the switches that each of them has.

use super::address::Address;
use super::config::ConfigSpace;

pub const COMMAND: u8 = 0x04;
pub const STATUS: u8 = 0x06;
const CLASS: u8 = 0x08;
const HEADER: u8 = 0x0c;
const SUBSYSTEM: u8 = 0x2c;
const INTERRUPT: u8 = 0x3c;

const VIRTIO: u16 = 0x1af4;

pub const COMMAND_MEMORY: u16 = 1 << 1;
pub const COMMAND_MASTER: u16 = 1 << 2;
pub const COMMAND_NO_LINE: u16 = 1 << 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    Device,
    /// A bridge with a bus behind it.
    Bridge,
    Other(u8),
}

/// Read once, when it was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    pub address: Address,
    pub vendor: u16,
    pub device: u16,
    pub class: u8,
    pub subclass: u8,
    pub interface: u8,
    pub header: Header,
    pub has_more_functions: bool,
    /// For virtio's transitional devices, their kind; not read from others.
    pub subsystem: u16,
}

impl Function {
    /// `None` when nothing answers at the address.
    pub fn read(config: &dyn ConfigSpace, address: Address) -> Option<Self> {
        let identity = config.read_u32(address, 0);
        let (vendor, device) = (identity as u16, (identity >> 16) as u16);
        // A slot that is empty reads as ones; some old bridges answer with zeroes.
        if vendor == u16::MAX || vendor == 0 {
            return None;
        }
        let class = config.read_u32(address, CLASS);
        let header = config.read_u8(address, HEADER + 2);
        let kind = match header & 0x7f {
            0 => Header::Device,
            1 => Header::Bridge,
            other => Header::Other(other),
        };
        let subsystem = match kind {
            Header::Device if vendor == VIRTIO => config.read_u16(address, SUBSYSTEM + 2),
            _ => 0,
        };
        Some(Self {
            address,
            vendor,
            device,
            class: (class >> 24) as u8,
            subclass: (class >> 16) as u8,
            interface: (class >> 8) as u8,
            header: kind,
            has_more_functions: header & 0x80 != 0,
            subsystem,
        })
    }

    /// The kind of virtio device that it is (virtio 1.2, 4.1.2).
    pub const fn virtio_kind(&self) -> Option<u16> {
        match (self.vendor, self.device) {
            (VIRTIO, 0x1000..=0x103f) => Some(self.subsystem),
            (VIRTIO, 0x1040..=0x107f) => Some(self.device - 0x1040),
            _ => None,
        }
    }

    /// The legacy interrupt that the firmware has chosen for it, if it pulls a line.
    pub fn interrupt_line(&self, config: &dyn ConfigSpace) -> Option<u8> {
        let word = config.read_u32(self.address, INTERRUPT);
        let (line, pin) = (word as u8, (word >> 8) as u8);
        (pin != 0 && (1..16).contains(&line)).then_some(line)
    }

    /// Switches bits of its command register on and off, where they are not so yet: a
    /// change costs a virtual machine a new map of its memory.
    pub fn command(&self, config: &dyn ConfigSpace, on: u16, off: u16) {
        let before = config.read_u16(self.address, COMMAND);
        let command = before & !off | on;
        if command != before {
            config.write_u16(self.address, COMMAND, command);
        }
    }

    /// Is what answers at the address still the same?
    pub fn is_there(&self, config: &dyn ConfigSpace) -> bool {
        let identity = u32::from(self.device) << 16 | u32::from(self.vendor);
        config.read_u32(self.address, 0) == identity
    }
}
