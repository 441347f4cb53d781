//! Symbols: writes the names and lines of the linked kernel into the kernel itself.
//!
//! The kernel reserves the section `.rayos_symbols`; after linking, the debug information of the same file is packed
//! into it. The format is described beside its reader, `rayos_kernel::base::symbols`.

mod collect;
mod encode;

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use object::{Object, ObjectSection};
use rayos_kernel::base::symbols::{HEADER_BYTES, MAGIC, Symbols, SymbolsError};

/// The section that the kernel reserves for its symbols.
pub const SECTION: &str = ".rayos_symbols";

/// What a kernel's symbol section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Functions with a name.
    pub functions: usize,
    /// Places where the source line changes.
    pub lines: usize,
    /// Bytes of the section in use.
    pub used_bytes: usize,
    /// Bytes of the section.
    pub capacity_bytes: usize,
}

/// Fills the symbol section of the kernel `elf` in place, unless it has been filled since it was linked.
pub fn embed(elf: &Path) -> anyhow::Result<Summary> {
    let file = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    embed_bytes(elf, &file).with_context(|| format!("cannot embed symbols in {}", elf.display()))
}

fn embed_bytes(elf: &Path, file: &[u8]) -> anyhow::Result<Summary> {
    let object = object::File::parse(file).context("it is not an object file")?;
    let section = object
        .section_by_name(SECTION)
        .with_context(|| format!("it has no section {SECTION}; the kernel must reserve one"))?;
    let (section_at, _) = section
        .file_range()
        .with_context(|| format!("its section {SECTION} takes no space in the file"))?;
    let reserved = section.data()?;
    // The linker writes the whole file again, so what is filled was filled from this very link.
    match Symbols::parse(reserved) {
        Ok(symbols) => return Ok(summary(&symbols, reserved)),
        Err(SymbolsError::NoMagic) => {
            bail!("its section {SECTION} does not begin with the magic of a symbol blob")
        }
        Err(_) => {}
    }

    let blob = encode::encode(&collect::collect(&object)?)?;
    ensure!(
        blob.len() <= reserved.len(),
        "its symbols need {} bytes and the section {SECTION} has {}; make the static in the kernel larger",
        blob.len(),
        reserved.len()
    );
    write_in_place(elf, section_at, &blob, reserved.len())?;
    let symbols = Symbols::parse(&blob).context("the new symbols do not read back")?;
    Ok(summary(&symbols, reserved))
}

/// The header goes last: until it is there the section counts as not filled, whatever interrupts the writing.
fn write_in_place(elf: &Path, at: u64, blob: &[u8], capacity: usize) -> anyhow::Result<()> {
    let mut section = blob.to_vec();
    section.resize(capacity, 0);
    let (header, tables) = section.split_at(HEADER_BYTES);
    debug_assert!(header.starts_with(&MAGIC));
    let mut file = OpenOptions::new().write(true).open(elf)?;
    file.seek(SeekFrom::Start(at + HEADER_BYTES as u64))?;
    file.write_all(tables)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(header)?;
    Ok(())
}

fn summary(symbols: &Symbols<'_>, section: &[u8]) -> Summary {
    Summary {
        functions: symbols.function_count(),
        lines: symbols.row_count(),
        used_bytes: symbols.used_bytes(),
        capacity_bytes: section.len(),
    }
}

#[cfg(test)]
mod tests;
