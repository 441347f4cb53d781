//! Physical frames of 4 KiB: a bit for each, and a count for each purpose.
//!
//! Invariant: a clear bit is a frame that belongs to no one. Frames outside the
//! map's usable ranges are never clear.

use super::MemoryError;

pub const FRAME_BYTES: u64 = 4096;

/// What a frame is taken for; `mem` shows the sum of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Image,
    PageTables,
    Heap,
    Stacks,
    Dma,
    Other,
}

const PURPOSES: usize = 6;

/// The bit words live in memory that the caller hands in.
#[derive(Debug)]
pub struct Frames {
    /// Bit set: taken, or no memory.
    words: &'static mut [u64],
    /// Where the last search ended, in words.
    hint: usize,
    free: u64,
    taken: [u64; PURPOSES],
    refused: u64,
}

impl Frames {
    /// Words needed for the frames below `end`.
    pub const fn words_for(end: u64) -> usize {
        end.div_ceil(FRAME_BYTES).div_ceil(64) as usize
    }

    /// Starts with every frame taken; `add` frees what is usable.
    pub fn new(words: &'static mut [u64]) -> Self {
        words.fill(u64::MAX);
        Self {
            words,
            hint: 0,
            free: 0,
            taken: [0; PURPOSES],
            refused: 0,
        }
    }

    /// Adds the whole frames between `start` and `end`; those known are left.
    pub fn add(&mut self, start: u64, end: u64) {
        let first = start.div_ceil(FRAME_BYTES);
        let last = (end / FRAME_BYTES).min(self.words.len() as u64 * 64);
        let mut frame = first;
        while frame < last {
            let (word, bit) = (frame as usize / 64, frame % 64);
            let count = (64 - bit).min(last - frame);
            let mask = mask(bit, count);
            self.free += u64::from((self.words[word] & mask).count_ones());
            self.words[word] &= !mask;
            frame += count;
        }
    }

    /// Takes the frames that overlap `start..end`, those of them that are free.
    pub fn take_range(&mut self, start: u64, end: u64, purpose: Purpose) {
        for frame in start / FRAME_BYTES..end.div_ceil(FRAME_BYTES) {
            self.take_frame(frame, purpose);
        }
    }

    /// Takes frames that turn out to be no memory: a map may name a range twice.
    pub fn remove(&mut self, start: u64, end: u64) {
        let end = end.min(self.words.len() as u64 * 64 * FRAME_BYTES);
        for frame in start / FRAME_BYTES..end.div_ceil(FRAME_BYTES) {
            if !self.is_taken(frame) {
                self.words[frame as usize / 64] |= 1 << (frame % 64);
                self.free -= 1;
            }
        }
    }

    fn take_frame(&mut self, frame: u64, purpose: Purpose) {
        let (word, bit) = (frame as usize / 64, 1u64 << (frame % 64));
        if word < self.words.len() && self.words[word] & bit == 0 {
            self.words[word] |= bit;
            self.free -= 1;
            self.taken[purpose as usize] += 1;
        }
    }

    /// One frame's address.
    pub fn allocate(&mut self, purpose: Purpose) -> Result<u64, MemoryError> {
        let count = self.words.len();
        let found = (0..count)
            .map(|offset| (self.hint + offset) % count)
            .find(|&word| self.words[word] != u64::MAX);
        let Some(word) = found else {
            self.refused += 1;
            return Err(MemoryError::NoFrames {
                wanted_bytes: FRAME_BYTES,
            });
        };
        self.hint = word;
        let frame = word as u64 * 64 + u64::from(self.words[word].trailing_ones());
        self.take_frame(frame, purpose);
        Ok(frame * FRAME_BYTES)
    }

    /// The address of `count` frames in a row, which is a multiple of `align` bytes.
    pub fn allocate_run(
        &mut self,
        count: u64,
        align: u64,
        purpose: Purpose,
    ) -> Result<u64, MemoryError> {
        let step = align.max(FRAME_BYTES) / FRAME_BYTES;
        let end = self.words.len() as u64 * 64;
        let mut start = 0;
        while start + count <= end {
            if self.words[start as usize / 64] == u64::MAX {
                start = ((start / 64 + 1) * 64).next_multiple_of(step);
                continue;
            }
            match (start..start + count)
                .rev()
                .find(|&frame| self.is_taken(frame))
            {
                None => {
                    (start..start + count).for_each(|frame| self.take_frame(frame, purpose));
                    return Ok(start * FRAME_BYTES);
                }
                Some(obstacle) => start = (obstacle + 1).next_multiple_of(step),
            }
        }
        self.refused += 1;
        Err(MemoryError::NoFrames {
            wanted_bytes: count * FRAME_BYTES,
        })
    }

    fn is_taken(&self, frame: u64) -> bool {
        self.words[frame as usize / 64] & 1 << (frame % 64) != 0
    }

    /// Gives back frames that were taken for `purpose`.
    pub fn free(&mut self, address: u64, count: u64, purpose: Purpose) {
        let first = address / FRAME_BYTES;
        for frame in first..first + count {
            crate::invariant!(self.is_taken(frame), "frame {frame:#x} is freed twice");
            self.words[frame as usize / 64] &= !(1 << (frame % 64));
        }
        self.free += count;
        self.taken[purpose as usize] -= count;
    }

    pub const fn free_bytes(&self) -> u64 {
        self.free * FRAME_BYTES
    }

    pub const fn taken_bytes(&self, purpose: Purpose) -> u64 {
        self.taken[purpose as usize] * FRAME_BYTES
    }

    /// All memory this allocator was ever given.
    pub fn total_bytes(&self) -> u64 {
        (self.free + self.taken.iter().sum::<u64>()) * FRAME_BYTES
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

/// `count` ones from `bit` on.
const fn mask(bit: u64, count: u64) -> u64 {
    if count >= 64 {
        u64::MAX
    } else {
        ((1 << count) - 1) << bit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    fn frames(count: u64) -> Frames {
        let words = vec![0; Frames::words_for(count * FRAME_BYTES)];
        let mut frames = Frames::new(words.leak());
        frames.add(0, count * FRAME_BYTES);
        frames
    }

    #[test]
    fn parts_of_a_frame_are_not_usable() {
        let mut frames = Frames::new(vec![0; 4].leak());
        frames.add(100, 3 * FRAME_BYTES + 100);
        assert_eq!(frames.free_bytes(), 2 * FRAME_BYTES);
    }

    #[test]
    fn memory_that_is_out_is_said_and_counted() {
        let mut frames = frames(2);
        assert_eq!(frames.allocate(Purpose::Heap), Ok(0));
        assert_eq!(frames.allocate(Purpose::Heap), Ok(FRAME_BYTES));
        assert!(frames.allocate(Purpose::Heap).is_err());
        assert!(frames.allocate_run(1, 0, Purpose::Dma).is_err());
        assert_eq!((frames.refused(), frames.free_bytes()), (2, 0));
    }

    #[test]
    fn a_run_is_aligned_and_steps_over_what_is_taken() {
        let mut frames = frames(2048);
        frames.take_range(513 * FRAME_BYTES, 514 * FRAME_BYTES, Purpose::Image);
        let big = frames.allocate_run(512, 2 << 20, Purpose::Heap).unwrap();
        let next = frames.allocate_run(512, 2 << 20, Purpose::Heap).unwrap();
        assert_eq!((big, next), (0, 4 << 20));
    }

    #[test]
    fn no_frame_is_given_twice_and_every_byte_is_accounted_for() {
        let mut frames = frames(1000);
        let mut prng = Prng::new(7);
        let mut held: Vec<(u64, u64)> = Vec::new();
        for _ in 0..5_000 {
            if prng.one_in(2) && !held.is_empty() {
                let (address, count) = held.swap_remove(prng.below(held.len() as u64) as usize);
                frames.free(address, count, Purpose::Dma);
                continue;
            }
            let count = 1 + prng.below(16);
            let Ok(address) = frames.allocate_run(count, 0, Purpose::Dma) else {
                continue;
            };
            let is_overlap = held.iter().any(|&(other, length)| {
                address < other + length * FRAME_BYTES && other < address + count * FRAME_BYTES
            });
            assert!(!is_overlap);
            held.push((address, count));
            let sum: u64 = held.iter().map(|(_, count)| count * FRAME_BYTES).sum();
            assert_eq!(frames.taken_bytes(Purpose::Dma), sum);
            assert_eq!(frames.total_bytes(), 1000 * FRAME_BYTES);
        }
    }
}
