//! The screen with its keyboard as a console.

use super::framebuffer::{Framebuffer, Geometry};
use super::painter::Painter;
use super::panic::PanicWriter;
use super::terminal::Terminal;
use crate::base::config::Keymap;
use crate::base::console::{Console, ConsoleView};
use crate::base::fixed::Queue;
use crate::drivers::ps2::{Key, Keyboard, ScancodeSet};
use crate::limits::{KEYBOARD_INPUT_BYTES, SCREEN_WRITE_BYTES};

/// A shell session's place on a machine with a display.
///
/// All memory is taken in `new`; the largest part is the scroll-back.
pub struct ScreenConsole<M = &'static mut [u8]> {
    pub(super) terminal: Terminal,
    pub(super) painter: Painter<M>,
    keyboard: Keyboard,
    input: Queue<u8, KEYBOARD_INPUT_BYTES>,
    received_bytes: u64,
    received_dropped_bytes: u64,
    sent_bytes: u64,
}

/// The screen in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreenView {
    pub display: Geometry,
    pub columns: usize,
    pub rows: usize,
    /// Lines above the screen that can be paged back to.
    pub history_lines: usize,
    /// How many lines back the view is; 0 is where the prompt is.
    pub view_back_lines: usize,
    /// Cells brought to the display since boot.
    pub cells_painted: u64,
    /// Cells that may differ from what the display shows.
    pub cells_waiting: usize,
    /// Escape sequences that were swallowed.
    pub sequences_ignored: u64,
    /// Scan codes that meant nothing.
    pub scancodes_ignored: u64,
}

impl<M: AsMut<[u8]>> ScreenConsole<M> {
    /// A keyboard without a controller that says otherwise sends scan code set 1.
    pub fn new(framebuffer: Framebuffer<M>, keymap: Keymap) -> Self {
        let painter = Painter::new(framebuffer);
        Self {
            terminal: Terminal::new(painter.columns(), painter.rows()),
            painter,
            keyboard: Keyboard::new(ScancodeSet::One, keymap),
            input: Queue::new(),
            received_bytes: 0,
            received_dropped_bytes: 0,
            sent_bytes: 0,
        }
    }

    /// What the controller's start found out.
    pub fn set_scancode_set(&mut self, set: ScancodeSet) {
        self.keyboard.set_scancode_set(set);
    }

    /// Takes a byte that the keyboard sent.
    pub fn feed_scancode(&mut self, byte: u8) {
        match self.keyboard.feed(byte) {
            Some(Key::Bytes(bytes)) => {
                self.terminal.grid_mut().view_to_bottom();
                // A key arrives whole or not at all: half an escape sequence is another key.
                if bytes.len() <= self.input.space() {
                    self.input.push_some(&bytes);
                    self.received_bytes += bytes.len() as u64;
                } else {
                    self.received_dropped_bytes += bytes.len() as u64;
                }
            }
            Some(Key::ScrollBack) => self.move_view(1),
            Some(Key::ScrollForward) => self.move_view(-1),
            None => {}
        }
    }

    fn move_view(&mut self, pages: isize) {
        let page = self.painter.rows().div_ceil(2) as isize;
        self.terminal.grid_mut().move_view(pages * page);
    }

    /// A byte for the keyboard (its lights), to be written when the controller takes one.
    pub fn take_keyboard_command(&mut self) -> Option<u8> {
        self.keyboard.take_command()
    }

    /// Paints at most `cells_max` cells that changed; 0 means that all is shown,
    /// else at most so many cells wait for the next call.
    pub fn draw(&mut self, cells_max: usize) -> usize {
        self.painter.paint(&mut self.terminal, cells_max)
    }

    /// The screen for the report of a panic; one writer for all of the report.
    pub fn panic_writer(&mut self) -> PanicWriter<'_, M> {
        PanicWriter::new(&mut self.terminal, &mut self.painter)
    }

    pub fn screen_view(&self) -> ScreenView {
        let grid = self.terminal.grid();
        ScreenView {
            display: *self.painter.framebuffer().geometry(),
            columns: grid.columns(),
            rows: grid.rows(),
            history_lines: grid.history(),
            view_back_lines: grid.view_back(),
            cells_painted: self.painter.cells_painted(),
            cells_waiting: grid.changed_rows() * grid.columns(),
            sequences_ignored: self.terminal.sequences_ignored(),
            scancodes_ignored: self.keyboard.scancodes_ignored(),
        }
    }
}

impl<M: AsMut<[u8]>> Console for ScreenConsole<M> {
    fn name(&self) -> &'static str {
        "screen"
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let mut count = 0;
        while let Some(place) = buffer.get_mut(count)
            && let Some(byte) = self.input.pop()
        {
            *place = byte;
            count += 1;
        }
        count
    }

    fn write_space(&self) -> usize {
        SCREEN_WRITE_BYTES
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(SCREEN_WRITE_BYTES);
        self.terminal.write(&bytes[..count]);
        self.sent_bytes += count as u64;
        count
    }

    fn columns(&self) -> Option<u16> {
        u16::try_from(self.painter.columns()).ok()
    }

    fn view(&self) -> ConsoleView {
        ConsoleView {
            name: self.name(),
            received_bytes: self.received_bytes,
            sent_bytes: self.sent_bytes,
            receive_dropped_bytes: self.received_dropped_bytes,
            line_errors: 0,
        }
    }
}
