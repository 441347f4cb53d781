//! Memory that carries one frame: a port's, or the stack's own.
//!
//! A frame of a port goes back to that port; own memory goes back to the pool
//! that it was taken from. Nothing is copied when a carrier is handed on.

use super::ports::Ports;
use crate::base::network_port::{Checksums, Frame};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

/// Where a carrier's memory belongs.
#[derive(Debug)]
enum Memory {
    Port {
        index: usize,
        frame: Frame,
    },
    Own {
        bytes: Box<[u8]>,
        window: Range<usize>,
    },
}

/// One frame and whose memory it lies in.
#[derive(Debug)]
pub struct Carrier(Memory);

impl Carrier {
    pub const fn of_port(index: usize, frame: Frame) -> Self {
        Self(Memory::Port { index, frame })
    }

    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Memory::Port { frame, .. } => frame.bytes(),
            Memory::Own { bytes, window } => &bytes[window.clone()],
        }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Memory::Port { frame, .. } => frame.bytes_mut(),
            Memory::Own { bytes, window } => &mut bytes[window.clone()],
        }
    }

    /// Makes the frame shorter; longer lengths change nothing.
    pub fn truncate(&mut self, length: usize) {
        match &mut self.0 {
            Memory::Port { frame, .. } => frame.truncate(length),
            Memory::Own { window, .. } => window.end = window.end.min(window.start + length),
        }
    }

    /// Own memory never left the machine.
    pub const fn checksums(&self) -> Checksums {
        match &self.0 {
            Memory::Port { frame, .. } => frame.checksums,
            Memory::Own { .. } => Checksums::Trusted,
        }
    }

    /// The port's frame, or the carrier as it was.
    pub fn into_frame(self) -> Result<(usize, Frame), Self> {
        match self.0 {
            Memory::Port { index, frame } => Ok((index, frame)),
            own => Err(Self(own)),
        }
    }
}

/// Own frames of one size; as many as were made at the start.
#[derive(Debug)]
pub struct OwnFrames {
    free: Vec<Box<[u8]>>,
    frame_bytes: usize,
    count: usize,
    most_used: usize,
    refused: u64,
}

impl OwnFrames {
    pub fn new(count: usize, frame_bytes: usize) -> Self {
        Self {
            free: (0..count).map(|_| fresh(frame_bytes)).collect(),
            frame_bytes,
            count,
            most_used: 0,
            refused: 0,
        }
    }

    /// An empty frame of `length` bytes.
    pub fn take(&mut self, length: usize) -> Option<Carrier> {
        if length > self.frame_bytes || self.free.is_empty() {
            self.refused += 1;
            return None;
        }
        let bytes = self.free.pop()?;
        self.most_used = self.most_used.max(self.used());
        let window = 0..length;
        Some(Carrier(Memory::Own { bytes, window }))
    }

    pub const fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }

    pub fn used(&self) -> usize {
        self.count - self.free.len()
    }

    pub const fn high_water(&self) -> usize {
        self.most_used
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub fn is_exhausted(&self) -> bool {
        self.free.is_empty()
    }

    fn put_back(&mut self, bytes: Box<[u8]>) {
        crate::invariant!(
            self.free.len() < self.count,
            "an own frame came back that was never taken"
        );
        self.free.push(bytes);
    }
}

fn fresh(bytes: usize) -> Box<[u8]> {
    alloc::vec![0; bytes].into_boxed_slice()
}

/// The stack's own frames: short ones for the loopback, long ones for datagrams in fragments.
#[derive(Debug)]
pub struct OwnMemory {
    pub short: OwnFrames,
    pub long: OwnFrames,
}

impl OwnMemory {
    /// The smallest frame that is large enough.
    pub fn take(&mut self, length: usize) -> Option<Carrier> {
        match length <= self.short.frame_bytes {
            true => self.short.take(length),
            false => self.long.take(length),
        }
    }

    /// Gives a carrier's memory back to where it belongs.
    ///
    /// A port outlives its card, so the frames of one that is unplugged come home too.
    /// Only a machine that loses a port itself loses what lay in its frames.
    pub fn recycle(&mut self, carrier: Carrier, ports: &mut dyn Ports) {
        match carrier.0 {
            Memory::Port { index, frame } => {
                if let Some(port) = ports.port(index) {
                    port.recycle(frame);
                }
            }
            Memory::Own { bytes, .. } if bytes.len() == self.short.frame_bytes => {
                self.short.put_back(bytes);
            }
            Memory::Own { bytes, .. } => self.long.put_back(bytes),
        }
    }
}
