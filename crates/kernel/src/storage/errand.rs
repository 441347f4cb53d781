//! What a person wants of a disk, and what the answer to it says.

use crate::base::disk::{DiskFacts, DiskOperation, SECTOR_BYTES};
use crate::base::report::{Report, Value};
use crate::base::time::Duration;
use crate::limits::DISK_ERRAND_BYTES;
use crate::storage::io::IoError;
use alloc::boxed::Box;
use core::fmt;

/// Sectors that are shown at a time.
pub const SECTORS_MAX: u64 = (DISK_ERRAND_BYTES / SECTOR_BYTES) as u64;
/// A disk that answers at all answers sooner, one that spins up included.
pub const LIMIT: Duration = Duration::from_secs(30);
/// Bytes in one row of a dump.
const ROW_BYTES: usize = 16;
/// The first sectors hold a partition table or a loader, where there is one.
pub const GUARDED_SECTORS: usize = 2;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Errand {
    /// The disk's place among the machine's.
    pub disk: usize,
    pub wish: Wish,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    Read {
        sector: u64,
        sectors: u64,
    },
    /// The text with zeroes behind it, as one sector.
    Write {
        sector: u64,
        text: Box<str>,
        /// Also where there is a partition table?
        is_forced: bool,
    },
    Flush,
    Zero {
        sector: u64,
        sectors: u64,
        is_forced: bool,
    },
    Discard {
        sector: u64,
        sectors: u64,
        is_forced: bool,
    },
}

/// Why an errand came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrandError {
    Io(IoError),
    /// What stands there is not to be lost by a slip of the hand.
    Guarded {
        what: &'static str,
    },
}

impl Wish {
    /// Does it destroy what stands on the disk, so that it is looked at first?
    pub const fn is_guarded(&self) -> bool {
        match self {
            Self::Read { .. } | Self::Flush => false,
            Self::Write { is_forced, .. }
            | Self::Zero { is_forced, .. }
            | Self::Discard { is_forced, .. } => !*is_forced,
        }
    }

    /// What the disk is asked for: the operation, the first sector and their number.
    pub const fn request(&self) -> (DiskOperation, u64, u64) {
        match *self {
            Self::Read { sector, sectors } => (DiskOperation::Read, sector, sectors),
            Self::Write { sector, .. } => (DiskOperation::Write, sector, 1),
            Self::Flush => (DiskOperation::Flush, 0, 0),
            Self::Zero {
                sector, sectors, ..
            } => (DiskOperation::WriteZeroes, sector, sectors),
            Self::Discard {
                sector, sectors, ..
            } => (DiskOperation::Discard, sector, sectors),
        }
    }

    pub fn report(&self, facts: &DiskFacts, bytes: &[u8], report: &mut Report) {
        match self {
            Self::Read { sector, sectors } => {
                report
                    .fields("")
                    .text("disk", facts.name)
                    .count("sector", *sector)
                    .count("sectors", *sectors);
                dump(bytes, report);
            }
            Self::Write { sector, text, .. } => done(
                report,
                format_args!(
                    "{} bytes and zeroes written to sector {sector} of {}; disk flush {} makes them last",
                    text.len(),
                    facts.name,
                    facts.name
                ),
            ),
            Self::Flush => done(
                report,
                format_args!("all that was written to {} is safe", facts.name),
            ),
            Self::Zero {
                sector, sectors, ..
            } => done(
                report,
                format_args!(
                    "{sectors} sectors of {} from {sector} on are zero",
                    facts.name
                ),
            ),
            Self::Discard {
                sector, sectors, ..
            } => done(
                report,
                format_args!(
                    "{sectors} sectors of {} from {sector} on are given up",
                    facts.name
                ),
            ),
        }
    }
}

fn done(report: &mut Report, text: fmt::Arguments<'_>) {
    report.text("").line(text);
}

/// Bytes as a person reads them, and as text beside.
pub(super) fn dump(bytes: &[u8], report: &mut Report) {
    dump_from(0, bytes, report);
}

/// The same; the first byte has this place.
pub fn dump_from(first: u64, bytes: &[u8], report: &mut Report) {
    let mut table = report.table("bytes", &["offset_address", "bytes", "text"]);
    for (row, bytes) in bytes.chunks(ROW_BYTES).enumerate() {
        let offset = first.saturating_add((row * ROW_BYTES) as u64);
        table.row(&[
            offset.into(),
            Value::Format(format_args!("{}", Hex(bytes))),
            Value::Format(format_args!("{}", Printable(bytes))),
        ]);
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{byte:02x}")?;
        }
        Ok(())
    }
}

struct Printable<'a>(&'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            let is_printable = byte.is_ascii_graphic() || *byte == b' ';
            let character = if is_printable { char::from(*byte) } else { '.' };
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

/// What is worth keeping in the first sectors, if anything is.
pub fn guarded(bytes: &[u8]) -> Option<&'static str> {
    let is_at = |at: usize, mark: &[u8]| bytes.get(at..at + mark.len()) == Some(mark);
    if is_at(SECTOR_BYTES, b"EFI PART") {
        return Some("a partition table");
    }
    is_at(SECTOR_BYTES - 2, &[0x55, 0xaa]).then_some("a boot signature")
}

impl fmt::Display for ErrandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Guarded { what } => write!(
                f,
                "the disk has {what}; write force behind the command to lose what is on it"
            ),
        }
    }
}
