//! Why something with a file did not work.

use crate::storage::fat::{FatError, PathError};
use crate::storage::io::IoError;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileError {
    Fat(FatError),
    Disk(IoError),
    Path(PathError),
    /// The exchange partition is there and cannot be used; why.
    NotMounted(Unusable),
    /// The disk went away meanwhile.
    Gone,
    /// Nobody waits for it any more.
    Abandoned,
}

/// Why an exchange partition cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unusable {
    Fat(FatError),
    Disk(IoError),
    NoMemory,
}

impl From<FatError> for FileError {
    fn from(error: FatError) -> Self {
        Self::Fat(error)
    }
}

impl From<PathError> for FileError {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fat(error) => error.fmt(f),
            Self::Disk(error) => error.fmt(f),
            Self::Path(error) => error.fmt(f),
            Self::NotMounted(reason) => {
                write!(f, "the exchange partition cannot be used: {reason}")
            }
            Self::Gone => f.write_str("the disk went away before this was done; see disk list"),
            Self::Abandoned => f.write_str("this was given up"),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fat(error) => error.fmt(f),
            Self::Disk(error) => error.fmt(f),
            Self::NoMemory => f.write_str("there is no memory for files; give the machine more"),
        }
    }
}
