//! Describes a block device from what Linux shows in `/sys` and `/proc`.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::device::{Device, Kind, Refusal, Use};
use crate::outcome::Unusable;

/// Sizes in `/sys` are in units of this, whatever the device's sectors are.
const SYS_UNIT_BYTES: u64 = 512;

/// What the node at `path` is; an error when it is no block device.
pub fn describe(path: &Path) -> anyhow::Result<Device> {
    let Ok(path) = path.canonicalize() else {
        return Err(Unusable::from(Refusal::NotThere {
            path: path.to_path_buf(),
        })
        .into());
    };
    let node =
        fs::metadata(&path).with_context(|| format!("{} cannot be looked at", path.display()))?;
    if !node.file_type().is_block_device() {
        return Err(Unusable::from(Refusal::NotABlockDevice { path }).into());
    }
    let number = node.rdev();
    let entry = PathBuf::from(format!(
        "/sys/dev/block/{}:{}",
        rustix::fs::major(number),
        rustix::fs::minor(number)
    ));
    let entry = entry
        .canonicalize()
        .with_context(|| format!("{} is unknown to /sys", path.display()))?;
    let read =
        |file: &str| fs::read_to_string(file).with_context(|| format!("{file} cannot be read"));
    from_entry(
        &path,
        &entry,
        &read("/proc/self/mountinfo")?,
        &read("/proc/swaps")?,
    )
}

/// The description from a device's directory in `/sys` and from the lists of mounts and swap spaces.
fn from_entry(path: &Path, entry: &Path, mounts: &str, swaps: &str) -> anyhow::Result<Device> {
    let number = |file: &str| -> anyhow::Result<u64> {
        let text =
            text_in(entry, file).with_context(|| format!("{} has no {file}", entry.display()))?;
        text.parse()
            .with_context(|| format!("{}/{file} is no number: {text}", entry.display()))
    };
    let is_partition = entry.join("partition").exists();
    let kind = if is_partition {
        Kind::Partition {
            disk: entry.parent().map(name_of).unwrap_or_default(),
        }
    } else if entry.join("loop").exists() || name_of(entry).starts_with("loop") {
        Kind::Loop
    } else {
        Kind::Disk
    };
    Ok(Device {
        path: path.to_path_buf(),
        model: model(entry),
        size_bytes: number("size")?.saturating_mul(SYS_UNIT_BYTES),
        // A partition has no queue and is refused anyway.
        sector_bytes: if is_partition {
            SYS_UNIT_BYTES
        } else {
            number("queue/logical_block_size")?
        },
        is_removable: !is_partition && number("removable")? == 1,
        is_read_only: number("ro")? == 1,
        uses: uses(entry, mounts, swaps)?,
        kind,
    })
}

fn model(entry: &Path) -> Option<String> {
    let words: Vec<String> = ["device/vendor", "device/model", "device/name"]
        .iter()
        .filter_map(|file| text_in(entry, file))
        .collect();
    match words.is_empty() {
        false => Some(words.join(" ")),
        true => text_in(entry, "loop/backing_file"),
    }
}

/// Everything that uses the device or one of its partitions.
fn uses(entry: &Path, mounts: &str, swaps: &str) -> anyhow::Result<Vec<Use>> {
    let mut parts = vec![entry.to_path_buf()];
    for child in
        fs::read_dir(entry).with_context(|| format!("{} cannot be listed", entry.display()))?
    {
        let child = child?.path();
        if child.join("partition").exists() {
            parts.push(child);
        }
    }
    parts.sort();
    let mut uses = Vec::new();
    for part in &parts {
        let name = name_of(part);
        let number = text_in(part, "dev").unwrap_or_default();
        for on in mounts
            .lines()
            .filter_map(|line| mount_point_of(line, &number, &name))
        {
            uses.push(Use::Mounted {
                part: name.clone(),
                on,
            });
        }
        if swaps
            .lines()
            .skip(1)
            .any(|line| names_device(line.split_whitespace().next(), &name))
        {
            uses.push(Use::Swap { part: name.clone() });
        }
        for holder in fs::read_dir(part.join("holders"))
            .into_iter()
            .flatten()
            .flatten()
        {
            uses.push(Use::Held {
                part: name.clone(),
                by: name_of(&holder.path()),
            });
        }
    }
    Ok(uses)
}

/// Where a line of `mountinfo` mounts this device.
///
/// File systems over several devices show a number of their own, so the source's name counts as well.
fn mount_point_of(line: &str, number: &str, name: &str) -> Option<String> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut fields = mount.split(' ');
    let is_number = fields.nth(2)? == number;
    let on = fields.nth(1)?;
    let is_source = names_device(file_system.split(' ').nth(1), name);
    // Blanks in the mount point are written in octal.
    (is_number || is_source).then(|| on.replace("\\040", " "))
}

/// Whether a path from a system table is the node of this device, perhaps through a link (`/dev/disk/by-uuid/...`).
fn names_device(path: Option<&str>, name: &str) -> bool {
    let Some(path) = path.filter(|path| path.starts_with("/dev/")) else {
        return false;
    };
    let node = Path::new(path);
    name_of(&node.canonicalize().unwrap_or_else(|_| node.to_path_buf())) == name
}

fn text_in(entry: &Path, file: &str) -> Option<String> {
    let text = fs::read_to_string(entry.join(file)).ok()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    const NO_SWAPS: &str = "Filename Type Size Used Priority\n";

    /// A directory as `/sys` has it for a stick with one partition.
    fn stick(scratch: &Scratch) -> PathBuf {
        let entry = scratch.path().join("sdq");
        for (file, text) in [
            ("dev", "8:256\n"),
            ("size", "2048\n"),
            ("removable", "1\n"),
            ("ro", "0\n"),
            ("queue/logical_block_size", "512\n"),
            ("device/vendor", "Kingston\n"),
            ("device/model", "DataTraveler 3.0 \n"),
            ("sdq1/partition", "1\n"),
            ("sdq1/dev", "8:257\n"),
            ("sdq1/size", "1024\n"),
            ("sdq1/ro", "0\n"),
        ] {
            let path = entry.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(entry.join("sdq1/holders")).unwrap();
        entry
    }

    #[test]
    fn a_stick_is_described() {
        let scratch = Scratch::new().unwrap();
        let device = from_entry(Path::new("/dev/sdq"), &stick(&scratch), "", NO_SWAPS).unwrap();
        let expected = Device {
            path: PathBuf::from("/dev/sdq"),
            kind: Kind::Disk,
            model: Some("Kingston DataTraveler 3.0".to_string()),
            size_bytes: 1 << 20,
            sector_bytes: 512,
            is_removable: true,
            is_read_only: false,
            uses: Vec::new(),
        };
        assert_eq!(device, expected);
    }

    #[test]
    fn a_partition_knows_its_disk() {
        let scratch = Scratch::new().unwrap();
        let partition = stick(&scratch).join("sdq1");
        let device = from_entry(Path::new("/dev/sdq1"), &partition, "", NO_SWAPS).unwrap();
        assert_eq!(
            device.kind,
            Kind::Partition {
                disk: "sdq".to_string()
            }
        );
    }

    #[test]
    fn mounts_swap_spaces_and_holders_of_partitions_are_found() {
        let scratch = Scratch::new().unwrap();
        let entry = stick(&scratch);
        fs::create_dir_all(entry.join("sdq1/holders/dm-7")).unwrap();
        let mounts = "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n\
                      30 22 8:257 / /media/my\\040stick rw,nosuid shared:5 - vfat /dev/sdq1 rw\n";
        let swaps = "Filename Type Size Used Priority\n/dev/sdq1 partition 1024 0 -2\n/swapfile file 1 0 -3\n";
        let device = from_entry(Path::new("/dev/sdq"), &entry, mounts, swaps).unwrap();
        let part = || "sdq1".to_string();
        let expected = [
            Use::Mounted {
                part: part(),
                on: "/media/my stick".to_string(),
            },
            Use::Swap { part: part() },
            Use::Held {
                part: part(),
                by: "dm-7".to_string(),
            },
        ];
        assert_eq!(device.uses, expected);
    }

    #[test]
    fn a_file_system_over_several_devices_is_found_by_its_source() {
        let line = "30 22 0:45 / /srv rw - btrfs /dev/sdq1 rw";
        assert_eq!(
            mount_point_of(line, "8:257", "sdq1"),
            Some("/srv".to_string())
        );
        assert_eq!(mount_point_of(line, "8:258", "sdq2"), None);
    }

    #[test]
    fn what_is_no_device_is_refused() {
        let scratch = Scratch::new().unwrap();
        let file = scratch.path().join("file");
        let message = |path: &Path| describe(path).unwrap_err().to_string();
        assert!(message(&file).contains("is not there"));
        fs::write(&file, "text").unwrap();
        assert!(message(&file).contains("is not a block device"));
        assert!(message(Path::new("/dev/null")).contains("is not a block device"));
    }
}
