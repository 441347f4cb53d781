//! Paths as they are typed: names with slashes between, from the root on.

use super::LongName;
use crate::limits::FILE_PATH_MAX;
use core::fmt;

/// Directories that a path may go through.
const DEPTH_MAX: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathError {
    Character(char),
    /// A name begins with a blank, or ends with a blank or a dot.
    Edge,
    NameTooLong {
        most: usize,
    },
    TooDeep,
    TooLong,
    /// It names no file.
    NoName,
}

/// The names of a path that may be one; none for the root.
pub fn path_names(path: &str) -> Result<impl Iterator<Item = &str> + Clone, PathError> {
    let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
    if names.clone().count() > DEPTH_MAX {
        return Err(PathError::TooDeep);
    }
    for name in names.clone() {
        LongName::parse(name)?;
    }
    Ok(names)
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(character) => write!(
                f,
                "{character:?} may not stand in a name; leave out control characters and \" * : < > ? \\ |"
            ),
            Self::Edge => {
                f.write_str("a name does not begin with a blank or end with a blank or a dot")
            }
            Self::NameTooLong { most } => {
                write!(f, "a name is too long; {most} characters are the most")
            }
            Self::TooDeep => write!(f, "a path goes through {DEPTH_MAX} directories at most"),
            Self::TooLong => write!(
                f,
                "the path is too long; {FILE_PATH_MAX} bytes are the most"
            ),
            Self::NoName => f.write_str("this is the root directory; name a file in it"),
        }
    }
}
