//! Bytes for a terminal, taken apart into characters, controls and sequences.
//!
//! The states are those of the VT500 parser that Paul Williams described; what
//! is not understood is swallowed whole. A text for terminals that never ends
//! is ended after `ESCAPE_STRING_MAX` bytes, so that nothing can blind the screen.

use super::utf8::{Utf8Decoder, Utf8Step};
use crate::limits::{ESCAPE_NUMBERS_MAX, ESCAPE_STRING_MAX};

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;

/// What the terminal has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Print(char),
    /// A control character below a blank.
    Control(u8),
    /// ESC and a letter.
    Escape(u8),
    /// CSI, numbers and a letter.
    Sequence(Sequence),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sequence {
    /// The byte of `<=>?` behind the bracket, 0 when there was none.
    pub marker: u8,
    pub letter: u8,
    numbers: [u16; ESCAPE_NUMBERS_MAX],
    count: usize,
}

impl Sequence {
    const EMPTY: Self = Self {
        marker: 0,
        letter: 0,
        numbers: [0; ESCAPE_NUMBERS_MAX],
        count: 0,
    };

    /// At least one number: a sequence without any means 0.
    pub fn numbers(&self) -> &[u16] {
        &self.numbers[..self.count.max(1)]
    }

    /// Number `index` as a count, where 0 and nothing mean 1.
    pub fn count_at(&self, index: usize) -> usize {
        match self.numbers().get(index) {
            Some(&number) if number > 0 => usize::from(number),
            _ => 1,
        }
    }

    fn add_digit(&mut self, digit: u8) {
        self.count = self.count.max(1);
        // Numbers beyond those that are kept are read and forgotten.
        if let Some(number) = self.numbers.get_mut(self.count - 1) {
            *number = number.saturating_mul(10).saturating_add(u16::from(digit));
        }
    }

    fn next_number(&mut self) {
        self.count = (self.count.max(1) + 1).min(ESCAPE_NUMBERS_MAX + 1);
    }

    fn finish(mut self, letter: u8) -> Self {
        self.letter = letter;
        self.count = self.count.min(ESCAPE_NUMBERS_MAX);
        self
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Ground,
    Escape,
    /// ESC and a byte that wants another, as in the choice of a character set.
    EscapeIntermediate,
    Sequence,
    /// A sequence that means nothing to us.
    SequenceIgnored,
    /// A title or the like; how many of its bytes have been swallowed.
    Text(usize),
}

#[derive(Clone, Debug)]
pub struct Parser {
    state: State,
    utf8: Utf8Decoder,
    sequence: Sequence,
    ignored: u64,
}

impl Parser {
    pub const fn new() -> Self {
        Self {
            state: State::Ground,
            utf8: Utf8Decoder::new(),
            sequence: Sequence::EMPTY,
            ignored: 0,
        }
    }

    /// Sequences that were swallowed.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    pub fn count_ignored(&mut self) {
        self.ignored += 1;
    }

    pub fn feed(&mut self, byte: u8, mut act: impl FnMut(Action)) {
        if matches!(self.state, State::Ground) {
            return self.on_ground(byte, act);
        }
        match byte {
            CANCEL | SUBSTITUTE => self.state = State::Ground,
            ESCAPE => self.state = State::Escape,
            _ if matches!(self.state, State::Text(_)) => self.on_text(byte),
            // A control character inside a sequence is done at once, as on a VT100.
            0x00..=0x1f => act(Action::Control(byte)),
            _ => {
                if let Some(action) = self.on_sequence(byte) {
                    act(action);
                }
            }
        }
    }

    fn on_ground(&mut self, byte: u8, mut act: impl FnMut(Action)) {
        let mut step = self.utf8.feed(byte);
        if step == Utf8Step::CutShort {
            act(Action::Print(char::REPLACEMENT_CHARACTER));
            step = self.utf8.feed(byte);
        }
        match step {
            Utf8Step::Character('\x1b') => self.state = State::Escape,
            Utf8Step::Character(character @ '\0'..='\x1f') => act(Action::Control(character as u8)),
            Utf8Step::Character('\x7f'..='\u{9f}') | Utf8Step::Unfinished => {}
            Utf8Step::Character(character) => act(Action::Print(character)),
            Utf8Step::Invalid | Utf8Step::CutShort => {
                act(Action::Print(char::REPLACEMENT_CHARACTER));
            }
        }
    }

    fn on_text(&mut self, byte: u8) {
        self.state = match self.state {
            State::Text(bytes) if byte != BELL && bytes < ESCAPE_STRING_MAX => {
                State::Text(bytes + 1)
            }
            _ => State::Ground,
        };
    }

    fn on_sequence(&mut self, byte: u8) -> Option<Action> {
        match (self.state, byte) {
            (State::Escape, b'[') => {
                self.sequence = Sequence::EMPTY;
                self.state = State::Sequence;
                None
            }
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => {
                self.ignored += 1;
                self.state = State::Text(0);
                None
            }
            (State::Escape | State::EscapeIntermediate, 0x20..=0x2f) => {
                self.state = State::EscapeIntermediate;
                None
            }
            (State::Escape, 0x30..=0x7e) => {
                self.state = State::Ground;
                Some(Action::Escape(byte))
            }
            (State::Sequence, b'0'..=b'9') => {
                self.sequence.add_digit(byte - b'0');
                None
            }
            (State::Sequence, b';' | b':') => {
                self.sequence.next_number();
                None
            }
            (State::Sequence, b'<'..=b'?') if self.sequence.count == 0 => {
                self.sequence.marker = byte;
                None
            }
            (State::Sequence, 0x40..=0x7e) => {
                self.state = State::Ground;
                Some(Action::Sequence(self.sequence.finish(byte)))
            }
            (State::Sequence | State::SequenceIgnored, 0x20..=0x3f) => {
                self.state = State::SequenceIgnored;
                None
            }
            _ => {
                // The end of what is not understood, or a byte that no sequence has.
                self.ignored += 1;
                self.state = State::Ground;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    /// What the bytes mean, a word for each action.
    fn meaning(bytes: &[u8]) -> String {
        let mut parser = Parser::new();
        let mut words = String::new();
        for &byte in bytes {
            parser.feed(byte, |action| {
                words += &match action {
                    Action::Print(character) => format!("{character} "),
                    Action::Control(control) => format!("^{control:02x} "),
                    Action::Escape(letter) => format!("esc:{} ", char::from(letter)),
                    Action::Sequence(sequence) => format!(
                        "{}{:?}{} ",
                        char::from(sequence.marker),
                        sequence.numbers(),
                        char::from(sequence.letter)
                    )
                    .replace('\0', ""),
                };
            });
        }
        String::from(words.trim_end())
    }

    #[test]
    fn characters_controls_and_sequences_are_told_apart() {
        assert_eq!(meaning("aß\r\n".as_bytes()), "a ß ^0d ^0a");
        assert_eq!(
            meaning(b"\x1b[m\x1b[;7H\x1b[?25l\x1b7"),
            "[0]m [0, 7]H ?[25]l esc:7"
        );
        assert_eq!(meaning(b"\x1b[2\nJ"), "^0a [2]J");
    }

    #[test]
    fn what_is_unknown_is_swallowed_whole() {
        assert_eq!(meaning(b"a\x1b[1 qb"), "a b");
        assert_eq!(meaning(b"a\x1b]0;title\x07b"), "a b");
        assert_eq!(meaning(b"a\x1bP1;2|xyz\x1b\\b"), "a esc:\\ b");
        assert_eq!(meaning(b"a\x1b(Bb"), "a b");
    }

    #[test]
    fn a_text_without_an_end_does_not_blind_the_screen() {
        let mut bytes = alloc::vec![b'x'; ESCAPE_STRING_MAX + 10];
        bytes[..2].copy_from_slice(b"\x1b]");
        bytes.extend_from_slice(b"seen");
        assert!(meaning(&bytes).ends_with("s e e n"));
    }

    #[test]
    fn numbers_saturate_in_size_and_in_count() {
        assert_eq!(meaning(b"\x1b[99999999A"), "[65535]A");
        let mut bytes = alloc::vec::Vec::from(*b"\x1b[");
        bytes.extend(b"1;".repeat(100));
        bytes.push(b'm');
        let expected = format!("{:?}m", [1; ESCAPE_NUMBERS_MAX]);
        assert_eq!(meaning(&bytes), expected);
    }

    #[test]
    fn a_cancelled_sequence_leaves_no_trace() {
        assert_eq!(meaning(b"\x1b[31\x18a"), "a");
        assert_eq!(meaning(b"\xe2\x82\x1b[0ma"), "\u{fffd} [0]m a");
    }
}
