//! What is wrong with the words of a rule or of a question, with a way out.

use super::level::Level;
use super::verb::Verb;
use crate::base::fixed::Text;
use crate::limits::{POLICY_NAME_MAX, POLICY_RULES_MAX};
use core::fmt;

/// As much of a word as an error repeats.
pub type Shown = Text<64>;

pub fn shown(word: &str) -> Shown {
    Text::cut_from(word)
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WordError {
    Missing(Missing),
    NoEffect(Shown),
    /// Who a rule means.
    NoSubject(Shown),
    NoLevel(Shown),
    NoUser(Shown),
    NoVerb(Shown),
    Twice(Shown),
    /// Which objects a rule means.
    NoObject(Shown),
    NoNumber(Shown),
    TooMuch(Shown),
    /// Neither somebody nor a context.
    Nobody(Shown),
    /// One object.
    NotAnObject(Shown),
    NotAnOwner(Shown),
    NotAMode(Shown),
    NotAContextName(Shown),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    Number,
    Effect,
    Subject,
    Verbs,
    Object,
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => f.write_str(missing.sentence()),
            Self::NoEffect(word) => write!(
                f,
                "\"{word}\" is no effect; a rule begins with allow, deny or audit"
            ),
            Self::NoSubject(word) => write!(
                f,
                "\"{word}\" means nobody; write the name of a context such as tenant-1, tenant-*, level>=LEVEL, uid=NUMBER, or *"
            ),
            Self::NoLevel(word) => {
                write!(f, "\"{word}\" is no level; write one of ")?;
                list(&Level::NAMES, f)
            }
            Self::NoUser(word) => {
                write!(
                    f,
                    "\"{word}\" is no user; write a whole number from 0 to {}",
                    u32::MAX
                )
            }
            Self::NoVerb(word) => {
                write!(
                    f,
                    "\"{word}\" is no verb; write some with commas between them, or *: "
                )?;
                list(&Verb::NAMES, f)
            }
            Self::Twice(word) => write!(f, "\"{word}\" is said twice; leave one out"),
            Self::NoObject(word) => write!(
                f,
                "\"{word}\" means no object; write CLASS:NAME or CLASS:BEGINNING*, as in device:disk or file:*, or * for all"
            ),
            Self::NoNumber(word) => {
                write!(
                    f,
                    "\"{word}\" is no number of a rule; write one from 1 to {POLICY_RULES_MAX}"
                )
            }
            Self::TooMuch(word) => write!(
                f,
                "\"{word}\" is too much; a rule ends with its object, as in deny visitor read file:*"
            ),
            Self::Nobody(word) => write!(
                f,
                "\"{word}\" is neither a subject nor a context; write serial, api, visitor, tenant-1 or another of security contexts"
            ),
            Self::NotAnObject(word) => write!(
                f,
                "\"{word}\" is no object; write CLASS:NAME, as in device:disk, with one of command, file, volume, network, device, key, log and up to {POLICY_NAME_MAX} letters"
            ),
            Self::NotAnOwner(word) => {
                write!(f, "\"{word}\" is no owner; write UID:GID, as in 1001:1001")
            }
            Self::NotAMode(word) => {
                write!(f, "\"{word}\" is no mode; write it as rwxr-x--- or as 750")
            }
            Self::NotAContextName(word) => write!(
                f,
                "\"{word}\" is no name for a context; write up to {POLICY_NAME_MAX} small letters, digits, - _ and ., a letter first"
            ),
        }
    }
}

fn list(names: &[&str], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, name) in names.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{name}")?;
    }
    Ok(())
}

impl Missing {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Number => "a number is missing behind \"at\"; security policies shows them",
            Self::Effect => {
                "a rule is missing; write one like allow tenant-* read,write device:disk"
            }
            Self::Subject => {
                "who is missing; write a context such as tenant-1, level>=LEVEL, uid=NUMBER, or *"
            }
            Self::Verbs => "what may be done is missing; write verbs such as read,write, or *",
            Self::Object => "the object is missing; write one such as device:disk, file:*, or *",
        }
    }
}
