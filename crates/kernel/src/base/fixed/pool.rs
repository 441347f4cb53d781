//! `N` slots behind handles; a handle of a slot's former life finds nothing.

use super::Full;

/// Names one occupancy of one slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Handle {
    slot: u32,
    generation: u32,
}

impl Handle {
    /// Names nothing in any pool: for places that wait for their first handle.
    pub const NOTHING: Self = Self {
        slot: u32::MAX,
        generation: u32::MAX,
    };

    /// For tables that are sized at the start and so cannot be a `Pool`.
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    pub const fn generation(self) -> u32 {
        self.generation
    }

    pub const fn slot(self) -> usize {
        self.slot as usize
    }
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    item: Option<T>,
}

#[derive(Debug)]
pub struct Pool<T, const N: usize> {
    slots: [Slot<T>; N],
    used: usize,
    high_water: usize,
    refused: u64,
}

impl<T, const N: usize> Pool<T, N> {
    pub const fn new() -> Self {
        Self {
            slots: [const {
                Slot {
                    generation: 0,
                    item: None,
                }
            }; N],
            used: 0,
            high_water: 0,
            refused: 0,
        }
    }

    pub fn insert(&mut self, item: T) -> Result<Handle, Full> {
        let Some(slot) = self.slots.iter().position(|slot| slot.item.is_none()) else {
            self.refused += 1;
            return Err(Full);
        };
        self.slots[slot].item = Some(item);
        self.used += 1;
        self.high_water = self.high_water.max(self.used);
        Ok(Handle {
            slot: slot as u32,
            generation: self.slots[slot].generation,
        })
    }

    pub fn get(&self, handle: Handle) -> Option<&T> {
        let slot = self.slots.get(handle.slot())?;
        slot.item
            .as_ref()
            .filter(|_| slot.generation == handle.generation)
    }

    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        let slot = self.slots.get_mut(handle.slot())?;
        slot.item
            .as_mut()
            .filter(|_| slot.generation == handle.generation)
    }

    pub fn remove(&mut self, handle: Handle) -> Option<T> {
        let slot = self.slots.get_mut(handle.slot())?;
        if slot.generation != handle.generation {
            return None;
        }
        let item = slot.item.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.used -= 1;
        Some(item)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Handle, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let handle = Handle {
                slot: index as u32,
                generation: slot.generation,
            };
            slot.item.as_ref().map(|item| (handle, item))
        })
    }

    pub const fn used(&self) -> usize {
        self.used
    }

    pub const fn high_water(&self) -> usize {
        self.high_water
    }

    /// How often the pool was full when something was to go in.
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

impl<T, const N: usize> Default for Pool<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_handle_finds_nothing_in_a_reused_slot() {
        let mut pool: Pool<&str, 1> = Pool::new();
        let first = pool.insert("first").unwrap();
        assert_eq!(pool.insert("second"), Err(Full));
        assert_eq!(pool.remove(first), Some("first"));
        let second = pool.insert("second").unwrap();
        assert_eq!((first.slot(), second.slot()), (0, 0));
        assert_eq!(pool.get(first), None);
        assert_eq!(pool.remove(first), None);
        assert_eq!((pool.get(second), pool.refused()), (Some(&"second"), 1));
    }
}
