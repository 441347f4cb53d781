//! Deadlines of many machines: the earliest is found at once, a later one costs nothing.
//!
//! A machine's entry may be earlier than its deadline, never later. When the entry comes
//! up the machine is asked, and is entered anew if it has time left. So a deadline that
//! moves on with every segment moves nothing here.

use crate::base::time::Instant;
use alloc::boxed::Box;

const NOWHERE: u16 = u16::MAX;

/// A heap over the numbers of machines.
pub struct Timers {
    heap: Box<[(Instant, u16)]>,
    /// Where in the heap a machine's entry is.
    places: Box<[u16]>,
    count: usize,
}

impl Timers {
    pub fn new(machines: usize) -> Self {
        Self {
            heap: alloc::vec![(Instant::ZERO, 0); machines].into_boxed_slice(),
            places: alloc::vec![NOWHERE; machines].into_boxed_slice(),
            count: 0,
        }
    }

    /// Sees to it that the machine comes up at `deadline` at the latest.
    pub fn arm(&mut self, machine: u16, deadline: Instant) {
        let place = self.places[usize::from(machine)];
        if place == NOWHERE {
            self.heap[self.count] = (deadline, machine);
            self.places[usize::from(machine)] = self.count as u16;
            self.count += 1;
            self.rise(self.count - 1);
        } else if deadline < self.heap[usize::from(place)].0 {
            self.heap[usize::from(place)].0 = deadline;
            self.rise(usize::from(place));
        }
    }

    pub fn disarm(&mut self, machine: u16) {
        let place = self.places[usize::from(machine)];
        if place != NOWHERE {
            self.remove(usize::from(place));
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        (self.count > 0).then(|| self.heap[0].0)
    }

    /// A machine whose entry has come up; it is not armed any more.
    pub fn pop_due(&mut self, now: Instant) -> Option<u16> {
        let (deadline, machine) = *self.heap.first()?;
        if self.count == 0 || deadline > now {
            return None;
        }
        self.remove(0);
        Some(machine)
    }

    fn remove(&mut self, place: usize) {
        self.places[usize::from(self.heap[place].1)] = NOWHERE;
        self.count -= 1;
        if place < self.count {
            self.heap[place] = self.heap[self.count];
            self.places[usize::from(self.heap[place].1)] = place as u16;
            self.rise(place);
            self.sink(place);
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent].0 <= self.heap[place].0 {
                return;
            }
            self.swap(place, parent);
            place = parent;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let mut least = place;
            for child in [2 * place + 1, 2 * place + 2] {
                if child < self.count && self.heap[child].0 < self.heap[least].0 {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.swap(place, least);
            place = least;
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.heap.swap(one, other);
        self.places[usize::from(self.heap[one].1)] = one as u16;
        self.places[usize::from(self.heap[other].1)] = other as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    #[test]
    fn the_earliest_comes_first_whatever_was_armed_and_disarmed() {
        let (mut timers, mut model) = (Timers::new(20), [None; 20]);
        let mut prng = Prng::new(2);
        let mut now = 0;
        for _ in 0..20_000 {
            let machine = prng.below(20) as usize;
            match prng.below(4) {
                0 => {
                    timers.disarm(machine as u16);
                    model[machine] = None;
                }
                1 => {
                    now += prng.below(30);
                    while let Some(due) = timers.pop_due(Instant::from_nanos(now)) {
                        assert!(model[usize::from(due)].take() <= Some(now));
                    }
                }
                _ => {
                    let deadline = now + prng.below(100);
                    timers.arm(machine as u16, Instant::from_nanos(deadline));
                    model[machine] = Some(model[machine].unwrap_or(deadline).min(deadline));
                }
            }
            let least = model.iter().flatten().min().copied();
            assert_eq!(timers.next_deadline().map(Instant::as_nanos), least);
        }
    }
}
