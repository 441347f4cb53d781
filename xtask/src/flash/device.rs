//! Which devices may be overwritten: the decision, over a device as data.

use std::fmt;
use std::path::PathBuf;

use crate::outcome::Unusable;

/// A device as the system describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The node itself, behind every symbolic link.
    pub path: PathBuf,
    pub kind: Kind,
    /// Vendor and model as the device says them, or the file behind a loop device.
    pub model: Option<String>,
    pub size_bytes: u64,
    pub sector_bytes: u64,
    pub is_removable: bool,
    pub is_read_only: bool,
    /// What uses the device or a partition of it.
    pub uses: Vec<Use>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Disk,
    Loop,
    /// A part of another disk.
    Partition {
        disk: String,
    },
}

/// One reason why a device is not free. `part` is the name of the device or of the partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    Mounted { part: String, on: String },
    Swap { part: String },
    Held { part: String, by: String },
}

/// Why a device is not written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotThere {
        path: PathBuf,
    },
    NotABlockDevice {
        path: PathBuf,
    },
    Partition {
        name: String,
        disk: String,
    },
    Loop {
        name: String,
    },
    NotRemovable {
        name: String,
    },
    ReadOnly {
        name: String,
    },
    InUse {
        name: String,
        by: Use,
    },
    Sectors {
        name: String,
        bytes: u64,
    },
    TooSmall {
        name: String,
        size_bytes: u64,
        needed_bytes: u64,
    },
}

impl Device {
    /// The name that is shown and must be typed: `sdb`.
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// Why this device must not be overwritten with an image of this size, or `None` when it may be.
    pub fn refusal(&self, needed_bytes: u64, loop_is_allowed: bool) -> Option<Refusal> {
        let name = self.name();
        match &self.kind {
            Kind::Partition { disk } => {
                return Some(Refusal::Partition {
                    name,
                    disk: disk.clone(),
                });
            }
            Kind::Loop if !loop_is_allowed => return Some(Refusal::Loop { name }),
            Kind::Disk if !self.is_removable => return Some(Refusal::NotRemovable { name }),
            Kind::Disk | Kind::Loop => {}
        }
        if let Some(by) = self.uses.first() {
            return Some(Refusal::InUse {
                name,
                by: by.clone(),
            });
        }
        if self.is_read_only {
            return Some(Refusal::ReadOnly { name });
        }
        if self.sector_bytes != 512 {
            return Some(Refusal::Sectors {
                name,
                bytes: self.sector_bytes,
            });
        }
        if self.size_bytes < needed_bytes {
            return Some(Refusal::TooSmall {
                name,
                size_bytes: self.size_bytes,
                needed_bytes,
            });
        }
        None
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotThere { path } => {
                write!(
                    formatter,
                    "{} is not there; `lsblk` lists the devices",
                    path.display()
                )
            }
            Refusal::NotABlockDevice { path } => {
                write!(
                    formatter,
                    "{} is not a block device; `lsblk` lists them",
                    path.display()
                )
            }
            Refusal::Partition { name, disk } => write!(
                formatter,
                "{name} is a partition; the image brings partitions of its own, so name the whole device, {disk}"
            ),
            Refusal::Loop { name } => {
                write!(
                    formatter,
                    "{name} is a loop device; name it with --allow-loop if that is meant"
                )
            }
            Refusal::NotRemovable { name } => {
                write!(
                    formatter,
                    "{name} is not removable; choose a USB stick, `lsblk -o NAME,RM,SIZE,MODEL` lists them"
                )
            }
            Refusal::ReadOnly { name } => {
                write!(
                    formatter,
                    "{name} is write-protected; look for a switch on the stick or its adapter"
                )
            }
            Refusal::InUse {
                by: Use::Mounted { part, on },
                ..
            } => {
                write!(
                    formatter,
                    "{part} is mounted on {on}; unmount it with `umount /dev/{part}`"
                )
            }
            Refusal::InUse {
                by: Use::Swap { part },
                ..
            } => {
                write!(
                    formatter,
                    "{part} is used as swap space; end that with `swapoff /dev/{part}`"
                )
            }
            Refusal::InUse {
                by: Use::Held { part, by },
                ..
            } => {
                write!(
                    formatter,
                    "{part} is part of {by}; take that apart first (dmsetup, mdadm)"
                )
            }
            Refusal::Sectors { name, bytes } => write!(
                formatter,
                "{name} has sectors of {bytes} bytes, and the images' partition tables count in 512; choose another device"
            ),
            Refusal::TooSmall {
                name,
                size_bytes,
                needed_bytes,
            } => write!(
                formatter,
                "{name} holds {size_bytes} bytes and the image has {needed_bytes}; choose a larger device"
            ),
        }
    }
}

impl From<Refusal> for Unusable {
    fn from(refusal: Refusal) -> Self {
        Unusable(refusal.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stick() -> Device {
        Device {
            path: PathBuf::from("/dev/sdb"),
            kind: Kind::Disk,
            model: Some("Kingston DataTraveler".to_string()),
            size_bytes: 1 << 30,
            sector_bytes: 512,
            is_removable: true,
            is_read_only: false,
            uses: Vec::new(),
        }
    }

    fn refused(device: Device) -> String {
        device
            .refusal(1 << 20, false)
            .map(|refusal| refusal.to_string())
            .unwrap()
    }

    #[test]
    fn a_free_stick_may_be_overwritten() {
        assert_eq!(stick().refusal(1 << 30, false), None);
    }

    #[test]
    fn a_fixed_disk_is_refused() {
        let disk = Device {
            is_removable: false,
            ..stick()
        };
        assert!(refused(disk.clone()).starts_with("sdb is not removable"));
        assert!(
            disk.refusal(0, true).is_some(),
            "the permission for loop devices is none for disks"
        );
    }

    #[test]
    fn a_partition_is_refused_and_its_disk_named() {
        let kind = Kind::Partition {
            disk: "sdb".to_string(),
        };
        let partition = Device {
            path: PathBuf::from("/dev/sdb1"),
            kind,
            ..stick()
        };
        assert!(refused(partition).ends_with("name the whole device, sdb"));
    }

    #[test]
    fn every_use_of_a_device_or_of_its_partitions_is_refused() {
        let part = || "sdb1".to_string();
        for (used, sentence) in [
            (
                Use::Mounted {
                    part: part(),
                    on: "/media/stick".to_string(),
                },
                "sdb1 is mounted on /media/stick",
            ),
            (Use::Swap { part: part() }, "sdb1 is used as swap space"),
            (
                Use::Held {
                    part: part(),
                    by: "dm-0".to_string(),
                },
                "sdb1 is part of dm-0",
            ),
        ] {
            let message = refused(Device {
                uses: vec![used],
                ..stick()
            });
            assert!(message.starts_with(sentence), "{message}");
        }
    }

    #[test]
    fn a_write_protected_stick_is_refused() {
        assert!(
            refused(Device {
                is_read_only: true,
                ..stick()
            })
            .starts_with("sdb is write-protected")
        );
    }

    #[test]
    fn a_device_with_large_sectors_is_refused() {
        assert!(
            refused(Device {
                sector_bytes: 4096,
                ..stick()
            })
            .contains("sectors of 4096 bytes")
        );
    }

    #[test]
    fn a_device_that_is_one_byte_too_small_is_refused() {
        let device = Device {
            size_bytes: (1 << 20) - 1,
            ..stick()
        };
        assert!(refused(device.clone()).contains("choose a larger device"));
        assert_eq!(device.refusal((1 << 20) - 1, false), None);
    }

    #[test]
    fn a_loop_device_wants_to_be_allowed_and_is_then_checked_like_a_stick() {
        let device = Device {
            kind: Kind::Loop,
            is_removable: false,
            ..stick()
        };
        assert_eq!(
            device.refusal(0, false),
            Some(Refusal::Loop {
                name: "sdb".to_string()
            })
        );
        assert_eq!(device.refusal(0, true), None);
        let used = Device {
            uses: vec![Use::Swap {
                part: "loop0".to_string(),
            }],
            ..device
        };
        assert!(matches!(used.refusal(0, true), Some(Refusal::InUse { .. })));
    }
}
