//! The conversation with a GPU: what was asked, what comes next.

use super::command::{ANSWER_BYTES_MAX, Answer, COMMAND_BYTES_MAX, Command, Size};
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::negotiation;
use crate::drivers::virtio::queue::{Piece, Queue, QueueView};
use crate::drivers::virtio::transport::{StartError, Transport};
use crate::limits::GPU_COMMANDS_MAX;
use crate::memory::SharedMemory;
use alloc::boxed::Box;

/// A command and behind it the room for its answer.
const SLOT_BYTES: usize = 512;
const ANSWER_AT: usize = 64;
const _: () = assert!(COMMAND_BYTES_MAX <= ANSWER_AT);
const _: () = assert!(ANSWER_AT + ANSWER_BYTES_MAX <= SLOT_BYTES);

const EVENTS_AT: usize = 0;
const CLEAR_AT: usize = 4;
const SCANOUTS_AT: usize = 8;
const CONFIG_BYTES: usize = 12;
const EVENT_DISPLAY: u32 = 1;
const SCANOUTS_MAX: u32 = 16;

/// What is done when the device owes no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// How large is the display?
    Ask,
    /// It is so large.
    Fit(Size),
    /// The old picture is forgotten; one of this size follows.
    Replace(Size),
    Attach,
    Show,
    /// All is set up; what changes is shown.
    Shown,
    /// The device has no memory for such a picture, and knows nothing of it.
    Shrink,
    /// The display is off; who has a picture keeps it.
    Off,
    /// There is no picture, and nothing to do until the display changes.
    Dark,
}

pub struct Scanout {
    transport: Box<dyn Transport>,
    queue: Queue,
    memory: SharedMemory,
    /// What the device has, by the token of the queue.
    asked: [Option<Command>; GPU_COMMANDS_MAX],
    step: Step,
    /// The display may have another size by now.
    is_size_stale: bool,
    resources: u32,
    is_stopped: bool,
}

/// Is it a display at all?
pub fn check_config(transport: &mut dyn Transport) -> Result<(), DeviceLie> {
    let lie = |name, value| Err(DeviceLie::Field { name, value });
    if transport.config_bytes() < CONFIG_BYTES {
        return lie("configuration length", transport.config_bytes() as u64);
    }
    match transport.config_u32(SCANOUTS_AT) {
        1..=SCANOUTS_MAX => Ok(()),
        count => lie("number of scan-outs", u64::from(count)),
    }
}

impl Scanout {
    /// Lets a device run whose queue was started.
    pub fn new(mut transport: Box<dyn Transport>, queue: Queue) -> Result<Self, StartError> {
        let memory = SharedMemory::allocate(GPU_COMMANDS_MAX * SLOT_BYTES)?;
        negotiation::finish(transport.as_mut());
        Ok(Self {
            transport,
            queue,
            memory,
            asked: [None; GPU_COMMANDS_MAX],
            step: Step::Ask,
            is_size_stale: false,
            resources: 0,
            is_stopped: false,
        })
    }

    /// Does the device owe nothing, and may it be asked?
    pub fn is_idle(&self) -> bool {
        !self.is_stopped && self.asked.iter().all(Option::is_none)
    }

    pub const fn is_shown(&self) -> bool {
        matches!(self.step, Step::Shown)
    }

    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    pub const fn stop(&mut self) {
        self.is_stopped = true;
    }

    pub const fn queue_view(&self) -> QueueView {
        self.queue.view()
    }

    /// A number that no other resource has had.
    pub const fn next_resource(&mut self) -> u32 {
        self.resources = self.resources.wrapping_add(1);
        self.resources
    }

    pub fn take_step(&mut self) -> Step {
        if self.is_size_stale && matches!(self.step, Step::Shown | Step::Dark) {
            self.is_size_stale = false;
            self.step = Step::Ask;
        }
        self.step
    }

    pub const fn become_shown(&mut self) {
        self.step = Step::Shown;
    }

    pub const fn become_dark(&mut self) {
        self.step = Step::Dark;
    }

    /// The answer to the last of them decides on the step after.
    pub fn send(&mut self, commands: &[Command]) {
        for command in commands {
            let Some(index) = self.asked.iter().position(Option::is_none) else {
                return;
            };
            let mut bytes = [0; COMMAND_BYTES_MAX];
            let length = command.emit(&mut bytes);
            let at = index * SLOT_BYTES;
            self.memory.write_bytes(at, &bytes[..length]);
            // What an old answer said there must not be read as a new one.
            self.memory
                .write_bytes(at + ANSWER_AT, &[0; ANSWER_BYTES_MAX]);
            let piece = |offset: usize, bytes: usize| Piece {
                device_address: self.memory.device_address() + (at + offset) as u64,
                bytes: bytes as u32,
            };
            let answer = piece(ANSWER_AT, command.answer_bytes());
            let readable = piece(0, length);
            // There are two entries for each slot.
            if self.queue.add(&[readable], &[answer], index as u32).is_ok() {
                self.asked[index] = Some(*command);
            }
        }
        self.queue.flush(self.transport.as_mut());
    }

    pub fn send_and_then(&mut self, commands: &[Command], step: Step) {
        self.step = step;
        self.send(commands);
    }

    pub fn next_answer(&mut self) -> Result<Option<(Command, Answer)>, DeviceLie> {
        loop {
            let Some(used) = self.queue.pop()? else {
                if self.queue.want_interrupt()? {
                    continue;
                }
                return Ok(None);
            };
            let index = used.token as usize;
            // The queue gives back only what it was given.
            let Some(command) = self.asked.get_mut(index).and_then(Option::take) else {
                continue;
            };
            let mut bytes = [0; ANSWER_BYTES_MAX];
            let length = (used.bytes as usize).min(ANSWER_BYTES_MAX);
            let bytes = &mut bytes[..length];
            self.memory
                .read_bytes(index * SLOT_BYTES + ANSWER_AT, bytes);
            return Ok(Some((command, command.parse(bytes)?)));
        }
    }

    pub fn on_answer(&mut self, command: Command, answer: Answer) {
        self.step = match (command, answer) {
            (_, Answer::Display(Some(size))) => Step::Fit(size),
            (_, Answer::Display(None)) => Step::Off,
            (_, Answer::NoMemory) => Step::Shrink,
            (Command::Attach { .. }, Answer::Done) => Step::Show,
            (Command::Scanout { .. }, Answer::Done) => Step::Shown,
            _ => self.step,
        };
    }

    pub fn on_config_changed(&mut self) {
        if self.transport.config_u32(EVENTS_AT) & EVENT_DISPLAY != 0 {
            self.transport.write_config_u32(CLEAR_AT, EVENT_DISPLAY);
            self.is_size_stale = true;
        }
    }
}
