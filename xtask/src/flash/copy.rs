//! Writes an image to a device and reads it back from the device itself.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use rustix::fs::{Advice, OFlags};

use crate::outcome::Unusable;

const CHUNK_BYTES: usize = 1 << 20;
const PAGE_BYTES: usize = 4096;

/// What is going on, for a line of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Writing,
    Comparing,
}

/// A buffer on a page boundary, as reads past the page cache want it.
struct Chunk {
    bytes: Vec<u8>,
    begin: usize,
}

impl Chunk {
    fn new() -> Self {
        let bytes = vec![0; CHUNK_BYTES + PAGE_BYTES];
        let begin = bytes.as_ptr().align_offset(PAGE_BYTES);
        Chunk { bytes, begin }
    }

    fn whole(&mut self) -> &mut [u8] {
        &mut self.bytes[self.begin..self.begin + CHUNK_BYTES]
    }
}

/// Writes the image to the device's begin; returns when the device has it.
pub fn write(
    image: &Path,
    device: &Path,
    progress: &mut dyn FnMut(Step, u64),
) -> anyhow::Result<()> {
    let mut source = open_image(image)?;
    let mut target = open_exclusively(device)?;
    let failed = || {
        format!(
            "{} cannot be written; it may be broken or unplugged",
            device.display()
        )
    };
    let mut chunk = Chunk::new();
    let mut written = 0;
    loop {
        let count = read_full(&mut source, chunk.whole()).context("the image cannot be read")?;
        if count == 0 {
            break;
        }
        target
            .write_all(&chunk.whole()[..count])
            .with_context(failed)?;
        // Else the kernel takes megabytes at once and the progress tells of its memory, not of the device.
        target.sync_data().with_context(failed)?;
        written += count as u64;
        progress(Step::Writing, written);
    }
    target.sync_all().with_context(failed)
}

/// Compares what the device holds with the image; an error at the first difference.
pub fn compare(
    image: &Path,
    device: &Path,
    progress: &mut dyn FnMut(Step, u64),
) -> anyhow::Result<()> {
    let mut source = open_image(image)?;
    let mut target =
        open_uncached(device).with_context(|| format!("{} cannot be read", device.display()))?;
    let (mut expected, mut found) = (Chunk::new(), Chunk::new());
    let mut compared = 0;
    loop {
        let count = read_full(&mut source, expected.whole()).context("the image cannot be read")?;
        if count == 0 {
            return Ok(());
        }
        let available = read_full(&mut target, found.whole()).with_context(|| {
            format!(
                "{} cannot be read back; it may be broken or unplugged",
                device.display()
            )
        })?;
        let pairs = expected.whole()[..count]
            .iter()
            .zip(&found.whole()[..available]);
        let equal = pairs
            .take_while(|(expected, found)| expected == found)
            .count();
        if equal < count {
            bail!(
                "{} gives back something else than was written, first at byte {}; it is broken, use another one",
                device.display(),
                compared + equal as u64
            );
        }
        compared += count as u64;
        progress(Step::Comparing, compared);
    }
}

fn open_image(image: &Path) -> anyhow::Result<File> {
    File::open(image).with_context(|| format!("{} cannot be opened", image.display()))
}

/// Opens the device for this program alone: Linux refuses when anything has mounted or claimed it meanwhile.
fn open_exclusively(device: &Path) -> anyhow::Result<File> {
    match OpenOptions::new()
        .write(true)
        .custom_flags(flags(OFlags::EXCL))
        .open(device)
    {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == ErrorKind::ResourceBusy => {
            bail!(Unusable(format!(
                "{} is in use; unmount it and try again",
                device.display()
            )))
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => bail!(Unusable(format!(
            "you may not write to {0}; `sudo chown $USER {0}` allows it until it is unplugged",
            device.display()
        ))),
        Err(error) => {
            Err(error).with_context(|| format!("{} cannot be opened for writing", device.display()))
        }
    }
}

/// Opens the device so that reads come from it and not from memory.
fn open_uncached(device: &Path) -> io::Result<File> {
    match OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::DIRECT))
        .open(device)
    {
        // Not every driver and file system reads directly; then what is cached is dropped instead.
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            let file = File::open(device)?;
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
            Ok(file)
        }
        other => other,
    }
}

fn flags(flags: OFlags) -> i32 {
    // The flags of Linux fit; the type of the standard library is the C compiler's `int`.
    flags.bits() as i32
}

/// Reads until the buffer is full or the input ends.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;
    use std::fs;

    #[test]
    fn what_was_written_is_read_back_and_a_changed_byte_is_found() {
        let scratch = Scratch::new().unwrap();
        let (image, device) = (scratch.path().join("image"), scratch.path().join("device"));
        let bytes: Vec<u8> = (0..3 * CHUNK_BYTES / 2)
            .map(|index| (index % 251) as u8)
            .collect();
        fs::write(&image, &bytes).unwrap();
        fs::write(&device, vec![0xa5; 2 * CHUNK_BYTES]).unwrap();

        let mut steps = Vec::new();
        write(&image, &device, &mut |step, bytes| {
            steps.push((step, bytes))
        })
        .unwrap();
        compare(&image, &device, &mut |step, bytes| {
            steps.push((step, bytes))
        })
        .unwrap();
        assert_eq!(steps.first(), Some(&(Step::Writing, CHUNK_BYTES as u64)));
        assert_eq!(steps.last(), Some(&(Step::Comparing, bytes.len() as u64)));
        let device_bytes = fs::read(&device).unwrap();
        assert_eq!(
            (device_bytes.len(), device_bytes[bytes.len()]),
            (2 * CHUNK_BYTES, 0xa5),
            "the rest stays"
        );

        let mut damaged = device_bytes;
        damaged[CHUNK_BYTES + 7] ^= 1;
        fs::write(&device, damaged).unwrap();
        let message = compare(&image, &device, &mut |_, _| {})
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&format!("first at byte {}", CHUNK_BYTES + 7)),
            "{message}"
        );
    }

    #[test]
    fn a_device_that_ends_early_is_a_difference() {
        let scratch = Scratch::new().unwrap();
        let (image, device) = (scratch.path().join("image"), scratch.path().join("device"));
        fs::write(&image, vec![1; 4096]).unwrap();
        fs::write(&device, vec![1; 1024]).unwrap();
        let message = compare(&image, &device, &mut |_, _| {})
            .unwrap_err()
            .to_string();
        assert!(message.contains("first at byte 1024"), "{message}");
    }
}
