//! Which entries somebody wants to see, from words as `kind=security`.

use super::entry::Entry;
use super::words::{Kind, Level, Outcome, Verb};
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use core::fmt;

/// All of what is given must fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter<'a> {
    pub kind: Option<Kind>,
    pub level: Option<Level>,
    pub level_least: Option<Level>,
    pub subject: Option<Subject>,
    pub verb: Option<Verb>,
    pub outcome: Option<Outcome>,
    /// Not older than this.
    pub since: Option<Duration>,
    /// Stands in the object or the text; case does not matter.
    pub text: Option<&'a str>,
}

/// The words that a filter may begin with, whole where there are few.
pub const OFFERED: &[&str] = &[
    "kind=security",
    "kind=performance",
    "kind=system",
    "kind=user",
    "kind=storage",
    "kind=network",
    "level>=notice",
    "level>=warning",
    "level>=error",
    "level=critical",
    "outcome=done",
    "outcome=allowed",
    "outcome=denied",
    "outcome=failed",
    "subject=kernel",
    "subject=api",
    "since=10m",
];

/// What is wrong with a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FilterError {
    NoClause,
    /// What the value may be, from a list.
    NotOneOf(&'static [&'static str]),
    NoSubject,
    NoSpan,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClause => f.write_str(
                "write kind=, level=, level>=, subject=, verb=, outcome=, since= or text= with a value",
            ),
            Self::NotOneOf(names) => {
                f.write_str("the value is one of ")?;
                for (index, name) in names.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{name}")?;
                }
                Ok(())
            }
            Self::NoSubject => f.write_str(
                "the value is kernel, a console's name, tenant-NUMBER, api or visitor",
            ),
            Self::NoSpan => f.write_str("the value is a whole number with s, m, h or d, as in 10m"),
        }
    }
}

impl<'a> Filter<'a> {
    /// Says which word is wrong, and why.
    pub fn parse(words: &[&'a str]) -> Result<Self, (&'a str, FilterError)> {
        let mut filter = Self::default();
        for word in words {
            filter.add(word).map_err(|error| (*word, error))?;
        }
        Ok(filter)
    }

    fn add(&mut self, word: &'a str) -> Result<(), FilterError> {
        let (key, value) = word.split_once('=').ok_or(FilterError::NoClause)?;
        match key {
            "kind" => self.kind = Some(one_of(Kind::parse(value), Kind::NAMES)?),
            "level" => self.level = Some(one_of(Level::parse(value), Level::NAMES)?),
            "level>" => self.level_least = Some(one_of(Level::parse(value), Level::NAMES)?),
            "verb" => self.verb = Some(one_of(Verb::parse(value), Verb::NAMES)?),
            "outcome" => self.outcome = Some(one_of(Outcome::parse(value), Outcome::NAMES)?),
            "subject" => {
                self.subject = Some(Subject::parse(value).ok_or(FilterError::NoSubject)?);
            }
            "since" => self.since = Some(parse_span(value).ok_or(FilterError::NoSpan)?),
            "text" if !value.is_empty() => self.text = Some(value),
            _ => return Err(FilterError::NoClause),
        }
        Ok(())
    }

    pub fn fits(&self, now: Instant, entry: &Entry) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, found: T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        let has = |text: &str| {
            contains(entry.object.as_str(), text) || contains(entry.text.as_str(), text)
        };
        is(self.kind, entry.kind)
            && is(self.level, entry.level)
            && self.level_least.is_none_or(|least| entry.level >= least)
            && is(self.subject, entry.subject)
            && is(self.verb, entry.verb)
            && is(self.outcome, entry.outcome)
            && self.since.is_none_or(|since| now.since(entry.at) <= since)
            && self.text.is_none_or(has)
    }
}

fn one_of<T>(found: Option<T>, names: &'static [&'static str]) -> Result<T, FilterError> {
    found.ok_or(FilterError::NotOneOf(names))
}

/// Letters of ASCII are the same in both cases.
fn contains(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let mut windows = text.windows(wanted.len().max(1));
    wanted.is_empty() || windows.any(|window| window.eq_ignore_ascii_case(wanted))
}

fn parse_span(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = &text[..text.len() - unit.len_utf8()];
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let count: u64 = is_number.then(|| digits.parse().ok())??;
    Some(Duration::from_secs(count.checked_mul(seconds)?))
}
