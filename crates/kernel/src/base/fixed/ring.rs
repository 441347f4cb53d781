//! The newest `N` items; a full ring forgets its oldest, and counts that.

#[derive(Clone, Debug)]
pub struct Ring<T, const N: usize> {
    items: heapless::Deque<T, N>,
    forgotten: u64,
}

impl<T, const N: usize> Ring<T, N> {
    pub const fn new() -> Self {
        Self {
            items: heapless::Deque::new(),
            forgotten: 0,
        }
    }

    pub fn push(&mut self, item: T) {
        if self.items.is_full() {
            self.items.pop_front();
            self.forgotten += 1;
        }
        let kept = self.items.push_back(item);
        crate::invariant!(kept.is_ok(), "a ring without capacity");
    }

    /// Puts `item` in the place of the newest; an empty ring gets its first.
    pub fn replace_newest(&mut self, item: T) {
        match self.items.back_mut() {
            Some(newest) => *newest = item,
            None => self.push(item),
        }
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.items.iter()
    }

    pub fn get(&self, index: usize) -> Option<&T> {
        self.items.iter().nth(index)
    }

    pub fn newest(&self) -> Option<&T> {
        self.items.back()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many items were pushed out by newer ones.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub fn clear(&mut self) {
        self.items.clear();
    }
}

impl<T, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_items_stay() {
        let mut ring: Ring<u8, 3> = Ring::new();
        (1..=5).for_each(|item| ring.push(item));
        assert_eq!(
            ring.iter().copied().collect::<std::vec::Vec<_>>(),
            [3, 4, 5]
        );
        assert_eq!((ring.forgotten(), ring.newest()), (2, Some(&5)));
        ring.replace_newest(6);
        assert_eq!((ring.len(), ring.newest()), (3, Some(&6)));
    }
}
