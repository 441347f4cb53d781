//! The memory of a port: small and large buffers, and which of them are free.
//!
//! Invariant: what is free is either wanted by the receive queue or may be taken to send
//! in; receiving goes first, so a storm of sending never makes the port deaf.

use super::header;
use crate::base::buffer::Buffer;
use crate::base::network_port::Frame;
use crate::memory::{MemoryError, allocate_buffer, release_buffer};
use alloc::vec::Vec;

/// Where a frame begins in its buffer: the IP header behind an Ethernet header of 14
/// bytes has a cache line's start, and the device's header fits in front.
pub const FRAME_START: usize = 64 - ETHERNET_BYTES;
pub const ETHERNET_BYTES: usize = 14;
/// A tag of a virtual LAN.
const TAG_BYTES: usize = 4;
/// The largest packet that one segment, cut or joined, can be.
const SEGMENT_BYTES_MAX: usize = 65_535;

pub const HEADER_START: usize = FRAME_START - header::BYTES;

/// Bytes of a buffer for packets of up to `packet_bytes`.
pub const fn buffer_bytes(packet_bytes: usize) -> usize {
    FRAME_START + ETHERNET_BYTES + TAG_BYTES + packet_bytes
}

pub const LARGE_BYTES: usize = buffer_bytes(SEGMENT_BYTES_MAX);

/// Buffers of one size.
#[derive(Default)]
pub struct Shelf {
    free: Vec<Buffer>,
    /// Bytes of each buffer; 0 while there is none.
    bytes: usize,
    /// Buffers that belong to it, wherever they are.
    total: usize,
}

impl Shelf {
    /// Grows to `count` buffers of at least `bytes`; what does not fit memory is left out.
    fn grow(&mut self, count: usize, bytes: usize) -> Result<(), MemoryError> {
        if self.bytes < bytes {
            // Smaller ones than are needed now go; those that are out go when they return.
            while let Some(buffer) = self.free.pop() {
                // What cannot be given back is kept by nobody; it was no whole buffer.
                let _ = release_buffer(buffer);
            }
            self.total = 0;
            self.bytes = 0;
        }
        self.free.reserve(count.saturating_sub(self.free.len()));
        while self.total < count {
            let buffer = allocate_buffer(self.bytes.max(bytes))?;
            self.bytes = buffer.capacity();
            self.free.push(buffer);
            self.total += 1;
        }
        Ok(())
    }

    pub fn take(&mut self) -> Option<Buffer> {
        self.free.pop()
    }

    pub fn free(&self) -> usize {
        self.free.len()
    }

    /// Is this buffer one of its kind, and is one of them out?
    fn misses(&self, buffer: &Buffer) -> bool {
        buffer.capacity() == self.bytes && self.free.len() < self.total
    }
}

/// How many buffers of which size a port wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    pub packet_bytes: usize,
    pub receives_large: bool,
    pub sends_large: bool,
    pub receive: usize,
    pub send_small: usize,
    pub send_large: usize,
}

impl Plan {
    /// Halves the numbers until all of it fits a part of the free memory; below a
    /// handful, large buffers are left out.
    pub fn fit(mut self, free_bytes: u64) -> Self {
        const LEAST: usize = 16;
        let budget = free_bytes / 5;
        while self.bytes() > budget && self.receive > LEAST {
            self.receive /= 2;
            self.send_small = (self.send_small / 2).max(LEAST);
            self.send_large /= 2;
        }
        if self.bytes() > budget {
            self.receives_large = false;
            self.sends_large = false;
        }
        self
    }

    fn bytes(&self) -> u64 {
        let (small, large) = self.counts();
        (small * buffer_bytes(self.packet_bytes) + large * LARGE_BYTES) as u64
    }

    /// Small and large buffers.
    const fn counts(&self) -> (usize, usize) {
        let (mut small, mut large) = (self.send_small, 0);
        match self.receives_large {
            true => large += self.receive,
            false => small += self.receive,
        }
        if self.sends_large {
            large += self.send_large;
        }
        (small, large)
    }
}

/// The shelves of a port.
#[derive(Default)]
pub struct Frames {
    small: Shelf,
    large: Shelf,
    receives_large: bool,
    /// Buffers that the receive queue still wants.
    wanted: usize,
}

impl Frames {
    /// Takes memory as planned. What is there already and fits is used again.
    pub fn prepare(&mut self, plan: &Plan) -> Result<(), MemoryError> {
        let (small, large) = plan.counts();
        self.small.grow(small, buffer_bytes(plan.packet_bytes))?;
        if large > 0 {
            self.large.grow(large, LARGE_BYTES)?;
        }
        self.receives_large = plan.receives_large;
        Ok(())
    }

    /// Bytes of all buffers, wherever they are.
    pub const fn bytes(&self) -> u64 {
        let small = self.small.total * self.small.bytes;
        (small + self.large.total * self.large.bytes) as u64
    }

    /// Says how many buffers the receive queue lacks.
    pub const fn set_wanted(&mut self, wanted: usize) {
        self.wanted = wanted;
    }

    /// A buffer for the receive queue.
    pub fn take_to_receive(&mut self) -> Option<Buffer> {
        let shelf = match self.receives_large {
            true => &mut self.large,
            false => &mut self.small,
        };
        shelf.take()
    }

    /// A frame of `bytes` to build in; never one that the receive queue waits for.
    pub fn take_to_send(&mut self, bytes: usize) -> Option<Frame> {
        let needed = FRAME_START + bytes;
        let is_small = needed <= self.small.bytes;
        let (shelf, is_shared) = match is_small {
            true => (&mut self.small, !self.receives_large),
            false => (&mut self.large, self.receives_large),
        };
        let kept = if is_shared { self.wanted } else { 0 };
        if needed > shelf.bytes || shelf.free() <= kept {
            return None;
        }
        let buffer = shelf.take()?;
        Some(Frame::new(buffer, FRAME_START..needed))
    }

    /// Puts a buffer where it belongs. One of a size that is not kept any more is freed.
    pub fn put(&mut self, buffer: Buffer) {
        if self.small.misses(&buffer) {
            self.small.free.push(buffer);
        } else if self.large.misses(&buffer) {
            self.large.free.push(buffer);
        } else {
            // Memory of no shelf stays with whoever keeps it for good.
            let _ = release_buffer(buffer);
        }
    }
}

/// Buffers that a device has, by the token of their request.
pub struct Held {
    places: Vec<Option<Buffer>>,
    free: Vec<u32>,
}

impl Held {
    pub fn new(count: usize) -> Self {
        Self {
            places: (0..count).map(|_| None).collect(),
            free: (0..count as u32).rev().collect(),
        }
    }

    /// Keeps a buffer; as many as there are places, which is the queue's size.
    pub fn keep(&mut self, buffer: Buffer) -> Result<u32, Buffer> {
        match self.free.pop() {
            Some(token) => {
                self.places[token as usize] = Some(buffer);
                Ok(token)
            }
            None => Err(buffer),
        }
    }

    pub fn give_up(&mut self, token: u32) -> Option<Buffer> {
        let buffer = self.places.get_mut(token as usize)?.take()?;
        self.free.push(token);
        Some(buffer)
    }
}
