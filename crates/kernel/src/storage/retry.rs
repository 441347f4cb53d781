//! When what a disk has failed is tried again: ever later, up to a bound.

use crate::base::time::{Duration, Instant};

const FIRST_AFTER: Duration = Duration::from_secs(1);
/// The wait doubles up to this: a disk that is bad for good costs little.
const LAST_AFTER: Duration = Duration::from_secs(64);
/// So long it must have gone well for the next failure to count as the first.
const WELL_FOR: Duration = Duration::from_secs(120);
/// Tries for which a disk may be thought to get well by itself.
const PATIENCE: u32 = 7;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Retry {
    /// In a row.
    tries: u32,
    /// When the next is due; `None` as long as nothing has failed.
    due: Option<Instant>,
    last_at: Instant,
}

impl Retry {
    /// It stands as failed; is another try due?
    pub fn is_due(&mut self, now: Instant) -> bool {
        if let Some(due) = self.due {
            return now >= due;
        }
        if now >= self.last_at + WELL_FOR {
            self.tries = 0;
        }
        let wait = FIRST_AFTER.as_nanos() << self.tries.min(PATIENCE);
        self.due = Some(now + Duration::from_nanos(wait.min(LAST_AFTER.as_nanos())));
        false
    }

    /// It is tried now. May its disk still be thought to get well by itself?
    pub const fn begin(&mut self, now: Instant) -> bool {
        self.due = None;
        self.last_at = now;
        self.tries = self.tries.saturating_add(1);
        self.tries < PATIENCE
    }

    pub const fn next_deadline(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_ever_later_and_from_the_first_again_once_all_was_well() {
        let mut retry = Retry::default();
        let mut now = Instant::from_nanos(1);
        for wait in [1, 2, 4, 8, 16, 32, 64, 64, 64] {
            assert!(!retry.is_due(now));
            let due = retry.next_deadline();
            assert_eq!(due, Some(now + Duration::from_secs(wait)));
            now = now + Duration::from_secs(wait);
            assert!(retry.is_due(now));
            assert_eq!(retry.begin(now), wait < 64);
        }
        now = now + WELL_FOR;
        assert!(!retry.is_due(now));
        assert_eq!(retry.next_deadline(), Some(now + FIRST_AFTER));
    }
}
