//! The table of PCI configuration space (PCI Firmware 3.3, 4.1.2).

use super::tables::Table;

const ENTRIES: usize = 44;
const ENTRY_BYTES: usize = 16;

/// Configuration space of the first segment: 1 MiB a bus, from the first one on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PciMemory {
    /// Where the first bus is seen.
    pub address: u64,
    pub first_bus: u8,
    pub last_bus: u8,
}

/// The entry of segment 0; others hang on processors that are not driven here.
pub fn parse(table: &Table) -> Option<PciMemory> {
    let count = table.bytes().len().saturating_sub(ENTRIES) / ENTRY_BYTES;
    (0..count).find_map(|index| {
        let at = ENTRIES + index * ENTRY_BYTES;
        let (base, segment) = (table.u64_at(at)?, table.u16_at(at + 8)?);
        let (first_bus, last_bus) = (table.u8_at(at + 10)?, table.u8_at(at + 11)?);
        // The address is that of bus 0, whether it is there or not.
        let address = base.checked_add(u64::from(first_bus) << 20)?;
        let is_usable = segment == 0 && base != 0 && first_bus <= last_bus;
        (is_usable && base.is_multiple_of(1 << 20)).then_some(PciMemory {
            address,
            first_bus,
            last_bus,
        })
    })
}
