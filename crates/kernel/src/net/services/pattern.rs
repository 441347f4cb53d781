//! What the character generator sends: noise that both ends know.
//!
//! It repeats after a prime number of bytes, so no mistake about a segment, a page or a
//! buffer lands on the same bytes by chance.

use crate::base::prng::Prng;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The largest prime below 32 KiB.
const PERIOD_BYTES: usize = 32_749;
/// What a piece of the stream is at most.
pub const PIECE_BYTES: usize = 16 * 1024;
const SEED: u64 = 864;

#[derive(Debug)]
pub struct Pattern(Box<[u8]>);

impl Pattern {
    pub fn new() -> Self {
        let mut prng = Prng::new(SEED);
        let mut bytes = Vec::with_capacity(PERIOD_BYTES + PIECE_BYTES);
        while bytes.len() < PERIOD_BYTES {
            bytes.extend_from_slice(&prng.next_u64().to_le_bytes());
        }
        bytes.truncate(PERIOD_BYTES);
        // The beginning once more, so that every piece lies in one run.
        bytes.extend_from_within(..PIECE_BYTES);
        Self(bytes.into_boxed_slice())
    }

    /// The bytes of the stream from `position` on.
    pub fn piece(&self, position: u64) -> &[u8] {
        let start = (position % PERIOD_BYTES as u64) as usize;
        &self.0[start..start + PIECE_BYTES]
    }
}

impl Default for Pattern {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_overlap_as_the_stream_does() {
        let pattern = Pattern::new();
        for position in [0, 1, 7_000, 32_748, 32_749, u64::from(u32::MAX)] {
            let (here, later) = (pattern.piece(position), pattern.piece(position + 100));
            assert_eq!(here[100..], later[..PIECE_BYTES - 100], "{position}");
        }
    }
}
