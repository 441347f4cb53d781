//! One description of the machine, whoever has booted it.

use super::hand_over::HandOver;
use crate::base::boot_inputs::Measured;
use crate::base::fixed::{Text, Vec};
use crate::drivers::screen::Geometry;
use crate::limits::{COMMAND_LINE_MAX, MEMORY_RANGES_MAX};
use crate::memory::Range;
use core::fmt;

/// A screen whose memory the firmware has set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Screen {
    pub physical: u64,
    pub bytes: u64,
    pub geometry: Geometry,
}

#[derive(Clone, Debug)]
pub struct Description {
    /// `pvh`, `bios` or `uefi`.
    pub path: &'static str,
    /// The settings of the RAM disk, and behind them those of the command line.
    pub settings: Text<COMMAND_LINE_MAX>,
    pub command_line: Measured,
    pub ramdisk: Option<Measured>,
    pub memory: Vec<Range, MEMORY_RANGES_MAX>,
    pub acpi_root: Option<u64>,
    pub screen: Option<Screen>,
    /// What the boot loader hands over besides `rayos.cfg`.
    pub hand_over: Option<HandOver>,
    /// What should have had settings and had none or too many, and why.
    pub missing_config: Option<(&'static str, &'static str)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootError {
    StartInfo,
    CommandLine,
    NoMemoryMap,
    MemoryMapTooLong,
    NoDirectMap,
}

/// Why settings are not in force, or not all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettingsError {
    NoText,
    TooLong,
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StartInfo => "the boot loader's start info is damaged",
            Self::CommandLine => "the command line is not text",
            Self::NoMemoryMap => "the boot loader gives no memory map; use QEMU 4 or later",
            Self::MemoryMapTooLong => "the memory map has more ranges than MEMORY_RANGES_MAX",
            Self::NoDirectMap => "the boot loader has not mapped the physical memory",
        })
    }
}

impl Description {
    pub fn new(path: &'static str) -> Self {
        Self {
            path,
            settings: Text::new(),
            command_line: Measured::of(&[]),
            ramdisk: None,
            memory: Vec::new(),
            acpi_root: None,
            screen: None,
            hand_over: None,
            missing_config: None,
        }
    }

    /// Measures and takes settings: of a key that comes twice, the command line's counts. So it
    /// is the RAM disk's end that is given up when both are too long together.
    pub fn take_settings(
        &mut self,
        ramdisk: Option<&[u8]>,
        command_line: &str,
    ) -> Result<(), SettingsError> {
        self.command_line = Measured::of_settings(command_line.as_bytes());
        self.ramdisk = ramdisk.map(Measured::of_settings);
        let text = core::str::from_utf8(ramdisk.unwrap_or_default());
        let own = text.unwrap_or_default().trim_end_matches('\0');
        let room = COMMAND_LINE_MAX.saturating_sub(command_line.len() + 1);
        let kept = &own[..own.floor_char_boundary(room)];
        self.settings.set_cut(kept);
        if !kept.is_empty() && !command_line.is_empty() {
            self.settings.push_cut("\n");
        }
        self.settings.push_cut(command_line);
        match text {
            Err(_) => Err(SettingsError::NoText),
            Ok(_) if kept.len() < own.len() || self.settings.is_cut() => {
                Err(SettingsError::TooLong)
            }
            Ok(_) => Ok(()),
        }
    }

    /// Adds a range; one that continues the last of its kind is joined to it.
    pub fn add_memory(&mut self, range: Range) -> Result<(), BootError> {
        if range.bytes() == 0 {
            return Ok(());
        }
        if let Some(last) = self.memory.last_mut()
            && last.end == range.start
            && last.kind == range.kind
        {
            last.end = range.end;
            return Ok(());
        }
        self.memory
            .push(range)
            .map_err(|_| BootError::MemoryMapTooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::RangeKind;

    #[test]
    fn neighbours_of_one_kind_are_joined_and_empty_ranges_left_out() {
        let mut description = Description::new("pvh");
        for (start, end, kind) in [
            (0, 10, RangeKind::Usable),
            (10, 20, RangeKind::Usable),
            (20, 20, RangeKind::Acpi),
            (20, 30, RangeKind::Reserved),
        ] {
            description.add_memory(Range { start, end, kind }).unwrap();
        }
        assert_eq!(description.memory.len(), 2);
        assert_eq!(description.memory[0].bytes(), 20);
    }

    fn taken(ramdisk: Option<&[u8]>, command_line: &str) -> (Description, Option<SettingsError>) {
        let mut description = Description::new("pvh");
        let error = description.take_settings(ramdisk, command_line).err();
        (description, error)
    }

    #[test]
    fn the_command_line_wins_and_is_measured_apart() {
        let (description, error) = taken(Some(b"# mine\nkeymap=de\0\0"), "keymap=fr debug=1");
        assert_eq!(error, None);
        assert_eq!(
            description.settings.as_str(),
            "# mine\nkeymap=de\nkeymap=fr debug=1"
        );
        let config = crate::base::config::Config::parse(&description.settings);
        assert_eq!(config.keymap, crate::base::config::Keymap::Fr);
        let measured = [Some(description.command_line), description.ramdisk];
        let texts = ["keymap=fr debug=1", "# mine\nkeymap=de\0\0"];
        assert_eq!(
            measured,
            texts.map(|text| Some(Measured::of(text.as_bytes())))
        );
        assert_eq!(taken(None, "").0.ramdisk, None);
    }

    #[test]
    fn a_comment_at_the_end_of_the_ram_disk_hides_no_word_of_the_command_line() {
        assert_eq!(
            taken(Some(b"# mine"), "debug=1").0.settings.as_str(),
            "# mine\ndebug=1"
        );
    }

    #[test]
    fn a_ram_disk_that_is_too_long_loses_its_end_and_the_command_line_nothing() {
        let long = "ü".repeat(COMMAND_LINE_MAX);
        let (description, error) = taken(Some(long.as_bytes()), "keymap=de");
        assert_eq!(error, Some(SettingsError::TooLong));
        assert!(description.settings.ends_with("ü\nkeymap=de") && !description.settings.is_cut());
        assert_eq!(description.ramdisk, Some(Measured::of(long.as_bytes())));
        let (description, error) = taken(None, &"k=v ".repeat(COMMAND_LINE_MAX));
        assert_eq!(error, Some(SettingsError::TooLong));
        assert_eq!(description.settings.len(), COMMAND_LINE_MAX);
    }

    #[test]
    fn a_ram_disk_that_is_no_text_is_measured_as_it_is() {
        let (description, error) = taken(Some(b"token=secret-secret \xff"), "debug=1");
        assert_eq!(error, Some(SettingsError::NoText));
        assert_eq!(description.settings.as_str(), "debug=1");
        assert_eq!(
            description.ramdisk,
            Some(Measured::of(b"token=secret-secret \xff"))
        );
    }

    #[test]
    fn a_map_that_is_too_long_is_an_error() {
        let mut description = Description::new("pvh");
        let range = |index: u64| Range {
            start: index * 20,
            end: index * 20 + 10,
            kind: RangeKind::Usable,
        };
        for index in 0..MEMORY_RANGES_MAX as u64 {
            description.add_memory(range(index)).unwrap();
        }
        assert_eq!(
            description.add_memory(range(9_999)),
            Err(BootError::MemoryMapTooLong)
        );
    }
}
