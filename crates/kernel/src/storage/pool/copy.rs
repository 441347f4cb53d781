//! A disk's copy of the journal of the volumes, and what was read in it.

use crate::base::time::{Duration, Instant};
use crate::storage::io::Memory;
use crate::storage::layout::{Layout, LogArea};
use crate::storage::log::{Log, LogError, LogStateView};
use crate::storage::logs::setup;
use crate::storage::volumes::{Place, PoolRow, RowError, Table};
use alloc::boxed::Box;

/// So long after a log failed it is read anew.
pub const PAUSE: Duration = Duration::from_secs(10);

pub struct Copy {
    pub layout: Layout,
    pub state: State,
}

pub enum State {
    /// It is read, or was, or is damaged.
    Open(Box<Log>, Reading),
    /// It is appended to.
    Joined(Box<Log>, Joined),
    /// Given up, but the disk has requests of it.
    Closing(Box<Log>, Option<LogError>),
    /// Why, and when it is tried again.
    Failed(LogError, Instant),
}

/// What is known of the records.
pub struct Reading {
    /// Here until it is mounted, or of no use.
    pub table: Option<Box<Table>>,
    pub pool: Option<PoolRow>,
    pub generation: u64,
    pub error: Option<RowError>,
}

#[derive(Clone, Copy, Debug)]
pub struct Joined {
    pub member: usize,
    /// What its numbers are greater by than those of the pool's journal, modulo 2^64;
    /// `None` until the next whole table, with which it begins.
    pub offset: Option<u64>,
    /// Is the last record not yet in it?
    pub is_behind: bool,
}

impl Reading {
    fn new() -> Self {
        Self {
            table: Some(Box::new(Table::new())),
            pool: None,
            generation: 0,
            error: None,
        }
    }

    pub fn replay(&mut self, record: &[u8]) {
        let Some(table) = self.table.as_mut().filter(|_| self.error.is_none()) else {
            return;
        };
        self.error = table.replay(record).err();
        self.pool = table.pool().cloned();
        self.generation = table.generation();
    }
}

impl Copy {
    #[inline(never)]
    pub fn open(layout: Layout, now: Instant, memory: &mut dyn Memory) -> Self {
        let state = match Log::open(&setup(&layout, LogArea::Volumes), memory) {
            Ok(log) => State::Open(Box::new(log), Reading::new()),
            Err(error) => State::Failed(error, now + PAUSE),
        };
        Self { layout, state }
    }

    pub const fn log(&self) -> Option<&Log> {
        match &self.state {
            State::Open(log, _) | State::Joined(log, _) => Some(log),
            State::Closing(..) | State::Failed(..) => None,
        }
    }

    /// Also one that is given up: it gets its answers.
    pub const fn log_mut(&mut self) -> Option<&mut Log> {
        match &mut self.state {
            State::Open(log, _) | State::Joined(log, _) | State::Closing(log, _) => Some(log),
            State::Failed(..) => None,
        }
    }

    /// What was read, once all was.
    pub fn known(&self) -> Option<(&Log, &Reading)> {
        match &self.state {
            State::Open(log, reading) if log.is_open() => Some((log, reading)),
            _ => None,
        }
    }

    pub fn is_reading(&self) -> bool {
        match &self.state {
            State::Open(log, _) => matches!(log.view().state, LogStateView::Recovering),
            State::Closing(..) => true,
            _ => false,
        }
    }

    pub const fn joined(&self) -> Option<&Joined> {
        match &self.state {
            State::Joined(_, joined) => Some(joined),
            _ => None,
        }
    }

    /// Where it is a member.
    pub fn place(&self) -> Option<Place> {
        Some(Place {
            region: self.layout.pool,
            journal: self.log()?.identity(),
        })
    }

    /// From now on it is appended to.
    pub fn join(&mut self, member: usize, offset: Option<u64>) {
        self.change(|state| match state {
            State::Open(log, _) => State::Joined(
                log,
                Joined {
                    member,
                    offset,
                    is_behind: false,
                },
            ),
            other => other,
        });
    }

    /// Nothing more is read from it or appended to it.
    pub fn give_up(&mut self, error: Option<LogError>) {
        self.change(|state| match state {
            State::Open(log, _) | State::Joined(log, _) => State::Closing(log, error),
            other => other,
        });
    }

    fn change(&mut self, to: impl FnOnce(State) -> State) {
        // Never seen: it is replaced at once.
        let nothing = State::Failed(LogError::NoMemory, Instant::ZERO);
        self.state = to(core::mem::replace(&mut self.state, nothing));
    }
}
