//! Kernels with one byte changed, where nothing ever looks, so that they run like the built one.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// What the linker puts between functions.
const TRAP: u8 = 0xcc;
const TRAPS: usize = 8;
const HELP: &[u8] = b"lists the commands, or explains one";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between two functions.
    Text,
    /// A letter of the help.
    ReadOnlyData,
    /// The column of a place of the source, which only a panic there would tell.
    Data,
}

/// Writes the changed kernel into this directory.
pub fn write(kernel: &Path, place: Place, directory: &Path) -> anyhow::Result<PathBuf> {
    let mut bytes = fs::read(kernel).context("there is no kernel")?;
    let at = find(&bytes, place)?;
    bytes[at] ^= 1;
    let path = directory.join(format!("{place:?}").to_lowercase());
    fs::write(&path, bytes)?;
    Ok(path)
}

fn find(bytes: &[u8], place: Place) -> anyhow::Result<usize> {
    let segments = segments(bytes)?;
    let found = segments.iter().find_map(|segment| {
        let inside = &bytes[segment.file.clone()];
        let at = match (place, segment.is_executable, segment.is_writable) {
            (Place::Text, true, _) => position(inside, &[TRAP; TRAPS]).map(|at| at + TRAPS / 2),
            (Place::ReadOnlyData, false, false) => position(inside, HELP),
            (Place::Data, _, true) => column(bytes, &segments, inside),
            _ => None,
        };
        at.map(|at| segment.file.start + at)
    });
    found.with_context(|| format!("the kernel has no place {place:?} to change"))
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(wanted.len());
    windows.position(|window| window == wanted)
}

/// Where the column of a place of the source stands: address and length of a file's name, line, column.
fn column(bytes: &[u8], segments: &[Segment], inside: &[u8]) -> Option<usize> {
    const LOCATION: usize = 24;
    const COLUMN: usize = 20;
    let is_location = |at: &usize| {
        let Some(location) = inside.get(*at..*at + LOCATION) else {
            return false;
        };
        let (name, length) = (number(location, 0, 8), number(location, 8, 8));
        let name = segments.iter().find_map(|segment| {
            let offset = usize::try_from(name?.checked_sub(segment.address)?).ok()?;
            let start = segment.file.start.checked_add(offset)?;
            let end = start.checked_add(usize::try_from(length?).ok()?)?;
            (end <= segment.file.end).then(|| &bytes[start..end])
        });
        name.is_some_and(|name| name.ends_with(b".rs"))
    };
    let mut places = (0..inside.len()).step_by(8);
    places.find(is_location).map(|at| at + COLUMN)
}

struct Segment {
    is_executable: bool,
    is_writable: bool,
    address: u64,
    file: Range<usize>,
}

/// The loaded segments.
fn segments(bytes: &[u8]) -> anyhow::Result<Vec<Segment>> {
    const LOAD: u64 = 1;
    let number = |at, count| number(bytes, at, count).context("the kernel is cut");
    let (table, count) = (usize::try_from(number(32, 8)?)?, number(56, 2)?);
    let mut segments = Vec::new();
    for index in 0..usize::try_from(count)? {
        let header = table + index * 56;
        if number(header, 4)? != LOAD {
            continue;
        }
        let flags = number(header + 4, 4)?;
        let start = usize::try_from(number(header + 8, 8)?)?;
        let end = start + usize::try_from(number(header + 32, 8)?)?;
        ensure!(end <= bytes.len(), "a segment is not in the file");
        segments.push(Segment {
            is_executable: flags & 1 != 0,
            is_writable: flags & 2 != 0,
            address: number(header + 16, 8)?,
            file: start..end,
        });
    }
    Ok(segments)
}

/// Low byte first.
fn number(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let piece = bytes.get(at..at + count)?;
    let digits = piece.iter().rev();
    Some(digits.fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}
