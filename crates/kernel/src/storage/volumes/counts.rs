//! How many pages point to each block: what nobody points to is free.
//!
//! Nothing of it is on the disk: it is counted anew at every mount, so it is never wrong there.
//! A count that reaches `STUCK` stays, and its block is free again at the next mount.

use super::pointer::BLOCK_BYTES;
use crate::base::buffer::Buffer;
use alloc::vec::Vec;

const STUCK: u8 = u8::MAX;
/// Blocks whose counts stand in one piece of memory.
pub const CHUNK_BLOCKS: usize = 1 << 15;
/// Bytes of such a piece: a byte a block, and a bit a block for whoever walks over all.
pub const CHUNK_BYTES: usize = CHUNK_BLOCKS + CHUNK_BLOCKS / 8;
/// Pieces that are looked through for a run before single blocks have to do.
const RUN_CHUNKS_MAX: usize = 4;

pub struct Counts {
    chunks: Vec<Chunk>,
    blocks: u32,
    used: u32,
    /// Where the last search ended.
    next: u32,
    /// Blocks that were given up more often than they were pointed to.
    contradictions: u64,
}

struct Chunk {
    counts: Buffer,
    free: u32,
}

impl Counts {
    /// Without memory.
    pub const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            blocks: 0,
            used: 0,
            next: 0,
            contradictions: 0,
        }
    }

    /// For a pool of so many blocks, with memory for some: block 0 is in use, all others are
    /// free. Says for how many it is.
    pub fn begin(&mut self, blocks: u32, take: &mut dyn FnMut() -> Option<Buffer>) -> u32 {
        let wanted = (blocks as usize).div_ceil(CHUNK_BLOCKS);
        if self
            .chunks
            .try_reserve(wanted.saturating_sub(self.chunks.len()))
            .is_ok()
        {
            while self.chunks.len() < wanted
                && let Some(counts) = take().filter(|buffer| buffer.capacity() >= CHUNK_BYTES)
            {
                self.chunks.push(Chunk { counts, free: 0 });
            }
        }
        let most = self.chunks.len().saturating_mul(CHUNK_BLOCKS);
        self.blocks = blocks.min(u32::try_from(most).unwrap_or(u32::MAX));
        self.used = 0;
        self.next = 1;
        let mut left = self.blocks as usize;
        for chunk in &mut self.chunks {
            chunk.counts.bytes_mut().fill(0);
            chunk.free = left.min(CHUNK_BLOCKS) as u32;
            left -= chunk.free as usize;
        }
        self.raise(0);
        self.blocks
    }

    pub const fn blocks(&self) -> u32 {
        self.blocks
    }

    pub const fn contradictions(&self) -> u64 {
        self.contradictions
    }

    pub const fn used(&self) -> u32 {
        self.used
    }

    pub const fn free(&self) -> u32 {
        self.blocks - self.used
    }

    pub fn count(&self, block: u32) -> u8 {
        let (chunk, at) = split(block);
        let chunk = self.chunks.get(chunk);
        chunk.map_or(STUCK, |chunk| chunk.counts.bytes()[at])
    }

    /// One more points to it; says how many do now.
    pub fn raise(&mut self, block: u32) -> u8 {
        let (chunk, at) = split(block);
        let Some(chunk) = self.chunks.get_mut(chunk).filter(|_| block < self.blocks) else {
            return STUCK;
        };
        let count = &mut chunk.counts.bytes_mut()[at];
        if *count == 0 {
            chunk.free -= 1;
            self.used += 1;
        }
        *count = count.saturating_add(1);
        *count
    }

    /// One less points to it; says how many do now. It is not free before `release`.
    pub fn lower(&mut self, block: u32) -> u8 {
        let (chunk, at) = split(block);
        let Some(chunk) = self.chunks.get_mut(chunk).filter(|_| block < self.blocks) else {
            return STUCK;
        };
        let count = &mut chunk.counts.bytes_mut()[at];
        if *count == STUCK {
            return STUCK;
        }
        if *count == 0 {
            // Somebody forged a map that names a page as data.
            self.contradictions += 1;
            return STUCK;
        }
        if *count == 1 {
            chunk.free += 1;
            self.used -= 1;
        }
        *count -= 1;
        *count
    }

    /// So many blocks beside each other, which are in use once from now on.
    pub fn take_run(&mut self, count: u32) -> Option<u32> {
        if count == 0 || count > self.free() {
            return None;
        }
        let (first_chunk, at) = split(self.next);
        let chunks = self.chunks.len();
        let tries = if count == 1 {
            chunks + 1
        } else {
            RUN_CHUNKS_MAX.min(chunks + 1)
        };
        for turn in 0..tries {
            let index = (first_chunk + turn) % chunks;
            let from = if turn == 0 { at } else { 0 };
            if let Some(block) = self.run_in(index, from, count) {
                (block..block + count).for_each(|block| {
                    self.raise(block);
                });
                self.next = block + count;
                return Some(block);
            }
        }
        None
    }

    fn run_in(&self, index: usize, from: usize, count: u32) -> Option<u32> {
        let chunk = self.chunks.get(index).filter(|chunk| chunk.free >= count)?;
        let base = index * CHUNK_BLOCKS;
        let end = (self.blocks as usize - base).min(CHUNK_BLOCKS);
        let counts = &chunk.counts.bytes()[..end];
        let mut run = 0;
        for (at, used) in counts.iter().enumerate().skip(from) {
            run = if *used == 0 { run + 1 } else { 0 };
            if run == count {
                return Some((base + at + 1) as u32 - count);
            }
        }
        None
    }

    /// Forgets which blocks were seen.
    pub fn forget_seen(&mut self) {
        for chunk in &mut self.chunks {
            chunk.counts.bytes_mut()[CHUNK_BLOCKS..CHUNK_BYTES].fill(0);
        }
    }

    /// Is it seen for the first time since they were forgotten?
    pub fn see(&mut self, block: u32) -> bool {
        let (chunk, at) = split(block);
        let Some(chunk) = self.chunks.get_mut(chunk) else {
            return false;
        };
        let seen = &mut chunk.counts.bytes_mut()[CHUNK_BLOCKS + at / 8];
        let bit = 1 << (at % 8);
        let is_new = *seen & bit == 0;
        *seen |= bit;
        is_new
    }

    pub const fn free_bytes(&self) -> u64 {
        self.free() as u64 * BLOCK_BYTES as u64
    }
}

#[cfg(test)]
impl Counts {
    pub fn into_buffers(self) -> impl Iterator<Item = Buffer> {
        self.chunks.into_iter().map(|chunk| chunk.counts)
    }
}

const fn split(block: u32) -> (usize, usize) {
    let block = block as usize;
    (block / CHUNK_BLOCKS, block % CHUNK_BLOCKS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn counts(blocks: u32, chunks: usize) -> Counts {
        let (mut counts, mut left) = (Counts::new(), chunks);
        counts.begin(blocks, &mut || {
            left = left.checked_sub(1)?;
            Some(Buffer::new(vec![0xa5; CHUNK_BYTES].leak(), 0))
        });
        counts
    }

    #[test]
    fn a_block_is_free_when_the_last_one_has_given_it_up() {
        let mut counts = counts(4, 1);
        assert_eq!((counts.take_run(3), counts.take_run(1)), (Some(1), None));
        assert_eq!(counts.raise(2), 2);
        assert_eq!((counts.lower(2), counts.take_run(1)), (1, None));
        assert_eq!((counts.lower(2), counts.take_run(1)), (0, Some(2)));
        assert_eq!((counts.used(), counts.free()), (4, 0));
    }

    #[test]
    fn a_run_is_found_before_and_behind_where_the_last_search_ended() {
        let mut counts = counts(100, 1);
        assert_eq!(counts.take_run(60), Some(1));
        (10..30).for_each(|block| {
            counts.lower(block);
        });
        assert_eq!(counts.take_run(39), Some(61));
        assert_eq!((counts.take_run(21), counts.take_run(20)), (None, Some(10)));
    }

    #[test]
    fn a_pool_with_too_little_memory_is_used_in_part() {
        let mut counts = counts(3 * CHUNK_BLOCKS as u32, 2);
        assert_eq!(counts.blocks(), 2 * CHUNK_BLOCKS as u32);
        assert_eq!(counts.count(counts.blocks()), STUCK);
        assert_eq!((counts.raise(counts.blocks()), counts.used()), (STUCK, 1));
        assert_eq!(
            counts.take_run(CHUNK_BLOCKS as u32),
            Some(CHUNK_BLOCKS as u32)
        );
    }

    #[test]
    fn a_count_that_is_full_stays() {
        let mut counts = counts(4, 1);
        (0..300).for_each(|_| {
            counts.raise(2);
        });
        assert_eq!((counts.lower(2), counts.count(2)), (STUCK, STUCK));
    }

    #[test]
    fn a_block_is_seen_once() {
        let mut counts = counts(20, 1);
        assert_eq!(
            [3, 4, 3].map(|block| counts.see(block)),
            [true, true, false]
        );
        counts.forget_seen();
        assert!(counts.see(3));
        assert_eq!((counts.count(3), counts.used()), (0, 1));
    }
}
