//! Virtio consoles (virtio 1.2, 5.3): port 0 as a console with a shell on it.
//!
//! Several ports are not asked for: then every device connects its port 0 to its
//! queues 0 and 1, and there is nothing else that it could send.
//!
//! Invariants: what does not fit into `input` stays with the device, so nothing that
//! was typed is lost; a transmit buffer is free or in flight.

use super::features::EVENT_INDEX;
use super::lie::DeviceLie;
use super::negotiation;
use super::queue::{Piece, Queue, QueueView};
use super::transport::{StartError, Transport, read_config};
use crate::base::console::{Console, ConsoleView};
use crate::base::fixed;
use crate::base::time::Instant;
use crate::drivers::devices::driver::{Driver, Event};
use crate::limits::{
    VIRTIO_CONSOLE_BUFFERS, VIRTIO_CONSOLE_RECEIVE_BYTES, VIRTIO_CONSOLE_TRANSMIT_BYTES,
};
use crate::memory::SharedMemory;
use alloc::boxed::Box;

pub const KIND: u16 = 3;

const SIZE: u64 = 1 << 0;
const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;
const BUFFER_BYTES: usize = 512;
/// The receive buffers, and behind them those for transmission.
const TRANSMIT_AT: usize = VIRTIO_CONSOLE_BUFFERS * BUFFER_BYTES;
const MEMORY_BYTES: usize = 2 * TRANSMIT_AT;
/// A narrower console is a mistake, a wider one cannot be read.
const COLUMNS: core::ops::RangeInclusive<u16> = 20..=1000;
const _: () = assert!(VIRTIO_CONSOLE_RECEIVE_BYTES >= BUFFER_BYTES);
const _: () = assert!(VIRTIO_CONSOLE_BUFFERS.is_power_of_two());

pub struct ConsoleDriver {
    session: Option<Session>,
    input: Box<fixed::Queue<u8, VIRTIO_CONSOLE_RECEIVE_BYTES>>,
    output: Box<fixed::Queue<u8, VIRTIO_CONSOLE_TRANSMIT_BYTES>>,
    view: ConsoleView,
    /// The device may have more than there was room for.
    is_behind: bool,
    now: Instant,
}

struct Session {
    transport: Box<dyn Transport>,
    receive: Queue,
    transmit: Queue,
    memory: SharedMemory,
    /// Transmit buffers that the device has, a bit each.
    busy: u32,
    has_size: bool,
    columns: Option<u16>,
    is_stopped: bool,
}

impl ConsoleDriver {
    pub const NAME: &'static str = "virtio";

    pub fn new() -> Self {
        Self {
            session: None,
            input: Box::default(),
            output: Box::default(),
            view: ConsoleView {
                name: Self::NAME,
                ..ConsoleView::default()
            },
            is_behind: false,
            now: Instant::ZERO,
        }
    }

    /// Takes what was typed, as long as there is room for a whole buffer.
    fn receive(&mut self) -> Result<(), DeviceLie> {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        self.is_behind = true;
        while self.input.space() >= BUFFER_BYTES {
            let Some(used) = session.receive.pop()? else {
                if session.receive.want_interrupt()? {
                    continue;
                }
                self.is_behind = false;
                break;
            };
            let mut bytes = [0; BUFFER_BYTES];
            let bytes = &mut bytes[..(used.bytes as usize).min(BUFFER_BYTES)];
            let index = used.token as usize;
            session.memory.read_bytes(index * BUFFER_BYTES, bytes);
            self.view.received_bytes += bytes.len() as u64;
            self.input.push_some(bytes);
            session.offer(index);
        }
        session.receive.flush(session.transport.as_mut());
        Ok(())
    }

    /// Gives the device what was written, as far as buffers are free.
    fn transmit(&mut self) {
        let Some(session) = self.session.as_mut().filter(|session| !session.is_stopped) else {
            return;
        };
        while !self.output.is_empty() {
            let index = session.busy.trailing_ones() as usize;
            if index >= VIRTIO_CONSOLE_BUFFERS {
                break;
            }
            let oldest = self.output.oldest();
            let bytes = &oldest[..oldest.len().min(BUFFER_BYTES)];
            let at = TRANSMIT_AT + index * BUFFER_BYTES;
            session.memory.write_bytes(at, bytes);
            let piece = session.piece(at, bytes.len());
            if session.transmit.add(&[piece], &[], index as u32).is_err() {
                break;
            }
            session.busy |= 1 << index;
            self.view.sent_bytes += bytes.len() as u64;
            let count = bytes.len();
            self.output.skip(count);
        }
        session.transmit.flush(session.transport.as_mut());
    }
}

impl Default for ConsoleDriver {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    fn piece(&self, at: usize, bytes: usize) -> Piece {
        Piece {
            device_address: self.memory.device_address() + at as u64,
            bytes: bytes as u32,
        }
    }

    /// Lets the device fill a receive buffer.
    fn offer(&mut self, index: usize) {
        let piece = self.piece(index * BUFFER_BYTES, BUFFER_BYTES);
        // There is an entry for each buffer.
        let _ = self.receive.add(&[], &[piece], index as u32);
    }

    fn reread_size(&mut self) -> Result<(), DeviceLie> {
        if self.has_size && self.transport.config_bytes() >= 4 {
            let columns =
                read_config(self.transport.as_mut(), |transport| transport.config_u16(0))?;
            self.columns = Some(columns).filter(|columns| COLUMNS.contains(columns));
        }
        Ok(())
    }
}

impl Driver for ConsoleDriver {
    fn name(&self) -> &'static str {
        "virtio-console"
    }

    fn label(&self) -> &'static str {
        Self::NAME
    }

    fn attach(&mut self, mut transport: Box<dyn Transport>, _: Instant) -> Result<(), StartError> {
        let features = negotiation::negotiate(transport.as_mut(), SIZE | EVENT_INDEX, &[])?;
        let memory = SharedMemory::allocate(MEMORY_BYTES)?;
        let has_event_index = features & EVENT_INDEX != 0;
        let mut queue = |index| {
            let size = VIRTIO_CONSOLE_BUFFERS as u16;
            Queue::start(transport.as_mut(), index, size, has_event_index)
        };
        let (receive, transmit) = (queue(RECEIVE)?, queue(TRANSMIT)?);
        negotiation::finish(transport.as_mut());
        let mut session = Session {
            transport,
            busy: 0,
            has_size: features & SIZE != 0,
            receive,
            transmit,
            memory,
            columns: None,
            is_stopped: false,
        };
        session.reread_size()?;
        for index in 0..usize::from(session.receive.size()) {
            session.offer(index);
        }
        session.receive.flush(session.transport.as_mut());
        // Whoever is at the other end now has seen nothing of the last session.
        self.input.clear();
        self.output.clear();
        self.session = Some(session);
        Ok(())
    }

    fn poll(&mut self, now: Instant, event: Event) -> Result<(), DeviceLie> {
        self.now = now;
        let Some(session) = self.session.as_mut().filter(|session| !session.is_stopped) else {
            return Ok(());
        };
        if event.has_config_changed {
            session.reread_size()?;
        }
        loop {
            match session.transmit.pop()? {
                Some(used) => session.busy &= !(1 << (used.token % u32::BITS)),
                None if session.transmit.want_interrupt()? => {}
                None => break,
            }
        }
        self.receive()?;
        self.transmit();
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        let is_running = self
            .session
            .as_ref()
            .is_some_and(|session| !session.is_stopped);
        let has_room = self.input.space() >= BUFFER_BYTES;
        (is_running && self.is_behind && has_room).then_some(self.now)
    }

    fn stop(&mut self) {
        if let Some(session) = &mut self.session {
            session.is_stopped = true;
        }
    }

    fn reclaim(&mut self) {
        self.session = None;
    }

    fn visit_queues(&self, visit: &mut dyn FnMut(&QueueView)) {
        if let Some(session) = &self.session {
            visit(&session.receive.view());
            visit(&session.transmit.view());
        }
    }

    fn console(&mut self) -> Option<&mut dyn Console> {
        let is_there = self.session.is_some();
        is_there.then_some(self)
    }
}

impl Console for ConsoleDriver {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let mut count = 0;
        while count < buffer.len() && !self.input.is_empty() {
            let oldest = self.input.oldest();
            let piece = oldest.len().min(buffer.len() - count);
            buffer[count..count + piece].copy_from_slice(&oldest[..piece]);
            self.input.skip(piece);
            count += piece;
        }
        count
    }

    fn write_space(&self) -> usize {
        self.output.space()
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let count = self.output.push_some(bytes);
        self.transmit();
        count
    }

    fn is_drained(&self) -> bool {
        let in_flight = self.session.as_ref().map_or(0, |session| session.busy);
        self.output.is_empty() && in_flight == 0
    }

    fn columns(&self) -> Option<u16> {
        self.session.as_ref()?.columns
    }

    fn view(&self) -> ConsoleView {
        self.view
    }
}

#[cfg(test)]
mod tests;
