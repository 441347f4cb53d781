//! What is protected: a class and a name, written as `device:disk`.

use crate::base::fixed::Text;
use crate::limits::POLICY_NAME_MAX;
use core::fmt;

/// The name of a context or an object.
pub type Name = Text<POLICY_NAME_MAX>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// One of the shell; see `command_name`.
    Command,
    File,
    Volume,
    /// What can be reached by the network.
    Network,
    /// `network`, `disk`, `gpu`, `input`, `console`.
    Device,
    Key,
    /// `audit` is the audit trail.
    Log,
}

impl Class {
    pub const ALL: [Self; 7] = [
        Self::Command,
        Self::File,
        Self::Volume,
        Self::Network,
        Self::Device,
        Self::Key,
        Self::Log,
    ];

    /// How patterns for all of a class are written, for completion.
    pub const STARS: [&'static str; Self::ALL.len()] = [
        "command:*",
        "file:*",
        "volume:*",
        "network:*",
        "device:*",
        "key:*",
        "log:*",
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::File => "file",
            Self::Volume => "volume",
            Self::Network => "network",
            Self::Device => "device",
            Self::Key => "key",
            Self::Log => "log",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An object as it is asked about; its name may be longer than what tables keep.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Object<'n> {
    pub class: Class,
    pub name: &'n str,
}

impl<'n> Object<'n> {
    pub const fn new(class: Class, name: &'n str) -> Self {
        Self { class, name }
    }

    pub const fn command(name: &'n str) -> Self {
        Self::new(Class::Command, name)
    }

    pub const fn device(name: &'n str) -> Self {
        Self::new(Class::Device, name)
    }
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.class, self.name)
    }
}

/// An object as tables keep it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectName {
    class: Class,
    name: Name,
}

impl ObjectName {
    /// `None` when the name is empty, too long, or has characters that names do not have.
    pub fn new(class: Class, name: &str) -> Option<Self> {
        let is_whole = !name.is_empty() && name.len() <= POLICY_NAME_MAX;
        (is_whole && name.bytes().all(is_of_a_name)).then(|| Self {
            class,
            name: Name::cut_from(name),
        })
    }

    /// Reads `CLASS:NAME`.
    pub fn parse(word: &str) -> Option<Self> {
        let (class, name) = word.split_once(':')?;
        Self::new(Class::parse(class)?, name)
    }

    pub fn as_object(&self) -> Object<'_> {
        Object::new(self.class, &self.name)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_object(), f)
    }
}

/// The name of a command as an object: its words with dots, such as `device.quota.set`.
pub fn command_name(words: &str) -> Name {
    let mut name = Name::new();
    for (index, word) in words.split(' ').enumerate() {
        name.push_cut(if index > 0 { "." } else { "" });
        name.push_cut(word);
    }
    name
}

/// Stars are for patterns, commas for lists of verbs, blanks for the shell.
pub const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'*'
}
