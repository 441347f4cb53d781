//! How far what somebody knows may go.

use core::fmt;

/// The first three are one above the other; what is isolated is its owner's alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    Public,
    Internal,
    Private,
    Isolated,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Private, Self::Isolated];

    /// The names, for a table of commands.
    pub const NAMES: [&'static str; Self::ALL.len()] =
        ["public", "internal", "private", "isolated"];

    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
