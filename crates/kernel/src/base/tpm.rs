//! What a machine gives as a TPM: whole commands, answered later.

use crate::base::time::Instant;
use core::fmt;

/// A TPM behind its registers, real or simulated. One command at a time.
pub trait TpmPort {
    fn facts(&self) -> TpmFacts;

    /// Takes a whole command, or says why not.
    fn send(&mut self, now: Instant, command: &[u8]) -> Result<(), TpmFault>;

    /// The whole answer to it once there is one: its length in `answer`.
    ///
    /// It never waits; one call accesses the device a bounded number of times.
    fn poll(&mut self, now: Instant, answer: &mut [u8]) -> Option<Result<usize, TpmFault>>;

    /// When it wants to be polled again; `None` when nothing is under way.
    fn next_deadline(&self, now: Instant) -> Option<Instant>;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TpmFacts {
    /// `tis`, `crb` or `simulated`.
    pub interface: &'static str,
    pub vendor_id: u16,
    pub device_id: u16,
    pub revision: u8,
    /// Has it failed so often that it is left alone?
    pub is_gone: bool,
    /// Exchanges that ended in a fault.
    pub faults: u64,
}

/// Why a TPM did not answer as it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TpmFault {
    /// The one before is not answered yet.
    Busy,
    /// Longer than the device takes, or no command at all.
    BadCommand { bytes: usize },
    /// It did not give its interface, or did not get ready for a command.
    NotReady { waited_for: &'static str },
    /// It began, and then nothing came in time.
    TimedOut { waited_for: &'static str },
    /// A register or a field that no TPM has.
    Nonsense { name: &'static str, value: u64 },
    /// More than it announced, or than anybody asks for.
    TooLong { bytes: u64 },
    /// Less than it announced, twice.
    TooShort { bytes: usize },
    /// It gave up the command, or somebody took the interface away.
    Aborted,
    /// It is not there any more.
    Gone,
}

impl fmt::Display for TpmFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the TPM has not answered the last command; try again"),
            Self::BadCommand { bytes } => {
                write!(f, "the TPM does not take a command of {bytes} bytes")
            }
            Self::NotReady { waited_for } => {
                write!(
                    f,
                    "the TPM does not get ready: no {waited_for} in time; try again"
                )
            }
            Self::TimedOut { waited_for } => {
                write!(
                    f,
                    "the TPM does not answer: no {waited_for} in time; try again"
                )
            }
            Self::Nonsense { name, value } => {
                write!(f, "the TPM says nonsense: {name} is {value:#x}; try again")
            }
            Self::TooLong { bytes } => {
                write!(
                    f,
                    "the TPM answers with more than it may ({bytes} bytes); try again"
                )
            }
            Self::TooShort { bytes } => {
                write!(f, "the TPM's answer ends after {bytes} bytes; try again")
            }
            Self::Aborted => f.write_str("the TPM gave up the command; try again"),
            Self::Gone => f.write_str("the TPM is gone; restart the machine to look for it again"),
        }
    }
}
