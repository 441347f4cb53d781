//! What a machine gives as a network port: frames both ways, moved.

use crate::base::buffer::Buffer;
use core::ops::Range;

/// An Ethernet device, real or simulated.
pub trait NetworkPort {
    fn facts(&self) -> PortFacts;

    /// The oldest frame that has arrived and was not taken yet.
    fn receive(&mut self) -> Option<Frame>;

    /// Gives the memory of a received frame, or of one that was never sent, back to the port.
    fn recycle(&mut self, frame: Frame);

    /// An empty frame of at least `bytes` to build in; `None` when all are on their way.
    fn take_frame(&mut self, bytes: usize) -> Option<Frame>;

    /// Puts a frame on its way. The port keeps the memory until the device has sent it.
    fn transmit(&mut self, frame: Frame, offload: Offload);

    /// Tells the device about all that was handed over since the last call.
    fn flush(&mut self);

    fn counters(&self) -> PortCounters;
}

/// What is known of a port; it may change when its device is unplugged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortFacts {
    /// `eth0`: the name that tables show.
    pub name: &'static str,
    pub hardware_address: [u8; 6],
    pub is_link_up: bool,
    /// Bytes of the largest packet behind the Ethernet header.
    pub mtu: usize,
    /// The device completes the checksum of a TCP or UDP segment that is sent.
    pub completes_checksums: bool,
    /// The device cuts TCP segments of up to so many bytes, all headers included; 0 when it does not.
    pub segments_bytes_max: usize,
}

/// A frame in memory that a device can reach; the frame's bytes are a window of it.
#[derive(Debug)]
pub struct Frame {
    buffer: Buffer,
    window: Range<usize>,
    /// What is known of the checksums inside a received frame.
    pub checksums: Checksums,
}

/// Who has looked at the TCP or UDP checksum of a received frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Checksums {
    /// Nobody; the stack has to.
    #[default]
    Unchecked,
    /// The device has, or the frame never left the host.
    Trusted,
}

impl Frame {
    /// `window` must lie inside of the buffer; it is cut where it does not.
    pub fn new(buffer: Buffer, window: Range<usize>) -> Self {
        let end = window.end.min(buffer.capacity());
        Self {
            window: window.start.min(end)..end,
            buffer,
            checksums: Checksums::Unchecked,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer.bytes()[self.window.clone()]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer.bytes_mut()[self.window.clone()]
    }

    pub fn len(&self) -> usize {
        self.window.len()
    }

    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// Makes the frame shorter; longer lengths change nothing.
    pub fn truncate(&mut self, length: usize) {
        self.window.end = self.window.end.min(self.window.start + length);
    }

    /// Where in the buffer the frame's bytes are.
    pub fn window(&self) -> Range<usize> {
        self.window.clone()
    }

    pub const fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// The whole buffer, the room in front of the frame included.
    pub const fn buffer_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    pub fn into_buffer(self) -> Buffer {
        self.buffer
    }
}

/// What the device does to a frame on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Offload {
    /// Sends it as it is.
    #[default]
    Nothing,
    /// Sums from `start` to the end and stores the result `offset` bytes behind `start`,
    /// where the pseudo header's sum already stands.
    Checksum { start: u16, offset: u16 },
    /// Cuts the TCP segment into ones of `segment_bytes` of payload and completes their checksums.
    Segments {
        start: u16,
        offset: u16,
        /// Bytes in front of the payload: Ethernet, IP and TCP headers.
        headers_bytes: u16,
        segment_bytes: u16,
        is_ipv6: bool,
    },
}

/// What has gone through a port since its device was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PortCounters {
    pub received_frames: u64,
    pub received_bytes: u64,
    pub sent_frames: u64,
    pub sent_bytes: u64,
    /// Frames that were to be sent while no memory or no link was there.
    pub send_refused: u64,
    /// Frames of the device that were no frames: too short, too long.
    pub receive_errors: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(length: usize) -> Buffer {
        Buffer::new(std::boxed::Box::leak(std::vec![0; length].into()), 0)
    }

    #[test]
    fn a_window_never_leaves_its_buffer() {
        let mut frame = Frame::new(buffer(8), 4..20);
        assert_eq!((frame.window(), frame.len()), (4..8, 4));
        frame.truncate(9);
        assert_eq!(frame.len(), 4);
        frame.truncate(1);
        assert_eq!(frame.bytes().len(), 1);
        assert!(Frame::new(buffer(8), 12..20).is_empty());
    }
}
