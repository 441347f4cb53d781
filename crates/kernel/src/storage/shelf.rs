//! Memory that disks reach and that a machine of this floor has given back.
//!
//! A machine's own memory of that kind is taken for ever; a disk that is plugged and
//! unplugged again and again must not take more each time.
//!
//! Limits: `SHELF_BUFFERS_MAX` buffers; more stay with nobody, and are counted.

use super::io::Memory;
use crate::base::buffer::Buffer;
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::limits::SHELF_BUFFERS_MAX;

#[derive(Default)]
pub struct Shelf {
    buffers: Vec<Buffer, SHELF_BUFFERS_MAX>,
    refused: u64,
}

/// A shelf, and behind it the machine.
pub struct Stock<'a> {
    shelf: &'a mut Shelf,
    machine: &'a mut dyn Memory,
}

impl Shelf {
    pub fn put(&mut self, buffer: Buffer) {
        self.refused += u64::from(self.buffers.push(buffer).is_err());
    }

    pub const fn before<'a>(&'a mut self, machine: &'a mut dyn Memory) -> Stock<'a> {
        Stock {
            shelf: self,
            machine,
        }
    }

    pub fn usage(&self) -> Usage {
        Usage::of("SHELF_BUFFERS_MAX", SHELF_BUFFERS_MAX)
            .used(self.buffers.len() as u64)
            .refused(self.refused)
            .ring()
    }

    /// The smallest that is long enough and not twice as long as that.
    fn take(&mut self, bytes: usize) -> Option<Buffer> {
        let buffers = self.buffers.iter().enumerate();
        let fits = buffers.filter(|(_, buffer)| {
            let capacity = buffer.capacity();
            // Memory comes in pages of 4 KiB.
            (bytes..2 * bytes.max(4096)).contains(&capacity)
        });
        let (index, _) = fits.min_by_key(|(_, buffer)| buffer.capacity())?;
        self.buffers.remove(index)
    }
}

impl Memory for Stock<'_> {
    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer> {
        self.shelf
            .take(bytes)
            .or_else(|| self.machine.take_buffer(bytes))
    }

    fn give_back(&mut self, buffer: Buffer) {
        self.shelf.put(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::rig::Rig;
    use std::vec;

    fn buffer(bytes: usize) -> Buffer {
        Buffer::new(vec![0; bytes].leak(), 0)
    }

    #[test]
    fn what_was_given_back_is_taken_again_where_it_fits() {
        let (mut shelf, mut machine) = (Shelf::default(), Rig::default());
        for bytes in [65_536, 8192, 4096] {
            shelf.put(buffer(bytes));
        }
        let mut taken = |bytes| {
            let buffer = shelf.before(&mut machine).take_buffer(bytes);
            (buffer.map(|buffer| buffer.capacity()), shelf.buffers.len())
        };
        assert_eq!(taken(512), (Some(4096), 2));
        assert_eq!(taken(6000), (Some(8192), 1));
        // The last one is more than twice as long: the machine gives one.
        assert_eq!(taken(6000), (Some(6000), 1));
        assert_eq!(taken(65_536), (Some(65_536), 0));
    }

    #[test]
    fn a_full_shelf_counts_what_it_cannot_keep() {
        let mut shelf = Shelf::default();
        for _ in 0..=SHELF_BUFFERS_MAX {
            shelf.put(buffer(16));
        }
        assert_eq!(shelf.usage().refused, Some(1));
    }
}
