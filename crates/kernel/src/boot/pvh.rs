//! PVH's start info (Xen `start_info.h`): what QEMU's `-kernel` hands over.

use super::description::{BootError, Description, SettingsError};
use crate::limits::COMMAND_LINE_MAX;
use crate::memory::{Range, RangeKind};

const MAGIC: u32 = 0x336e_c578;
const INFO_BYTES: usize = 56;
const ENTRY_BYTES: usize = 24;
const MODULE_BYTES: usize = 32;
/// Far more than is used, so that what is used and what is measured begin alike.
const COMMAND_LINE_READ_MAX: usize = 16 * COMMAND_LINE_MAX;
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
    let command_line = match word(info, 24)? {
        0 => "",
        at => (read.text)(at, COMMAND_LINE_READ_MAX).ok_or(BootError::CommandLine)?,
    };
    let (ramdisk, doubt) = first_module(info, read)?;
    let doubt = match description.take_settings(ramdisk, command_line) {
        Ok(()) => doubt,
        Err(SettingsError::NoText) => Some("the RAM disk is not UTF-8 text; it has no settings"),
        Err(SettingsError::TooLong) => {
            Some("RAM disk and command line are longer than COMMAND_LINE_MAX; an end is ignored")
        }
    };
    description.missing_config = doubt.map(|reason| ("ramdisk", reason));
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

/// The RAM disk, and what is wrong with it; QEMU's `-initrd` makes one module. It lies in
/// memory that the kernel will take, so it is read before.
fn first_module(
    info: &[u8],
    read: &Reader<'_>,
) -> Result<(Option<&'static [u8]>, Option<&'static str>), BootError> {
    let count = (word(info, 8)? >> 32) as u32;
    if count == 0 {
        return Ok((None, None));
    }
    let module = (read.bytes)(word(info, 16)?, MODULE_BYTES);
    let place = module.and_then(|module| Some((word(module, 0).ok()?, word(module, 8).ok()?)));
    let bytes = place.and_then(|(start, length)| (read.bytes)(start, length.try_into().ok()?));
    let doubt = match bytes {
        None => Some("the boot loader names a RAM disk that does not lie in memory"),
        Some(_) if count > 1 => Some("there is more than one; the others are left alone"),
        Some(_) => None,
    };
    Ok((bytes.filter(|bytes| !bytes.is_empty()), doubt))
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
    use crate::base::boot_inputs::Measured;
    use crate::base::prng::Prng;
    use std::vec::Vec;

    const MAP_AT: u64 = 56;
    const MODULE_AT: u64 = 104;
    const TEXT_AT: u64 = 136;

    /// A start info at address 0, behind it the memory map, one module and the module's bytes.
    fn memory(magic: u32, map_entries: u32, modules: u32, ramdisk: &[u8]) -> Vec<u8> {
        let module = [TEXT_AT, ramdisk.len() as u64, 0, 0];
        let info = [
            u64::from(magic) | 1 << 32,
            u64::from(modules) << 32,
            MODULE_AT,
            200,
            0xf5a80,
            MAP_AT,
            u64::from(map_entries),
        ];
        let map = [0, 0x9f000, 1, 0x10_0000, 0x3f0_0000, 1];
        let words = info.iter().chain(&map).chain(&module);
        let head = words.flat_map(|word| word.to_le_bytes());
        head.chain(ramdisk.iter().copied()).collect()
    }

    fn described(bytes: Vec<u8>) -> Result<Description, BootError> {
        let bytes: &'static [u8] = bytes.leak();
        let read = |start: u64, length: usize| {
            let start = usize::try_from(start).ok()?;
            bytes.get(start..start.checked_add(length)?)
        };
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
        let description = described(memory(MAGIC, 2, 0, b"")).unwrap();
        assert_eq!(description.settings.as_str(), "debug=1");
        assert_eq!(description.command_line, Measured::of(b"debug=1"));
        assert_eq!(description.ramdisk, None);
        assert_eq!(description.missing_config, None);
        assert_eq!(description.acpi_root, Some(0xf5a80));
        assert_eq!(description.memory.len(), 2);
        assert_eq!(description.memory[1].end, 0x400_0000);
    }

    #[test]
    fn a_wrong_magic_or_a_map_out_of_memory_is_an_error() {
        assert_eq!(
            described(memory(7, 2, 0, b"")).err(),
            Some(BootError::StartInfo)
        );
        assert_eq!(
            described(memory(MAGIC, 200, 0, b"")).err(),
            Some(BootError::NoMemoryMap)
        );
    }

    #[test]
    fn the_first_module_has_settings_and_is_measured_without_secrets() {
        let ramdisk = b"keymap=de\ntoken=secret-secret\n";
        let description = described(memory(MAGIC, 2, 1, ramdisk)).unwrap();
        assert_eq!(
            description.settings.as_str(),
            "keymap=de\ntoken=secret-secret\n\ndebug=1"
        );
        let shown = Measured::of(b"keymap=de\ntoken=(hidden)\n");
        assert_eq!(description.ramdisk, Some(shown));
        assert_eq!(description.missing_config, None);
    }

    #[test]
    fn what_is_wrong_with_a_module_is_said_and_stops_nothing() {
        let several = described(memory(MAGIC, 2, 2, b"keymap=de")).unwrap();
        assert_eq!(several.settings.as_str(), "keymap=de\ndebug=1");
        assert!(several.missing_config.unwrap().1.contains("more than one"));
        let binary = described(memory(MAGIC, 2, 1, b"\x1f\x8b\xff")).unwrap();
        assert_eq!(binary.settings.as_str(), "debug=1");
        assert_eq!(binary.ramdisk, Some(Measured::of(b"\x1f\x8b\xff")));
        assert!(binary.missing_config.unwrap().1.contains("UTF-8"));
        let long = described(memory(MAGIC, 2, 1, &[b'x'; 5000])).unwrap();
        assert_eq!(long.ramdisk, Some(Measured::of(&[b'x'; 5000])));
        assert!(long.missing_config.unwrap().1.contains("COMMAND_LINE_MAX"));
        for at in [MODULE_AT, MODULE_AT + 8] {
            let mut bytes = memory(MAGIC, 2, 1, b"keymap=de");
            bytes[at as usize..][..8].copy_from_slice(&(u64::MAX - 3).to_le_bytes());
            let strange = described(bytes).unwrap();
            assert_eq!(
                (strange.ramdisk, strange.settings.as_str()),
                (None, "debug=1")
            );
            assert!(strange.missing_config.unwrap().1.contains("memory"));
        }
    }

    #[test]
    fn whatever_the_loader_says_ends_in_a_description_or_an_error() {
        let mut prng = Prng::new(7);
        let sound = memory(MAGIC, 2, 1, b"keymap=de\ndebug=1\n");
        for _ in 0..10_000 {
            let mut bytes = sound.clone();
            for _ in 0..1 + prng.next_u64() % 6 {
                let at = prng.next_u64() as usize % bytes.len();
                bytes[at] = prng.next_u64() as u8;
            }
            bytes.truncate(bytes.len() - prng.next_u64() as usize % 32);
            if let Ok(description) = described(bytes) {
                let has_command_line = description.command_line.bytes > 0;
                assert_eq!(description.settings.ends_with("debug=1"), has_command_line);
            }
        }
    }
}
