//! One description of the machine, whoever has booted it.

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
    pub command_line: Text<COMMAND_LINE_MAX>,
    pub memory: Vec<Range, MEMORY_RANGES_MAX>,
    pub acpi_root: Option<u64>,
    pub screen: Option<Screen>,
    /// Where the configuration should have been, when it was not.
    pub missing_config: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootError {
    StartInfo,
    CommandLine,
    NoMemoryMap,
    MemoryMapTooLong,
    NoDirectMap,
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
    pub const fn new(path: &'static str) -> Self {
        Self {
            path,
            command_line: Text::new(),
            memory: Vec::new(),
            acpi_root: None,
            screen: None,
            missing_config: None,
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
