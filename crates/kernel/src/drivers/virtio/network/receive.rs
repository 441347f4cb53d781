//! The way in: empty buffers to the card, frames from it.

use super::frames::{ETHERNET_BYTES, FRAME_START, Frames, HEADER_START, Held};
use super::header;
use super::settings::Settings;
use crate::base::network_port::{Frame, PortCounters};
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::queue::{Piece, Queue, QueueView};
use crate::drivers::virtio::transport::{StartError, Transport};
use crate::limits::VIRTIO_QUEUE_ENTRIES_MAX;

const QUEUE: u16 = 0;
/// Buffers that are shown to the device together while frames are handled.
const BATCH: u16 = 16;

pub struct Receiver {
    queue: Queue,
    held: Held,
    /// Buffers that the queue is to have.
    target: usize,
    unpublished: u16,
    tells_checksums: bool,
    /// Has an interrupt been asked for since the last frame?
    is_armed: bool,
}

impl Receiver {
    pub fn start(
        transport: &mut dyn Transport,
        settings: &Settings,
        target: usize,
    ) -> Result<Self, StartError> {
        let size_max = VIRTIO_QUEUE_ENTRIES_MAX as u16;
        let queue = Queue::start(transport, QUEUE, size_max, settings.has_event_index())?;
        let size = usize::from(queue.size());
        Ok(Self {
            queue,
            held: Held::new(size),
            target: target.min(size),
            unpublished: 0,
            tells_checksums: settings.tells_checksums(),
            is_armed: false,
        })
    }

    /// Has the device all the buffers that it is to have?
    pub fn is_full(&self) -> bool {
        usize::from(self.queue.in_flight()) >= self.target
    }

    /// Puts free buffers in until the queue has what it is to have.
    pub fn refill(&mut self, frames: &mut Frames) {
        while !self.is_full() {
            let Some(buffer) = frames.take_to_receive() else {
                break;
            };
            let piece = Piece {
                device_address: buffer.device_address() + HEADER_START as u64,
                bytes: (buffer.capacity() - HEADER_START) as u32,
            };
            // As many places as descriptors; a buffer that finds none is a spare one.
            let token = match self.held.keep(buffer) {
                Ok(token) => token,
                Err(buffer) => return frames.put(buffer),
            };
            if self.queue.add(&[], &[piece], token).is_err() {
                if let Some(buffer) = self.held.give_up(token) {
                    frames.put(buffer);
                }
                break;
            }
            self.unpublished += 1;
        }
        let missing = self.target - usize::from(self.queue.in_flight()).min(self.target);
        frames.set_wanted(missing);
    }

    /// Shows the device the new buffers, once they are worth it.
    pub fn publish_batch(&mut self, transport: &mut dyn Transport) {
        if self.unpublished >= BATCH {
            self.publish(transport);
        }
    }

    pub fn publish(&mut self, transport: &mut dyn Transport) {
        if self.unpublished > 0 {
            self.unpublished = 0;
            self.queue.flush(transport);
        }
    }

    /// The next frame; one that is none is counted and passed over.
    pub fn receive(
        &mut self,
        frames: &mut Frames,
        counters: &mut PortCounters,
    ) -> Result<Option<Frame>, DeviceLie> {
        while let Some(used) = self.queue.pop()? {
            self.is_armed = false;
            let Some(buffer) = self.held.give_up(used.token) else {
                continue;
            };
            let end = HEADER_START + used.bytes as usize;
            if end < FRAME_START + ETHERNET_BYTES {
                counters.receive_errors += 1;
                frames.put(buffer);
                self.refill(frames);
                continue;
            }
            let said = buffer.bytes()[HEADER_START..].first_chunk();
            let checksums = said.filter(|_| self.tells_checksums).map(header::checksums);
            let mut frame = Frame::new(buffer, FRAME_START..end);
            frame.checksums = checksums.unwrap_or_default();
            counters.received_frames += 1;
            counters.received_bytes += frame.len() as u64;
            return Ok(Some(frame));
        }
        Ok(None)
    }

    /// Asks to be told of the next frame; true when it is there already.
    pub fn rest(&mut self) -> Result<bool, DeviceLie> {
        if self.is_armed {
            return Ok(false);
        }
        let has_more = self.queue.want_interrupt()?;
        self.is_armed = !has_more;
        Ok(has_more)
    }

    /// Takes all buffers back from a device that cannot reach them any more.
    pub fn drain(&mut self, frames: &mut Frames) {
        while let Some(token) = self.queue.drain() {
            if let Some(buffer) = self.held.give_up(token) {
                frames.put(buffer);
            }
        }
    }

    pub const fn view(&self) -> QueueView {
        self.queue.view()
    }
}
