//! Where things are: the checkout, its target directory, and scratch space that is gone after use.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many serial logs stay; older ones are removed when a new one is begun.
const SERIAL_LOGS_MAX: usize = 200;

/// The root of the checkout.
pub fn root() -> PathBuf {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_directory
        .parent()
        .unwrap_or(crate_directory)
        .to_path_buf()
}

/// Cargo's target directory, where `CARGO_TARGET_DIR` puts it.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) if !directory.is_empty() => root().join(directory),
        _ => root().join("target"),
    }
}

/// What xtask keeps between runs: stamps, downloaded peers of benchmarks, logs.
pub fn cache() -> PathBuf {
    target().join("xtask")
}

/// The kernel's executable.
pub fn kernel_elf() -> PathBuf {
    target().join("x86_64-unknown-none/release/rayos")
}

/// A path for a new serial log; its directory exists, and logs beyond the newest few are gone.
pub fn new_serial_log() -> io::Result<PathBuf> {
    let directory = cache().join("serial");
    fs::create_dir_all(&directory)?;
    prune(&directory, SERIAL_LOGS_MAX - 1)?;
    Ok(directory.join(format!("{}.log", unique_name())))
}

/// A directory of one's own that only this user can enter; removed when dropped.
///
/// It lies in the system's temporary directory and not under `target`, because the path of a unix socket must fit
/// into 108 bytes.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> io::Result<Self> {
        let mut base = std::env::temp_dir();
        if base.as_os_str().len() > 60 {
            base = PathBuf::from("/tmp");
        }
        let path = base.join(format!("rayos-{}", unique_name()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Scratch(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in the temporary directory, which the system empties.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A name no other process and no other thread of this one makes; names sort by the time of their making.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}-{}-{count}", now.as_millis(), std::process::id())
}

/// Removes the oldest files by name until `keep` are left. A file that another process removed first is no error.
fn prune(directory: &Path, keep: usize) -> io::Result<()> {
    let mut names: Vec<PathBuf> = fs::read_dir(directory)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    names.sort();
    for name in names.iter().take(names.len().saturating_sub(keep)) {
        match fs::remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_directory_is_gone_after_use() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_path_buf();
        fs::write(path.join("file"), "text").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn pruning_removes_the_oldest_and_keeps_the_rest() {
        let scratch = Scratch::new().unwrap();
        for name in ["1", "2", "3"] {
            fs::write(scratch.path().join(name), "").unwrap();
        }
        prune(scratch.path(), 2).unwrap();
        assert!(!scratch.path().join("1").exists());
        assert!(scratch.path().join("2").exists() && scratch.path().join("3").exists());
    }
}
