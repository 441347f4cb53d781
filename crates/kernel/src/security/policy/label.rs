//! What is known of an object: its level, its owner, and its mode.

use super::context::Owner;
use super::level::Level;
use super::object::{Class, Object, ObjectName};
use super::verb::Verb;
use crate::base::fixed::Full;
use crate::limits::POLICY_LABELS_MAX;
use alloc::vec::Vec;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label {
    pub level: Level,
    pub owner: Owner,
    pub mode: Mode,
}

impl Label {
    /// Of objects of the class that have none of their own.
    ///
    /// Whoever does not own an object of the kernel can use only what is meant for all:
    /// commands are there to be looked at, devices are shared by capabilities. Devices are
    /// private, for what a tenant knows goes through them; so is what is stored. What the
    /// network reaches is internal: what is sent there has left its tenant.
    pub const fn of_class(class: Class) -> Self {
        let (level, mode) = match class {
            Class::Command => (Level::Internal, 0o775),
            Class::Device => (Level::Private, 0o777),
            Class::Network => (Level::Internal, 0o770),
            Class::File | Class::Volume | Class::Key | Class::Log => (Level::Private, 0o770),
        };
        Self {
            level,
            owner: Owner::KERNEL,
            mode: Mode(mode),
        }
    }
}

/// Nine bits as in `rwxr-x---`: of the owner, of its group, of others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mode(u16);

/// Which of the three triples of a mode is for somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    Owner,
    Group,
    Others,
}

impl Party {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Group => "group",
            Self::Others => "others",
        }
    }
}

impl Mode {
    const LETTERS: [u8; 9] = *b"rwxrwxrwx";

    pub const fn bits(self) -> u16 {
        self.0
    }

    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0o777)
    }

    /// Reads nine letters, as `rwxr-x---`, or three octal digits, as `750`.
    pub fn parse(word: &str) -> Option<Self> {
        if word.len() == 3 {
            let is_octal = word.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
            return is_octal.then(|| u16::from_str_radix(word, 8).ok().map(Self))?;
        }
        let mut bits = 0;
        for (letter, wanted) in word.bytes().zip(Self::LETTERS) {
            bits = bits << 1
                | match letter {
                    b'-' => 0,
                    letter if letter == wanted => 1,
                    _ => return None,
                };
        }
        (word.len() == Self::LETTERS.len()).then_some(Self(bits))
    }

    /// The bit that the verb needs: `r`, `w` or `x`.
    pub const fn letter(verb: Verb) -> char {
        match verb {
            Verb::Look | Verb::Read => 'r',
            Verb::Write | Verb::Create | Verb::Delete | Verb::Administer => 'w',
            Verb::Execute | Verb::Connect => 'x',
        }
    }

    /// May that party do it?
    pub const fn allows(self, party: Party, verb: Verb) -> bool {
        let bit = match Self::letter(verb) {
            'r' => 0o4,
            'w' => 0o2,
            _ => 0o1,
        };
        let shift = match party {
            Party::Owner => 6,
            Party::Group => 3,
            Party::Others => 0,
        };
        self.0 >> shift & bit != 0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in Self::LETTERS.into_iter().enumerate() {
            let is_set = self.0 & 1 << (8 - index) != 0;
            write!(f, "{}", if is_set { char::from(letter) } else { '-' })?;
        }
        Ok(())
    }
}

impl Owner {
    /// As which party somebody looks at what this one owns.
    pub const fn party_of(self, other: Self) -> Party {
        if self.uid == other.uid {
            Party::Owner
        } else if self.gid == other.gid {
            Party::Group
        } else {
            Party::Others
        }
    }
}

/// The objects that have a label of their own, in the order of their names.
pub struct Labels {
    entries: Vec<(ObjectName, Label)>,
}

impl Labels {
    pub fn new() -> Self {
        Self {
            entries: Vec::with_capacity(POLICY_LABELS_MAX),
        }
    }

    pub fn entries(&self) -> &[(ObjectName, Label)] {
        &self.entries
    }

    pub fn get(&self, object: &Object<'_>) -> Option<Label> {
        let place = self.find(object).ok()?;
        Some(self.entries[place].1)
    }

    /// Its own label, or that of its class.
    pub fn of(&self, object: &Object<'_>) -> Label {
        self.get(object).unwrap_or(Label::of_class(object.class))
    }

    /// Gives back the label that the object had.
    pub fn set(&mut self, object: &ObjectName, label: Label) -> Result<Option<Label>, Full> {
        match self.find(&object.as_object()) {
            Ok(place) => Ok(Some(core::mem::replace(&mut self.entries[place].1, label))),
            Err(_) if self.entries.len() == POLICY_LABELS_MAX => Err(Full),
            Err(place) => {
                self.entries.insert(place, (object.clone(), label));
                Ok(None)
            }
        }
    }

    pub fn remove(&mut self, object: &Object<'_>) -> Option<Label> {
        let place = self.find(object).ok()?;
        Some(self.entries.remove(place).1)
    }

    fn find(&self, object: &Object<'_>) -> Result<usize, usize> {
        self.entries
            .binary_search_by(|(own, _)| own.as_object().cmp(object))
    }
}
