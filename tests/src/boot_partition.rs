//! The FAT file system in a boot image: finds it, and changes `rayos.cfg` as people's computers do.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use xtask::deadline::Deadline;
use xtask::{image::Images, process};

const SECTOR_BYTES: u64 = 512;
const ENTRY_BYTES: usize = 32;
const TOOL_WITHIN: Duration = Duration::from_secs(60);

/// Which image of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    Bios,
    Uefi,
}

impl Firmware {
    pub fn image(self, images: &Images) -> &Path {
        match self {
            Firmware::Bios => &images.bios,
            Firmware::Uefi => &images.uefi,
        }
    }
}

/// Deletes `rayos.cfg` and writes another one, as an editor does that saves under a new name first.
pub fn replace_config(image: &Path, firmware: Firmware, text: &str) -> anyhow::Result<()> {
    let new = image.with_extension("cfg");
    fs::write(&new, text)?;
    delete_config(image, firmware)?;
    mtools(
        "mcopy",
        image,
        firmware,
        &[&new.to_string_lossy(), "::rayos.cfg"],
    )
}

pub fn delete_config(image: &Path, firmware: Firmware) -> anyhow::Result<()> {
    mtools("mdel", image, firmware, &["::rayos.cfg"])
}

/// Leaves `rayos.cfg` as Windows and Linux write a new file of this name: a short entry in capitals with a flag that
/// shows it in small letters, somewhere else in the directory, and no long name.
pub fn leave_short_name_only(image: &Path, firmware: Firmware) -> anyhow::Result<()> {
    let mut bytes = fs::read(image)?;
    let root = root_directory(&bytes, firmware)?;
    let directory = &mut bytes[root.clone()];
    let entries = || (0..root.len() / ENTRY_BYTES).map(|index| index * ENTRY_BYTES);
    let old = entries()
        .find(|at| directory[*at..].starts_with(b"RAYOS   CFG"))
        .context("there is no RAYOS.CFG")?;
    let free = entries()
        .find(|at| directory[*at] == 0)
        .context("the directory is full")?;
    let mut entry = directory[old..old + ENTRY_BYTES].to_vec();
    entry[12] = 0x18;
    directory[free..free + ENTRY_BYTES].copy_from_slice(&entry);
    // Its long name is the entry in front of it.
    directory[old] = 0xe5;
    directory[old - ENTRY_BYTES] = 0xe5;
    Ok(fs::write(image, bytes)?)
}

fn mtools(
    program: &str,
    image: &Path,
    firmware: Firmware,
    arguments: &[&str],
) -> anyhow::Result<()> {
    let partition = partition_start(&fs::read(image)?, firmware)?;
    let path = process::find_program(program)
        .context("mtools is not installed; `cargo xtask doctor` installs it")?;
    let mut command = Command::new(path);
    command
        .args(["-i", &format!("{}@@{partition}", image.display())])
        .args(arguments);
    let said = process::ask(&mut command, Deadline::after(TOOL_WITHIN))?;
    ensure!(said.success, "{program} failed: {}", said.stderr.trim());
    Ok(())
}

/// Where the boot partition begins, in bytes.
fn partition_start(image: &[u8], firmware: Firmware) -> anyhow::Result<u64> {
    let sector = match firmware {
        // The second entry of the MBR; the first one is the loader's second stage.
        Firmware::Bios => u64::from(number32(image, 446 + 16 + 8)?),
        // The first entry of the GPT, whose place the header in the second sector names.
        Firmware::Uefi => {
            let entries = number64(image, SECTOR_BYTES + 72)?;
            number64(image, entries * SECTOR_BYTES + 32)?
        }
    };
    Ok(sector * SECTOR_BYTES)
}

fn root_directory(image: &[u8], firmware: Firmware) -> anyhow::Result<std::ops::Range<usize>> {
    let start = partition_start(image, firmware)?;
    let number16 = |at| {
        number(image, start + at)
            .map(u16::from_le_bytes)
            .map(u64::from)
    };
    let (reserved, entries, table_sectors) = (number16(14)?, number16(17)?, number16(22)?);
    let tables = u64::from(number::<1>(image, start + 16)?[0]);
    let root = usize::try_from(start + (reserved + tables * table_sectors) * SECTOR_BYTES)?;
    let end = root + usize::try_from(entries)? * ENTRY_BYTES;
    ensure!(
        end <= image.len(),
        "the root directory lies behind the image"
    );
    Ok(root..end)
}

fn number32(bytes: &[u8], at: u64) -> anyhow::Result<u32> {
    number(bytes, at).map(u32::from_le_bytes)
}

fn number64(bytes: &[u8], at: u64) -> anyhow::Result<u64> {
    number(bytes, at).map(u64::from_le_bytes)
}

fn number<const N: usize>(bytes: &[u8], at: u64) -> anyhow::Result<[u8; N]> {
    let found = bytes
        .get(usize::try_from(at)?..)
        .and_then(|rest| rest.first_chunk());
    found.copied().context("the image ends too early")
}
