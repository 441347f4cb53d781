//! First in, first out, at most `N` items; a full queue refuses.

use super::Full;

#[derive(Clone, Debug)]
pub struct Queue<T, const N: usize>(heapless::Deque<T, N>);

impl<T, const N: usize> Queue<T, N> {
    pub const fn new() -> Self {
        Self(heapless::Deque::new())
    }

    pub fn push(&mut self, item: T) -> Result<(), Full> {
        self.0.push_back(item).map_err(|_| Full)
    }

    pub fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    pub fn front_mut(&mut self) -> Option<&mut T> {
        self.0.front_mut()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }

    pub fn front(&self) -> Option<&T> {
        self.0.front()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Keeps the items for which `keep` is true, in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        for _ in 0..self.0.len() {
            if let Some(item) = self.0.pop_front()
                && keep(&item)
            {
                let kept = self.0.push_back(item);
                crate::invariant!(kept.is_ok(), "a queue is full after a removal");
            }
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn space(&self) -> usize {
        N - self.0.len()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<const N: usize> Queue<u8, N> {
    /// The oldest bytes that lie together; `skip` them once they are used.
    pub fn oldest(&self) -> &[u8] {
        let (first, second) = self.0.as_slices();
        if first.is_empty() { second } else { first }
    }

    pub fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.0.pop_front();
        }
    }

    /// Adds as many of the bytes as fit and says how many.
    pub fn push_some(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.space());
        self.0.extend(bytes[..count].iter().copied());
        count
    }
}

impl<T, const N: usize> Default for Queue<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_keeps_its_order() {
        let mut queue: Queue<u8, 2> = Queue::new();
        assert_eq!(
            (queue.push(1), queue.push(2), queue.push(3)),
            (Ok(()), Ok(()), Err(Full))
        );
        assert_eq!(
            (queue.pop(), queue.pop(), queue.pop()),
            (Some(1), Some(2), None)
        );
    }

    #[test]
    fn bytes_come_out_as_they_went_in_across_the_seam() {
        let mut queue: Queue<u8, 4> = Queue::new();
        assert_eq!(queue.push_some(b"abcde"), 4);
        queue.skip(3);
        assert_eq!(queue.push_some(b"ef"), 2);
        let mut seen = std::vec::Vec::new();
        while !queue.is_empty() {
            seen.extend_from_slice(queue.oldest());
            queue.skip(queue.oldest().len());
        }
        assert_eq!(seen, b"def");
    }

    #[test]
    fn what_is_retained_stays_in_order() {
        let mut queue: Queue<u8, 4> = Queue::new();
        queue.push_some(&[1, 2, 3, 4]);
        queue.retain(|item| item % 2 == 0);
        assert_eq!(queue.iter().copied().collect::<std::vec::Vec<_>>(), [2, 4]);
    }
}
