//! A list of at most `N` items.

use super::Full;
use core::ops::{Deref, DerefMut};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vec<T, const N: usize>(heapless::Vec<T, N>);

impl<T, const N: usize> Vec<T, N> {
    pub const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    pub fn push(&mut self, item: T) -> Result<(), Full> {
        self.0.push(item).map_err(|_| Full)
    }

    /// Puts `item` before position `index`; `Full` when there is no room.
    pub fn insert(&mut self, index: usize, item: T) -> Result<(), Full> {
        self.0
            .insert(index.min(self.0.len()), item)
            .map_err(|_| Full)
    }

    pub fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    /// Takes the item at `index` out and closes the gap.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        (index < self.0.len()).then(|| self.0.remove(index))
    }

    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    pub const fn capacity(&self) -> usize {
        N
    }
}

impl<T: Clone, const N: usize> Vec<T, N> {
    /// Adds all of the items, or none of them.
    pub fn extend_from_slice(&mut self, items: &[T]) -> Result<(), Full> {
        self.0.extend_from_slice(items).map_err(|_| Full)
    }
}

impl<T, const N: usize> Default for Vec<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> Deref for Vec<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const N: usize> DerefMut for Vec<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a Vec<T, N> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_refuses_and_keeps_what_it_has() {
        let mut list: Vec<u8, 2> = Vec::new();
        assert_eq!(list.extend_from_slice(&[1, 2, 3]), Err(Full));
        assert_eq!(list.extend_from_slice(&[1, 2]), Ok(()));
        assert_eq!(list.push(3), Err(Full));
        assert_eq!(list.insert(0, 3), Err(Full));
        assert_eq!(&list[..], &[1, 2]);
        assert_eq!(list.remove(5), None);
    }
}
