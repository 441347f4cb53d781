//! A stretch of a byte stream in pieces of memory, with holes where nothing has arrived.
//!
//! Places are counted from the front, the oldest byte that is still needed.
//! Invariant: the piece at the front is always there, so that a stream moves on however
//! little memory is left.

use super::chunks::{Chunk, Chunks};
use crate::limits::{TCP_CHUNK_BYTES, TCP_DEPARTURE_BYTES_MAX, TCP_RING_CHUNKS_MAX};

/// Bytes that a ring holds wherever in a piece its front is.
pub const RING_BYTES_MAX: usize = (TCP_RING_CHUNKS_MAX - 1) * TCP_CHUNK_BYTES;
/// Pieces in which the payload of one departure may lie.
pub const PIECES_MAX: usize = TCP_DEPARTURE_BYTES_MAX.div_ceil(TCP_CHUNK_BYTES) + 1;

const ABSENT: Chunk = Chunk::MAX;

pub struct Ring {
    chunks: [Chunk; TCP_RING_CHUNKS_MAX],
    /// Which of them the front is in, and where in it.
    first: usize,
    start: usize,
    owned: usize,
}

impl Ring {
    /// `None` when there is no memory for the one piece that it must have.
    pub fn new(pool: &mut Chunks) -> Option<Self> {
        let mut chunks = [ABSENT; TCP_RING_CHUNKS_MAX];
        chunks[0] = pool.take()?;
        Some(Self {
            chunks,
            first: 0,
            start: 0,
            owned: 1,
        })
    }

    pub fn free(&mut self, pool: &mut Chunks) {
        for chunk in &mut self.chunks {
            if *chunk != ABSENT {
                pool.give_back(core::mem::replace(chunk, ABSENT));
            }
        }
        self.owned = 0;
    }

    #[cfg(test)]
    pub const fn owned(&self) -> usize {
        self.owned
    }

    /// Bytes that have a place without taking more memory, when there are no holes.
    pub const fn owned_bytes(&self) -> usize {
        (self.owned * TCP_CHUNK_BYTES).saturating_sub(self.start)
    }

    /// Stores bytes at a place, as many as there is memory for, and says how many.
    pub fn store(&mut self, pool: &mut Chunks, place: usize, bytes: &[u8]) -> usize {
        let mut stored = 0;
        while stored < bytes.len() {
            let length = bytes.len() - stored;
            let Some(room) = self.room(pool, place + stored, length) else {
                break;
            };
            let length = room.len();
            room.copy_from_slice(&bytes[stored..stored + length]);
            stored += length;
        }
        stored
    }

    /// Memory for the bytes at a place, at most `length` and only to the end of a piece.
    pub fn room<'a>(
        &mut self,
        pool: &'a mut Chunks,
        place: usize,
        length: usize,
    ) -> Option<&'a mut [u8]> {
        let (index, within) = self.locate(place)?;
        if self.chunks[index] == ABSENT {
            self.chunks[index] = pool.take_more()?;
            self.owned += 1;
        }
        let end = TCP_CHUNK_BYTES.min(within + length);
        Some(&mut pool.get_mut(self.chunks[index])[within..end])
    }

    /// The bytes at a place up to the end of their piece, at most `length`.
    pub fn piece<'a>(&self, pool: &'a Chunks, place: usize, length: usize) -> &'a [u8] {
        match self.locate(place) {
            Some((index, within)) if self.chunks[index] != ABSENT => {
                let end = TCP_CHUNK_BYTES.min(within + length);
                &pool.get(self.chunks[index])[within..end]
            }
            _ => &[],
        }
    }

    /// The bytes at a place, in as many pieces as they lie in.
    pub fn pieces<'a>(
        &self,
        pool: &'a Chunks,
        place: usize,
        length: usize,
    ) -> ([&'a [u8]; PIECES_MAX], usize) {
        let mut pieces: [&[u8]; PIECES_MAX] = [&[]; PIECES_MAX];
        let (mut count, mut done) = (0, 0);
        while done < length && count < PIECES_MAX {
            let piece = self.piece(pool, place + done, length - done);
            if piece.is_empty() {
                break;
            }
            pieces[count] = piece;
            count += 1;
            done += piece.len();
        }
        (pieces, count)
    }

    /// Moves the front: what is before it is not needed any more.
    pub fn advance(&mut self, pool: &mut Chunks, bytes: usize) {
        self.start += bytes;
        let mut kept = ABSENT;
        while self.start >= TCP_CHUNK_BYTES {
            self.start -= TCP_CHUNK_BYTES;
            let passed = core::mem::replace(&mut self.chunks[self.first], ABSENT);
            self.first = (self.first + 1) % TCP_RING_CHUNKS_MAX;
            if passed == ABSENT {
                continue;
            }
            if kept == ABSENT {
                kept = passed;
            } else {
                pool.give_back(passed);
                self.owned -= 1;
            }
        }
        if kept == ABSENT {
            return;
        }
        if self.chunks[self.first] == ABSENT {
            self.chunks[self.first] = kept;
        } else {
            pool.give_back(kept);
            self.owned -= 1;
        }
    }

    /// Nothing is stored: the next bytes may as well begin a piece.
    pub const fn rewind(&mut self) {
        self.start = 0;
    }

    fn locate(&self, place: usize) -> Option<(usize, usize)> {
        let from_first = self.start + place;
        let chunk = from_first / TCP_CHUNK_BYTES;
        (chunk < TCP_RING_CHUNKS_MAX).then(|| {
            let index = (self.first + chunk) % TCP_RING_CHUNKS_MAX;
            (index, from_first % TCP_CHUNK_BYTES)
        })
    }

    #[cfg(test)]
    pub fn assert_consistent(&self) {
        let present = self.chunks.iter().filter(|chunk| **chunk != ABSENT).count();
        assert_eq!(present, self.owned);
        assert_ne!(self.chunks[self.first], ABSENT);
        assert!(self.start < TCP_CHUNK_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use std::collections::VecDeque;

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut pool = Chunks::new(64 * TCP_CHUNK_BYTES);
        let mut ring = Ring::new(&mut pool).unwrap();
        let mut model: VecDeque<u8> = VecDeque::new();
        let mut prng = Prng::new(5);
        for _ in 0..2_000 {
            let mut bytes = std::vec![0; prng.below(40_000) as usize];
            prng.fill(&mut bytes);
            let stored = ring.store(&mut pool, model.len(), &bytes);
            model.extend(&bytes[..stored]);
            let length = model.len().min(TCP_DEPARTURE_BYTES_MAX);
            let (pieces, count) = ring.pieces(&pool, 0, length);
            assert_eq!(pieces[..count].concat(), model.make_contiguous()[..length]);
            let gone = prng.below(model.len() as u64 + 1) as usize;
            model.drain(..gone);
            ring.advance(&mut pool, gone);
            ring.assert_consistent();
        }
        ring.free(&mut pool);
        assert_eq!(pool.used(), 0);
    }

    #[test]
    fn a_ring_without_memory_moves_on_with_the_piece_it_has() {
        let mut pool = Chunks::new(TCP_CHUNK_BYTES);
        let mut ring = Ring::new(&mut pool).unwrap();
        assert!(Ring::new(&mut pool).is_none());
        let bytes = [7; TCP_CHUNK_BYTES + 1];
        for _ in 0..3 {
            assert_eq!(ring.store(&mut pool, 0, &bytes), TCP_CHUNK_BYTES);
            ring.advance(&mut pool, TCP_CHUNK_BYTES);
            ring.assert_consistent();
        }
    }

    #[test]
    fn what_lies_behind_a_hole_is_found_when_the_hole_is_filled() {
        let mut pool = Chunks::new(16 * TCP_CHUNK_BYTES);
        let mut ring = Ring::new(&mut pool).unwrap();
        assert_eq!(ring.store(&mut pool, 20_000, b"late"), 4);
        assert_eq!(ring.owned(), 2);
        assert_eq!(ring.store(&mut pool, 0, &[1; 20_000]), 20_000);
        ring.advance(&mut pool, 20_000);
        assert_eq!(ring.piece(&pool, 0, 4), b"late");
        assert!(
            ring.piece(&pool, RING_BYTES_MAX + TCP_CHUNK_BYTES, 1)
                .is_empty()
        );
    }
}
