//! The journal of the volumes: the same records in the logs of all members.
//!
//! Invariants: a log gets every record, or is lost and said to be so; a record is durable
//! when every log that has begun says so. A log begins with a whole table.

use super::Pool;
use super::copy::{Joined, State};
use crate::storage::log::{self, Log, LogError};
use crate::storage::volumes::{Journal, JournalError, Lsn};

impl Pool {
    /// Those that are appended to, with their disks.
    fn joined(&mut self) -> impl Iterator<Item = (usize, &mut Log, &mut Joined)> {
        let copies = self.copies.iter_mut().enumerate();
        copies.filter_map(|(disk, copy)| match copy {
            Some(copy) => match &mut copy.state {
                State::Joined(log, joined) => Some((disk, &mut **log, joined)),
                _ => None,
            },
            None => None,
        })
    }

    /// The last record goes to those that had no room for it.
    pub(super) fn carry(&mut self) {
        let record = core::mem::take(&mut self.carried);
        let mut lost = [None; crate::limits::DISKS_MAX];
        for (disk, log, joined) in self.joined().filter(|(.., joined)| joined.is_behind) {
            match Log::append(log, &record) {
                Ok(_) => joined.is_behind = false,
                Err(error) if is_passing(error) => {}
                Err(error) => lost[disk] = Some(error),
            }
        }
        self.carried = record;
        self.lose_all(lost);
    }

    fn lose_all(&mut self, lost: [Option<LogError>; crate::limits::DISKS_MAX]) {
        for (disk, error) in lost.into_iter().enumerate() {
            if let Some(error) = error {
                self.lose(disk, Some(error));
            }
        }
    }
}

const fn is_passing(error: LogError) -> bool {
    matches!(
        error,
        LogError::Full | LogError::Busy | LogError::Recovering
    )
}

impl Journal for Pool {
    fn append(&mut self, record: &[u8]) -> Result<Lsn, JournalError> {
        self.carry();
        if self.joined().any(|(.., joined)| joined.is_behind) {
            return Err(JournalError::Full);
        }
        let next = self.next;
        let mut lost = [None; crate::limits::DISKS_MAX];
        let (mut appended, mut behind) = (0, 0);
        for (disk, log, joined) in self.joined() {
            let Some(offset) = joined.offset else {
                continue;
            };
            match Log::append(log, record) {
                Ok(lsn) => {
                    crate::invariant!(
                        lsn.0 == next.wrapping_add(offset),
                        "a copy of the journal has another record at {lsn}"
                    );
                    appended += 1;
                }
                Err(error) if is_passing(error) => {
                    joined.is_behind = true;
                    behind += 1;
                }
                Err(error) => lost[disk] = Some(error),
            }
        }
        self.lose_all(lost);
        if appended == 0 {
            self.joined()
                .for_each(|(.., joined)| joined.is_behind = false);
            return Err(match behind {
                0 => JournalError::Failed,
                _ => JournalError::Full,
            });
        }
        if behind > 0 {
            self.carried.clear();
            // As long as the longest record, from the beginning on.
            self.carried.extend_from_slice(record);
        }
        self.next += 1;
        Ok(Lsn(next))
    }

    fn is_durable(&self, lsn: Lsn) -> bool {
        let mut begun = self.all_joined().filter_map(|(log, joined)| {
            let own = lsn.0.wrapping_add(joined.offset?);
            Some(log.durable().covers(log::Lsn(own)))
        });
        // One at least, and all of them.
        begun.next() == Some(true) && begun.all(|is_durable| is_durable)
    }

    fn has_failed(&self) -> bool {
        self.all_joined().next().is_none()
    }

    fn wants_checkpoint(&self) -> bool {
        self.all_joined()
            .any(|(log, joined)| joined.offset.is_none() || Journal::wants_checkpoint(log))
    }

    fn checkpoint(&mut self, lsn: Lsn) {
        for (_, log, joined) in self.joined() {
            if let Some(offset) = joined.offset {
                Journal::checkpoint(log, Lsn(lsn.0.wrapping_add(offset)));
            }
        }
    }

    fn begin_table(&mut self) {
        let next = self.next;
        for (_, log, joined) in self.joined() {
            if joined.offset.is_none() {
                joined.offset = Some(log.next_lsn().0.wrapping_sub(next));
            }
        }
    }

    fn take_lost(&mut self) -> u8 {
        core::mem::take(&mut self.lost)
    }
}
