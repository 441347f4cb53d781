//! What one step of a machine asks others to do, in order.

use super::{Full, Queue};

/// Filled by one `step`, emptied by the tick that called it.
#[derive(Clone, Debug, Default)]
pub struct Outbox<T, const N: usize> {
    items: Queue<T, N>,
    refused: u64,
}

impl<T, const N: usize> Outbox<T, N> {
    pub const fn new() -> Self {
        Self {
            items: Queue::new(),
            refused: 0,
        }
    }

    pub fn push(&mut self, item: T) -> Result<(), Full> {
        let result = self.items.push(item);
        if result.is_err() {
            self.refused += 1;
        }
        result
    }

    pub fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }

    pub fn space(&self) -> usize {
        self.items.space()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How much was asked that did not fit.
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut outbox: Outbox<u8, 1> = Outbox::new();
        assert_eq!((outbox.push(1), outbox.push(2)), (Ok(()), Err(Full)));
        assert_eq!(
            (outbox.refused(), outbox.pop(), outbox.pop()),
            (1, Some(1), None)
        );
    }
}
