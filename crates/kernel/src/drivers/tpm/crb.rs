//! The command response buffer (PC Client Platform TPM Profile, 6.5.3).
//!
//! Limits: `ACCESSES_A_POLL_MAX` register accesses a poll; every phase has a timeout.
//! Invariants: buffers outside of the mapped registers are not touched; the locality is
//! given back after every exchange, however it ended.

use crate::base::registers::Registers;
use crate::base::time::Instant;
use crate::base::tpm::TpmFault;
use crate::drivers::tpm::codec::packet::HEADER_BYTES;
use crate::drivers::tpm::exchange::{CHUNK_BYTES, Exchange, Flow};
use crate::drivers::tpm::timing::{TIMEOUT_B, TIMEOUT_C, TIMEOUT_D};
use crate::drivers::tpm::transport::Transport;

/// Registers of locality 0.
pub mod register {
    pub const LOCALITY_STATE: usize = 0x00;
    pub const LOCALITY_CONTROL: usize = 0x08;
    /// Version and revision; vendor and device in the second word.
    pub const INTERFACE: usize = 0x30;
    pub const VENDOR_AND_DEVICE: usize = 0x34;
    pub const REQUEST: usize = 0x40;
    pub const STATUS: usize = 0x44;
    pub const CANCEL: usize = 0x48;
    pub const START: usize = 0x4c;
    pub const COMMAND_BYTES: usize = 0x58;
    pub const COMMAND_LOW: usize = 0x5c;
    pub const COMMAND_HIGH: usize = 0x60;
    pub const RESPONSE_BYTES: usize = 0x64;
    pub const RESPONSE_LOW: usize = 0x68;
    pub const RESPONSE_HIGH: usize = 0x6c;
}

pub mod locality {
    pub const REQUEST_ACCESS: u32 = 1 << 0;
    pub const RELINQUISH: u32 = 1 << 1;
    pub const IS_ASSIGNED: u32 = 1 << 1;
    /// The number of the active one, in three bits; ours is 0.
    pub const ACTIVE: u32 = 7 << 2;
    pub const IS_VALID: u32 = 1 << 7;
}

pub mod request {
    pub const COMMAND_READY: u32 = 1 << 0;
    pub const GO_IDLE: u32 = 1 << 1;
}

pub mod status {
    /// The device cannot go on.
    pub const IS_BROKEN: u32 = 1 << 0;
    pub const IS_IDLE: u32 = 1 << 1;
}

/// The interface type of a CRB, in the lowest four bits of `INTERFACE`.
const TYPE_CRB: u32 = 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Idle,
    Claim {
        has_asked: bool,
    },
    Prepare {
        has_asked: bool,
    },
    /// Asks where the buffers are.
    Locate,
    Write {
        at: usize,
    },
    Execute,
    /// It took too long, and was asked to give up.
    Cancel,
    Read {
        at: usize,
    },
    /// The answer is here; the device becomes idle.
    Settle {
        has_asked: bool,
    },
}

/// A buffer's place among the registers.
#[derive(Clone, Copy, Default)]
struct Window {
    offset: usize,
    bytes: usize,
}

pub struct Crb<R> {
    registers: R,
    /// The physical address of the first register: buffers are named by addresses.
    base: u64,
    phase: Phase,
    command: Window,
    response: Window,
    exchange: Exchange,
}

impl<R: Registers> Crb<R> {
    /// `None` when nothing answers at the registers, or something else does.
    pub fn new(registers: R, base: u64) -> Option<Self> {
        let interface = registers.read_u32(register::INTERFACE);
        let ids = registers.read_u32(register::VENDOR_AND_DEVICE);
        let is_there = interface != u32::MAX && interface & 0xf == TYPE_CRB;
        is_there.then(|| Self {
            registers,
            base,
            phase: Phase::Idle,
            command: Window::default(),
            response: Window::default(),
            exchange: Exchange::new("crb", ids, (interface >> 24) as u8),
        })
    }

    /// A register of which no device sets all bits.
    fn read(&self, offset: usize) -> Result<u32, TpmFault> {
        match self.registers.read_u32(offset) {
            u32::MAX => Err(TpmFault::Gone),
            value => Ok(value),
        }
    }

    fn set(&self, offset: usize, value: u32) {
        self.registers.write_u32(offset, value);
    }

    fn enter(&mut self, phase: Phase) -> Result<Flow, TpmFault> {
        self.phase = phase;
        Ok(Flow::On)
    }

    fn claim(&mut self, now: Instant, has_asked: bool) -> Result<Flow, TpmFault> {
        let waited_for = "locality";
        let state = self.read(register::LOCALITY_STATE)?;
        let is_ours = locality::IS_VALID | locality::IS_ASSIGNED;
        if state & (is_ours | locality::ACTIVE) == is_ours {
            self.exchange.begin(now, TIMEOUT_C);
            return self.enter(Phase::Prepare { has_asked: false });
        }
        if !has_asked {
            self.set(register::LOCALITY_CONTROL, locality::REQUEST_ACCESS);
            return self.enter(Phase::Claim { has_asked: true });
        }
        self.exchange.wait(now, TpmFault::NotReady { waited_for })
    }

    fn prepare(&mut self, now: Instant, has_asked: bool) -> Result<Flow, TpmFault> {
        let waited_for = "readiness";
        if !has_asked {
            self.set(register::REQUEST, request::COMMAND_READY);
            return self.enter(Phase::Prepare { has_asked: true });
        }
        let request = self.read(register::REQUEST)?;
        let status = self.healthy()?;
        if request & request::COMMAND_READY == 0 && status & status::IS_IDLE == 0 {
            return self.enter(Phase::Locate);
        }
        self.exchange.wait(now, TpmFault::NotReady { waited_for })
    }

    fn healthy(&self) -> Result<u32, TpmFault> {
        let status = self.read(register::STATUS)?;
        match status & status::IS_BROKEN {
            0 => Ok(status),
            _ => Err(TpmFault::Nonsense {
                name: "the device's status",
                value: u64::from(status),
            }),
        }
    }

    fn locate(&mut self) -> Result<Flow, TpmFault> {
        use register::*;
        self.command = self.window(COMMAND_LOW, COMMAND_HIGH, COMMAND_BYTES)?;
        self.response = self.window(RESPONSE_LOW, RESPONSE_HIGH, RESPONSE_BYTES)?;
        let bytes = self.exchange.length;
        match bytes <= self.command.bytes {
            true => self.enter(Phase::Write { at: 0 }),
            false => Err(TpmFault::BadCommand { bytes }),
        }
    }

    /// A buffer, if it is whole among the registers and behind those of control.
    fn window(&self, low: usize, high: usize, size: usize) -> Result<Window, TpmFault> {
        const FIRST: usize = 0x80;
        let word = |offset| self.registers.read_u32(offset);
        let address = u64::from(word(high)) << 32 | u64::from(word(low));
        let bytes = word(size) as usize;
        if address == u64::MAX {
            return Err(TpmFault::Gone);
        }
        let outside = TpmFault::Nonsense {
            name: "the address of a buffer",
            value: address,
        };
        let offset = address.checked_sub(self.base).ok_or(outside)?;
        let offset = usize::try_from(offset).map_err(|_| outside)?;
        let end = offset.checked_add(bytes).ok_or(outside)?;
        let is_inside = offset >= FIRST && end <= self.registers.bytes();
        match is_inside && bytes >= HEADER_BYTES {
            true => Ok(Window { offset, bytes }),
            false => Err(outside),
        }
    }

    fn write(&mut self, now: Instant, at: usize) -> Result<Flow, TpmFault> {
        let end = self.exchange.length.min(at + CHUNK_BYTES);
        for (place, byte) in (at..).zip(&self.exchange.message[at..end]) {
            self.registers.write_u8(self.command.offset + place, *byte);
        }
        if end < self.exchange.length {
            return self.enter(Phase::Write { at: end });
        }
        self.set(register::CANCEL, 0);
        self.set(register::START, 1);
        self.exchange.begin(now, self.exchange.duration_max);
        self.enter(Phase::Execute)
    }

    fn execute(&mut self, now: Instant) -> Result<Flow, TpmFault> {
        let waited_for = "answer";
        let is_executing = self.read(register::START)? & 1 != 0;
        if !is_executing {
            self.healthy()?;
            return self.enter(Phase::Read { at: 0 });
        }
        match self.exchange.wait(now, TpmFault::TimedOut { waited_for }) {
            Ok(flow) => Ok(flow),
            Err(_) => {
                self.set(register::CANCEL, 1);
                self.exchange.begin(now, TIMEOUT_B);
                self.enter(Phase::Cancel)
            }
        }
    }

    /// Whether it gives up or not, there is no answer.
    fn cancel(&mut self, now: Instant) -> Result<Flow, TpmFault> {
        let fault = TpmFault::TimedOut {
            waited_for: "answer",
        };
        match self.read(register::START)? & 1 {
            0 => Err(fault),
            _ => self.exchange.wait(now, fault),
        }
    }

    fn read_answer(&mut self, now: Instant, at: usize) -> Result<Flow, TpmFault> {
        let wanted = match at < HEADER_BYTES {
            true => HEADER_BYTES,
            false => self.exchange.declared()?,
        };
        let end = wanted.min(at + CHUNK_BYTES);
        for place in at..end {
            let offset = self.response.offset + place;
            self.exchange.message[place] = self.registers.read_u8(offset);
        }
        if end < HEADER_BYTES {
            return self.enter(Phase::Read { at: end });
        }
        let declared = self.exchange.declared()?;
        if declared > self.response.bytes {
            return Err(TpmFault::TooLong {
                bytes: declared as u64,
            });
        }
        if end < declared {
            return self.enter(Phase::Read { at: end });
        }
        self.exchange.length = declared;
        self.exchange.begin(now, TIMEOUT_D);
        self.enter(Phase::Settle { has_asked: false })
    }

    /// A device that takes its time with that has answered well all the same.
    fn settle(&mut self, now: Instant, has_asked: bool) -> Result<Flow, TpmFault> {
        if !has_asked {
            self.set(register::REQUEST, request::GO_IDLE);
            return self.enter(Phase::Settle { has_asked: true });
        }
        match self.read(register::REQUEST)? & request::GO_IDLE {
            0 => Ok(Flow::End),
            _ => Ok(self
                .exchange
                .wait(now, TpmFault::Aborted)
                .unwrap_or(Flow::End)),
        }
    }
}

impl<R: Registers> Transport for Crb<R> {
    fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    fn exchange_mut(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    fn claim_first(&mut self) {
        self.phase = Phase::Claim { has_asked: false };
    }

    fn step(&mut self, now: Instant) -> Result<Flow, TpmFault> {
        match self.phase {
            Phase::Idle => Ok(Flow::Wait),
            Phase::Claim { has_asked } => self.claim(now, has_asked),
            Phase::Prepare { has_asked } => self.prepare(now, has_asked),
            Phase::Locate => self.locate(),
            Phase::Write { at } => self.write(now, at),
            Phase::Execute => self.execute(now),
            Phase::Cancel => self.cancel(now),
            Phase::Read { at } => self.read_answer(now, at),
            Phase::Settle { has_asked } => self.settle(now, has_asked),
        }
    }

    fn release(&mut self, result: &Result<(), TpmFault>) {
        if result.is_err() {
            self.set(register::CANCEL, 0);
            self.set(register::REQUEST, request::GO_IDLE);
        }
        self.set(register::LOCALITY_CONTROL, locality::RELINQUISH);
        self.phase = Phase::Idle;
    }
}
