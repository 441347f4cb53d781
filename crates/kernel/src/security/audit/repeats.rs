//! Refusals that come again and again, gathered against floods.
//!
//! Limits: `AUDIT_REPEATS_MAX` kinds of refusals at the same time; others are not gathered.
//! Invariants: every repeat is handed out once, in one event, when its time is over.

use super::event::Event;
use super::words::Outcome;
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::limits::AUDIT_REPEATS_MAX;

/// The same refusal within this time is no entry of its own.
pub const MERGE_WITHIN: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Repeats {
    open: Vec<Repeat, AUDIT_REPEATS_MAX>,
    high_water: usize,
    refused: u64,
}

struct Repeat {
    /// The newest of them.
    event: Event,
    until: Instant,
    /// The entry of the first.
    number: u64,
    /// Those that have no entry yet.
    times: u32,
}

impl Repeats {
    /// Keeps a repeat back; says the entry of the first of its kind.
    pub fn gather(&mut self, now: Instant, event: &Event) -> Option<u64> {
        let mut open = self.open.iter_mut();
        let is_same = |open: &&mut Repeat| now < open.until && is_same(&open.event, event);
        let repeat = open.find(is_same)?;
        repeat.event = *event;
        repeat.times = repeat.times.saturating_add(event.times);
        Some(repeat.number)
    }

    /// An entry was made of it; what is the same from now on is a repeat.
    pub fn open(&mut self, now: Instant, event: &Event, number: u64) {
        if matches!(event.outcome, Outcome::Denied | Outcome::Failed) {
            let repeat = Repeat {
                event: *event,
                until: now + MERGE_WITHIN,
                number,
                times: 0,
            };
            // Without a place its repeats have entries of their own.
            self.refused += u64::from(self.open.push(repeat).is_err());
            self.high_water = self.high_water.max(self.open.len());
        }
    }

    /// Repeats whose time is over, as one event.
    pub fn take_over(&mut self, now: Instant) -> Option<Event> {
        while let Some(index) = self.open.iter().position(|repeat| now >= repeat.until) {
            let repeat = self.open.remove(index)?;
            if repeat.times > 0 {
                return Some(repeat.event.times(repeat.times));
            }
        }
        None
    }

    /// What is kept back.
    pub fn waiting(&self) -> impl Iterator<Item = (&Event, u32)> {
        self.open.iter().map(|repeat| (&repeat.event, repeat.times))
    }

    pub fn usage(&self) -> Usage {
        Usage::of("AUDIT_REPEATS_MAX", AUDIT_REPEATS_MAX)
            .used(self.open.len() as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.open.iter().filter(|repeat| repeat.times > 0);
        waiting.map(|repeat| repeat.until).min()
    }
}

/// The same but for its time. Whoever is denied something chooses the words of it, so these
/// do not count there.
fn is_same(one: &Event, other: &Event) -> bool {
    let key = |event: &Event| {
        (
            (event.level, event.kind, event.subject),
            (event.verb, event.outcome),
        )
    };
    let is_same_text = one.outcome == Outcome::Denied || one.text == other.text;
    key(one) == key(other) && one.object == other.object && is_same_text
}
