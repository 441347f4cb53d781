//! What a session has to say and its console has not taken yet.

use crate::base::console::Console;
use crate::base::fixed::Queue;
use crate::base::metric::Usage;
use crate::limits::SESSION_OUTPUT_BYTES;
use alloc::boxed::Box;

/// Erases what the row showed before.
const ERASE_REST: &str = "\x1b[K";

/// Bytes in the order in which they are to appear; what does not fit is counted.
pub struct Output {
    queue: Box<Queue<u8, SESSION_OUTPUT_BYTES>>,
    /// Does a terminal want a carriage return before a line feed?
    is_terminal: bool,
    /// Put before each line's end while a screen is painted over.
    line_end: &'static str,
    high_water: usize,
    refused: u64,
}

impl Output {
    pub fn new(is_terminal: bool) -> Self {
        Self {
            queue: Box::new(Queue::new()),
            is_terminal,
            line_end: "",
            high_water: 0,
            refused: 0,
        }
    }

    /// Paint over what is on the screen, or write below it.
    pub fn set_overpainting(&mut self, is_overpainting: bool) {
        self.line_end = if is_overpainting { ERASE_REST } else { "" };
    }

    /// For the editor, which writes for a terminal by itself.
    pub fn queue(&mut self) -> &mut Queue<u8, SESSION_OUTPUT_BYTES> {
        &mut self.queue
    }

    pub fn space(&self) -> usize {
        self.queue.space()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many bytes `text` of that length may become.
    pub const fn worst_case(length: usize) -> usize {
        // A text of line feeds only.
        length * (ERASE_REST.len() + "\r\n".len())
    }

    /// Adds bytes as they are.
    pub fn push(&mut self, bytes: &[u8]) {
        let kept = self.queue.push_some(bytes);
        self.refused += (bytes.len() - kept) as u64;
        let used = SESSION_OUTPUT_BYTES - self.queue.space();
        self.high_water = self.high_water.max(used);
    }

    /// Adds text whose lines end in a line feed, for this console.
    pub fn push_lines(&mut self, text: &[u8]) {
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.push(self.line_end.as_bytes());
                self.push(if self.is_terminal { b"\r\n" } else { b"\n" });
            }
            self.push(line);
        }
    }

    /// Gives the console what it takes now.
    pub fn send(&mut self, console: &mut dyn Console) {
        // The editor fills the queue by itself.
        self.high_water = self
            .high_water
            .max(SESSION_OUTPUT_BYTES - self.queue.space());
        while !self.queue.is_empty() && console.write_space() > 0 {
            let taken = console.write(self.queue.oldest());
            self.queue.skip(taken);
            if taken == 0 {
                return;
            }
        }
    }

    /// Drops what has not been sent.
    pub fn clear(&mut self) {
        self.queue.clear();
    }

    pub fn usage(&self) -> Usage {
        Usage::of("SESSION_OUTPUT_BYTES", SESSION_OUTPUT_BYTES)
            .used((SESSION_OUTPUT_BYTES - self.queue.space()) as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }
}
