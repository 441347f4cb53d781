//! The memory of all connections' buffers: pieces of one size, taken and given back.
//!
//! Invariant: a piece is free or belongs to exactly one ring.

use crate::base::metric::Usage;
use crate::limits::{TCP_CHUNK_BYTES, TCP_CHUNKS_MAX};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A piece's number.
pub type Chunk = u16;

pub struct Chunks {
    bytes: Box<[u8]>,
    free: Vec<Chunk>,
    count: usize,
    least_free: usize,
    refused: u64,
}

impl Chunks {
    pub fn new(bytes: usize) -> Self {
        let count = (bytes / TCP_CHUNK_BYTES).min(TCP_CHUNKS_MAX);
        Self {
            bytes: alloc::vec![0; count * TCP_CHUNK_BYTES].into_boxed_slice(),
            free: (0..count as Chunk).rev().collect(),
            count,
            least_free: count,
            refused: 0,
        }
    }

    /// One of the pieces that every connection is sure to have.
    pub fn take(&mut self) -> Option<Chunk> {
        let chunk = self.free.pop();
        match chunk {
            Some(_) => self.least_free = self.least_free.min(self.free.len()),
            None => self.refused += 1,
        }
        chunk
    }

    /// A piece beyond what is sure: only while enough are left for new connections.
    pub fn take_more(&mut self) -> Option<Chunk> {
        if self.spare() == 0 {
            self.refused += 1;
            return None;
        }
        self.take()
    }

    pub fn give_back(&mut self, chunk: Chunk) {
        crate::invariant!(
            self.free.len() < self.count,
            "a piece of a buffer was given back twice"
        );
        self.free.push(chunk);
    }

    pub fn get(&self, chunk: Chunk) -> &[u8] {
        let start = usize::from(chunk) * TCP_CHUNK_BYTES;
        &self.bytes[start..start + TCP_CHUNK_BYTES]
    }

    pub fn get_mut(&mut self, chunk: Chunk) -> &mut [u8] {
        let start = usize::from(chunk) * TCP_CHUNK_BYTES;
        &mut self.bytes[start..start + TCP_CHUNK_BYTES]
    }

    /// Free pieces beyond the eighth that is kept for new connections.
    pub fn spare(&self) -> usize {
        self.free.len().saturating_sub(self.count / 8)
    }

    /// Bytes by which one more buffer may grow: a part of what is left, so that many that
    /// grow at the same time meet before the end.
    pub fn growth_bytes(&self) -> usize {
        self.spare() / 4 * TCP_CHUNK_BYTES
    }

    pub const fn count(&self) -> usize {
        self.count
    }

    pub fn used(&self) -> usize {
        self.count - self.free.len()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("TCP_CHUNKS_MAX", self.count)
            .used(self.used() as u64)
            .high_water((self.count - self.least_free) as u64)
            .refused(self.refused)
    }
}
