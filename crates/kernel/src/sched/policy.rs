//! Who runs next on one core: the interface, and fixed priorities behind it.

use crate::base::fixed::Vec;
use crate::base::time::{Duration, Instant};
use crate::limits::THREADS_MAX;

/// What a policy knows of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Runnable {
    /// Its place in the thread table.
    pub slot: usize,
    /// Higher runs first.
    pub priority: u8,
    /// Must it stay on its core?
    pub is_pinned: bool,
}

/// The order of one core's ready threads. The running one is not among them.
pub trait Policy {
    /// A thread has become ready; `false` when there is no room, which the size
    /// of the thread table rules out.
    fn add(&mut self, thread: Runnable, now: Instant) -> bool;

    /// Takes out the thread that runs next.
    fn pick(&mut self, now: Instant) -> Option<Runnable>;

    /// Takes out a thread that another core may run instead; `may_move` is asked last.
    fn give_away(&mut self, may_move: impl Fn(&Runnable) -> bool) -> Option<Runnable>;

    /// Should a ready thread run in place of `running`, which has run for `ran`?
    fn preempts(&self, running: &Runnable, ran: Duration) -> bool;

    /// After how long `running` is to be looked at again, if ever.
    fn slice(&self, running: &Runnable) -> Option<Duration>;

    fn ready(&self) -> usize;
}

/// The highest priority first; equals take turns.
pub struct FixedPriority {
    /// Sorted: the next to run stands last.
    threads: Vec<Runnable, THREADS_MAX>,
}

/// How long a thread runs before an equal gets its turn.
const TURN: Duration = Duration::from_millis(10);

impl FixedPriority {
    pub const fn new() -> Self {
        Self {
            threads: Vec::new(),
        }
    }
}

impl Default for FixedPriority {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for FixedPriority {
    fn add(&mut self, thread: Runnable, _now: Instant) -> bool {
        // Before its equals, that is after them in time.
        let place = self
            .threads
            .partition_point(|other| other.priority < thread.priority);
        self.threads.insert(place, thread).is_ok()
    }

    fn pick(&mut self, _now: Instant) -> Option<Runnable> {
        self.threads.pop()
    }

    fn give_away(&mut self, may_move: impl Fn(&Runnable) -> bool) -> Option<Runnable> {
        let index = self
            .threads
            .iter()
            .rposition(|thread| !thread.is_pinned && may_move(thread))?;
        self.threads.remove(index)
    }

    fn preempts(&self, running: &Runnable, ran: Duration) -> bool {
        self.threads.last().is_some_and(|next| {
            next.priority > running.priority || (next.priority == running.priority && ran >= TURN)
        })
    }

    fn slice(&self, running: &Runnable) -> Option<Duration> {
        let has_equal = self
            .threads
            .last()
            .is_some_and(|next| next.priority >= running.priority);
        has_equal.then_some(TURN)
    }

    fn ready(&self) -> usize {
        self.threads.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(slot: usize, priority: u8) -> Runnable {
        Runnable {
            slot,
            priority,
            is_pinned: false,
        }
    }

    fn filled(threads: &[Runnable]) -> FixedPriority {
        let mut policy = FixedPriority::new();
        for thread in threads {
            assert!(policy.add(*thread, Instant::ZERO));
        }
        policy
    }

    #[test]
    fn the_highest_priority_runs_first_and_equals_take_turns() {
        let mut policy = filled(&[thread(1, 5), thread(2, 9), thread(3, 5), thread(4, 9)]);
        let order: std::vec::Vec<usize> = core::iter::from_fn(|| policy.pick(Instant::ZERO))
            .map(|thread| thread.slot)
            .collect();
        assert_eq!(order, [2, 4, 1, 3]);
    }

    #[test]
    fn an_equal_waits_for_the_end_of_the_turn_and_a_higher_one_does_not() {
        let policy = filled(&[thread(1, 5)]);
        assert!(!policy.preempts(&thread(2, 5), Duration::ZERO));
        assert!(policy.preempts(&thread(2, 5), TURN));
        assert!(policy.preempts(&thread(2, 4), Duration::ZERO));
        assert!(!policy.preempts(&thread(2, 6), Duration::from_secs(1)));
        assert_eq!(policy.slice(&thread(2, 6)), None);
    }

    #[test]
    fn a_pinned_thread_is_not_given_away() {
        let mut policy = filled(&[
            Runnable {
                is_pinned: true,
                ..thread(1, 9)
            },
            thread(2, 5),
        ]);
        assert_eq!(
            policy.give_away(|_| true).map(|thread| thread.slot),
            Some(2)
        );
        assert_eq!(policy.give_away(|_| true), None);
        assert_eq!(policy.ready(), 1);
    }
}
