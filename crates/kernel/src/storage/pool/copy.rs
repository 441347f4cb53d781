//! A disk's copy of the journal of the volumes, and what was read in it.

use crate::base::time::Instant;
use crate::storage::io::Memory;
use crate::storage::layout::{Layout, LogArea};
use crate::storage::log::{Log, LogError, LogStateView};
use crate::storage::logs::setup;
use crate::storage::retry::Retry;
use crate::storage::volumes::{Place, PoolRow, RowError, Table};
use alloc::boxed::Box;

pub struct Copy {
    pub layout: Layout,
    pub state: State,
    /// When it is read anew after its disk has failed it.
    pub retry: Retry,
}

pub enum State {
    /// It is read, or was, or is damaged.
    Open(Box<Log>, Reading),
    /// It is appended to.
    Joined(Box<Log>, Joined),
    /// Its disk is gone, but has requests of it.
    Closing(Box<Log>),
    /// It is read anew after a while.
    Failed(Box<Log>),
    /// There was no room for it.
    Refused,
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
    pub fn open(layout: Layout, retry: Retry, memory: &mut dyn Memory) -> Self {
        let state = match Log::open(&setup(&layout, LogArea::Volumes), memory) {
            Ok(log) => State::Open(Box::new(log), Reading::new()),
            Err(_) => State::Refused,
        };
        Self {
            layout,
            state,
            retry,
        }
    }

    pub const fn log(&self) -> Option<&Log> {
        match &self.state {
            State::Open(log, _) | State::Joined(log, _) => Some(log),
            State::Closing(_) | State::Failed(..) | State::Refused => None,
        }
    }

    /// Also one that its disk has failed.
    pub const fn shown(&self) -> Option<&Log> {
        match &self.state {
            State::Failed(log) => Some(log),
            _ => self.log(),
        }
    }

    /// Also one that is given up: it gets its answers.
    pub const fn log_mut(&mut self) -> Option<&mut Log> {
        match &mut self.state {
            State::Open(log, _) | State::Joined(log, _) => Some(log),
            State::Closing(log) | State::Failed(log) => Some(log),
            State::Refused => None,
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
            State::Closing(_) => true,
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

    /// Nothing more is read from it or appended to it; without an error its disk is gone.
    pub fn give_up(&mut self, error: Option<LogError>) {
        self.change(|state| match (state, error) {
            (State::Open(log, _) | State::Joined(log, _), Some(_)) => State::Failed(log),
            (State::Open(log, _) | State::Joined(log, _) | State::Failed(log), None) => {
                State::Closing(log)
            }
            (other, _) => other,
        });
    }

    /// Reads it anew, if it is time for that.
    pub fn maybe_reopen(&mut self, now: Instant) {
        let may_reopen = match &self.state {
            State::Failed(log) => log.may_reopen(),
            _ => false,
        };
        if may_reopen && self.retry.is_due(now) {
            let is_patient = self.retry.begin(now);
            self.change(|state| match state {
                State::Failed(mut log) => {
                    log.reopen(is_patient);
                    State::Open(log, Reading::new())
                }
                other => other,
            });
        }
    }

    fn change(&mut self, to: impl FnOnce(State) -> State) {
        // Never seen: it is replaced at once.
        let nothing = State::Refused;
        self.state = to(core::mem::replace(&mut self.state, nothing));
    }
}
