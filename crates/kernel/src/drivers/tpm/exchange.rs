//! What both transports share: the message, its time, its end.

use crate::base::time::{Duration, Instant};
use crate::base::tpm::{TpmFacts, TpmFault};
use crate::drivers::tpm::codec::packet::HEADER_BYTES;
use crate::drivers::tpm::timing::{duration_max, next_look};
use crate::limits::TPM_MESSAGE_BYTES_MAX;
use alloc::boxed::Box;
use alloc::vec;

/// Faults in a row after which a TPM is left alone.
pub const FAULTS_IN_A_ROW_MAX: u32 = 8;
/// Bytes that are moved in one step.
pub const CHUNK_BYTES: usize = 32;
/// Steps of one poll. One has a chunk and at most three registers besides.
pub const STEPS_A_POLL: usize = 4;
/// Accesses to registers of one poll at most, those that end an exchange included.
pub const ACCESSES_A_POLL_MAX: usize = STEPS_A_POLL * (CHUNK_BYTES + 4) + 4;

/// What a step of a transport was.
pub enum Flow {
    /// There is more to do at once.
    On,
    /// The device is to be asked again later.
    Wait,
    /// The answer is whole.
    End,
}

pub struct Exchange {
    /// The command, and from its first byte on the answer.
    pub message: Box<[u8]>,
    pub length: usize,
    pub duration_max: Duration,
    /// When the present phase began, and when it must be over.
    since: Instant,
    until: Instant,
    next_look: Instant,
    faults_in_a_row: u32,
    pub facts: TpmFacts,
}

impl Exchange {
    pub fn new(interface: &'static str, device_and_vendor: u32, revision: u8) -> Self {
        Self {
            message: vec![0; TPM_MESSAGE_BYTES_MAX].into(),
            length: 0,
            duration_max: Duration::ZERO,
            since: Instant::ZERO,
            until: Instant::ZERO,
            next_look: Instant::ZERO,
            faults_in_a_row: 0,
            facts: TpmFacts {
                interface,
                vendor_id: device_and_vendor as u16,
                device_id: (device_and_vendor >> 16) as u16,
                revision,
                is_gone: false,
                faults: 0,
            },
        }
    }

    pub fn take_command(&mut self, command: &[u8]) -> Result<(), TpmFault> {
        let bytes = command.len();
        if self.facts.is_gone {
            return Err(TpmFault::Gone);
        }
        match self.message.get_mut(..bytes) {
            Some(place) if bytes >= HEADER_BYTES => place.copy_from_slice(command),
            _ => return Err(TpmFault::BadCommand { bytes }),
        }
        self.length = bytes;
        self.duration_max = duration_max(command);
        Ok(())
    }

    /// A phase begins that must be over in time.
    pub fn begin(&mut self, now: Instant, within: Duration) {
        self.since = now;
        self.until = now + within;
        self.next_look = now;
    }

    /// Waits on, or ends with the fault when the phase's time is over.
    pub fn wait(&mut self, now: Instant, fault: TpmFault) -> Result<Flow, TpmFault> {
        if now >= self.until {
            return Err(fault);
        }
        self.next_look = next_look(now, self.since).min(self.until);
        Ok(Flow::Wait)
    }

    pub fn is_due(&self, now: Instant) -> bool {
        now >= self.next_look
    }

    pub const fn next_look(&self) -> Instant {
        self.next_look
    }

    /// How long the answer is by its header, which has arrived.
    pub fn declared(&self) -> Result<usize, TpmFault> {
        let field = self
            .message
            .get(2..6)
            .and_then(|field| field.try_into().ok());
        let declared = field.map_or(0, u32::from_be_bytes);
        let bytes = declared as usize;
        if bytes > self.message.len() {
            return Err(TpmFault::TooLong {
                bytes: u64::from(declared),
            });
        }
        match bytes >= HEADER_BYTES {
            true => Ok(bytes),
            false => Err(TpmFault::Nonsense {
                name: "the answer's length",
                value: u64::from(declared),
            }),
        }
    }

    /// Gives the answer out and counts how it went.
    pub fn end(
        &mut self,
        result: Result<(), TpmFault>,
        answer: &mut [u8],
    ) -> Result<usize, TpmFault> {
        let bytes = self.length;
        let result = result.and_then(|()| match answer.get_mut(..bytes) {
            Some(place) => {
                place.copy_from_slice(&self.message[..bytes]);
                Ok(bytes)
            }
            None => Err(TpmFault::TooLong {
                bytes: bytes as u64,
            }),
        });
        match result {
            Ok(_) => self.faults_in_a_row = 0,
            Err(_) => {
                self.faults_in_a_row += 1;
                self.facts.faults += 1;
                self.facts.is_gone |= self.faults_in_a_row >= FAULTS_IN_A_ROW_MAX;
            }
        }
        result
    }
}
