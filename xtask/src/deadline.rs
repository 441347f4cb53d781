//! A point in time after which a wait is given up.

use std::time::{Duration, Instant};

/// When a wait ends, carried through every step of the wait so that the steps together keep it.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(duration: Duration) -> Self {
        let now = Instant::now();
        // A duration that does not fit the clock is as good as a year.
        Deadline(
            now.checked_add(duration)
                .unwrap_or(now + Duration::from_secs(365 * 24 * 3600)),
        )
    }

    /// What is left, or `None` when the time is over. Never zero, because a zero time-out means "for ever" to a socket.
    pub fn remaining(self) -> Option<Duration> {
        self.0
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    pub fn is_over(self) -> bool {
        self.remaining().is_none()
    }

    pub fn earlier(self, other: Deadline) -> Deadline {
        Deadline(self.0.min(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_deadline_that_is_over() {
        assert!(Deadline::after(Duration::ZERO).is_over());
    }

    #[test]
    fn an_endless_duration_is_a_deadline_far_away() {
        let left = Deadline::after(Duration::MAX).remaining();
        assert!(left.is_some_and(|left| left > Duration::from_secs(24 * 3600)));
    }

    #[test]
    fn the_earlier_of_two_deadlines_holds() {
        let soon = Deadline::after(Duration::ZERO);
        let late = Deadline::after(Duration::from_secs(60));
        assert!(late.earlier(soon).is_over());
        assert!(soon.earlier(late).is_over());
    }
}
