//! What a person wants of a disk's layout, and why it cannot be had.

use super::content::Content;
use super::plan::TooSmall;
use crate::base::time::Duration;
use crate::storage::io::IoError;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Without a code it is shown what would be lost and which code to type.
    Format { disk: usize, code: Option<u32> },
}

impl Wish {
    /// A large file allocation table on a slow disk.
    pub const LIMIT: Duration = Duration::from_secs(300);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LayoutError {
    /// What stands there is not ours to destroy.
    Foreign(Content),
    /// Not the code of what is on the disk now.
    Code,
    TooSmall(TooSmall),
    ReadOnly,
    Io(IoError),
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LOSE: &str =
            "to lose it all the same, make its first 160 and last 33 sectors zero with disk zero";
        match self {
            Self::Foreign(Content::Foreign { what }) => write!(f, "the disk has {what}; {LOSE}"),
            Self::Foreign(Content::Damaged(error)) => {
                write!(
                    f,
                    "the disk has a damaged partition table ({error}); {LOSE}"
                )
            }
            Self::Foreign(Content::Unfit) => f.write_str(
                "the disk has too few sectors, too short transfers or too large blocks to be laid out",
            ),
            Self::Foreign(_) => write!(f, "the disk is somebody else's; {LOSE}"),
            Self::Code => f.write_str(
                "this code is not for what is on the disk now; ask for it without a code",
            ),
            Self::TooSmall(error) => error.fmt(f),
            Self::ReadOnly => f.write_str("the disk is read-only; attach it writable"),
            Self::Io(error) => error.fmt(f),
        }
    }
}
