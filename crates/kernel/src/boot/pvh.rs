//! PVH's start info (Xen `start_info.h`): what QEMU's `-kernel` hands over.

use super::description::{BootError, Description};
use crate::base::fixed::Text;
use crate::limits::COMMAND_LINE_MAX;
use crate::memory::{Range, RangeKind};

const MAGIC: u32 = 0x336e_c578;
const INFO_BYTES: usize = 56;
const ENTRY_BYTES: usize = 24;
const ENTRIES_MAX: usize = 256;

/// Reads physical memory: bytes, or text up to its zero.
pub struct Reader<'a> {
    pub bytes: &'a dyn Fn(u64, usize) -> Option<&'static [u8]>,
    pub text: &'a dyn Fn(u64, usize) -> Option<&'static str>,
}

pub fn describe(start_info: u64, read: &Reader<'_>) -> Result<Description, BootError> {
    let info = (read.bytes)(start_info, INFO_BYTES).ok_or(BootError::StartInfo)?;
    if word(info, 0)? as u32 != MAGIC {
        return Err(BootError::StartInfo);
    }
    let version = (word(info, 0)? >> 32) as u32;
    if version < 1 {
        return Err(BootError::NoMemoryMap);
    }
    let mut description = Description::new("pvh");
    let command_line = word(info, 24)?;
    if command_line != 0 {
        let text = (read.text)(command_line, COMMAND_LINE_MAX).ok_or(BootError::CommandLine)?;
        description.command_line = Text::cut_from(text);
    }
    description.acpi_root = Some(word(info, 32)?).filter(|root| *root != 0);
    let (map, count) = (word(info, 40)?, (word(info, 48)? as u32) as usize);
    let bytes =
        (read.bytes)(map, count.min(ENTRIES_MAX) * ENTRY_BYTES).ok_or(BootError::NoMemoryMap)?;
    for entry in bytes.chunks_exact(ENTRY_BYTES) {
        let (start, length) = (word(entry, 0)?, word(entry, 8)?);
        let kind = kind_of(word(entry, 16)? as u32);
        description.add_memory(Range {
            start,
            end: start.saturating_add(length),
            kind,
        })?;
    }
    Ok(description)
}

/// The types of the BIOS's E820 map.
const fn kind_of(number: u32) -> RangeKind {
    match number {
        1 => RangeKind::Usable,
        3 | 4 => RangeKind::Acpi,
        5 => RangeKind::Defective,
        _ => RangeKind::Reserved,
    }
}

fn word(bytes: &[u8], offset: usize) -> Result<u64, BootError> {
    let bytes = bytes
        .get(offset..offset + 8)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_le_bytes).ok_or(BootError::StartInfo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start_info(magic: u32, map_entries: u32) -> &'static [u8] {
        let mut bytes = std::vec::Vec::new();
        bytes.extend(magic.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend([0; 16]);
        for word in [100u64, 0xf5a80, 56] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(u64::from(map_entries).to_le_bytes());
        for (start, length, kind) in [(0u64, 0x9f000u64, 1u64), (0x10_0000, 0x3f0_0000, 1)] {
            [start, length, kind]
                .iter()
                .for_each(|word| bytes.extend(word.to_le_bytes()));
        }
        bytes.leak()
    }

    fn described(bytes: &'static [u8]) -> Result<Description, BootError> {
        let read = |start: u64, length: usize| bytes.get(start as usize..start as usize + length);
        let text = |_: u64, _: usize| Some("debug=1");
        describe(
            0,
            &Reader {
                bytes: &read,
                text: &text,
            },
        )
    }

    #[test]
    fn the_machine_is_described_as_the_loader_says() {
        let description = described(start_info(MAGIC, 2)).unwrap();
        assert_eq!(description.command_line.as_str(), "debug=1");
        assert_eq!(description.acpi_root, Some(0xf5a80));
        assert_eq!(description.memory.len(), 2);
        assert_eq!(description.memory[1].end, 0x400_0000);
    }

    #[test]
    fn a_wrong_magic_or_a_map_out_of_memory_is_an_error() {
        assert_eq!(
            described(start_info(7, 2)).err(),
            Some(BootError::StartInfo)
        );
        assert_eq!(
            described(start_info(MAGIC, 200)).err(),
            Some(BootError::NoMemoryMap)
        );
    }
}
