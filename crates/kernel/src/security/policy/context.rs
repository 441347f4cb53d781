//! What subjects are in: a name, a level, and an upper bound of rights.

use super::level::Level;
use super::object::Name;
use crate::base::capability::CapabilitySet;
use crate::limits::POLICY_NAME_MAX;

/// The place of a context in its table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContextId(u8);

const _: () = assert!(crate::limits::POLICY_CONTEXTS_MAX <= 1 << u8::BITS);

impl ContextId {
    /// The caller knows that the table has that place.
    pub(super) const fn at(place: usize) -> Self {
        Self(place as u8)
    }

    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// 64 capabilities; the low ones have names, the others are reserved and kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CapabilityBits(pub u64);

impl CapabilityBits {
    pub const fn of(set: CapabilitySet) -> Self {
        Self(set.bits() as u64)
    }

    /// Those that have names.
    pub const fn named(self) -> CapabilitySet {
        CapabilitySet::from_bits(self.0 as u16)
    }

    pub const fn contains_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// Who owns something, or as whom somebody acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

impl Owner {
    pub const KERNEL: Self = Self { uid: 0, gid: 0 };

    /// Reads `UID:GID`.
    pub fn parse(word: &str) -> Option<Self> {
        let (uid, gid) = word.split_once(':')?;
        Some(Self {
            uid: parse_id(uid)?,
            gid: parse_id(gid)?,
        })
    }
}

impl core::fmt::Display for Owner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

/// A whole number without a sign, so that there is one way to write each.
pub fn parse_id(word: &str) -> Option<u32> {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| word.parse().ok())?
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    pub name: Name,
    pub level: Level,
    pub owner: Owner,
    /// The most that a subject in it can hold; grants are looked at elsewhere.
    pub capabilities: CapabilityBits,
    /// May write down and touch what is isolated. Only contexts that are shipped can.
    pub is_trusted: bool,
}

/// Small letters, digits, `-`, `_` and `.`, a letter first.
pub fn is_context_name(name: &str) -> bool {
    let is_of_it = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    name.len() <= POLICY_NAME_MAX
        && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name.bytes().all(is_of_it)
}
