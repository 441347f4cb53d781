//! ACPI's tables as bytes: root, list, header, checksum.

/// Gives `length` bytes of physical memory, where they are memory.
pub type Reader<'a> = &'a dyn Fn(u64, usize) -> Option<&'static [u8]>;

const HEADER_BYTES: usize = 36;
/// Larger than any table seen; a length beyond it is damage.
const TABLE_BYTES_MAX: usize = 4 << 20;

/// A whole table whose checksum is right.
pub struct Table {
    bytes: &'static [u8],
}

impl Table {
    pub fn read(address: u64, read: Reader<'_>) -> Option<Self> {
        let header = read(address, HEADER_BYTES)?;
        let length = u32_at(header, 4)? as usize;
        if !(HEADER_BYTES..=TABLE_BYTES_MAX).contains(&length) {
            return None;
        }
        let bytes = read(address, length)?;
        is_checksum_right(bytes).then_some(Self { bytes })
    }

    pub fn signature(&self) -> &[u8; 4] {
        self.bytes.first_chunk().unwrap_or(b"????")
    }

    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    pub fn u8_at(&self, offset: usize) -> Option<u8> {
        self.bytes.get(offset).copied()
    }

    pub fn u16_at(&self, offset: usize) -> Option<u16> {
        let bytes = self.bytes.get(offset..offset + 2)?;
        bytes.try_into().ok().map(u16::from_le_bytes)
    }

    pub fn u32_at(&self, offset: usize) -> Option<u32> {
        u32_at(self.bytes, offset)
    }

    pub fn u64_at(&self, offset: usize) -> Option<u64> {
        u64_at(self.bytes, offset)
    }
}

/// The root's list of tables: 32-bit or 64-bit addresses.
pub struct List {
    table: Table,
    entry_bytes: usize,
}

impl List {
    pub fn addresses(&self) -> impl Iterator<Item = u64> {
        let entries = self.table.bytes[HEADER_BYTES..].chunks_exact(self.entry_bytes);
        entries.map(|entry| match entry.len() {
            4 => u64::from(u32_at(entry, 0).unwrap_or(0)),
            _ => u64_at(entry, 0).unwrap_or(0),
        })
    }
}

/// Follows the root pointer (ACPI 6.5, 5.2.5) to the list.
pub fn list(root: u64, read: Reader<'_>) -> Option<List> {
    let pointer = read(root, 20)?;
    if !pointer.starts_with(b"RSD PTR ") || !is_checksum_right(pointer) {
        return None;
    }
    let revision = *pointer.get(15)?;
    if revision >= 2 {
        let extended = read(root, 36).filter(|bytes| is_checksum_right(bytes));
        let address = extended
            .and_then(|bytes| u64_at(bytes, 24))
            .filter(|address| *address != 0);
        let table = address.and_then(|address| Table::read(address, read));
        if let Some(table) = table.filter(|table| table.signature() == b"XSDT") {
            return Some(List {
                table,
                entry_bytes: 8,
            });
        }
    }
    let table = Table::read(u64::from(u32_at(pointer, 16)?), read)?;
    (table.signature() == b"RSDT").then_some(List {
        table,
        entry_bytes: 4,
    })
}

/// Looks for the root pointer where BIOSes keep it (5.2.5.1).
pub fn search_root(read: Reader<'_>) -> Option<u64> {
    let is_root = |address: &u64| {
        read(*address, 20)
            .is_some_and(|bytes| bytes.starts_with(b"RSD PTR ") && is_checksum_right(bytes))
    };
    (0xe_0000..0x10_0000u64).step_by(16).find(is_root)
}

fn is_checksum_right(bytes: &[u8]) -> bool {
    bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) == 0
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes
        .get(offset..offset + 4)?
        .try_into()
        .ok()
        .map(u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes
        .get(offset..offset + 8)?
        .try_into()
        .ok()
        .map(u64::from_le_bytes)
}
