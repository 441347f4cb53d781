//! Kernels with one byte changed, where nothing ever looks, so that they run like the built one.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// What the linker puts between functions.
const TRAP: u8 = 0xcc;
const TRAPS: usize = 8;
const ZEROS: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between two functions.
    Text,
    /// A letter of the help.
    ReadOnlyData,
    /// In the middle of a large array that begins as zeros.
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
    const EXECUTABLE: u32 = 1;
    const WRITABLE: u32 = 2;
    let inside = |is_wanted: fn(u32) -> bool, found: fn(&[u8]) -> Option<usize>| {
        let segments = segments(bytes)?;
        let mut wanted = segments.into_iter().filter(|(flags, _)| is_wanted(*flags));
        let at = wanted.find_map(|(_, range)| Some(range.start + found(&bytes[range])?));
        at.with_context(|| format!("the kernel has no place {place:?} to change"))
    };
    match place {
        Place::Text => inside(
            |flags| flags & EXECUTABLE != 0,
            |segment| {
                let mut windows = segment.windows(TRAPS);
                let at = windows.position(|window| window == [TRAP; TRAPS]);
                at.map(|at| at + TRAPS / 2)
            },
        ),
        Place::ReadOnlyData => inside(
            |flags| flags & (EXECUTABLE | WRITABLE) == 0,
            |segment| {
                let text = b"lists the commands, or explains one";
                let mut windows = segment.windows(text.len());
                windows.position(|window| window == text)
            },
        ),
        Place::Data => inside(
            |flags| flags & WRITABLE != 0,
            |segment| {
                let runs = segment.split(|byte| *byte != 0);
                let longest = runs.max_by_key(|run| run.len())?;
                let at = longest.as_ptr().addr() - segment.as_ptr().addr();
                (longest.len() >= ZEROS).then_some(at + longest.len() / 2)
            },
        ),
    }
}

/// The loaded segments' flags and places in the file.
fn segments(bytes: &[u8]) -> anyhow::Result<Vec<(u32, Range<usize>)>> {
    const LOAD: u64 = 1;
    let number = |at: usize, count: usize| -> anyhow::Result<u64> {
        let piece = bytes.get(at..at + count).context("the kernel is cut")?;
        Ok(piece
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    let (table, count) = (usize::try_from(number(32, 8)?)?, number(56, 2)?);
    let mut segments = Vec::new();
    for index in 0..usize::try_from(count)? {
        let header = table + index * 56;
        if number(header, 4)? == LOAD {
            let start = usize::try_from(number(header + 8, 8)?)?;
            let end = start + usize::try_from(number(header + 32, 8)?)?;
            ensure!(end <= bytes.len(), "a segment is not in the file");
            segments.push((u32::try_from(number(header + 4, 4)?)?, start..end));
        }
    }
    Ok(segments)
}
