//! Batches on their way: written in any order, safe in theirs.

use super::area::Place;
use crate::base::fixed::Queue;
use crate::limits::LOG_BATCHES_MAX;

struct Flight {
    number: u64,
    /// Where the batch behind it begins.
    after: Place,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Writing,
    /// The disk has it, perhaps in its cache.
    Written,
    /// A flush is out that was sent when it was written.
    Flushing,
    Safe,
}

#[derive(Default)]
pub struct Flights {
    flights: Queue<Flight, LOG_BATCHES_MAX>,
    is_flushing: bool,
}

impl Flights {
    pub fn space(&self) -> usize {
        self.flights.space()
    }

    pub fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    pub fn len(&self) -> usize {
        self.flights.len()
    }

    pub fn push(&mut self, number: u64, after: Place) {
        let pushed = self.flights.push(Flight {
            number,
            after,
            step: Step::Writing,
        });
        crate::invariant!(pushed.is_ok(), "a batch is sent beyond the bound");
    }

    /// The disk has taken a batch; without a cache it is safe with that.
    pub fn on_written(&mut self, number: u64, has_cache: bool) {
        let flight = self
            .flights
            .iter_mut()
            .find(|flight| flight.number == number);
        if let Some(flight) = flight {
            flight.step = match has_cache {
                true => Step::Written,
                false => Step::Safe,
            };
        }
    }

    pub fn wants_flush(&self) -> bool {
        !self.is_flushing
            && self
                .flights
                .iter()
                .any(|flight| flight.step == Step::Written)
    }

    pub fn on_flush_sent(&mut self) {
        self.is_flushing = true;
        self.turn(Step::Written, Step::Flushing);
    }

    pub fn on_flushed(&mut self) {
        self.is_flushing = false;
        self.turn(Step::Flushing, Step::Safe);
    }

    fn turn(&mut self, from: Step, to: Step) {
        let flights = self.flights.iter_mut();
        flights
            .filter(|flight| flight.step == from)
            .for_each(|flight| flight.step = to);
    }

    /// The next batch that is safe together with all before it; where the one behind begins.
    pub fn take_safe(&mut self) -> Option<Place> {
        let is_safe = self.flights.front()?.step == Step::Safe;
        let flight = is_safe.then(|| self.flights.pop())??;
        Some(flight.after)
    }
}
