//! Writes to a terminal in the few sequences that every terminal knows.

use crate::base::fixed::Queue;
use crate::limits::SESSION_OUTPUT_BYTES;
use core::fmt::{self, Write};

/// Where a session holds what its console has not taken yet.
pub type Output = Queue<u8, SESSION_OUTPUT_BYTES>;

/// Writes to an output and counts what does not fit.
pub struct Pen<'a> {
    out: &'a mut Output,
    lost: u64,
}

/// Bytes of the longest cursor movement.
pub const MOVE_BYTES_MAX: usize = "\x1b[65535G".len();
/// Bytes of what erases the rest of a row.
pub const ERASE_BYTES: usize = "\x1b[K".len();

impl<'a> Pen<'a> {
    pub const fn new(out: &'a mut Output) -> Self {
        Self { out, lost: 0 }
    }

    pub fn text(&mut self, text: &str) {
        let taken = self.out.push_some(text.as_bytes());
        self.lost += (text.len() - taken) as u64;
    }

    pub fn blanks(&mut self, count: usize) {
        for _ in 0..count {
            self.text(" ");
        }
    }

    pub fn number(&mut self, number: u64) {
        // A pen counts what it loses and never fails.
        let _ = write!(self, "{number}");
    }

    pub fn bell(&mut self) {
        self.text("\x07");
    }

    pub fn new_row(&mut self) {
        self.text("\r\n");
    }

    pub fn erase_rest_of_row(&mut self) {
        self.text("\x1b[K");
    }

    /// Moves within the row, from one cell to another, both counted from 0.
    pub fn go(&mut self, from: usize, to: usize) {
        if to == from {
            return;
        }
        match (to, from.wrapping_sub(to)) {
            (0, _) => self.text("\r"),
            (_, 1) => self.text("\x08"),
            // An absolute place heals what a terminal measures in another way.
            _ => {
                self.text("\x1b[");
                self.number(to as u64 + 1);
                self.text("G");
            }
        }
    }

    /// How many bytes did not fit.
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

impl Write for Pen<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text);
        Ok(())
    }
}
