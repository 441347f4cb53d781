//! Bytes of a terminal become keys: UTF-8, escape sequences, pasted text.
//!
//! Limits: nothing is buffered but one character or the numbers of one sequence.
//! Invariants: every byte is answered at once with at most two keys; whatever was begun
//! ends by its own rules, by a control character, or by `SILENCE`, so nothing stalls.

use crate::base::fixed::Vec;
use crate::base::time::{Duration, Instant};

/// A sequence is over when nothing of it came for so long: the user pressed Escape.
pub const SILENCE: Duration = Duration::from_millis(50);

/// Sequences longer than this are not keys; they are still swallowed whole.
const SEQUENCE_BYTES_MAX: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    Char(char),
    /// CR, LF, or both.
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    WordLeft,
    WordRight,
    Home,
    End,
    Escape,
    /// A letter in lower case.
    Control(char),
    /// Alt with a printable ASCII character, or with Backspace as `\x7f`.
    Alt(char),
    PasteStart,
    PasteEnd,
}

/// What came in that is no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeysView {
    /// Each was replaced with one U+FFFD.
    pub bad_utf8: u64,
    pub unknown_sequences: u64,
    pub overlong_sequences: u64,
    pub ignored_controls: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Ground,
    /// The first bytes of a character.
    Character {
        bytes: [u8; 4],
        length: usize,
    },
    /// ESC, or ESC ESC, which some terminals send before a sequence for Alt.
    Escape {
        is_alt: bool,
    },
    /// ESC `[` or ESC `O` and what follows up to a final byte (ECMA-48, 5.4).
    Sequence(Sequence),
    /// ESC `[[`: one more letter, a function key of the Linux console.
    LinuxFunction,
    /// An answer of the terminal (OSC, DCS, ...) up to BEL or ESC `\`.
    Answer {
        length: usize,
        is_ending: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Sequence {
    is_alt: bool,
    is_ss3: bool,
    /// Has bytes that no key has.
    is_strange: bool,
    numbers: [u16; 2],
    numbers_seen: usize,
    length: usize,
}

/// Whether a byte that ended something else is looked at again on its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    Used,
    Again,
}

#[derive(Debug)]
pub struct Decoder {
    state: State,
    deadline: Option<Instant>,
    /// The LF of a CR LF is no second Enter, however late it comes.
    was_carriage_return: bool,
    view: KeysView,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    pub const fn new() -> Self {
        Self {
            state: State::Ground,
            deadline: None,
            was_carriage_return: false,
            view: KeysView {
                bad_utf8: 0,
                unknown_sequences: 0,
                overlong_sequences: 0,
                ignored_controls: 0,
            },
        }
    }

    /// Two keys only when `byte` broke a character and is a key itself.
    pub fn step(&mut self, now: Instant, byte: u8) -> Vec<Key, 2> {
        let mut keys = Vec::new();
        loop {
            let (key, rest) = self.advance(byte);
            if let Some(key) = key {
                let kept = keys.push(key);
                crate::invariant!(kept.is_ok(), "one byte gave three keys");
            }
            if rest == Byte::Used {
                break;
            }
        }
        let is_waiting = !matches!(self.state, State::Ground);
        self.deadline = is_waiting.then(|| now + SILENCE);
        keys
    }

    pub const fn next_deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Ends what nothing followed. To be called only when no byte is waiting.
    pub fn on_time(&mut self, now: Instant) -> Option<Key> {
        self.deadline.filter(|deadline| now >= *deadline)?;
        self.deadline = None;
        match core::mem::replace(&mut self.state, State::Ground) {
            State::Ground => None,
            State::Character { .. } => Some(self.bad_character()),
            State::Escape { .. } => Some(Key::Escape),
            State::Sequence(_) | State::LinuxFunction | State::Answer { .. } => {
                self.view.unknown_sequences += 1;
                None
            }
        }
    }

    pub const fn view(&self) -> KeysView {
        self.view
    }

    fn advance(&mut self, byte: u8) -> (Option<Key>, Byte) {
        match self.state {
            State::Ground => (self.on_ground(byte), Byte::Used),
            State::Character { bytes, length } => self.on_character(bytes, length, byte),
            State::Escape { is_alt } => self.on_escape(is_alt, byte),
            State::Sequence(sequence) => self.on_sequence(sequence, byte),
            State::LinuxFunction => (None, self.abandon(byte)),
            State::Answer { length, is_ending } => (None, self.on_answer(length, is_ending, byte)),
        }
    }

    fn on_ground(&mut self, byte: u8) -> Option<Key> {
        let was_carriage_return = core::mem::take(&mut self.was_carriage_return);
        match byte {
            b'\n' if was_carriage_return => None,
            b'\r' => {
                self.was_carriage_return = true;
                Some(Key::Enter)
            }
            b'\n' => Some(Key::Enter),
            b'\t' => Some(Key::Tab),
            0x08 | 0x7f => Some(Key::Backspace),
            0x01..=0x1a => Some(Key::Control(char::from(byte + b'a' - 1))),
            0x1b => {
                self.state = State::Escape { is_alt: false };
                None
            }
            b' '..=b'~' => Some(Key::Char(char::from(byte))),
            0x80.. => self.on_character([0; 4], 0, byte).0,
            0x00 | 0x1c..=0x1f => {
                self.view.ignored_controls += 1;
                None
            }
        }
    }

    /// Adds a byte to the `length` bytes of a character that are there.
    fn on_character(&mut self, mut bytes: [u8; 4], length: usize, byte: u8) -> (Option<Key>, Byte) {
        bytes[length] = byte;
        let seen = &bytes[..=length];
        self.state = State::Ground;
        match core::str::from_utf8(seen) {
            Ok(text) => (self.printable(text), Byte::Used),
            Err(error) if error.error_len().is_none() => {
                self.state = State::Character {
                    bytes,
                    length: length + 1,
                };
                (None, Byte::Used)
            }
            // What was there is bad; the byte that showed it may begin something good.
            Err(_) if length > 0 => (Some(self.bad_character()), Byte::Again),
            Err(_) => (Some(self.bad_character()), Byte::Used),
        }
    }

    fn printable(&mut self, text: &str) -> Option<Key> {
        let printable = text.chars().next().filter(|c| !c.is_control());
        if printable.is_none() {
            self.view.ignored_controls += 1;
        }
        printable.map(Key::Char)
    }

    fn bad_character(&mut self) -> Key {
        self.view.bad_utf8 += 1;
        Key::Char(char::REPLACEMENT_CHARACTER)
    }

    fn on_escape(&mut self, is_alt: bool, byte: u8) -> (Option<Key>, Byte) {
        self.state = State::Ground;
        match byte {
            0x1b => {
                self.state = State::Escape { is_alt: true };
                (is_alt.then_some(Key::Escape), Byte::Used)
            }
            b'[' | b'O' => {
                self.state = State::Sequence(Sequence {
                    is_alt,
                    is_ss3: byte == b'O',
                    is_strange: false,
                    numbers: [0; 2],
                    numbers_seen: 0,
                    length: 0,
                });
                (None, Byte::Used)
            }
            b']' | b'P' | b'_' | b'^' | b'X' => {
                self.state = State::Answer {
                    length: 0,
                    is_ending: false,
                };
                (None, Byte::Used)
            }
            b' '..=0x7f => (Some(Key::Alt(char::from(byte))), Byte::Used),
            0x08 => (Some(Key::Alt('\x7f')), Byte::Used),
            _ => {
                self.view.unknown_sequences += 1;
                (None, Byte::Again)
            }
        }
    }

    fn on_sequence(&mut self, mut sequence: Sequence, byte: u8) -> (Option<Key>, Byte) {
        let is_first = sequence.length == 0;
        sequence.length = sequence.length.saturating_add(1);
        match byte {
            b'[' if is_first && !sequence.is_ss3 => self.state = State::LinuxFunction,
            b'0'..=b'9' => {
                sequence.add_digit(byte - b'0');
                self.state = State::Sequence(sequence);
            }
            b';' => {
                sequence.numbers_seen = (sequence.numbers_seen + 1).max(2);
                self.state = State::Sequence(sequence);
            }
            b' '..=b'?' => {
                sequence.is_strange = true;
                self.state = State::Sequence(sequence);
            }
            b'@'..=b'~' => return (self.end_sequence(&sequence, byte), Byte::Used),
            _ => return (None, self.abandon(byte)),
        }
        (None, Byte::Used)
    }

    fn end_sequence(&mut self, sequence: &Sequence, last: u8) -> Option<Key> {
        self.state = State::Ground;
        if sequence.length > SEQUENCE_BYTES_MAX {
            self.view.overlong_sequences += 1;
            return None;
        }
        let key = sequence.key(last);
        if key.is_none() {
            self.view.unknown_sequences += 1;
        }
        key
    }

    /// Ends an unknown sequence; a byte that cannot belong to one is looked at again.
    fn abandon(&mut self, byte: u8) -> Byte {
        self.state = State::Ground;
        self.view.unknown_sequences += 1;
        match byte {
            b' '..=b'~' => Byte::Used,
            _ => Byte::Again,
        }
    }

    fn on_answer(&mut self, length: usize, is_ending: bool, byte: u8) -> Byte {
        let length = length.saturating_add(1);
        self.state = State::Ground;
        match byte {
            b'\\' if is_ending => {}
            0x07 => {}
            0x1b => {
                self.state = State::Answer {
                    length,
                    is_ending: true,
                };
                return Byte::Used;
            }
            // The escape was not the end but the beginning of something else.
            _ if is_ending => {
                self.view.unknown_sequences += 1;
                self.state = State::Escape { is_alt: false };
                return Byte::Again;
            }
            0x00..=0x1f => return self.abandon(byte),
            _ => {
                self.state = State::Answer {
                    length,
                    is_ending: false,
                };
                return Byte::Used;
            }
        }
        match length > SEQUENCE_BYTES_MAX {
            true => self.view.overlong_sequences += 1,
            false => self.view.unknown_sequences += 1,
        }
        Byte::Used
    }
}

impl Sequence {
    fn add_digit(&mut self, digit: u8) {
        self.numbers_seen = self.numbers_seen.max(1);
        if let Some(number) = self.numbers.get_mut(self.numbers_seen - 1) {
            *number = number.saturating_mul(10).saturating_add(digit.into());
        }
    }

    /// The key that ends with `last`, as xterm, rxvt, the Linux console and PuTTY send them.
    fn key(&self, last: u8) -> Option<Key> {
        if self.is_strange || self.numbers_seen > 2 {
            return None;
        }
        let [first, second] = self.numbers;
        // `ESC[1;5C`, or `ESC[5C` from old terminals: one more than the bits Shift 1, Alt 2, Control 4.
        let modifier = if self.numbers_seen == 2 {
            second
        } else {
            first
        };
        let is_word = self.is_alt || (modifier.wrapping_sub(1) & 6 != 0 && modifier > 1);
        let key = match last {
            b'A' => Key::Up,
            b'B' => Key::Down,
            b'C' if is_word => Key::WordRight,
            b'D' if is_word => Key::WordLeft,
            b'C' => Key::Right,
            b'D' => Key::Left,
            b'c' if self.is_ss3 => Key::WordRight,
            b'd' if self.is_ss3 => Key::WordLeft,
            b'H' => Key::Home,
            b'F' => Key::End,
            b'M' if self.is_ss3 => Key::Enter,
            b'~' => match first {
                1 | 7 => Key::Home,
                4 | 8 => Key::End,
                3 => Key::Delete,
                200 => Key::PasteStart,
                201 => Key::PasteEnd,
                _ => return None,
            },
            _ => return None,
        };
        Some(key)
    }
}

#[cfg(test)]
mod tests;
