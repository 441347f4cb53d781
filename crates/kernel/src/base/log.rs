//! The log: the newest records of text, with a level for each source.

use crate::base::fixed::{Map, Ring, Text};
use crate::base::sync::IrqLock;
use crate::base::time::Instant;
use crate::limits::{LOG_FILTERS_MAX, LOG_RECORDS_MAX, LOG_TEXT_MAX};
use core::fmt;

/// The usual level is 0, so that a log that nobody has written to is nothing but zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(i8)]
pub enum Level {
    Error = -2,
    Warn = -1,
    Info = 0,
    Debug = 1,
    Trace = 2,
}

impl Level {
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

#[derive(Clone, Debug)]
pub struct Record {
    /// Counts all records since boot.
    pub number: u64,
    pub at: Instant,
    pub level: Level,
    pub source: &'static str,
    pub text: Text<LOG_TEXT_MAX>,
}

type SourceName = heapless::String<16>;

/// Which records are kept: a level for all, and others for named sources.
#[derive(Clone, Debug)]
pub struct Levels {
    default: Level,
    sources: Map<SourceName, Level, LOG_FILTERS_MAX>,
}

impl Levels {
    pub const fn new() -> Self {
        Self {
            default: Level::Info,
            sources: Map::new(),
        }
    }

    /// Reads `info,raft=debug`; says in words what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut levels = Self::new();
        for part in text.split(',') {
            let (source, name) = match part.split_once('=') {
                Some((source, name)) => (Some(source), name),
                None => (None, part),
            };
            let level = Level::parse(name)
                .ok_or("a log level is one of error, warn, info, debug, trace")?;
            let Some(source) = source else {
                levels.default = level;
                continue;
            };
            let source = SourceName::try_from(source)
                .map_err(|_| "the name of a log source has at most 16 characters")?;
            levels
                .sources
                .insert(source, level)
                .map_err(|_| "too many log sources")?;
        }
        Ok(levels)
    }

    pub fn keeps(&self, level: Level, source: &str) -> bool {
        let own = self
            .sources
            .iter()
            .find(|(name, _)| name.as_str() == source);
        level <= own.map_or(self.default, |(_, level)| *level)
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self::new()
    }
}

struct State {
    levels: Levels,
    records: Ring<Record, LOG_RECORDS_MAX>,
    next: u64,
    /// Records not kept because of their level.
    filtered: u64,
}

pub struct Log {
    state: IrqLock<State>,
}

impl Log {
    pub const fn new() -> Self {
        Self {
            state: IrqLock::new(State {
                levels: Levels::new(),
                records: Ring::new(),
                next: 0,
                filtered: 0,
            }),
        }
    }

    pub fn set_levels(&self, levels: Levels) {
        self.state.with(|state| state.levels = levels);
    }

    pub fn write(&self, at: Instant, level: Level, source: &'static str, text: fmt::Arguments<'_>) {
        self.state.with(|state| {
            if !state.levels.keeps(level, source) {
                state.filtered += 1;
                return;
            }
            let number = state.next;
            state.next += 1;
            state.records.push(Record {
                number,
                at,
                level,
                source,
                text: Text::format(text),
            });
        });
    }

    /// Calls `visit` for each record from `number` on, oldest first.
    pub fn visit_from(&self, number: u64, mut visit: impl FnMut(&Record)) {
        self.state.with(|state| {
            let wanted = state
                .records
                .iter()
                .filter(|record| record.number >= number);
            wanted.for_each(&mut visit);
        });
    }

    /// As `visit_from`, for the panic path: gives up when the log is being written.
    pub fn try_visit_from(&self, number: u64, mut visit: impl FnMut(&Record)) {
        self.state.try_with(|state| {
            let wanted = state
                .records
                .iter()
                .filter(|record| record.number >= number);
            wanted.for_each(&mut visit);
        });
    }

    pub fn view(&self) -> LogView {
        self.state.with(|state| LogView {
            kept: state.records.len() as u64,
            written: state.next,
            forgotten: state.records.forgotten(),
            filtered: state.filtered,
        })
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogView {
    pub kept: u64,
    pub written: u64,
    /// Records that newer ones pushed out.
    pub forgotten: u64,
    /// Records whose level was not wanted.
    pub filtered: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_its_own_level() {
        let levels = Levels::parse("warn,raft=debug").unwrap();
        assert!(levels.keeps(Level::Debug, "raft"));
        assert!(!levels.keeps(Level::Info, "net"));
        assert!(Levels::parse("loud").is_err());
        assert!(Levels::parse("raft=").is_err());
    }

    #[test]
    fn a_filtered_record_is_counted_and_not_kept() {
        let log = std::boxed::Box::new(Log::new());
        log.write(Instant::ZERO, Level::Debug, "boot", format_args!("quiet"));
        log.write(
            Instant::ZERO,
            Level::Warn,
            "boot",
            format_args!("loud {}", 1),
        );
        let mut texts = std::vec::Vec::new();
        log.visit_from(0, |record| texts.push(record.text.as_str().to_owned()));
        assert_eq!(texts, ["loud 1"]);
        assert_eq!((log.view().kept, log.view().filtered), (1, 1));
    }
}
