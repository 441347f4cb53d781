//! Symbols: names the function, file and line behind a code address.
//!
//! xtask reads the debug information of the linked kernel, packs it as below and writes it into the section
//! `.rayos_symbols` of the same file, so that a panic can print a backtrace that a person can read. The reader takes any
//! bytes: a blob that is missing, cut short or scribbled over gives an error or no answer, never a panic, and it
//! allocates nothing, because it runs when the kernel has already failed.
//!
//! Format, little-endian; `varint` is LEB128 of at most 32 bits, `zigzag` a varint of a signed number:
//!
//! ```text
//! header    0  magic "RAYSYM00"
//!           8  u32 version; 0 in a kernel that has been linked and not filled yet
//!          12  u32 bytes used, header included; what follows in the section is zero
//!          16  u64 base: the address that every start below is relative to
//!          24  u32 function count
//!          28  u32 file count
//!          32  u32 row count, all functions together
//!          36  u32 bytes of records
//! functions    per function: u32 start, u32 offset of its record; sorted by start, for binary search
//! files        per file: u32 offset of its path in the strings
//! records      per function: varint size in bytes, varint offset of its name in the strings, varint row count, rows
//! strings      per string: varint length, UTF-8
//!
//! row          varint (distance in bytes from the row before << 2 | way), then by way:
//!              0  the same file: zigzag distance from its last line
//!              1  the file used before this one, which becomes the file before: zigzag distance from its last line
//!              2  another file, this one becomes the file before: varint file index, varint line
//!              3  no source; files and lines stay for the rows that follow
//! ```
//!
//! The rows of a function start at its first byte. A row stands only where the file or the line changes. Where functions
//! were inlined, the row names the innermost line of the kernel's own source.

use core::fmt;

use crate::limits::SYMBOLS_BYTES;

/// What the section `.rayos_symbols` begins with, filled or not.
pub const MAGIC: [u8; 8] = *b"RAYSYM00";
/// The version of the format that this reader understands.
pub const VERSION: u32 = 1;
/// Size of the fixed part at the front.
pub const HEADER_BYTES: usize = 40;
/// Size of one entry in the function table.
pub const FUNCTION_BYTES: usize = 8;
/// Size of one entry in the file table.
pub const FILE_BYTES: usize = 4;

/// How many low bits of a row's distance say what follows it.
pub const WAY_BITS: u32 = 2;
/// The row stays in its file.
pub const WAY_SAME_FILE: u32 = 0;
/// The row goes back to the file used before.
pub const WAY_FILE_BEFORE: u32 = 1;
/// The row names its file.
pub const WAY_OTHER_FILE: u32 = 2;
/// The row has no source line.
pub const WAY_NO_SOURCE: u32 = 3;

/// A checked view of a symbol blob.
#[derive(Clone, Copy, Debug)]
pub struct Symbols<'a> {
    base: u64,
    row_count: usize,
    used_bytes: usize,
    functions: &'a [u8],
    files: &'a [u8],
    records: &'a [u8],
    strings: &'a [u8],
}

/// Where in the source an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// Demangled name of the function that holds the address.
    pub function: &'a str,
    /// Bytes from the function's first instruction.
    pub offset: u64,
    /// Unknown for code that came without line information (assembly).
    pub source: Option<Source<'a>>,
}

/// A line of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// Path from the workspace's root, or from the crate's name for a dependency.
    pub file: &'a str,
    /// Counted from 1.
    pub line: u32,
}

/// Why bytes are not a symbol blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolsError {
    /// The magic is not there: these are other bytes.
    NoMagic,
    /// The section is as the compiler left it.
    NotEmbedded,
    /// Written by another version of xtask.
    UnknownVersion { found: u32 },
    /// The tables do not fit into the bytes given.
    Truncated { needed_bytes: u64, found_bytes: u64 },
}

/// The section as the kernel is compiled with it: xtask finds it by its magic and fills it after linking.
pub const fn unfilled() -> [u8; SYMBOLS_BYTES] {
    let mut section = [0; SYMBOLS_BYTES];
    let mut index = 0;
    while index < MAGIC.len() {
        section[index] = MAGIC[index];
        index += 1;
    }
    section
}

impl<'a> Symbols<'a> {
    /// Checks the header and finds the tables; what stands in the tables is checked when it is looked at.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SymbolsError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(SymbolsError::NoMagic);
        }
        let truncated = |needed_bytes| SymbolsError::Truncated {
            needed_bytes,
            found_bytes: bytes.len() as u64,
        };
        let (header, _) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or(truncated(HEADER_BYTES as u64))?;
        let word = |offset| u32_at(header, offset).unwrap_or(0);
        match word(8) {
            VERSION => {}
            0 => return Err(SymbolsError::NotEmbedded),
            found => return Err(SymbolsError::UnknownVersion { found }),
        }

        let used_bytes = word(12) as usize;
        let base = u64::from(word(16)) | u64::from(word(20)) << 32;
        let mut tables = bytes
            .get(HEADER_BYTES..used_bytes)
            .ok_or(truncated(used_bytes as u64))?;
        let mut take = |count: u32, entry_bytes: usize| {
            let needed = u64::from(count) * entry_bytes as u64;
            let (table, rest) = usize::try_from(needed)
                .ok()
                .and_then(|needed| tables.split_at_checked(needed))
                .ok_or(truncated(needed))?;
            tables = rest;
            Ok(table)
        };
        let functions = take(word(24), FUNCTION_BYTES)?;
        let files = take(word(28), FILE_BYTES)?;
        let records = take(word(36), 1)?;
        Ok(Self {
            base,
            row_count: word(32) as usize,
            used_bytes,
            functions,
            files,
            records,
            strings: tables,
        })
    }

    /// How many functions have a name.
    pub fn function_count(&self) -> usize {
        self.functions.len() / FUNCTION_BYTES
    }

    /// How many places exist where the source line changes.
    pub fn row_count(&self) -> usize {
        self.row_count
    }

    /// How much of the section is in use.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// The place of the instruction at `address`; `None` outside every function.
    pub fn lookup(&self, address: u64) -> Option<Location<'a>> {
        let from_base = u32::try_from(address.checked_sub(self.base)?).ok()?;
        let (start, record) = self.function_before(from_base)?;
        let offset = from_base - start;

        let mut record = Cursor::new(self.records, record)?;
        let size = record.varint()?;
        if offset >= size {
            return None;
        }
        let function = self.string(record.varint()?)?;
        Some(Location {
            function,
            offset: u64::from(offset),
            source: self.source(&mut record, offset),
        })
    }

    /// The place of the call that returns to `address`.
    ///
    /// A return address is the first byte after the call. When the call never returns, that byte may belong to the
    /// next line or the next function, so the call's last byte is what is looked up.
    pub fn lookup_return_address(&self, address: u64) -> Option<Location<'a>> {
        let mut location = self.lookup(address.checked_sub(1)?)?;
        location.offset += 1;
        Some(location)
    }

    /// Start and record of the last function that starts at or before `from_base`.
    fn function_before(&self, from_base: u32) -> Option<(u32, usize)> {
        let (mut low, mut high) = (0, self.function_count());
        while low < high {
            let middle = low + (high - low) / 2;
            if u32_at(self.functions, middle * FUNCTION_BYTES)? <= from_base {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let entry = low.checked_sub(1)? * FUNCTION_BYTES;
        let start = u32_at(self.functions, entry)?;
        let record = u32_at(self.functions, entry + 4)?;
        // An unsorted table comes only from a damaged blob; it may name a function that starts later.
        (start <= from_base).then_some((start, record as usize))
    }

    /// The last row at or before `offset`, from a record whose size and name have been read.
    fn source(&self, record: &mut Cursor<'a>, offset: u32) -> Option<Source<'a>> {
        let row_count = record.varint()?;
        let mut row_offset = 0u32;
        let (mut here, mut before) = (Place::default(), Place::default());
        let mut is_known = false;
        for _ in 0..row_count {
            let step = record.varint()?;
            row_offset = row_offset.checked_add(step >> WAY_BITS)?;
            if row_offset > offset {
                break;
            }
            let way = step & ((1 << WAY_BITS) - 1);
            match way {
                WAY_SAME_FILE => here.move_by(record.zigzag()?)?,
                WAY_FILE_BEFORE => {
                    (here, before) = (before, here);
                    here.move_by(record.zigzag()?)?;
                }
                WAY_OTHER_FILE => {
                    before = here;
                    here = Place {
                        file: record.varint()?,
                        line: record.varint()?,
                    };
                }
                _ => {}
            }
            is_known = way != WAY_NO_SOURCE;
        }
        let path = u32_at(self.files, (here.file as usize).checked_mul(FILE_BYTES)?)?;
        let file = self.string(path)?;
        is_known.then_some(Source {
            file,
            line: here.line,
        })
    }

    fn string(&self, offset: u32) -> Option<&'a str> {
        let mut cursor = Cursor::new(self.strings, offset as usize)?;
        let length = cursor.varint()? as usize;
        core::str::from_utf8(cursor.rest.get(..length)?).ok()
    }
}

/// `function+0x1f at file:line`, as a line of a backtrace shows it.
impl fmt::Display for Location<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}+{:#x}", self.function, self.offset)?;
        match self.source {
            Some(Source { file, line }) => write!(formatter, " at {file}:{line}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for SymbolsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMagic => write!(
                formatter,
                "the symbol section does not begin with its magic"
            ),
            Self::NotEmbedded => write!(
                formatter,
                "no symbols in this image; build it with cargo xtask"
            ),
            Self::UnknownVersion { found } => write!(
                formatter,
                "symbols of version {found}, this kernel reads version {VERSION}; build it again with cargo xtask"
            ),
            Self::Truncated {
                needed_bytes,
                found_bytes,
            } => write!(
                formatter,
                "a symbol table wants {needed_bytes} bytes of the {found_bytes} in the section; \
                 build it again with cargo xtask"
            ),
        }
    }
}

impl core::error::Error for SymbolsError {}

/// A file and the line in it that the last row named.
#[derive(Clone, Copy, Default)]
struct Place {
    file: u32,
    line: u32,
}

impl Place {
    fn move_by(&mut self, lines: i32) -> Option<()> {
        self.line = self.line.checked_add_signed(lines)?;
        Some(())
    }
}

/// Reads numbers from the front of what is left.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8], offset: usize) -> Option<Self> {
        Some(Self {
            rest: bytes.get(offset..)?,
        })
    }

    fn varint(&mut self) -> Option<u32> {
        let mut value = 0u64;
        for shift in [0, 7, 14, 21, 28] {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).ok();
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i32> {
        let value = self.varint()?;
        Some((value >> 1) as i32 ^ -((value & 1) as i32))
    }
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let word = bytes.get(offset..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*word))
}

#[cfg(test)]
mod tests;
