//! The way out: built frames to the card, their buffers back from it.

use super::frames::{Frames, Held};
use super::header;
use super::settings::Settings;
use crate::base::network_port::{Frame, Offload};
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::queue::{Piece, Queue, QueueView};
use crate::drivers::virtio::transport::{StartError, Transport};
use crate::limits::VIRTIO_QUEUE_ENTRIES_MAX;

const QUEUE: u16 = 1;

pub struct Sender {
    queue: Queue,
    held: Held,
    /// Does somebody wait for a buffer to come back?
    is_awaited: bool,
}

impl Sender {
    pub fn start(transport: &mut dyn Transport, settings: &Settings) -> Result<Self, StartError> {
        let size_max = VIRTIO_QUEUE_ENTRIES_MAX as u16;
        let mut queue = Queue::start(transport, QUEUE, size_max, settings.has_event_index())?;
        // Buffers are taken back when the next ones are needed, not when they are free.
        queue.refuse_interrupts();
        Ok(Self {
            held: Held::new(usize::from(queue.size())),
            queue,
            is_awaited: false,
        })
    }

    /// Puts a frame in; false when it cannot be, its buffer then lies on its shelf.
    pub fn send(
        &mut self,
        mut frame: Frame,
        offload: Offload,
        frames: &mut Frames,
    ) -> Result<bool, DeviceLie> {
        if self.queue.space() == 0 {
            self.reclaim(frames)?;
        }
        let window = frame.window();
        let start = window.start.checked_sub(header::BYTES);
        let place = start.and_then(|start| {
            let header = frame.buffer_mut().bytes_mut().get_mut(start..)?;
            header::emit(header.first_chunk_mut()?, offload);
            Some(start)
        });
        let buffer = frame.into_buffer();
        let (Some(start), true) = (place, self.queue.space() > 0) else {
            frames.put(buffer);
            return Ok(false);
        };
        let piece = Piece {
            device_address: buffer.device_address() + start as u64,
            bytes: (window.end - start) as u32,
        };
        let token = match self.held.keep(buffer) {
            Ok(token) => token,
            Err(buffer) => {
                frames.put(buffer);
                return Ok(false);
            }
        };
        if self.queue.add(&[piece], &[], token).is_ok() {
            return Ok(true);
        }
        if let Some(buffer) = self.held.give_up(token) {
            frames.put(buffer);
        }
        Ok(false)
    }

    /// Tells the device of all that was put in.
    pub fn flush(&mut self, transport: &mut dyn Transport) {
        self.queue.flush(transport);
    }

    /// Takes the buffers back that the device has sent.
    pub fn reclaim(&mut self, frames: &mut Frames) -> Result<(), DeviceLie> {
        while let Some(used) = self.queue.pop()? {
            if let Some(buffer) = self.held.give_up(used.token) {
                frames.put(buffer);
            }
        }
        Ok(())
    }

    /// Says whether somebody waits for a buffer.
    pub const fn set_awaited(&mut self, is_awaited: bool) {
        self.is_awaited = is_awaited;
    }

    /// Where somebody waits, asks to be told when half of what is out was sent; true when
    /// it was already.
    pub fn rest(&mut self) -> Result<bool, DeviceLie> {
        if !self.is_awaited || self.queue.in_flight() == 0 {
            return Ok(false);
        }
        let half = self.queue.in_flight().div_ceil(2);
        let has_more = self.queue.want_interrupt_after(half)?;
        self.is_awaited = !has_more;
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
