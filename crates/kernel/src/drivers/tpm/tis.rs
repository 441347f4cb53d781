//! The FIFO interface, TIS (PC Client Platform TPM Profile, 6.5.2).
//!
//! Limits: `ACCESSES_A_POLL_MAX` register accesses a poll; every phase has a timeout.
//! Invariants: the locality is given back after every exchange, however it ended.

use crate::base::registers::Registers;
use crate::base::time::Instant;
use crate::base::tpm::TpmFault;
use crate::drivers::tpm::codec::packet::HEADER_BYTES;
use crate::drivers::tpm::exchange::{CHUNK_BYTES, Exchange, Flow};
use crate::drivers::tpm::timing::{TIMEOUT_A, TIMEOUT_B, TIMEOUT_C};
use crate::drivers::tpm::transport::Transport;

/// Registers of locality 0.
pub mod register {
    pub const ACCESS: usize = 0x00;
    pub const STATUS: usize = 0x18;
    /// The third byte of the status.
    pub const CANCEL: usize = 0x1b;
    pub const FIFO: usize = 0x24;
    pub const DEVICE_AND_VENDOR: usize = 0xf00;
    pub const REVISION: usize = 0xf04;
}

pub mod access {
    pub const REQUEST_USE: u8 = 1 << 1;
    /// Read: the locality is ours. Written: it is given back.
    pub const ACTIVE: u8 = 1 << 5;
    pub const IS_VALID: u8 = 1 << 7;
}

pub mod status {
    pub const RESPONSE_RETRY: u8 = 1 << 1;
    pub const EXPECT: u8 = 1 << 3;
    pub const DATA_AVAILABLE: u8 = 1 << 4;
    pub const GO: u8 = 1 << 5;
    /// Read: a command may come. Written: get ready, give up what is under way.
    pub const COMMAND_READY: u8 = 1 << 6;
    pub const IS_VALID: u8 = 1 << 7;
    /// In the register's last byte.
    pub const CANCEL: u8 = 1;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Idle,
    /// Asks for the locality.
    Claim {
        has_asked: bool,
    },
    Prepare {
        has_asked: bool,
    },
    Write {
        at: usize,
    },
    /// All is written; the device says whether it agrees.
    Written,
    Execute,
    Read {
        at: usize,
    },
    /// All that was declared is read.
    Check,
}

pub struct Tis<R> {
    registers: R,
    phase: Phase,
    /// Was the answer asked for once more?
    has_retried: bool,
    exchange: Exchange,
}

impl<R: Registers> Tis<R> {
    /// `None` when nothing answers at the registers.
    pub fn new(registers: R) -> Option<Self> {
        let device_and_vendor = registers.read_u32(register::DEVICE_AND_VENDOR);
        let revision = registers.read_u8(register::REVISION);
        let is_there = !matches!(device_and_vendor, 0 | u32::MAX);
        is_there.then(|| Self {
            registers,
            phase: Phase::Idle,
            has_retried: false,
            exchange: Exchange::new("tis", device_and_vendor, revision),
        })
    }

    /// The flags, and the bytes that may be moved at once.
    fn status(&self) -> Result<(u8, usize), TpmFault> {
        let word = self.registers.read_u32(register::STATUS);
        if word != u32::MAX {
            return Ok((word as u8, (word >> 8) as usize & 0xffff));
        }
        // All ones is also what a locality reads that is not its own any more.
        match self.registers.read_u8(register::ACCESS) {
            u8::MAX => Err(TpmFault::Gone),
            _ => Err(TpmFault::Aborted),
        }
    }

    fn set_status(&self, flag: u8) {
        self.registers.write_u8(register::STATUS, flag);
    }

    fn enter(&mut self, phase: Phase) -> Result<Flow, TpmFault> {
        self.phase = phase;
        Ok(Flow::On)
    }

    fn claim(&mut self, now: Instant, has_asked: bool) -> Result<Flow, TpmFault> {
        let waited_for = "locality";
        let access = self.registers.read_u8(register::ACCESS);
        if access == u8::MAX {
            return Err(TpmFault::Gone);
        }
        let is_valid = access & access::IS_VALID != 0;
        if is_valid && access & access::ACTIVE != 0 {
            self.exchange.begin(now, TIMEOUT_B);
            return self.enter(Phase::Prepare { has_asked: false });
        }
        if is_valid && !has_asked {
            self.registers
                .write_u8(register::ACCESS, access::REQUEST_USE);
            return self.enter(Phase::Claim { has_asked: true });
        }
        self.exchange.wait(now, TpmFault::NotReady { waited_for })
    }

    fn prepare(&mut self, now: Instant, has_asked: bool) -> Result<Flow, TpmFault> {
        let waited_for = "readiness";
        let (flags, _) = self.status()?;
        if flags & status::COMMAND_READY != 0 {
            self.exchange.begin(now, TIMEOUT_A);
            return self.enter(Phase::Write { at: 0 });
        }
        if !has_asked {
            self.set_status(status::COMMAND_READY);
            return self.enter(Phase::Prepare { has_asked: true });
        }
        self.exchange.wait(now, TpmFault::NotReady { waited_for })
    }

    /// All but the last byte as fast as they are taken, then the last one alone.
    fn write(&mut self, now: Instant, at: usize) -> Result<Flow, TpmFault> {
        let waited_for = "room for a command";
        let (flags, burst) = self.status()?;
        if burst == 0 {
            return self.exchange.wait(now, TpmFault::TimedOut { waited_for });
        }
        let last = self.exchange.length - 1;
        if at < last {
            let end = last.min(at + burst.min(CHUNK_BYTES));
            self.put(at..end);
            self.exchange.begin(now, TIMEOUT_A);
            return self.enter(Phase::Write { at: end });
        }
        if flags & status::IS_VALID == 0 {
            return self.exchange.wait(now, TpmFault::TimedOut { waited_for });
        }
        if flags & status::EXPECT == 0 {
            return Err(TpmFault::Nonsense {
                name: "expect before the last byte",
                value: u64::from(flags),
            });
        }
        self.put(last..last + 1);
        self.exchange.begin(now, TIMEOUT_C);
        self.enter(Phase::Written)
    }

    fn put(&self, range: core::ops::Range<usize>) {
        for byte in &self.exchange.message[range] {
            self.registers.write_u8(register::FIFO, *byte);
        }
    }

    fn go(&mut self, now: Instant) -> Result<Flow, TpmFault> {
        let (flags, _) = self.status()?;
        let is_taken = flags & (status::IS_VALID | status::EXPECT) == status::IS_VALID;
        if !is_taken {
            let fault = TpmFault::Nonsense {
                name: "expect behind the last byte",
                value: u64::from(flags),
            };
            return self.exchange.wait(now, fault);
        }
        self.set_status(status::GO);
        self.exchange.begin(now, self.exchange.duration_max);
        self.enter(Phase::Execute)
    }

    fn execute(&mut self, now: Instant) -> Result<Flow, TpmFault> {
        let waited_for = "answer";
        let (flags, _) = self.status()?;
        let is_valid = flags & status::IS_VALID != 0;
        if is_valid && flags & status::DATA_AVAILABLE != 0 {
            self.exchange.begin(now, TIMEOUT_A);
            return self.enter(Phase::Read { at: 0 });
        }
        // It is ready for the next one, so it has forgotten this one.
        if is_valid && flags & status::COMMAND_READY != 0 && !self.has_retried {
            return Err(TpmFault::Aborted);
        }
        self.exchange.wait(now, TpmFault::TimedOut { waited_for })
    }

    fn read(&mut self, now: Instant, at: usize) -> Result<Flow, TpmFault> {
        let waited_for = "rest of the answer";
        let (flags, burst) = self.status()?;
        let is_valid = flags & status::IS_VALID != 0;
        if is_valid && flags & status::DATA_AVAILABLE == 0 {
            return self.on_short(now, at);
        }
        if !is_valid || burst == 0 {
            return self.exchange.wait(now, TpmFault::TimedOut { waited_for });
        }
        let wanted = match at < HEADER_BYTES {
            true => HEADER_BYTES,
            false => self.exchange.declared()?,
        };
        let end = wanted.min(at + burst.min(CHUNK_BYTES));
        for place in at..end {
            self.exchange.message[place] = self.registers.read_u8(register::FIFO);
        }
        self.exchange.begin(now, TIMEOUT_A);
        if end < HEADER_BYTES || end < self.exchange.declared()? {
            return self.enter(Phase::Read { at: end });
        }
        self.exchange.length = end;
        self.exchange.begin(now, TIMEOUT_C);
        self.enter(Phase::Check)
    }

    /// Fewer bytes than announced: once, the device may give them anew.
    fn on_short(&mut self, now: Instant, at: usize) -> Result<Flow, TpmFault> {
        if self.has_retried {
            return Err(TpmFault::TooShort { bytes: at });
        }
        self.has_retried = true;
        self.set_status(status::RESPONSE_RETRY);
        self.exchange.begin(now, TIMEOUT_C);
        self.enter(Phase::Execute)
    }

    fn check(&mut self, now: Instant) -> Result<Flow, TpmFault> {
        let waited_for = "end of the answer";
        let (flags, burst) = self.status()?;
        if flags & status::IS_VALID == 0 {
            return self.exchange.wait(now, TpmFault::TimedOut { waited_for });
        }
        match flags & status::DATA_AVAILABLE {
            0 => Ok(Flow::End),
            _ => Err(TpmFault::TooLong {
                bytes: (self.exchange.length + burst.max(1)) as u64,
            }),
        }
    }
}

impl<R: Registers> Transport for Tis<R> {
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
        self.has_retried = false;
        self.phase = Phase::Claim { has_asked: false };
    }

    fn step(&mut self, now: Instant) -> Result<Flow, TpmFault> {
        match self.phase {
            Phase::Idle => Ok(Flow::Wait),
            Phase::Claim { has_asked } => self.claim(now, has_asked),
            Phase::Prepare { has_asked } => self.prepare(now, has_asked),
            Phase::Write { at } => self.write(now, at),
            Phase::Written => self.go(now),
            Phase::Execute => self.execute(now),
            Phase::Read { at } => self.read(now, at),
            Phase::Check => self.check(now),
        }
    }

    fn release(&mut self, result: &Result<(), TpmFault>) {
        if self.phase == Phase::Execute && result.is_err() {
            self.registers.write_u8(register::CANCEL, status::CANCEL);
        }
        self.set_status(status::COMMAND_READY);
        self.registers.write_u8(register::ACCESS, access::ACTIVE);
        self.phase = Phase::Idle;
    }
}
