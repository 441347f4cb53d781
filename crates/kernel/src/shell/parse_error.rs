//! What can be wrong with a command line, said so that the user can mend it.

use crate::base::fixed::Text;
use crate::limits::{FILTERS_MAX, LINE_COMMANDS_MAX, LINE_FILTERS_MAX, LINE_MAX, WORDS_MAX};
use crate::shell::filter::FILTER_NAMES;
use crate::shell::suggest;
use core::fmt;

/// As much of what was typed as an error repeats.
pub type Shown = Text<32>;

/// Positions are those of characters, from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParseError {
    TooLong {
        bytes: usize,
    },
    TooManyTokens,
    TooManyWords {
        position: usize,
    },
    TooManyFilters,
    TooManyCommands,
    ControlCharacter {
        position: usize,
    },
    UnclosedQuote {
        quote: char,
        position: usize,
    },
    NothingBehindBackslash {
        position: usize,
    },
    /// Nothing but `--json` was typed.
    NoCommand,
    NoCommandBeforeBar {
        position: usize,
    },
    NoFilter {
        position: usize,
    },
    UnknownFilter {
        name: Shown,
        meant: Option<&'static str>,
    },
    FilterUsage {
        usage: &'static str,
    },
    LimitNotANumber {
        given: Shown,
    },
    WatchUsage,
    WatchInWatch,
    WatchSeconds {
        given: Shown,
    },
}

impl ParseError {
    pub(super) fn unknown_filter(name: &str) -> Self {
        Self::UnknownFilter {
            name: shown(name),
            meant: suggest::closest(name, FILTER_NAMES),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(
                    f,
                    "the line has {bytes} bytes; at most {LINE_MAX} are taken"
                )
            }
            Self::TooManyTokens => f.write_str(
                "the line has too many words, bars and semicolons; split it into several lines",
            ),
            Self::TooManyWords { position } => write!(
                f,
                "the word at character {position} is one too many; a command takes at most {WORDS_MAX}"
            ),
            Self::TooManyFilters => write!(
                f,
                "too many filters; a command takes at most {FILTERS_MAX}, a line {LINE_FILTERS_MAX}"
            ),
            Self::TooManyCommands => write!(
                f,
                "too many commands in one line; it takes at most {LINE_COMMANDS_MAX}"
            ),
            Self::ControlCharacter { position } => write!(
                f,
                "character {position} of the line cannot be shown; leave it out"
            ),
            Self::UnclosedQuote { quote, position } => write!(
                f,
                "the quote {quote} at character {position} is not closed; add another {quote} where the text ends"
            ),
            Self::NothingBehindBackslash { position } => write!(
                f,
                "the backslash at character {position} has nothing behind it; write \\\\ for a backslash"
            ),
            Self::NoCommand => f.write_str("a command is missing; help lists them all"),
            Self::NoCommandBeforeBar { position } => {
                write!(
                    f,
                    "the bar at character {position} has no command before it"
                )
            }
            Self::NoFilter { position } => {
                write!(
                    f,
                    "the bar at character {position} has no filter behind it; "
                )?;
                write_filter_names(f)
            }
            Self::UnknownFilter {
                name,
                meant: Some(meant),
            } => write!(f, "unknown filter \"{name}\"; did you mean \"{meant}\"?"),
            Self::UnknownFilter { name, meant: None } => {
                write!(f, "unknown filter \"{name}\"; ")?;
                write_filter_names(f)
            }
            Self::FilterUsage { usage } => {
                write!(f, "incomplete or too long filter; write {usage}")
            }
            Self::LimitNotANumber { given } => {
                write!(f, "limit takes a number of rows, not \"{given}\"")
            }
            Self::WatchUsage => {
                f.write_str("watch takes seconds and a command, as in watch 2 status")
            }
            Self::WatchInWatch => {
                f.write_str("watch cannot watch itself; leave one of the two out")
            }
            Self::WatchSeconds { given } => {
                write!(f, "watch takes 0.1 to 86400 seconds, not \"{given}\"")
            }
        }
    }
}

fn write_filter_names(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("the filters are ")?;
    for (index, name) in FILTER_NAMES.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{name}")?;
    }
    Ok(())
}

/// The number of the character at byte `at`, from 1, as a person counts.
pub(super) fn position(line: &str, at: usize) -> usize {
    line[..at].chars().count() + 1
}

/// What was typed, as far as an error repeats it.
pub(super) fn shown(typed: &str) -> Shown {
    Shown::cut_from(typed)
}
