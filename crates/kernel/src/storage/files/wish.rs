//! What people want of files.

use super::error::FileError;
use crate::base::time::Duration;
use crate::limits::FILE_PATH_MAX;
use crate::storage::fat::{PathError, path_names};
use alloc::boxed::Box;

/// A large file on a slow disk takes a while; what takes longer is given up.
pub const LIMIT: Duration = Duration::from_secs(60);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    pub path: Box<str>,
    pub act: Act,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    List,
    Show,
    /// All of it, but only its SHA-256 is told.
    Sum,
    /// Its lines are to be run: all of it, or nothing.
    Script,
    Put {
        text: Box<str>,
    },
    Append {
        text: Box<str>,
    },
    /// The contents come later, from elsewhere in the kernel.
    Receive,
    Remove,
    MakeDirectory,
    /// How much room there is.
    Measure,
}

impl Wish {
    /// A wish about a path that may be one.
    pub fn new(path: &str, act: Act) -> Result<Self, FileError> {
        if path.len() > FILE_PATH_MAX {
            return Err(PathError::TooLong.into());
        }
        let names = path_names(path)?.count();
        let is_about_a_name = !matches!(act, Act::List | Act::Measure);
        if names == 0 && is_about_a_name {
            return Err(PathError::NoName.into());
        }
        let path = path.into();
        Ok(Self { path, act })
    }

    /// What is to be written, when it comes with the wish.
    pub fn text(&self) -> Option<&str> {
        match &self.act {
            Act::Put { text } | Act::Append { text } => Some(text),
            _ => None,
        }
    }
}
