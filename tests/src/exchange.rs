//! The exchange partition of a disk image, as the tools of the host see it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use xtask::deadline::Deadline;
use xtask::process;

const SECTOR_BYTES: u64 = 512;
/// The first partition of a disk that the kernel has laid out begins here.
const FIRST_SECTOR: u64 = 2048;
const TOOL_WITHIN: Duration = Duration::from_secs(120);

/// A disk image with an exchange partition in it.
pub struct Exchange {
    pub image: PathBuf,
    pub bytes: u64,
}

impl Exchange {
    /// Reads the partition's size from its table.
    pub fn of(image: &Path) -> anyhow::Result<Exchange> {
        let mut header = [0; SECTOR_BYTES as usize];
        let file = File::open(image)?;
        file.read_exact_at(&mut header, SECTOR_BYTES)?;
        ensure!(
            header.starts_with(b"EFI PART"),
            "the disk has no partition table"
        );
        let entries = u64::from_le_bytes(header[72..80].try_into()?);
        let mut entry = [0; 128];
        file.read_exact_at(&mut entry, entries * SECTOR_BYTES)?;
        let first = u64::from_le_bytes(entry[32..40].try_into()?);
        let last = u64::from_le_bytes(entry[40..48].try_into()?);
        ensure!(
            first == FIRST_SECTOR,
            "the first partition begins at sector {first}"
        );
        Ok(Exchange {
            image: image.to_path_buf(),
            bytes: (last + 1 - first) * SECTOR_BYTES,
        })
    }

    /// Makes a fresh file system, as people do on another machine.
    pub fn format(&self, bits: u32, sectors_a_cluster: u32) -> anyhow::Result<()> {
        let arguments = [
            "-F".to_string(),
            bits.to_string(),
            "-s".to_string(),
            sectors_a_cluster.to_string(),
            "-n".to_string(),
            "HOST".to_string(),
            "--offset".to_string(),
            FIRST_SECTOR.to_string(),
            self.image.display().to_string(),
            (self.bytes / 1024).to_string(),
        ];
        run("mkfs.fat", &arguments).map(|_| ())
    }

    /// Copies a file of the host in.
    pub fn copy_in(&self, file: &Path, path: &str) -> anyhow::Result<()> {
        let (file, path) = (file.display().to_string(), format!("::{path}"));
        self.mtools("mcopy", &[&file, &path]).map(|_| ())
    }

    /// What is in a file.
    pub fn copy_out(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let place = self.image.with_extension("copied");
        let (file, path) = (place.display().to_string(), format!("::{path}"));
        self.mtools("mcopy", &["-n", &path, &file])?;
        let bytes = fs::read(&place)?;
        fs::remove_file(&place)?;
        Ok(bytes)
    }

    pub fn make_directory(&self, path: &str) -> anyhow::Result<()> {
        self.mtools("mmd", &[&format!("::{path}")]).map(|_| ())
    }

    /// The listing of a directory, for people.
    pub fn list(&self, path: &str) -> anyhow::Result<String> {
        self.mtools("mdir", &[&format!("::{path}")])
    }

    /// Has a checker look at it that changes nothing and has to find nothing.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut bytes = vec![0; usize::try_from(self.bytes)?];
        File::open(&self.image)?.read_exact_at(&mut bytes, FIRST_SECTOR * SECTOR_BYTES)?;
        let part = self.image.with_extension("part");
        fs::write(&part, bytes)?;
        let said = run(
            "fsck.fat",
            &["-n".into(), "-v".into(), part.display().to_string()],
        );
        fs::remove_file(&part)?;
        said.map(|_| ())
    }

    /// Has two programs look at the table that know disks of other systems; neither changes anything.
    pub fn check_table(&self) -> anyhow::Result<()> {
        for (program, verdict) in [
            ("sfdisk", "No errors detected"),
            ("sgdisk", "No problems found"),
        ] {
            let said = run(
                program,
                &["--verify".into(), self.image.display().to_string()],
            )?;
            ensure!(said.contains(verdict), "{program}: {said}");
        }
        Ok(())
    }

    fn mtools(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let offset = FIRST_SECTOR * SECTOR_BYTES;
        let image = format!("{}@@{offset}", self.image.display());
        let mut words = vec!["-i".to_string(), image];
        words.extend(arguments.iter().map(|word| word.to_string()));
        run(program, &words)
    }
}

fn run(program: &str, arguments: &[String]) -> anyhow::Result<String> {
    let path = process::find_program(program)
        .with_context(|| format!("{program} is not installed; `cargo xtask doctor` installs it"))?;
    let mut command = Command::new(path);
    // Images of any size are taken for what they are.
    command
        .args(arguments)
        .env("MTOOLS_SKIP_CHECK", "1")
        .env("LC_ALL", "C.UTF-8");
    let said = process::ask(&mut command, Deadline::after(TOOL_WITHIN))?;
    ensure!(
        said.success,
        "{program} {}: {}{}",
        arguments.join(" "),
        said.stdout,
        said.stderr.trim()
    );
    Ok(said.stdout)
}
