//! The image behind a guest's disk: really written, so that nothing is faster for being a hole.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// 256 MiB that are used, and the ends, which stay zero so that RayOS takes the disk for blank.
const MEBIBYTES: usize = 258;
const MEBIBYTE: usize = 1 << 20;

pub struct Image(PathBuf);

impl Image {
    pub fn make(directory: &Path, name: &str) -> anyhow::Result<Image> {
        let path = directory.join(name);
        write(directory, &path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Image(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

fn write(directory: &Path, path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut file = File::create(path)?;
    file.set_len((MEBIBYTES * MEBIBYTE) as u64)?;
    file.seek(SeekFrom::Start(MEBIBYTE as u64))?;
    let piece = vec![0x5a; MEBIBYTE];
    for _ in 2..MEBIBYTES {
        file.write_all(&piece)?;
    }
    file.sync_all()
}

impl Drop for Image {
    fn drop(&mut self) {
        // Left behind it only takes room below the target directory.
        let _ = fs::remove_file(&self.0);
    }
}
