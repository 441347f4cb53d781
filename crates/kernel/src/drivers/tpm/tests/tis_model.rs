//! The registers of a TPM with a FIFO.

use super::{Model, echo};
use crate::base::prng::Prng;
use crate::base::registers::Registers;
use crate::base::time::{Duration, Instant};
use crate::drivers::tpm::tis::{access, register, status};
use std::cell::RefCell;
use std::rc::Rc;
use std::vec::Vec;

/// How the device misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    None,
    /// All ones after so many accesses.
    Vanishes(usize),
    NoLocality,
    NeverReady,
    NoRoom,
    NeverExpects,
    AlwaysExpects,
    NeverAnswers,
    /// Forgets the command while it runs.
    Aborts,
    /// Ends before the declared length: so many times.
    Short(u32),
    Declares(u32),
    /// Has more when all was read.
    HasMore,
    NeverValid,
    /// Every so many reads give something by chance.
    Random(u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    Ready,
    Filling,
    Running(Instant),
    Full,
}

struct State {
    lie: Lie,
    now: Instant,
    latency: Duration,
    burst: usize,
    is_active: bool,
    stage: Stage,
    message: Vec<u8>,
    at: usize,
    accesses: usize,
    accesses_ever: usize,
    shorts: u32,
    prng: Prng,
}

#[derive(Clone)]
pub struct TisModel(Rc<RefCell<State>>);

impl TisModel {
    pub fn new(lie: Lie, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            lie,
            now: Instant::ZERO,
            latency: Duration::from_millis(3),
            burst: 20,
            is_active: false,
            stage: Stage::Idle,
            message: Vec::new(),
            at: 0,
            accesses: 0,
            accesses_ever: 0,
            shorts: 0,
            prng: Prng::new(seed),
        })))
    }

    pub fn set_lie(&self, lie: Lie) {
        self.0.borrow_mut().lie = lie;
    }

    pub fn is_released(&self) -> bool {
        let state = self.0.borrow();
        !state.is_active && matches!(state.stage, Stage::Idle | Stage::Ready)
    }
}

impl Model for TisModel {
    fn set_now(&self, now: Instant) {
        self.0.borrow_mut().now = now;
    }

    fn take_accesses(&self) -> usize {
        std::mem::take(&mut self.0.borrow_mut().accesses)
    }
}

impl State {
    /// Counts an access; what it reads in place of the truth, if anything.
    fn count(&mut self) -> Option<u32> {
        self.accesses += 1;
        self.accesses_ever += 1;
        match self.lie {
            Lie::Vanishes(after) if self.accesses_ever > after => Some(u32::MAX),
            Lie::Random(of) if self.prng.one_in(of) => Some(self.prng.next_u64() as u32),
            _ => None,
        }
    }

    fn access(&self) -> u8 {
        let is_active = self.is_active && self.lie != Lie::NoLocality;
        access::IS_VALID | if is_active { access::ACTIVE } else { 0 }
    }

    fn expected(&self) -> usize {
        match self.message.get(2..6) {
            Some(length) => u32::from_be_bytes(length.try_into().unwrap()) as usize,
            None => 6,
        }
    }

    fn status(&mut self) -> u32 {
        if !self.is_active {
            return u32::MAX;
        }
        if let Stage::Running(until) = self.stage
            && self.now >= until
            && self.lie != Lie::NeverAnswers
        {
            self.finish();
        }
        let is_filled = self.message.len() >= self.expected();
        let mut flags = status::IS_VALID;
        let mut burst = self.burst;
        match self.stage {
            Stage::Ready if self.lie != Lie::NeverReady => flags |= status::COMMAND_READY,
            Stage::Idle | Stage::Ready => {}
            Stage::Filling if self.lie == Lie::NeverExpects => {}
            Stage::Filling if !is_filled || self.lie == Lie::AlwaysExpects => {
                flags |= status::EXPECT;
            }
            Stage::Filling | Stage::Running(_) => {}
            Stage::Full => {
                let end = match self.lie {
                    Lie::Short(times) if self.shorts < times => self.message.len() / 2,
                    _ => self.message.len(),
                };
                burst = burst.min(end.saturating_sub(self.at));
                if self.at < end || self.lie == Lie::HasMore {
                    flags |= status::DATA_AVAILABLE;
                }
            }
        }
        match self.lie {
            Lie::NoRoom => burst = 0,
            Lie::NeverValid => flags &= !status::IS_VALID,
            _ => {}
        }
        u32::from(flags) | (burst as u32) << 8
    }

    fn finish(&mut self) {
        if self.lie == Lie::Aborts {
            self.stage = Stage::Ready;
            return;
        }
        self.message = echo(&self.message);
        if let Lie::Declares(length) = self.lie {
            self.message[2..6].copy_from_slice(&length.to_be_bytes());
        }
        self.at = 0;
        self.stage = Stage::Full;
    }

    fn set_status(&mut self, flag: u8) {
        match flag {
            status::COMMAND_READY => {
                self.message.clear();
                self.stage = Stage::Ready;
            }
            status::GO if self.stage == Stage::Filling => {
                self.stage = Stage::Running(self.now + self.latency);
            }
            status::RESPONSE_RETRY if self.stage == Stage::Full => {
                self.at = 0;
                self.shorts += 1;
            }
            _ => {}
        }
    }
}

impl Registers for TisModel {
    fn bytes(&self) -> usize {
        0x5000
    }

    fn read_u8(&self, offset: usize) -> u8 {
        let mut state = self.0.borrow_mut();
        if let Some(lie) = state.count() {
            return lie as u8;
        }
        match offset {
            register::ACCESS => state.access(),
            register::FIFO if state.stage == Stage::Full => {
                state.at += 1;
                let at = state.at - 1;
                state.message.get(at).copied().unwrap_or(0xee)
            }
            register::REVISION => 1,
            _ => u8::MAX,
        }
    }

    fn read_u16(&self, offset: usize) -> u16 {
        panic!("no register of 16 bits at {offset:#x}");
    }

    fn read_u32(&self, offset: usize) -> u32 {
        let mut state = self.0.borrow_mut();
        if let Some(lie) = state.count() {
            return lie;
        }
        match offset {
            register::STATUS => state.status(),
            register::DEVICE_AND_VENDOR => 0x0001_1014,
            _ => u32::MAX,
        }
    }

    fn write_u8(&self, offset: usize, value: u8) {
        let mut state = self.0.borrow_mut();
        state.count();
        match offset {
            register::ACCESS if value == access::REQUEST_USE => state.is_active = true,
            register::ACCESS if value == access::ACTIVE => state.is_active = false,
            register::STATUS if state.is_active => state.set_status(value),
            register::FIFO if matches!(state.stage, Stage::Ready | Stage::Filling) => {
                state.stage = Stage::Filling;
                state.message.push(value);
            }
            _ => {}
        }
    }

    fn write_u16(&self, offset: usize, _: u16) {
        panic!("no register of 16 bits at {offset:#x}");
    }

    fn write_u32(&self, offset: usize, _: u32) {
        panic!("nothing is written in 32 bits at {offset:#x}");
    }
}
