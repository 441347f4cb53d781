//! What was sent and is not confirmed: runs of bytes that share a time and a fate.
//!
//! Invariants: the runs follow each other without a gap; the byte counts of each fate are
//! those of the runs. A list that is full joins new runs to the last one, and leaves a run
//! whole that a SACK block would have cut.

use super::sequence::Sequence;
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::limits::TCP_FLIGHTS_MAX;

/// Places that new data leaves for runs that are cut.
const RESERVE: usize = TCP_FLIGHTS_MAX / 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    InFlight,
    /// The other side has it and keeps it until the gap before it is filled.
    Arrived,
    /// Taken for lost, to be sent again.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flight {
    pub start: Sequence,
    pub end: Sequence,
    pub sent: Instant,
    pub fate: Fate,
    pub was_retransmitted: bool,
}

impl Flight {
    pub const fn bytes(&self) -> usize {
        self.end.since(self.start)
    }
}

#[derive(Default)]
pub struct Flights {
    runs: Vec<Flight, TCP_FLIGHTS_MAX>,
    in_flight: usize,
    arrived: usize,
    lost: usize,
}

impl Flights {
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub const fn arrived(&self) -> usize {
        self.arrived
    }

    pub const fn lost(&self) -> usize {
        self.lost
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Flight> {
        self.runs.iter()
    }

    /// Is there a place for another run of new data, or one to join it to?
    pub fn has_room(&self) -> bool {
        self.runs.len() < TCP_FLIGHTS_MAX - RESERVE || self.runs.last().is_some_and(is_joinable)
    }

    /// New data was sent. `alike` is how far apart two times may be to count as one when
    /// the list gets long.
    pub fn push(&mut self, start: Sequence, end: Sequence, now: Instant, alike: u64) {
        self.in_flight += end.since(start);
        let is_long = self.runs.len() >= TCP_FLIGHTS_MAX / 2;
        let is_full = self.runs.len() >= TCP_FLIGHTS_MAX - RESERVE;
        if let Some(last) = self.runs.last_mut()
            && is_joinable(last)
            && (last.sent == now
                || is_full
                || (is_long && now.since(last.sent).as_nanos() <= alike))
        {
            last.end = end;
            last.sent = now;
            return;
        }
        let pushed = self.runs.push(Flight {
            start,
            end,
            sent: now,
            fate: Fate::InFlight,
            was_retransmitted: false,
        });
        crate::invariant!(pushed.is_ok(), "more was sent than can be remembered");
    }

    /// Everything before `end` has arrived for good; `visit` sees what was not known to.
    pub fn acknowledge(&mut self, end: Sequence, mut visit: impl FnMut(&Flight)) {
        let mut passed = 0;
        while let Some(run) = self.runs.get(passed).copied()
            && run.start.is_before(end)
        {
            let gone = Flight {
                end: run.end.earlier(end),
                ..run
            };
            *self.count(run.fate) -= gone.bytes();
            if run.fate != Fate::Arrived {
                visit(&gone);
            }
            if run.end.is_after(end) {
                self.runs[passed].start = end;
                break;
            }
            passed += 1;
        }
        self.drop_first(passed);
    }

    /// A SACK block; `visit` sees what was not known to have arrived.
    pub fn mark_arrived(&mut self, start: Sequence, end: Sequence, mut visit: impl FnMut(&Flight)) {
        let mut index = self.runs.partition_point(|run| !run.end.is_after(start));
        while let Some(run) = self.runs.get(index).copied()
            && run.start.is_before(end)
        {
            if run.fate == Fate::Arrived {
                index += 1;
                continue;
            }
            if run.start.is_before(start) {
                if !self.cut(index, start) {
                    return;
                }
                index += 1;
            }
            if self.runs[index].end.is_after(end) && !self.cut(index, end) {
                return;
            }
            visit(&self.runs[index]);
            self.set_fate(index, Fate::Arrived);
            if self.join_arrived(index) {
                continue;
            }
            index += 1;
        }
    }

    /// Takes for lost what `is_lost` says, and returns how many bytes that were.
    pub fn mark_lost(&mut self, mut is_lost: impl FnMut(&Flight) -> bool) -> usize {
        let before = self.lost;
        for index in 0..self.runs.len() {
            let run = self.runs[index];
            if run.fate == Fate::InFlight && is_lost(&run) {
                self.set_fate(index, Fate::Lost);
            }
        }
        self.lost - before
    }

    /// Nothing was heard for long: all is lost. What the other side said to have is
    /// believed, unless it is the very first, which it would have confirmed.
    pub fn mark_all_lost(&mut self) {
        let has_reneged = self
            .runs
            .first()
            .is_some_and(|run| run.fate == Fate::Arrived);
        for index in 0..self.runs.len() {
            if has_reneged || self.runs[index].fate == Fate::InFlight {
                self.set_fate(index, Fate::Lost);
            }
        }
    }

    /// What was taken for lost is not: it counts as on its way again.
    pub fn mark_none_lost(&mut self) {
        for index in 0..self.runs.len() {
            if self.runs[index].fate == Fate::Lost {
                self.set_fate(index, Fate::InFlight);
            }
        }
    }

    /// The first run that is to be sent again.
    pub fn first_lost(&self) -> Option<&Flight> {
        if self.lost == 0 {
            return None;
        }
        self.runs.iter().find(|run| run.fate == Fate::Lost)
    }

    /// Bytes from `start` to `end`, all of one run, were sent again.
    pub fn retransmitted(&mut self, start: Sequence, end: Sequence, now: Instant) {
        let mut index = self.runs.partition_point(|run| !run.end.is_after(start));
        let Some(run) = self.runs.get(index).copied() else {
            return;
        };
        // Without a place for a cut the whole run counts as sent again.
        if run.start.is_before(start) && self.cut(index, start) {
            index += 1;
        }
        if self.runs[index].end.is_after(end) {
            self.cut(index, end);
        }
        self.set_fate(index, Fate::InFlight);
        self.runs[index].sent = now;
        self.runs[index].was_retransmitted = true;
        self.join_alike(index);
    }

    fn count(&mut self, fate: Fate) -> &mut usize {
        match fate {
            Fate::InFlight => &mut self.in_flight,
            Fate::Arrived => &mut self.arrived,
            Fate::Lost => &mut self.lost,
        }
    }

    fn set_fate(&mut self, index: usize, fate: Fate) {
        let run = self.runs[index];
        *self.count(run.fate) -= run.bytes();
        *self.count(fate) += run.bytes();
        self.runs[index].fate = fate;
    }

    /// Makes two runs of one; says whether there was a place for that.
    fn cut(&mut self, index: usize, at: Sequence) -> bool {
        let front = self.runs[index];
        if self
            .runs
            .insert(index + 1, Flight { start: at, ..front })
            .is_err()
        {
            return false;
        }
        self.runs[index].end = at;
        true
    }

    /// Of what has arrived, the time does not matter any more: one run is enough.
    fn join_arrived(&mut self, index: usize) -> bool {
        if index > 0 && self.runs[index - 1].fate == Fate::Arrived {
            self.runs[index - 1].end = self.runs[index].end;
            self.runs.remove(index);
            return true;
        }
        false
    }

    /// Runs that were sent again one after the other at the same time are one.
    fn join_alike(&mut self, index: usize) {
        if index == 0 {
            return;
        }
        let (before, run) = (self.runs[index - 1], self.runs[index]);
        if before.fate == run.fate && before.sent == run.sent && before.was_retransmitted {
            self.runs[index - 1].end = run.end;
            self.runs.remove(index);
        }
    }

    fn drop_first(&mut self, count: usize) {
        if count > 0 {
            let length = self.runs.len();
            self.runs.copy_within(count.., 0);
            self.runs.truncate(length - count);
        }
    }

    #[cfg(test)]
    pub fn assert_consistent(&self, start: Sequence, end: Sequence) {
        let (mut at, mut sums) = (start, [0; 3]);
        for run in &self.runs {
            assert_eq!(run.start, at, "a gap between flights");
            assert!(run.end.is_after(run.start), "an empty flight");
            sums[run.fate as usize] += run.bytes();
            at = run.end;
        }
        assert_eq!(at, end, "flights do not end where sending ends");
        assert_eq!(sums, [self.in_flight, self.arrived, self.lost]);
    }
}

fn is_joinable(run: &Flight) -> bool {
    run.fate == Fate::InFlight && !run.was_retransmitted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    fn at(place: u64) -> Sequence {
        Sequence::new(u32::MAX - 1000) + place as usize
    }

    #[test]
    fn any_order_of_events_keeps_the_counts() {
        let mut prng = Prng::new(11);
        for _ in 0..200 {
            let (mut flights, mut una, mut next) = (Flights::default(), 0, 0);
            for step in 0..300 {
                let now = Instant::from_nanos(step);
                let start = una + prng.below(next - una + 1);
                let end = start + prng.below(next - start + 1);
                match prng.below(6) {
                    0 | 1 if flights.has_room() => {
                        let length = 1 + prng.below(50);
                        flights.push(at(next), at(next + length), now, 0);
                        next += length;
                    }
                    2 if start < end => flights.mark_arrived(at(start), at(end), |run| {
                        assert_ne!(run.fate, Fate::Arrived);
                    }),
                    3 => {
                        flights.mark_lost(|_| prng.one_in(3));
                    }
                    4 => {
                        if let Some(run) = flights.first_lost().copied() {
                            let length = 1 + prng.below(run.bytes() as u64) as usize;
                            flights.retransmitted(run.start, run.start + length, now);
                        }
                    }
                    _ if prng.one_in(4) => {
                        flights.acknowledge(at(start), |_| {});
                        una = start;
                    }
                    _ => {}
                }
                flights.assert_consistent(
                    if flights.is_empty() {
                        at(next)
                    } else {
                        at(una)
                    },
                    at(next),
                );
            }
        }
    }

    #[test]
    fn a_full_list_leaves_whole_what_it_cannot_cut() {
        let mut flights = Flights::default();
        flights.push(at(0), at(1000), Instant::ZERO, 0);
        for index in 0..TCP_FLIGHTS_MAX as u64 {
            flights.mark_arrived(at(4 * index + 1), at(4 * index + 2), |_| {});
            flights.assert_consistent(at(0), at(1000));
        }
        assert!(flights.arrived() < TCP_FLIGHTS_MAX);
        flights.acknowledge(at(1000), |_| {});
        assert!(flights.is_empty() && flights.arrived() == 0);
    }
}
