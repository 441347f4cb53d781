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

    /// Is it time to look again whether there is room for it?
    pub fn wants_room(&mut self, now: Instant) -> bool {
        matches!(self.state, State::Refused) && self.retry.is_due(now)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Open(log, _) | State::Joined(log, _) => log.next_deadline(),
            State::Closing(_) => None,
            // Its disk has something of it, or another try would not help.
            State::Failed(log) if !log.may_reopen() => None,
            // When it is tried again is said by the next step.
            State::Failed(_) | State::Refused => self.retry.next_deadline().or(Some(Instant::ZERO)),
        }
    }

    fn change(&mut self, to: impl FnOnce(State) -> State) {
        // Never seen: it is replaced at once.
        let nothing = State::Refused;
        self.state = to(core::mem::replace(&mut self.state, nothing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::buffer::Buffer;
    use crate::base::time::Duration;
    use crate::storage::rig::Rig;

    const SECTORS: u64 = 24 << 11;

    /// Memory that is all taken.
    struct Nothing;

    impl Memory for Nothing {
        fn take_buffer(&mut self, _: usize) -> Option<Buffer> {
            None
        }
    }

    #[test]
    fn a_copy_for_which_there_was_no_room_is_tried_again_after_a_while() {
        let layout = Layout::plan(0, SECTORS).expect("it is large enough");
        let mut copy = Copy::open(layout, Retry::default(), &mut Nothing);
        let now = Instant::from_nanos(1);
        assert!(copy.next_deadline().is_some() && !copy.wants_room(now));
        let due = copy.next_deadline().expect("it is tried again");
        assert!(due > now && due < now + Duration::from_secs(10));
        assert!(copy.wants_room(due));
    }

    #[test]
    fn a_copy_whose_disk_has_failed_it_is_read_anew_though_nothing_else_happens() {
        let layout = Layout::plan(0, SECTORS).expect("it is large enough");
        let mut rig = Rig::new(&[SECTORS]);
        rig.bad_sectors = (0..SECTORS).collect();
        let mut copy = Copy::open(layout, Retry::default(), &mut rig);
        let now = Instant::from_nanos(1);
        let log = copy.log_mut().expect("there is room for it");
        while !log.may_reopen() {
            log.step(now, &mut rig, &mut |_, _| {});
            if let Some(done) = rig.answer() {
                log.on_done(now, done);
            }
        }
        copy.give_up(Some(LogError::NotFormatted));
        assert!(copy.next_deadline().is_some());
        copy.maybe_reopen(now);
        let due = copy.next_deadline().expect("it is tried again");
        copy.maybe_reopen(due);
        assert!(copy.is_reading());
    }
}
