//! Why something with a FAT volume did not work, and what can be done.

use core::fmt;

/// Why a call ended before its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// This sector has to be fetched first.
    Miss(u64),
    Failed(FatError),
}

impl From<FatError> for Stop {
    fn from(error: FatError) -> Self {
        Self::Failed(error)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FatError {
    /// The first sector does not describe a FAT volume; what is wrong.
    NotFat(&'static str),
    SectorSize {
        bytes: u16,
    },
    NotFound,
    /// A name on the way is one of a file.
    NotADirectory,
    IsADirectory,
    Exists,
    NotEmpty,
    ReadOnly,
    Full,
    /// The directory can have no more entries.
    DirectoryFull,
    FileTooLong,
    /// All short names that could stand for the long one are taken.
    NoShortName,
    /// Other systems take it for a device.
    DeviceName,
    /// A chain leads back into itself, out of the volume or into what is free.
    BrokenChain {
        cluster: u32,
    },
    /// Its last cluster's entry cannot be changed in one piece.
    NotExtensible,
    /// A change touches more sectors than there is room for.
    TooMuch,
}

impl fmt::Display for FatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFat(what) => write!(f, "it holds no FAT file system: {what}"),
            Self::SectorSize { bytes } => write!(
                f,
                "its sectors have {bytes} bytes; format it with sectors of 512 bytes"
            ),
            Self::NotFound => f.write_str("there is no such file; see ls"),
            Self::NotADirectory => {
                f.write_str("a name on the way is a file, not a directory; see ls")
            }
            Self::IsADirectory => f.write_str("this is a directory; name a file"),
            Self::Exists => f.write_str("there is something of that name already; see ls"),
            Self::NotEmpty => f.write_str("the directory is not empty; remove what is in it first"),
            Self::ReadOnly => f.write_str("the file is read-only; change that on another machine"),
            Self::Full => f.write_str("the disk is full; remove something, and see df"),
            Self::DirectoryFull => f.write_str(
                "the directory can have no more entries; remove some, or use another directory",
            ),
            Self::FileTooLong => f.write_str(
                "the file would be longer than FAT can say; 4 GiB less a byte is the most",
            ),
            Self::NoShortName => f.write_str(
                "too many names in this directory begin alike; choose one that begins differently",
            ),
            Self::DeviceName => f.write_str("Windows takes this name for a device; choose another"),
            Self::BrokenChain { cluster } => write!(
                f,
                "the file system is damaged at cluster {cluster}; repair it with fsck.fat on another machine"
            ),
            Self::NotExtensible => f.write_str(
                "this file cannot be made longer without risk; put its text into a new file",
            ),
            Self::TooMuch => f.write_str("the change is too large to be done in one piece"),
        }
    }
}
