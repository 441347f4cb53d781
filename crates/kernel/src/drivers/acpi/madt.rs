//! The interrupt table (ACPI 6.5, 5.2.12): cores, I/O APICs, overrides.

use super::tables::Table;
use super::{Acpi, IoApic, Override};

const ENTRIES: usize = 44;
const ENABLED: u32 = 1;

pub fn parse(table: &Table, acpi: &mut Acpi) {
    acpi.local_apic = u64::from(table.u32_at(36).unwrap_or(0));
    let mut offset = ENTRIES;
    while let (Some(kind), Some(length)) = (table.u8_at(offset), table.u8_at(offset + 1)) {
        let length = usize::from(length);
        if length < 2 || offset + length > table.bytes().len() {
            return;
        }
        // `None`: an entry shorter than its kind; it is passed over.
        let _ = parse_entry(table, offset, (kind, length), acpi);
        offset += length;
    }
}

fn parse_entry(table: &Table, offset: usize, entry: (u8, usize), acpi: &mut Acpi) -> Option<()> {
    match entry {
        (0, 8..) => {
            let flags = table.u32_at(offset + 4)?;
            add_core(acpi, u32::from(table.u8_at(offset + 3)?), flags);
        }
        (1, 12..) => {
            let io_apic = IoApic {
                address: u64::from(table.u32_at(offset + 4)?),
                first_line: table.u32_at(offset + 8)?,
            };
            acpi.io_apics.push(io_apic).ok()?;
        }
        (2, 10..) => {
            let flags = table.u16_at(offset + 8)?;
            let entry = Override {
                legacy: table.u8_at(offset + 3)?,
                line: table.u32_at(offset + 4)?,
                is_active_low: flags & 3 == 3,
                is_level: flags >> 2 & 3 == 3,
            };
            acpi.overrides.push(entry).ok()?;
        }
        (5, 12..) => acpi.local_apic = table.u64_at(offset + 4)?,
        (9, 16..) => {
            let flags = table.u32_at(offset + 8)?;
            add_core(acpi, table.u32_at(offset + 4)?, flags);
        }
        _ => {}
    }
    Some(())
}

fn add_core(acpi: &mut Acpi, apic_id: u32, flags: u32) {
    let is_new = flags & ENABLED != 0 && !acpi.cores.contains(&apic_id);
    if is_new && acpi.cores.push(apic_id).is_err() {
        acpi.cores_more += 1;
    }
}
