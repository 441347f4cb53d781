//! Records that were written long ago are read back, as they are taken.

use super::judgement::Damage;
use super::machine::{Log, State};
use super::requests::Walker;
use super::rules::Rules;
use super::walk::{Step, Stop, Walk};
use super::{LogError, Lsn};
use crate::base::time::Instant;
use crate::storage::io::Submit;

pub struct Reader {
    walk: Walk,
    from: u64,
    through: u64,
    end: Option<ReadEnd>,
}

/// How a read ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadEnd {
    /// All that was asked for and is safe was given; the first that was not.
    Through(Lsn),
    /// The log was truncated meanwhile; what was given may be void.
    Cut,
    /// A checkpoint gave up what was to be read.
    Gone,
    /// What was safe is destroyed.
    Damaged(Damage),
    Failed(LogError),
}

impl Reader {
    pub fn into_walk(self) -> Walk {
        self.walk
    }

    pub const fn walk_mut(&mut self) -> &mut Walk {
        &mut self.walk
    }

    pub fn is_pending(&self) -> bool {
        self.end.is_none() && self.walk.is_pending()
    }

    pub fn on_cut(&mut self) {
        self.end = self.end.or(Some(ReadEnd::Cut));
    }
}

impl Log {
    /// Begins to read the safe records of that range; `take_read` has them. One read at a
    /// time; records that are not safe yet are not read.
    pub fn read(&mut self, from: Lsn, through: Lsn) -> Result<(), LogError> {
        self.check_open()?;
        if from < self.first_lsn() || from > self.next_lsn() {
            return Err(LogError::OutOfRange);
        }
        if self.reader.is_some() {
            return Err(LogError::Reading);
        }
        // A cut needs two, and so that it comes to an end one is left for a batch.
        if self.cut.is_some() || self.buffers.len() < 3 {
            return Err(LogError::Busy);
        }
        let Some((first, second)) = self.buffers.pop().zip(self.buffers.pop()) else {
            return Err(LogError::Busy);
        };
        let place = self.index.find(from.0).unwrap_or(self.superblock.head);
        let stop = Stop::Lsn {
            lsn: through.0,
            number: self.synced.number,
        };
        let walk = Walk::new(place, stop, &self.rules(), [first, second]);
        self.reader = Some(Reader {
            walk,
            from: from.0,
            through: through.0,
            end: None,
        });
        Ok(())
    }

    /// Gives what was read meanwhile, and says when and how the read has ended.
    pub fn take_read(&mut self, visit: &mut dyn FnMut(Lsn, &[u8])) -> Option<ReadEnd> {
        let rules = self.rules();
        let head = self.confirmed.head.position;
        let reader = self.reader.as_mut()?;
        if let Some(error) = reader.walk.error() {
            reader.end = reader.end.or(Some(ReadEnd::Failed(LogError::Disk(error))));
        }
        if let Err(error) = check(&self.state) {
            reader.end = reader.end.or(Some(ReadEnd::Failed(error)));
        }
        if reader.end.is_none() && !reader.walk.is_waiting() {
            if reader.walk.reads_from() < head {
                reader.end = Some(ReadEnd::Gone);
            } else {
                reader.advance(&rules, visit);
            }
        }
        let end = reader.end?;
        if !reader.walk.is_home() {
            return None;
        }
        if let ReadEnd::Damaged(_) = end {
            self.counters.damaged_reads += 1;
        }
        if let Some(reader) = self.reader.take() {
            self.take_back(reader.walk);
        }
        Some(end)
    }

    /// Would a read be taken on?
    pub fn may_read(&self) -> bool {
        let is_ready = self.reader.is_none() && self.cut.is_none() && self.buffers.len() >= 3;
        match self.state {
            State::Open => is_ready,
            State::Recovering => false,
            // It says at once why not.
            State::Damaged(_) | State::Failed(_) => true,
        }
    }

    /// Is there something to take, or the end?
    pub fn is_read_ready(&self) -> bool {
        // One that has ended, or whose log has failed, asks the disk for nothing more.
        let has_failed = self.has_failed();
        self.reader.as_ref().is_some_and(|reader| {
            let is_over = has_failed || reader.end.is_some();
            reader.walk.is_home() && (is_over || !reader.walk.is_pending())
        })
    }

    /// Nobody wants the rest.
    pub fn stop_reading(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.end = reader.end.or(Some(ReadEnd::Cut));
        }
        self.take_read(&mut |_, _| {});
    }

    pub(super) fn step_reader(&mut self, now: Instant, io: &mut dyn Submit) {
        let rules = self.rules();
        let (requests, block) = (&mut self.requests, &mut self.block);
        if let Some(reader) = self.reader.as_mut().filter(|reader| reader.end.is_none()) {
            let who = Walker::Reader;
            reader.walk.step(now, &rules, who, requests, block, io);
        }
    }
}

fn check(state: &State) -> Result<(), LogError> {
    match state {
        State::Failed(error) => Err(*error),
        _ => Ok(()),
    }
}

impl Reader {
    fn advance(&mut self, rules: &Rules, visit: &mut dyn FnMut(Lsn, &[u8])) {
        let (from, through) = (self.from, self.through);
        let mut next = from;
        let step = self.walk.advance(rules, &mut |_| {}, &mut |lsn, record| {
            if (from..=through).contains(&lsn.0) {
                next = lsn.0 + 1;
                visit(lsn, record);
            }
        });
        self.from = next;
        self.end = match step {
            Step::Read => None,
            Step::Stopped(_) => Some(ReadEnd::Through(Lsn(next))),
            Step::Broken(broken) => {
                Some(ReadEnd::Damaged(broken.damage(&rules.area, broken.part, 0)))
            }
        };
    }
}
