//! What can be done to an object, and sets of it.

use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verb {
    /// Sees that it is there and what it shows to everyone.
    Look,
    Read,
    Write,
    Create,
    Delete,
    Execute,
    Connect,
    Administer,
}

impl Verb {
    pub const ALL: [Self; 8] = [
        Self::Look,
        Self::Read,
        Self::Write,
        Self::Create,
        Self::Delete,
        Self::Execute,
        Self::Connect,
        Self::Administer,
    ];

    /// The names, for a table of commands.
    pub const NAMES: [&'static str; Self::ALL.len()] = [
        "look",
        "read",
        "write",
        "create",
        "delete",
        "execute",
        "connect",
        "administer",
    ];

    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }

    pub const fn index(self) -> usize {
        self as usize
    }

    /// Does the subject learn from the object? Otherwise it tells the object something.
    pub const fn observes(self) -> bool {
        matches!(
            self,
            Self::Look | Self::Read | Self::Execute | Self::Connect
        )
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Any number of verbs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct VerbSet(u8);

impl VerbSet {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(u8::MAX);

    pub const fn of(verb: Verb) -> Self {
        Self(1 << verb.index())
    }

    pub const fn with(self, verb: Verb) -> Self {
        Self(self.0 | 1 << verb.index())
    }

    pub const fn contains(self, verb: Verb) -> bool {
        self.0 & 1 << verb.index() != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// A bit each, the first verb lowest.
    pub const fn bits(self) -> u8 {
        self.0
    }

    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    pub fn iter(self) -> impl Iterator<Item = Verb> {
        Verb::ALL
            .into_iter()
            .filter(move |verb| self.contains(*verb))
    }
}

/// Names apart by commas, or a star for all of them.
impl fmt::Display for VerbSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("*");
        }
        for (index, verb) in self.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{verb}")?;
        }
        Ok(())
    }
}
