//! The framed protocol: lines from a program, answers between control bytes.
//!
//! ENQ means ready for a line; the answer stands between STX and ETX, and one
//! character behind ETX says whether every command of the line succeeded.

use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::limits::LINE_MAX;

pub const READY: &[u8] = b"\x05";
pub const ANSWER: &[u8] = b"\x02";
/// Behind it stands a digit; see `base::verdict`.
pub const END: u8 = 0x03;

/// Why a line was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineError {
    TooLong { bytes: usize },
    NotText { position: usize },
}

impl core::fmt::Display for LineError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooLong { bytes } => write!(
                f,
                "the line has {bytes} bytes; at most {LINE_MAX} are taken"
            ),
            Self::NotText { position } => {
                write!(f, "the line is not UTF-8 text at byte {position}")
            }
        }
    }
}

/// The line that is being received.
#[derive(Default)]
pub struct FramedLine {
    bytes: Vec<u8, LINE_MAX>,
    /// Bytes behind the last that fitted.
    excess: usize,
    high_water: usize,
    lines_refused: u64,
}

impl FramedLine {
    /// Takes a byte; says whether that ended the line.
    pub fn push(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => {
                self.high_water = self.high_water.max(self.bytes.len());
                self.lines_refused += u64::from(self.excess > 0);
                return true;
            }
            b'\r' => {}
            _ if self.bytes.push(byte).is_err() => self.excess += 1,
            _ => {}
        }
        false
    }

    pub fn text(&self) -> Result<&str, LineError> {
        if self.excess > 0 {
            return Err(LineError::TooLong {
                bytes: LINE_MAX + self.excess,
            });
        }
        core::str::from_utf8(&self.bytes).map_err(|error| LineError::NotText {
            position: error.valid_up_to() + 1,
        })
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.excess = 0;
    }

    pub fn usage(&self) -> Usage {
        Usage::of("LINE_MAX", LINE_MAX)
            .used(self.bytes.len() as u64)
            .high_water(self.high_water as u64)
            .refused(self.lines_refused)
    }
}
