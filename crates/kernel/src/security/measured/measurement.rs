//! One measurement: what a register is extended with, as the log says it.

use super::format::{EV_ACTION, EV_IPL, EV_SEPARATOR};
use super::phase::Phase;
use crate::base::boot_inputs::Measured;
use crate::base::digest::{Digest, Hex};
use crate::base::fixed::Text;
use crate::base::subject::Subject;
use core::fmt;

/// Bytes of an event's data; the longest text of ours has a digest and a number.
pub const DATA_BYTES_MAX: usize = 160;

/// Registers by what they are for.
pub mod pcr {
    pub const FIRMWARE: u8 = 0;
    pub const CONFIGURATION: u8 = 4;
    pub const KERNEL: u8 = 8;
    pub const RAMDISK: u8 = 9;
    pub const POLICY: u8 = 10;
    pub const LAUNCHES: u8 = 11;
    pub const AUDIT: u8 = 12;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    pub pcr: u8,
    pub kind: u32,
    /// Hashed whole; so not a letter of it can be changed later.
    data: Data,
    /// The phase of boot that is over once it is logged.
    pub ends: Option<Phase>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Data {
    Text(Text<DATA_BYTES_MAX>),
    Separator,
}

impl Measurement {
    pub fn new(pcr: u8, text: fmt::Arguments<'_>) -> Self {
        Self {
            pcr,
            kind: EV_IPL,
            data: Data::Text(Text::format(text)),
            ends: None,
        }
    }

    /// `rayos NAME sha256=DIGEST bytes=BYTES`, as a verifier makes it anew from the file.
    pub fn of(pcr: u8, name: &str, measured: &Measured) -> Self {
        let (digest, bytes) = (Hex(&measured.digest), measured.bytes);
        Self::new(
            pcr,
            format_args!("rayos {name} sha256={digest} bytes={bytes}"),
        )
    }

    /// The same of something that a machine may not have.
    pub fn of_some(pcr: u8, name: &str, measured: Option<&Measured>) -> Self {
        match measured {
            Some(measured) => Self::of(pcr, name, measured),
            None => Self::new(pcr, format_args!("rayos {name} none")),
        }
    }

    pub fn policy(version: u64, digest: &Digest) -> Self {
        let digest = Hex(digest);
        Self::new(
            pcr::POLICY,
            format_args!("rayos policy sha256={digest} version={version}"),
        )
    }

    /// A workload that is about to run for somebody.
    pub fn launch(subject: Subject, what: fmt::Arguments<'_>) -> Self {
        Self::new(
            pcr::LAUNCHES,
            format_args!("rayos launch for={subject} {what}"),
        )
    }

    /// The audit trail's head behind so many entries.
    pub fn audit(head: &Digest, entries: u64) -> Self {
        let head = Hex(head);
        Self::new(
            pcr::AUDIT,
            format_args!("rayos audit head={head} entries={entries}"),
        )
    }

    /// Who brought the kernel, where no firmware has said it.
    pub fn loader(path: &str) -> Self {
        Self {
            kind: EV_ACTION,
            ..Self::new(pcr::FIRMWARE, format_args!("rayos loader {path}"))
        }
    }

    /// The end of what the firmware measures.
    pub const fn separator(pcr: u8) -> Self {
        Self {
            pcr,
            kind: EV_SEPARATOR,
            data: Data::Separator,
            ends: None,
        }
    }

    pub fn ending(self, phase: Phase) -> Self {
        Self {
            ends: Some(phase),
            ..self
        }
    }

    pub fn data(&self) -> &[u8] {
        match &self.data {
            Data::Text(text) => text.as_bytes(),
            Data::Separator => &[0; 4],
        }
    }
}

/// Why something was not measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MeasureError {
    LogFull,
    TooMany,
}

impl MeasureError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::LogFull => "the measurement log is full, so nothing more can be measured; reboot",
            Self::TooMany => "too much waits to be measured; try again",
        }
    }
}
