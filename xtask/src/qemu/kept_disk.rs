//! Disk images that stay between runs: the first that no running machine holds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};

/// Enough to try a disk; a sparse file takes none of it before it is written.
const IMAGE_BYTES: u64 = 64 << 20;
/// More machines at once than anybody runs on one host.
const IMAGES_MAX: u32 = 64;

/// An image that belongs to whoever holds the lock.
#[derive(Clone, Debug)]
pub struct KeptDisk {
    pub image: PathBuf,
    /// Locked until the last copy is gone. A file of its own: QEMU locks the image itself in its own way.
    pub lock: Arc<File>,
}

/// Takes the first image of this directory that is free, and makes it where it is missing.
pub fn take(directory: &Path) -> anyhow::Result<KeptDisk> {
    let Some((number, lock)) = take_number(directory, "disk")? else {
        bail!(
            "all {IMAGES_MAX} disk images in {} are in use; name one with --disk FILE",
            directory.display()
        );
    };
    let image = directory.join(format!("disk{number}.img"));
    make(&image).with_context(|| format!("{} cannot be made", image.display()))?;
    Ok(KeptDisk { image, lock })
}

/// The first number that nobody holds in this directory, and the lock that holds it.
pub(super) fn take_number(
    directory: &Path,
    name: &str,
) -> anyhow::Result<Option<(u32, Arc<File>)>> {
    fs::create_dir_all(directory)
        .with_context(|| format!("{} cannot be made", directory.display()))?;
    for number in 0..IMAGES_MAX {
        let lock_path = directory.join(format!("{name}{number}.lock"));
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .with_context(|| format!("{} cannot be opened", lock_path.display()))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(Some((number, Arc::new(lock))));
        }
    }
    Ok(None)
}

fn make(image: &Path) -> std::io::Result<()> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(image)?;
    if file.metadata()?.len() < IMAGE_BYTES {
        file.set_len(IMAGE_BYTES)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn two_machines_get_two_images_and_a_later_one_the_first_again() {
        let scratch = Scratch::new().unwrap();
        let first = take(scratch.path()).unwrap();
        let second = take(scratch.path()).unwrap();
        assert_ne!(first.image, second.image);
        assert_eq!(fs::metadata(&first.image).unwrap().len(), IMAGE_BYTES);
        let image = first.image.clone();
        drop(first);
        assert_eq!(take(scratch.path()).unwrap().image, image);
    }

    #[test]
    fn what_was_written_is_still_there() {
        let scratch = Scratch::new().unwrap();
        let image = take(scratch.path()).unwrap().image;
        fs::write(&image, b"kept").unwrap();
        let image = take(scratch.path()).unwrap().image;
        assert_eq!(&fs::read(&image).unwrap()[..4], b"kept");
    }
}
