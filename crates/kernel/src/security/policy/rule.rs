//! One rule: who may do what to which objects, and how it is written.

use super::context::Context;
use super::level::Level;
use super::object::{Class, Name, Object};
use super::verb::VerbSet;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    Allow,
    Deny,
    /// Allowed, and an entry in the audit trail says so.
    Audit,
}

impl Effect {
    pub const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::Audit];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Audit => "audit",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.name() == name)
    }

    pub const fn allows(self) -> bool {
        !matches!(self, Self::Deny)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name, or what names begin with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamePattern {
    pub name: Name,
    /// Written with a star at the end.
    pub is_prefix: bool,
}

impl NamePattern {
    pub fn matches(&self, name: &str) -> bool {
        match self.is_prefix {
            true => name.starts_with(self.name.as_str()),
            false => name == self.name.as_str(),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, if self.is_prefix { "*" } else { "" })
    }
}

/// Whom a rule means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubjectPattern {
    /// Contexts of that name; a star alone means everybody.
    Context(NamePattern),
    /// Contexts of that level or a higher one.
    LevelAtLeast(Level),
    User(u32),
}

impl SubjectPattern {
    pub fn matches(&self, context: &Context) -> bool {
        match self {
            Self::Context(pattern) => pattern.matches(&context.name),
            Self::LevelAtLeast(level) => context.level >= *level,
            Self::User(uid) => context.owner.uid == *uid,
        }
    }
}

impl fmt::Display for SubjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(pattern) => write!(f, "{pattern}"),
            Self::LevelAtLeast(level) => write!(f, "level>={level}"),
            Self::User(uid) => write!(f, "uid={uid}"),
        }
    }
}

/// Which objects a rule means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ObjectPattern {
    Any,
    Of(Class, NamePattern),
}

impl ObjectPattern {
    pub fn matches(&self, object: &Object<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Of(class, pattern) => *class == object.class && pattern.matches(object.name),
        }
    }
}

impl fmt::Display for ObjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Of(class, pattern) => write!(f, "{class}:{pattern}"),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    pub effect: Effect,
    pub subject: SubjectPattern,
    pub verbs: VerbSet,
    pub object: ObjectPattern,
}

/// As it is typed.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            effect,
            subject,
            verbs,
            object,
        } = self;
        write!(f, "{effect} {subject} {verbs} {object}")
    }
}
