//! What a part of a disk holds when it is fresh, run by run.

use crate::base::buffer::Buffer;
use crate::base::fixed::Vec;
use alloc::boxed::Box;

/// Drafts of one disk, each with its first sector: the exchange and the logs.
const DRAFTS_MAX: usize = 8;
pub type Drafts = Vec<(u64, Box<dyn Draft>), DRAFTS_MAX>;

/// Made by whoever lives in the region; written by whoever lays the disk out.
pub trait Draft {
    /// Fills the buffer from its beginning with the next run: where in the region it
    /// begins, and its sectors. `None` when there is no more.
    fn next(&mut self, buffer: &mut [u8]) -> Option<(u64, u64)>;
}

/// Fills the buffer with the next run of the first draft that has one.
pub fn next_run(drafts: &mut Drafts, buffer: Option<&mut Buffer>) -> Option<(u64, u64)> {
    let buffer = buffer?;
    while let Some((first, draft)) = drafts.first_mut() {
        if let Some((sector, sectors)) = draft.next(buffer.bytes_mut()) {
            return Some((*first + sector, sectors));
        }
        drafts.remove(0);
    }
    None
}
