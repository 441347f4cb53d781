//! What the volumes need of a journal: records that stay, in their order.

use crate::storage::log::{self, Log, LogError, LogStateView};

/// A record's place in the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lsn(pub u64);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JournalError {
    /// There is no room at the moment.
    Full,
    /// It takes nothing any more.
    Failed,
}

/// A log of the kernel's, for one user.
///
/// What is read again at the next mount is a prefix of what was appended, and has all in
/// it that was durable.
pub trait Journal {
    fn append(&mut self, record: &[u8]) -> Result<Lsn, JournalError>;

    fn is_durable(&self, lsn: Lsn) -> bool;

    /// Takes it nothing any more? Then what is not durable never will be.
    fn has_failed(&self) -> bool;

    /// Does it want the whole table, so that it can forget older records?
    fn wants_checkpoint(&self) -> bool;

    /// Records before this one are not needed; it and all behind it are durable.
    fn checkpoint(&mut self, lsn: Lsn);

    /// The next record begins with the whole table.
    fn begin_table(&mut self) {}

    /// A bit for each member whose copy of the journal was lost since the last call; what it
    /// has not got is durable without it as soon as the others say so.
    fn take_lost(&mut self) -> u8 {
        0
    }
}

/// Part of the log's space that may be in use before it is to begin anew.
const USED_PART: u64 = 2;
/// More records than the whole table has.
const RECORDS_MIN: u64 = 64;

impl Journal for Log {
    fn append(&mut self, record: &[u8]) -> Result<Lsn, JournalError> {
        match Log::append(self, record) {
            Ok(lsn) => Ok(Lsn(lsn.0)),
            Err(LogError::Full | LogError::Busy | LogError::Recovering) => Err(JournalError::Full),
            Err(_) => Err(JournalError::Failed),
        }
    }

    fn is_durable(&self, lsn: Lsn) -> bool {
        self.durable().covers(log::Lsn(lsn.0))
    }

    fn has_failed(&self) -> bool {
        matches!(
            self.view().state,
            LogStateView::Failed(_) | LogStateView::Damaged(_)
        )
    }

    fn wants_checkpoint(&self) -> bool {
        let view = self.view();
        // What was given up counts as used until a superblock says so.
        let records = view.next.0.saturating_sub(view.first.0);
        records > RECORDS_MIN && view.used_sectors > view.area_sectors / USED_PART
    }

    fn checkpoint(&mut self, lsn: Lsn) {
        // One that is refused is tried again, for the log is still too full.
        let _ = Log::checkpoint(self, log::Lsn(lsn.0));
    }
}
