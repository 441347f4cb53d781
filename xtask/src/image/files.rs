//! Files inside a UEFI image, as its firmware finds them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::deadline::Deadline;
use crate::outcome::Unusable;
use crate::process;
use crate::workspace::Scratch;

pub const KERNEL: &str = "kernel-x86_64";
pub const UEFI_LOADER: &str = "efi/boot/bootx64.efi";

const SECTOR_BYTES: u64 = 512;
const COPIED_WITHIN: Duration = Duration::from_secs(60);

/// The content of a file.
pub fn read(image: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let program = process::find_program("mcopy").ok_or_else(|| {
        Unusable("mtools is not installed; `cargo xtask doctor --install` installs it".to_string())
    })?;
    let scratch = Scratch::new().context("no scratch directory can be made")?;
    let copy = scratch.path().join("copy");
    let start = partition_start(image)?;
    let mut command = Command::new(program);
    command
        .args(["-n", "-i", &format!("{}@@{start}", image.display())])
        .arg(format!("::{name}"))
        .arg(&copy);
    let said = process::ask(&mut command, Deadline::after(COPIED_WITHIN))?;
    ensure!(
        said.success,
        "{name} cannot be taken out of the image: {}",
        said.stderr.trim()
    );
    fs::read(&copy).context("the copy is gone")
}

/// The first entry of the partition table, whose place the header in the second sector names.
fn partition_start(image: &Path) -> anyhow::Result<u64> {
    use std::os::unix::fs::FileExt;
    let file =
        fs::File::open(image).with_context(|| format!("{} is not there", image.display()))?;
    let number = |at: u64| {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at)
            .map(|()| u64::from_le_bytes(bytes))
    };
    let start = || -> std::io::Result<Option<u64>> {
        let table = number(SECTOR_BYTES + 72)?.checked_mul(SECTOR_BYTES);
        let Some(entry) = table.and_then(|table| table.checked_add(32)) else {
            return Ok(None);
        };
        Ok(number(entry)?.checked_mul(SECTOR_BYTES))
    };
    let start = start().with_context(|| format!("{} is no image for UEFI", image.display()))?;
    start.with_context(|| format!("{} is no image for UEFI", image.display()))
}
