//! Configuration space for tests: functions made of bytes, right or wrong.

use super::address::Address;
use super::config::ConfigSpace;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

/// A function: its bytes, the sizes of its ranges, and which bits ones clear.
#[derive(Clone)]
pub struct FakeFunction {
    pub bytes: [u8; 256],
    /// Sizes of the six ranges; of a 64-bit one, the size stands at its lower half.
    pub sizes: [u64; 6],
    pub cleared_by_ones: Vec<(u8, u16)>,
}

impl FakeFunction {
    pub fn new(vendor: u16, device: u16, class: u16) -> Self {
        let mut function = Self {
            bytes: [0; 256],
            sizes: [0; 6],
            cleared_by_ones: Vec::new(),
        };
        function.set(0, u32::from(vendor) | u32::from(device) << 16);
        function.set(8, u32::from(class) << 16);
        function
    }

    pub fn set(&mut self, offset: usize, value: u32) {
        self.bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    }

    pub fn get(&self, offset: usize) -> u32 {
        let bytes = self.bytes[offset..].first_chunk();
        bytes.map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
    }

    /// Makes it a bridge to the buses `first..=last`.
    pub fn bridge(mut self, primary: u8, first: u8, last: u8) -> Self {
        self.bytes[0x0e] = 1;
        let buses = u32::from(primary) | u32::from(first) << 8 | u32::from(last) << 16;
        self.set(0x18, buses);
        self
    }

    /// Gives it a range of memory.
    pub fn range(mut self, index: usize, start: u64, bytes: u64, is_64: bool) -> Self {
        self.sizes[index] = bytes;
        let kind = if is_64 { 0b1100 } else { 0 };
        self.set(0x10 + 4 * index, start as u32 | kind);
        if is_64 {
            self.set(0x14 + 4 * index, (start >> 32) as u32);
        }
        self
    }

    /// Puts a capability in front of those that it has.
    pub fn capability(mut self, place: u8, words: &[u32]) -> Self {
        let next = u32::from(self.bytes[0x34]);
        self.bytes[0x06] |= 1 << 4;
        self.bytes[0x34] = place;
        for (index, word) in words.iter().enumerate() {
            let word = if index == 0 { word | next << 8 } else { *word };
            self.set(usize::from(place) + 4 * index, word);
        }
        self
    }

    fn write(&mut self, offset: u8, value: u32, bytes: usize) {
        let at = usize::from(offset);
        let is_device = self.bytes[0x0e] & 0x7f == 0;
        let place = at.wrapping_sub(0x10) / 4;
        let mut value = value;
        if is_device && (0x10..0x28).contains(&at) {
            let lower = place > 0 && self.get(0x0c + 4 * place) & 6 == 4;
            let (size, flags) = match lower {
                true => ((!(self.sizes[place - 1].max(1) - 1) >> 32) as u32, 0),
                false => (!(self.sizes[place].max(1) - 1) as u32, self.get(at) & 0xf),
            };
            let is_there = lower || self.sizes[place] > 0;
            value = if is_there {
                value & size & !flags | flags
            } else {
                0
            };
        }
        let old = self.get(at & !3) >> (8 * (at & 3));
        for (cleared, mask) in &self.cleared_by_ones {
            if *cleared == offset {
                let mask = u32::from(*mask);
                value = old & !mask | old & mask & !value;
            }
        }
        self.bytes[at..at + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
    }
}

#[derive(Default)]
pub struct FakeSpace {
    pub functions: BTreeMap<usize, FakeFunction>,
    /// A slot: its bridge, where its Express capability is, the bus behind it.
    pub slot: Option<(Address, u8, u8)>,
    pub reads: usize,
}

impl FakeSpace {
    /// A card is pushed into the slot.
    pub fn plug(&mut self, card: FakeFunction) {
        let Some((bridge, place, bus)) = self.slot else {
            return;
        };
        self.functions.insert(usize::from(bus) << 8, card);
        self.change_status(bridge, place, 1 << 6 | 1 << 3 | 1);
    }

    /// Somebody presses the slot's button.
    pub fn press(&mut self) {
        if let Some((bridge, place, _)) = self.slot {
            self.change_status(bridge, place, 1);
        }
    }

    /// The card is torn out.
    pub fn tear(&mut self) {
        if let Some((bridge, place, bus)) = self.slot {
            self.functions
                .retain(|index, _| index >> 8 != usize::from(bus));
            if let Some(port) = self.functions.get_mut(&bridge.index()) {
                port.bytes[usize::from(place) + 0x1a] &= !(1 << 6);
            }
            self.change_status(bridge, place, 1 << 3);
        }
    }

    fn change_status(&mut self, bridge: Address, place: u8, bits: u8) {
        if let Some(port) = self.functions.get_mut(&bridge.index()) {
            port.bytes[usize::from(place) + 0x1a] |= bits;
        }
    }

    /// As QEMU does: a card without power and light goes.
    fn after_write(&mut self, address: Address, offset: u8) {
        let Some((bridge, place, bus)) = self.slot else {
            return;
        };
        if address != bridge || offset != place + 0x18 {
            return;
        }
        let Some(port) = self.functions.get(&bridge.index()) else {
            return;
        };
        let control = port.get(usize::from(place) + 0x18) as u16;
        let is_off = control & 1 << 10 != 0 && control >> 8 & 3 == 3;
        let is_there = self.functions.contains_key(&(usize::from(bus) << 8));
        if is_off && is_there {
            self.tear();
        }
    }
}

/// A handle; clones are the same space.
#[derive(Clone, Default)]
pub struct FakeConfig(Arc<Mutex<FakeSpace>>);

impl FakeConfig {
    pub fn with(functions: impl IntoIterator<Item = (Address, FakeFunction)>) -> Self {
        let config = Self::default();
        for (address, function) in functions {
            config.space().functions.insert(address.index(), function);
        }
        config
    }

    pub fn space(&self) -> MutexGuard<'_, FakeSpace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConfigSpace for FakeConfig {
    fn last_bus(&self) -> u8 {
        u8::MAX
    }

    fn read_u32(&self, address: Address, offset: u8) -> u32 {
        let mut space = self.space();
        space.reads += 1;
        let function = space.functions.get(&address.index());
        function.map_or(u32::MAX, |function| function.get(usize::from(offset & !3)))
    }

    fn write_u32(&self, address: Address, offset: u8, value: u32) {
        let mut space = self.space();
        if let Some(function) = space.functions.get_mut(&address.index()) {
            function.write(offset & !3, value, 4);
        }
        space.after_write(address, offset);
    }

    fn write_u16(&self, address: Address, offset: u8, value: u16) {
        let mut space = self.space();
        if let Some(function) = space.functions.get_mut(&address.index()) {
            function.write(offset & !1, u32::from(value), 2);
        }
        space.after_write(address, offset);
    }
}
