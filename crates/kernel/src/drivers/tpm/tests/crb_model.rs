//! The registers of a TPM with a command response buffer.

use super::{Model, echo};
use crate::base::prng::Prng;
use crate::base::registers::Registers;
use crate::base::time::{Duration, Instant};
use crate::drivers::tpm::REGISTERS_ADDRESS;
use crate::drivers::tpm::crb::{locality, register, request, status};
use std::cell::RefCell;
use std::rc::Rc;
use std::vec::Vec;

/// How the device misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    None,
    Vanishes(usize),
    NoLocality,
    NeverReady,
    /// Says that it is broken.
    Broken,
    NeverAnswers,
    /// Does not answer, but gives up when told to.
    GivesUp,
    /// Where the buffers are, and how long.
    Buffers(u64, u32),
    Declares(u32),
    NeverIdle,
    Random(u64),
}

const BUFFER: usize = 0x80;
const BUFFER_BYTES: usize = 0xf80;

struct State {
    lie: Lie,
    now: Instant,
    latency: Duration,
    is_assigned: bool,
    is_idle: bool,
    runs_until: Option<Instant>,
    buffer: Vec<u8>,
    accesses: usize,
    accesses_ever: usize,
    prng: Prng,
}

#[derive(Clone)]
pub struct CrbModel(Rc<RefCell<State>>);

impl CrbModel {
    pub fn new(lie: Lie, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            lie,
            now: Instant::ZERO,
            latency: Duration::from_millis(3),
            is_assigned: false,
            is_idle: true,
            runs_until: None,
            buffer: std::vec![0; BUFFER_BYTES],
            accesses: 0,
            accesses_ever: 0,
            prng: Prng::new(seed),
        })))
    }

    pub fn set_lie(&self, lie: Lie) {
        self.0.borrow_mut().lie = lie;
    }

    pub fn is_released(&self) -> bool {
        let state = self.0.borrow();
        !state.is_assigned && state.is_idle
    }
}

impl Model for CrbModel {
    fn set_now(&self, now: Instant) {
        self.0.borrow_mut().now = now;
    }

    fn take_accesses(&self) -> usize {
        std::mem::take(&mut self.0.borrow_mut().accesses)
    }
}

impl State {
    fn count(&mut self) -> Option<u32> {
        self.accesses += 1;
        self.accesses_ever += 1;
        match self.lie {
            Lie::Vanishes(after) if self.accesses_ever > after => Some(u32::MAX),
            Lie::Random(of) if self.prng.one_in(of) => Some(self.prng.next_u64() as u32),
            _ => None,
        }
    }

    fn start(&mut self) -> u32 {
        if self.runs_until.is_some_and(|until| self.now >= until)
            && !matches!(self.lie, Lie::NeverAnswers | Lie::GivesUp)
        {
            self.runs_until = None;
            let length = u32::from_be_bytes(self.buffer[2..6].try_into().unwrap()) as usize;
            let mut answer = echo(&self.buffer[..length.min(BUFFER_BYTES / 2)]);
            if let Lie::Declares(length) = self.lie {
                answer[2..6].copy_from_slice(&length.to_be_bytes());
            }
            self.buffer[..answer.len()].copy_from_slice(&answer);
        }
        u32::from(self.runs_until.is_some())
    }

    fn register(&mut self, offset: usize) -> u32 {
        let (address, bytes) = match self.lie {
            Lie::Buffers(address, bytes) => (address, bytes),
            _ => (REGISTERS_ADDRESS + BUFFER as u64, BUFFER_BYTES as u32),
        };
        match offset {
            register::LOCALITY_STATE if self.is_assigned && self.lie != Lie::NoLocality => {
                locality::IS_VALID | locality::IS_ASSIGNED
            }
            register::LOCALITY_STATE => locality::IS_VALID,
            register::INTERFACE => 0x1100_4001,
            register::VENDOR_AND_DEVICE => 0x0001_1014,
            register::REQUEST => match self.lie {
                Lie::NeverReady => request::COMMAND_READY,
                Lie::NeverIdle if self.is_idle => request::GO_IDLE,
                _ => 0,
            },
            register::STATUS => match (self.lie, self.is_idle) {
                (Lie::Broken, _) => status::IS_BROKEN,
                (_, true) => status::IS_IDLE,
                (_, false) => 0,
            },
            register::START => self.start(),
            register::COMMAND_BYTES | register::RESPONSE_BYTES => bytes,
            register::COMMAND_LOW | register::RESPONSE_LOW => address as u32,
            register::COMMAND_HIGH | register::RESPONSE_HIGH => (address >> 32) as u32,
            _ => 0,
        }
    }

    fn set(&mut self, offset: usize, value: u32) {
        match (offset, value) {
            (register::LOCALITY_CONTROL, locality::REQUEST_ACCESS) => self.is_assigned = true,
            (register::LOCALITY_CONTROL, locality::RELINQUISH) => self.is_assigned = false,
            (register::REQUEST, request::COMMAND_READY) => self.is_idle = false,
            (register::REQUEST, request::GO_IDLE) => self.is_idle = true,
            (register::START, 1) if self.is_assigned && !self.is_idle => {
                self.runs_until = Some(self.now + self.latency);
            }
            (register::CANCEL, 1) if self.lie == Lie::GivesUp => self.runs_until = None,
            _ => {}
        }
    }
}

impl Registers for CrbModel {
    fn bytes(&self) -> usize {
        0x5000
    }

    fn read_u8(&self, offset: usize) -> u8 {
        let mut state = self.0.borrow_mut();
        if let Some(lie) = state.count() {
            return lie as u8;
        }
        let place = offset.checked_sub(BUFFER);
        let byte = place.and_then(|place| state.buffer.get(place));
        byte.copied().unwrap_or(0)
    }

    fn read_u16(&self, offset: usize) -> u16 {
        panic!("no register of 16 bits at {offset:#x}");
    }

    fn read_u32(&self, offset: usize) -> u32 {
        let mut state = self.0.borrow_mut();
        match state.count() {
            Some(lie) => lie,
            None => state.register(offset),
        }
    }

    fn write_u8(&self, offset: usize, value: u8) {
        let mut state = self.0.borrow_mut();
        state.count();
        let place = offset
            .checked_sub(BUFFER)
            .expect("a write before the buffer");
        // A lying device may have named the pages behind, which hold nothing.
        if let Some(byte) = state.buffer.get_mut(place) {
            *byte = value;
        }
    }

    fn write_u16(&self, offset: usize, _: u16) {
        panic!("no register of 16 bits at {offset:#x}");
    }

    fn write_u32(&self, offset: usize, value: u32) {
        let mut state = self.0.borrow_mut();
        state.count();
        state.set(offset, value);
    }
}
