//! Who is to be looked at: each number waits once, in the order in which they came.

use alloc::boxed::Box;

pub struct Ready {
    queue: Box<[u16]>,
    is_waiting: Box<[bool]>,
    first: usize,
    count: usize,
}

impl Ready {
    pub fn new(numbers: usize) -> Self {
        Self {
            queue: alloc::vec![0; numbers].into_boxed_slice(),
            is_waiting: alloc::vec![false; numbers].into_boxed_slice(),
            first: 0,
            count: 0,
        }
    }

    /// Changes nothing when the number waits already.
    pub fn push(&mut self, number: u16) {
        if core::mem::replace(&mut self.is_waiting[usize::from(number)], true) {
            return;
        }
        let place = (self.first + self.count) % self.queue.len();
        self.queue[place] = number;
        self.count += 1;
    }

    pub fn pop(&mut self) -> Option<u16> {
        let number = self.first()?;
        self.first = (self.first + 1) % self.queue.len();
        self.count -= 1;
        self.is_waiting[usize::from(number)] = false;
        Some(number)
    }

    pub fn first(&self) -> Option<u16> {
        (self.count > 0).then(|| self.queue[self.first])
    }

    pub const fn len(&self) -> usize {
        self.count
    }
}
