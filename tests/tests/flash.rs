//! `cargo xtask flash` on a real block device: a loop device over a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use xtask::deadline::Deadline;
use xtask::workspace::Scratch;
use xtask::{flash, process};

const TOOL_WITHIN: Duration = Duration::from_secs(60);
const IMAGE_BYTES: usize = 3_000_320;
const DEVICE_BYTES: u64 = 16 << 20;

/// A loop device that is taken apart when dropped.
struct Loop {
    device: PathBuf,
    scratch: Scratch,
}

impl Loop {
    /// `Err` says why this machine can have none.
    fn new() -> Result<Loop, String> {
        let scratch = Scratch::new().map_err(|error| error.to_string())?;
        let file = scratch.path().join("stick");
        fs::write(&file, "").map_err(|error| error.to_string())?;
        fs::File::options()
            .write(true)
            .open(&file)
            .and_then(|file| file.set_len(DEVICE_BYTES))
            .map_err(|error| error.to_string())?;
        let device = tool("losetup", &["--find", "--show", &file.to_string_lossy()])?;
        Ok(Loop {
            device: PathBuf::from(device.trim()),
            scratch,
        })
    }

    fn name(&self) -> String {
        self.device
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    /// A file as long as an image, with bytes that differ from sector to sector.
    fn image(&self) -> PathBuf {
        let path = self.scratch.path().join("image");
        let bytes: Vec<u8> = (0..IMAGE_BYTES)
            .map(|index| ((index % 251) ^ (index >> 9)) as u8)
            .collect();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn flash(&self, answer: &str) -> (anyhow::Result<()>, String) {
        let mut screen = Vec::new();
        let result = flash::flash(
            &self.image(),
            &self.device,
            true,
            &mut answer.as_bytes(),
            &mut screen,
        );
        (result, String::from_utf8(screen).unwrap())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // It fails only when the device is gone already.
        let _ = tool("losetup", &["--detach", &self.device.to_string_lossy()]);
    }
}

fn tool(name: &str, arguments: &[&str]) -> Result<String, String> {
    let program = process::find_program(name).ok_or(format!("{name} is not installed"))?;
    let said = process::ask(
        Command::new(program).args(arguments),
        Deadline::after(TOOL_WITHIN),
    )
    .map_err(|error| error.to_string())?;
    if said.success {
        Ok(said.stdout)
    } else {
        Err(format!("{name}: {}", said.stderr.trim()))
    }
}

/// The loop device, or `None` after saying why there is none.
fn loop_device() -> Option<Loop> {
    match Loop::new() {
        Ok(device) => Some(device),
        Err(reason) => {
            println!("skipped: a loop device needs root and losetup ({reason})");
            None
        }
    }
}

#[test]
fn a_confirmed_image_is_on_the_device_and_what_follows_it_stays() {
    let Some(device) = loop_device() else { return };
    let (result, screen) = device.flash(&format!("{}\n", device.name()));
    result.unwrap();
    assert!(
        screen.contains("16.7 MB") && screen.contains("writing 100 %"),
        "{screen}"
    );
    assert!(
        screen.contains("comparing 100 %") && screen.contains("reads back as it was written"),
        "{screen}"
    );
    let (image, written) = (
        fs::read(device.image()).unwrap(),
        fs::read(&device.device).unwrap(),
    );
    assert!(
        written[..IMAGE_BYTES] == image,
        "the device holds something else than the image"
    );
    assert!(
        written[IMAGE_BYTES..].iter().all(|byte| *byte == 0),
        "something behind the image was written"
    );
}

#[test]
fn without_the_right_name_nothing_is_written() {
    let Some(device) = loop_device() else { return };
    let (result, _) = device.flash("yes\n");
    assert!(
        result
            .unwrap_err()
            .to_string()
            .starts_with("nothing was written")
    );
    assert!(
        fs::read(&device.device)
            .unwrap()
            .iter()
            .all(|byte| *byte == 0)
    );
}

#[test]
fn a_mounted_device_is_refused() {
    let Some(device) = loop_device() else { return };
    let node = device.device.to_string_lossy().into_owned();
    let mount_point = device.scratch.path().join("mounted");
    fs::create_dir(&mount_point).unwrap();
    let mounted = tool("mkfs.ext4", &["-q", &node])
        .and_then(|_| tool("mount", &[&node, &mount_point.to_string_lossy()]));
    if let Err(reason) = mounted {
        println!("skipped: no file system can be mounted here ({reason})");
        return;
    }
    let mounted = Mounted(&mount_point);
    let message = device
        .flash(&format!("{}\n", device.name()))
        .0
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("is mounted on") && message.contains(&*mounted.0.to_string_lossy()),
        "{message}"
    );
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // The loop device could not be taken apart while it is mounted; a failure shows there.
        let _ = tool("umount", &[&self.0.to_string_lossy()]);
    }
}
