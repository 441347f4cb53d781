//! What is typed and written at a screen, whatever shows it.

use super::terminal::Terminal;
use crate::base::config::Keymap;
use crate::base::console::{Console, ConsoleView};
use crate::base::fixed::Queue;
use crate::base::input::{InputEvent, KeyboardLights};
use crate::drivers::ps2::linux_keys::scancodes;
use crate::drivers::ps2::{Key, Keyboard, ScancodeSet};
use crate::limits::{KEYBOARD_INPUT_BYTES, SCREEN_WRITE_BYTES};

/// A terminal with a keyboard, without a display.
pub struct TextConsole {
    name: &'static str,
    pub(super) terminal: Terminal,
    keyboard: Keyboard,
    input: Queue<u8, KEYBOARD_INPUT_BYTES>,
    received_bytes: u64,
    received_dropped_bytes: u64,
    sent_bytes: u64,
}

impl TextConsole {
    /// A keyboard without a controller that says otherwise sends scan code set 1.
    pub fn new(name: &'static str, columns: usize, rows: usize, keymap: Keymap) -> Self {
        Self {
            name,
            terminal: Terminal::new(columns, rows),
            keyboard: Keyboard::new(ScancodeSet::One, keymap),
            input: Queue::new(),
            received_bytes: 0,
            received_dropped_bytes: 0,
            sent_bytes: 0,
        }
    }

    pub fn set_scancode_set(&mut self, set: ScancodeSet) {
        self.keyboard.set_scancode_set(set);
    }

    pub fn set_keymap(&mut self, keymap: Keymap) {
        self.keyboard.set_keymap(keymap);
    }

    /// Lays the text out anew for a display of another size.
    pub fn resize(&mut self, columns: usize, rows: usize) {
        self.terminal.resize(columns, rows);
    }

    pub const fn terminal_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
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

    /// Takes a key of a keyboard that speaks the codes of Linux.
    pub fn feed_key(&mut self, event: &InputEvent) {
        for &code in &scancodes(event.code, event.value != 0) {
            self.feed_scancode(code);
        }
    }

    /// The lights as they are to be, when the keyboard has not been told yet.
    pub fn take_lights(&mut self) -> Option<KeyboardLights> {
        self.keyboard.take_lights()
    }

    fn move_view(&mut self, pages: isize) {
        let page = self.terminal.grid().rows().div_ceil(2) as isize;
        self.terminal.grid_mut().move_view(pages * page);
    }

    /// A byte for a PS/2 keyboard, to be written when the controller takes one.
    pub fn take_keyboard_command(&mut self) -> Option<u8> {
        self.keyboard.take_command()
    }

    pub fn scancodes_ignored(&self) -> u64 {
        self.keyboard.scancodes_ignored()
    }
}

impl Console for TextConsole {
    fn name(&self) -> &'static str {
        self.name
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
        u16::try_from(self.terminal.grid().columns()).ok()
    }

    fn view(&self) -> ConsoleView {
        ConsoleView {
            name: self.name,
            received_bytes: self.received_bytes,
            sent_bytes: self.sent_bytes,
            receive_dropped_bytes: self.received_dropped_bytes,
            line_errors: 0,
        }
    }
}
