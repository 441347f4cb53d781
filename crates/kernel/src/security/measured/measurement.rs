//! One measurement: what is extended into a register, and how it is said in the log.

use super::format::{EV_ACTION, EV_IPL, EV_SEPARATOR};
use super::phase::Phase;
use crate::base::digest::{Digest, Hex};
use crate::base::fixed::Text;
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
    pub fn of(pcr: u8, name: &str, digest: &Digest, bytes: u64) -> Self {
        Self::new(
            pcr,
            format_args!("rayos {name} sha256={} bytes={bytes}", Hex(digest)),
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
