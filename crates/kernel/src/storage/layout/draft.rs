//! What a part of a disk holds when it is fresh, run by run.

/// Made by whoever lives in the region; written by whoever lays the disk out.
pub trait Draft {
    /// Fills the buffer from its beginning with the next run: where in the region it
    /// begins, and its sectors. `None` when there is no more.
    fn next(&mut self, buffer: &mut [u8]) -> Option<(u64, u64)>;
}
