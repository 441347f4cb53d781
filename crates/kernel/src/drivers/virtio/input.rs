//! Virtio input (virtio 1.2, 5.8): keyboards, mice, tablets.
//!
//! Limits: `VIRTIO_INPUT_EVENTS_MAX` events that the device may be ahead.
//! Invariant: every event of the device is counted; what nobody took in time stays
//! with the device, which drops its oldest by itself.

use super::features::EVENT_INDEX;
use super::lie::DeviceLie;
use super::negotiation;
use super::queue::{Piece, Queue, QueueView};
use super::transport::{StartError, Transport};
use crate::base::fixed::{self, Text};
use crate::base::input::{InputDevice, InputEvent, KeyboardLights, event};
use crate::base::time::Instant;
use crate::drivers::devices::driver::{Driver, Event};
use crate::limits::{INPUT_DEVICES_MAX, VIRTIO_INPUT_EVENTS_MAX};
use crate::memory::SharedMemory;
use alloc::boxed::Box;

pub const KIND: u16 = 18;

const NAMES: [&str; INPUT_DEVICES_MAX] =
    ["input0", "input1", "input2", "input3", "input4", "input5"];

const EVENTS: u16 = 0;
const STATUS: u16 = 1;
const STATUS_ENTRIES: u16 = 4;
const EVENT_BYTES: usize = 8;
/// Two lights, for the status queue.
const LIGHT_EVENTS: usize = 2;
const LIGHTS_AT: usize = VIRTIO_INPUT_EVENTS_MAX * EVENT_BYTES;
const MEMORY_BYTES: usize = LIGHTS_AT + LIGHT_EVENTS * EVENT_BYTES;
const LIGHT_NUM_LOCK: u16 = 0;
const LIGHT_CAPS_LOCK: u16 = 1;

/// The configuration answers one question at a time (5.8.4).
const SELECT_AT: usize = 0;
const SUBSELECT_AT: usize = 1;
const SIZE_AT: usize = 2;
const ANSWER_AT: usize = 8;
const ASK_NAME: u8 = 1;
const NAME_MAX: usize = 32;
const ANSWER_MAX: u8 = 128;

const _: () = assert!(VIRTIO_INPUT_EVENTS_MAX.is_power_of_two());

pub struct InputDriver {
    label: &'static str,
    session: Option<Session>,
    events: fixed::Queue<InputEvent, VIRTIO_INPUT_EVENTS_MAX>,
    view: InputView,
    is_behind: bool,
    now: Instant,
}

struct Session {
    transport: Box<dyn Transport>,
    queue: Queue,
    /// Some devices have no lights and no queue for them.
    status: Option<Queue>,
    memory: SharedMemory,
    /// Given to the device once it has taken those before.
    wanted_lights: Option<KeyboardLights>,
    is_stopped: bool,
}

#[derive(Clone, Default, Debug)]
pub struct InputView {
    /// What the device calls itself; what is not ASCII is left out.
    pub name: Text<NAME_MAX>,
    pub keys: u64,
    pub movements: u64,
    pub others: u64,
}

impl InputDriver {
    /// `None` when no name is left.
    pub fn new(place: usize) -> Option<Self> {
        Some(Self {
            label: NAMES.get(place)?,
            session: None,
            events: fixed::Queue::new(),
            view: InputView::default(),
            is_behind: false,
            now: Instant::ZERO,
        })
    }

    pub const fn view(&self) -> &InputView {
        &self.view
    }

    fn receive(&mut self) -> Result<(), DeviceLie> {
        let Some(session) = self.session.as_mut().filter(|session| !session.is_stopped) else {
            return Ok(());
        };
        self.is_behind = true;
        while self.events.space() > 0 {
            let Some(used) = session.queue.pop()? else {
                if session.queue.want_interrupt()? {
                    continue;
                }
                self.is_behind = false;
                break;
            };
            if used.bytes as usize != EVENT_BYTES {
                return Err(DeviceLie::Field {
                    name: "input event length",
                    value: u64::from(used.bytes),
                });
            }
            let event = session.read_event(used.token as usize);
            match event.kind {
                event::KEY => self.view.keys += 1,
                event::RELATIVE | event::ABSOLUTE => self.view.movements += 1,
                _ => self.view.others += 1,
            }
            // There is room, as was looked before.
            let _ = self.events.push(event);
            session.offer(used.token as usize);
        }
        session.queue.flush(session.transport.as_mut());
        Ok(())
    }
}

impl Session {
    fn piece(&self, at: usize, bytes: usize) -> Piece {
        Piece {
            device_address: self.memory.device_address() + at as u64,
            bytes: bytes as u32,
        }
    }

    fn offer(&mut self, index: usize) {
        let piece = self.piece(index * EVENT_BYTES, EVENT_BYTES);
        // There is an entry for each place.
        let _ = self.queue.add(&[], &[piece], index as u32);
    }

    fn read_event(&self, index: usize) -> InputEvent {
        let at = index * EVENT_BYTES;
        InputEvent {
            kind: self.memory.read_u16(at),
            code: self.memory.read_u16(at + 2),
            value: self.memory.read_u32(at + 4) as i32,
        }
    }

    fn read_name(&mut self) -> Text<NAME_MAX> {
        let transport = self.transport.as_mut();
        transport.write_config_u8(SELECT_AT, ASK_NAME);
        transport.write_config_u8(SUBSELECT_AT, 0);
        let length = transport.config_u8(SIZE_AT).min(ANSWER_MAX);
        let mut name = Text::new();
        for index in 0..usize::from(length) {
            let byte = transport.config_u8(ANSWER_AT + index);
            if byte.is_ascii_graphic() || byte == b' ' {
                name.push_cut(char::from(byte).encode_utf8(&mut [0; 4]));
            }
        }
        name
    }

    /// Gives the device the lights, once it has taken those before.
    fn send_lights(&mut self) -> Result<(), DeviceLie> {
        let Some(status) = &mut self.status else {
            return Ok(());
        };
        loop {
            while status.pop()?.is_some() {}
            if !status.want_interrupt()? {
                break;
            }
        }
        if status.in_flight() > 0 {
            return Ok(());
        }
        let Some(lights) = self.wanted_lights.take() else {
            return Ok(());
        };
        let events = [
            (LIGHT_NUM_LOCK, lights.is_num_lock),
            (LIGHT_CAPS_LOCK, lights.is_caps_lock),
        ];
        for (index, (code, is_on)) in events.into_iter().enumerate() {
            let at = LIGHTS_AT + index * EVENT_BYTES;
            self.memory.write_u16(at, event::LIGHT);
            self.memory.write_u16(at + 2, code);
            self.memory.write_u32(at + 4, u32::from(is_on));
            let piece = Piece {
                device_address: self.memory.device_address() + at as u64,
                bytes: EVENT_BYTES as u32,
            };
            // A queue that is too small for both shows one of them.
            let _ = status.add(&[piece], &[], index as u32);
        }
        status.flush(self.transport.as_mut());
        Ok(())
    }
}

impl Driver for InputDriver {
    fn name(&self) -> &'static str {
        "virtio-input"
    }

    fn label(&self) -> &'static str {
        self.label
    }

    fn attach(
        &mut self,
        mut transport: Box<dyn Transport>,
        now: Instant,
    ) -> Result<(), StartError> {
        self.now = now;
        let features = negotiation::negotiate(transport.as_mut(), EVENT_INDEX, &[])?;
        let memory = SharedMemory::allocate(MEMORY_BYTES)?;
        let has_event_index = features & EVENT_INDEX != 0;
        let size = VIRTIO_INPUT_EVENTS_MAX as u16;
        let queue = Queue::start(transport.as_mut(), EVENTS, size, has_event_index)?;
        let mut status = match transport.queues() {
            0..=STATUS => None,
            _ => Some(Queue::start(
                transport.as_mut(),
                STATUS,
                STATUS_ENTRIES,
                has_event_index,
            )?),
        };
        // QEMU does so, and nobody reads what comes back here.
        status.iter_mut().for_each(Queue::tolerate_lengths);
        negotiation::finish(transport.as_mut());
        let mut session = Session {
            transport,
            queue,
            status,
            memory,
            wanted_lights: None,
            is_stopped: false,
        };
        self.view.name = session.read_name();
        for index in 0..usize::from(session.queue.size()) {
            session.offer(index);
        }
        session.queue.flush(session.transport.as_mut());
        self.events.clear();
        self.session = Some(session);
        Ok(())
    }

    fn poll(&mut self, now: Instant, _: Event) -> Result<(), DeviceLie> {
        self.now = now;
        if let Some(session) = self.session.as_mut().filter(|session| !session.is_stopped) {
            session.send_lights()?;
        }
        self.receive()
    }

    fn next_deadline(&self) -> Option<Instant> {
        let session = self
            .session
            .as_ref()
            .filter(|session| !session.is_stopped)?;
        let has_more = self.is_behind && self.events.space() > 0;
        let has_lights = session.wanted_lights.is_some()
            && session
                .status
                .as_ref()
                .is_some_and(|status| status.in_flight() == 0);
        (has_more || has_lights).then_some(self.now)
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
            visit(&session.queue.view());
            session
                .status
                .iter()
                .for_each(|status| visit(&status.view()));
        }
    }

    fn input(&mut self) -> Option<&mut dyn InputDevice> {
        let is_there = self.session.is_some();
        is_there.then_some(self)
    }
}

impl InputDevice for InputDriver {
    fn next_event(&mut self) -> Option<InputEvent> {
        self.events.pop()
    }

    fn set_lights(&mut self, lights: KeyboardLights) {
        if let Some(session) = &mut self.session {
            session.wanted_lights = Some(lights);
        }
    }
}

#[cfg(test)]
mod tests;
