//! Keys and values, at most `N`, kept sorted by key.

use super::{Full, Vec};

/// Looked up by binary search; iterated in the order of its keys.
#[derive(Clone, Debug)]
pub struct Map<K, V, const N: usize> {
    entries: Vec<(K, V), N>,
}

impl<K: Ord, V, const N: usize> Map<K, V, N> {
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    fn position(&self, key: &K) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| other.cmp(key))
    }

    /// Sets the value of `key` and gives back the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Result<Option<V>, Full> {
        match self.position(&key) {
            Ok(index) => Ok(Some(core::mem::replace(&mut self.entries[index].1, value))),
            Err(index) => self.entries.insert(index, (key, value)).map(|()| None),
        }
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        let index = self.position(key).ok()?;
        Some(&self.entries[index].1)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let index = self.position(key).ok()?;
        Some(&mut self.entries[index].1)
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let index = self.position(key).ok()?;
        self.entries.remove(index).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: Ord, V, const N: usize> Default for Map<K, V, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_still_changes_the_values_it_has() {
        let mut map: Map<u8, &str, 2> = Map::new();
        assert_eq!(map.insert(2, "b"), Ok(None));
        assert_eq!(map.insert(1, "a"), Ok(None));
        assert_eq!(map.insert(3, "c"), Err(Full));
        assert_eq!(map.insert(2, "B"), Ok(Some("b")));
        assert_eq!(
            map.iter()
                .map(|(key, _)| *key)
                .collect::<std::vec::Vec<_>>(),
            [1, 2]
        );
        assert_eq!(
            (map.remove(&1), map.get(&1), map.get(&2)),
            (Some("a"), None, Some(&"B"))
        );
    }
}
