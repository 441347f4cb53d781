//! Interrupts as messages: a write to the processor's interrupt controller.

use super::bars::Bars;
use super::capabilities::{Capabilities, MESSAGE, MESSAGE_TABLE};
use super::config::{ConfigSpace, SharedRegisters};
use super::function::Function;
use crate::memory::MemoryError;

/// What a function writes, and where, to interrupt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    pub address: u64,
    pub data: u32,
    /// The vector behind it, to be given back.
    pub vector: u8,
}

const CONTROL: u8 = 2;
const ENTRY_BYTES: usize = 16;
const TABLE_ENABLED: u16 = 1 << 15;
const TABLE_MASKED: u16 = 1 << 14;
const SINGLE_ENABLED: u16 = 1;
const SINGLE_COUNT: u16 = 7 << 4;
const SINGLE_64: u16 = 1 << 7;

/// How registers are mapped: where, how many bytes.
pub type Map<'a> = &'a mut dyn FnMut(u64, usize) -> Result<SharedRegisters, MemoryError>;

/// A table of messages in a function's memory (MSI-X; PCI 3.0, 6.8.2).
pub struct MessageTable {
    function: Function,
    place: u8,
    entries: SharedRegisters,
    count: u16,
}

impl MessageTable {
    /// `None` when the function has none or it lies where no memory of it is.
    pub fn find(
        function: &Function,
        capabilities: &Capabilities,
        bars: &Bars,
        map: Map<'_>,
    ) -> Option<Self> {
        let found = capabilities.find(MESSAGE_TABLE)?;
        let (place, count) = (found.place, (found.head & 0x7ff) + 1);
        let table = found.words[0];
        let (index, offset) = ((table & 7) as u8, u64::from(table & !7));
        let bytes = usize::from(count) * ENTRY_BYTES;
        let bar = bars.iter().find(|bar| bar.index == index)?;
        let is_inside = offset + bytes as u64 <= bar.bytes && bar.start != 0;
        let entries = is_inside.then(|| map(bar.start + offset, bytes).ok())??;
        Some(Self {
            function: *function,
            place,
            entries,
            count,
        })
    }

    pub const fn count(&self) -> u16 {
        self.count
    }

    /// Sets an entry; false when the table has no such entry.
    pub fn set(&self, entry: u16, message: &Message) -> bool {
        if entry >= self.count {
            return false;
        }
        let at = usize::from(entry) * ENTRY_BYTES;
        self.entries.write_u32(at, message.address as u32);
        self.entries
            .write_u32(at + 4, (message.address >> 32) as u32);
        self.entries.write_u32(at + 8, message.data);
        self.entries.write_u32(at + 12, 0);
        true
    }

    pub fn switch(&self, config: &dyn ConfigSpace, is_on: bool) {
        let address = self.function.address;
        let control = config.read_u16(address, self.place + CONTROL);
        let rest = control & !(TABLE_ENABLED | TABLE_MASKED);
        let value = if is_on { rest | TABLE_ENABLED } else { rest };
        config.write_u16(address, self.place + CONTROL, value);
    }
}

/// Makes a function send one message for everything (MSI; PCI 3.0, 6.8.1).
pub fn set_single(
    config: &dyn ConfigSpace,
    function: &Function,
    capabilities: &Capabilities,
    message: &Message,
) -> bool {
    let address = function.address;
    let found = capabilities.find(MESSAGE);
    let Some(found) = found.filter(|found| found.place <= 0xf0) else {
        return false;
    };
    let (place, control) = (found.place, found.head);
    let data = match control & SINGLE_64 != 0 {
        true => {
            config.write_u32(address, place + 8, (message.address >> 32) as u32);
            place + 12
        }
        false => place + 8,
    };
    config.write_u32(address, place + 4, message.address as u32);
    config.write_u16(address, data, message.data as u16);
    let control = control & !SINGLE_COUNT | SINGLE_ENABLED;
    config.write_u16(address, place + CONTROL, control);
    true
}
