//! What somebody may do, and sets of it; `Grants` says who holds what.
//!
//! It stands on the ground floor because the device handlers ask it at each operation, and
//! they stand on L2, below everything else that knows of security.

mod cache;
mod change;
mod check;
mod condition;
mod constraint;
mod error;
mod events;
mod grants;
mod refusal;
mod right;
#[cfg(test)]
mod tests;

pub use change::{Change, Order};
pub use check::{Asked, Basis, Passed, Ticket};
pub use constraint::{Constraints, PortRange};
pub use error::GrantError;
pub use events::{Event, EventKind};
pub use grants::Grants;
pub use refusal::Refusal;
pub use right::Right;

use core::fmt;
use core::ops::BitOr;

/// One thing that a subject may do. The first eight fit the fast check of device operations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Capability {
    /// Sends and receives frames, opens connections.
    Net,
    DiskRead,
    DiskWrite,
    Gpu,
    Input,
    ConsoleRead,
    ConsoleWrite,
    /// Reads the audit trail and proofs of it.
    Audit,
    /// Changes settings, rules, other people's rights, the machine's power.
    Administer,
}

impl Capability {
    pub const ALL: [Self; 9] = [
        Self::Net,
        Self::DiskRead,
        Self::DiskWrite,
        Self::Gpu,
        Self::Input,
        Self::ConsoleRead,
        Self::ConsoleWrite,
        Self::Audit,
        Self::Administer,
    ];

    /// The names, for a table of commands.
    pub const NAMES: [&'static str; Self::ALL.len()] = crate::names!(Self::ALL);

    pub const fn name(self) -> &'static str {
        match self {
            Self::Net => "NET",
            Self::DiskRead => "DISK_R",
            Self::DiskWrite => "DISK_W",
            Self::Gpu => "GPU",
            Self::Input => "INPUT",
            Self::ConsoleRead => "CONSOLE_R",
            Self::ConsoleWrite => "CONSOLE_W",
            Self::Audit => "AUDIT",
            Self::Administer => "ADMIN",
        }
    }

    /// Case does not matter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.name().eq_ignore_ascii_case(name))
    }

    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Any number of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct CapabilitySet(u16);

impl CapabilitySet {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self((1 << Capability::ALL.len()) - 1);

    pub const fn of(capability: Capability) -> Self {
        Self(1 << capability.index())
    }

    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability.index())
    }

    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub const fn union(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub const fn intersection(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & 1 << capability.index() != 0
    }

    pub const fn contains_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// A bit each, the first capability lowest.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Bits that name no capability are dropped.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL
            .into_iter()
            .filter(move |capability| self.contains(*capability))
    }
}

impl From<Capability> for CapabilitySet {
    fn from(capability: Capability) -> Self {
        Self::of(capability)
    }
}

impl BitOr for CapabilitySet {
    type Output = Self;

    fn bitor(self, others: Self) -> Self {
        self.union(others)
    }
}

/// Names apart by a bar, or `none`.
impl fmt::Display for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (index, capability) in self.iter().enumerate() {
            let bar = if index > 0 { "|" } else { "" };
            write!(f, "{bar}{}", capability.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
