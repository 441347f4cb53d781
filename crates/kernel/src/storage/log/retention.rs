//! Logs of which the newest is kept: when one is full, its oldest part goes.

use super::machine::Log;
use super::{LogError, Lsn};

/// Such a part of the records goes at once.
const GIVEN_UP_PART: u64 = 8;

impl Log {
    /// As `append`; when the log is full, the oldest records make room, and it is `Busy`
    /// until they have.
    pub fn append_newest(&mut self, record: &[u8]) -> Result<Lsn, LogError> {
        let appended = self.append(record);
        if appended != Err(LogError::Full) {
            return appended;
        }
        let (first, next) = (self.first_lsn().0, self.next_lsn().0);
        let count = (next - first).div_ceil(GIVEN_UP_PART);
        self.checkpoint(Lsn(first + count))?;
        self.counters.given_up += count;
        Err(LogError::Busy)
    }

    /// Is all that was appended safe?
    pub fn is_safe(&self) -> bool {
        self.durable().through().0 + 1 >= self.next_lsn().0
    }
}
