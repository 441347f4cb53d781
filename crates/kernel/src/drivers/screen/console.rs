//! The screen with its keyboard as a console.

use super::framebuffer::{Framebuffer, Geometry};
use super::painter::Painter;
use super::panic::PanicWriter;
use super::text_console::TextConsole;
use crate::base::config::Keymap;
use crate::base::console::{Console, ConsoleView};
use crate::base::input::InputEvent;
use crate::drivers::ps2::ScancodeSet;

/// A shell session's place on a machine with a display.
///
/// All memory is taken in `new`; the largest part is the scroll-back.
pub struct ScreenConsole<M = &'static mut [u8]> {
    pub(super) text: TextConsole,
    pub(super) painter: Painter<M>,
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
        let painter = Painter::new(framebuffer, 0);
        Self {
            text: TextConsole::new("screen", painter.columns(), painter.rows(), keymap),
            painter,
        }
    }

    /// What the controller's start found out.
    pub fn set_scancode_set(&mut self, set: ScancodeSet) {
        self.text.set_scancode_set(set);
    }

    /// Takes a byte that the keyboard sent.
    pub fn feed_scancode(&mut self, byte: u8) {
        self.text.feed_scancode(byte);
    }

    /// Takes a key of a keyboard that speaks the codes of Linux.
    pub fn feed_key(&mut self, event: &InputEvent) {
        self.text.feed_key(event);
    }

    /// A byte for the keyboard (its lights), to be written when the controller takes one.
    pub fn take_keyboard_command(&mut self) -> Option<u8> {
        self.text.take_keyboard_command()
    }

    /// Paints at most `cells_max` cells that changed; 0 means that all is shown,
    /// else at most so many cells wait for the next call.
    pub fn draw(&mut self, cells_max: usize) -> usize {
        self.painter.paint(&mut self.text.terminal, cells_max)
    }

    /// The screen for the report of a panic; one writer for all of the report.
    pub fn panic_writer(&mut self) -> PanicWriter<'_, M> {
        PanicWriter::new(&mut self.text.terminal, &mut self.painter)
    }

    pub fn screen_view(&self) -> ScreenView {
        let grid = self.text.terminal.grid();
        ScreenView {
            display: *self.painter.framebuffer().geometry(),
            columns: grid.columns(),
            rows: grid.rows(),
            history_lines: grid.history(),
            view_back_lines: grid.view_back(),
            cells_painted: self.painter.cells_painted(),
            cells_waiting: grid.changed_rows() * grid.columns(),
            sequences_ignored: self.text.terminal.sequences_ignored(),
            scancodes_ignored: self.text.scancodes_ignored(),
        }
    }
}

impl<M: AsMut<[u8]>> Console for ScreenConsole<M> {
    fn name(&self) -> &'static str {
        self.text.name()
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        self.text.read(buffer)
    }

    fn write_space(&self) -> usize {
        self.text.write_space()
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        self.text.write(bytes)
    }

    fn columns(&self) -> Option<u16> {
        self.text.columns()
    }

    fn view(&self) -> ConsoleView {
        self.text.view()
    }
}
