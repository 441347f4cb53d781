//! Scan codes in, the bytes of a serial terminal out.
//!
//! `pc-keyboard` tells keys from scan codes; what they type is decided here,
//! since its layouts have neither dead keys nor a keypad without Num Lock.
//! Any bytes leave it sane: the worst is a modifier that seems to be held.

use super::accents::compose;
use super::layout::{Layout, Shifts};
use super::lights::Lights;
use super::sequences::{Spelling, keypad_character, keypad_movement, spelling};
use crate::base::config::Keymap;
use crate::base::fixed;
use crate::base::input::KeyboardLights;
use core::fmt;
use pc_keyboard::{KeyCode, KeyState, ScancodeSet as Decode, ScancodeSet1, ScancodeSet2};

/// Answers of the keyboard to a command; no key has these codes in either set.
const ACKNOWLEDGE: u8 = 0xfa;
const RESEND: u8 = 0xfe;
/// Keys came faster than the keyboard could tell (set 2 and set 1).
const OVERRUN: [u8; 2] = [0x00, 0xff];

const ESCAPE: char = '\x1b';
const DELETE: char = '\x7f';

/// The codes that arrive: 1 behind a translating controller, 2 otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScancodeSet {
    One,
    Two,
}

/// The longest is two characters behind an escape.
pub type KeyBytes = fixed::Vec<u8, 12>;

/// What a key means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// What a terminal sends to its computer.
    Bytes(KeyBytes),
    /// Show older lines.
    ScrollBack,
    /// Show newer lines.
    ScrollForward,
}

enum Decoder {
    One(ScancodeSet1),
    Two(ScancodeSet2),
}

/// Keys that are held, and locks that are on.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Modifiers {
    left_shift: bool,
    right_shift: bool,
    left_control: bool,
    right_control: bool,
    left_alt: bool,
    right_alt: bool,
    /// Held, so that its repetition does not switch the lock back.
    caps_lock_key: bool,
    num_lock_key: bool,
    /// The Pause key is a hidden Control with a Num Lock that is none.
    pause_control: bool,
}

pub struct Keyboard {
    decoder: Decoder,
    layout: &'static Layout,
    held: Modifiers,
    is_caps_lock: bool,
    is_num_lock: bool,
    dead: Option<char>,
    lights: Lights,
    scancodes_ignored: u64,
}

impl Keyboard {
    /// Num Lock is on at first, as the firmware of nearly every PC leaves it.
    pub fn new(set: ScancodeSet, keymap: Keymap) -> Self {
        let mut lights = Lights::new();
        lights.want(false, true);
        Self {
            decoder: Decoder::new(set),
            layout: Layout::of(keymap),
            held: Modifiers::default(),
            is_caps_lock: false,
            is_num_lock: true,
            dead: None,
            lights,
            scancodes_ignored: 0,
        }
    }

    pub fn set_scancode_set(&mut self, set: ScancodeSet) {
        self.decoder = Decoder::new(set);
    }

    pub fn set_keymap(&mut self, keymap: Keymap) {
        self.layout = Layout::of(keymap);
    }

    pub fn scancodes_ignored(&self) -> u64 {
        self.scancodes_ignored
    }

    /// A byte for the keyboard, when there is one to send.
    pub fn take_command(&mut self) -> Option<u8> {
        self.lights.take_command()
    }

    /// The lights for a keyboard that takes them in one piece, once for each change.
    pub fn take_lights(&mut self) -> Option<KeyboardLights> {
        self.lights.take_all()
    }

    pub fn feed(&mut self, byte: u8) -> Option<Key> {
        match byte {
            ACKNOWLEDGE => self.lights.on_acknowledge(),
            RESEND => self.lights.on_resend(),
            _ if OVERRUN.contains(&byte) => {
                // A release may be among what was lost: better no modifier than one for ever.
                self.held = Modifiers::default();
                self.decoder.restart();
            }
            _ => return self.on_scancode(byte),
        }
        None
    }

    fn on_scancode(&mut self, byte: u8) -> Option<Key> {
        let event = match &mut self.decoder {
            Decoder::One(decoder) => decoder.advance_state(byte),
            Decoder::Two(decoder) => decoder.advance_state(byte),
        };
        let Ok(event) = event else {
            self.scancodes_ignored += 1;
            self.decoder.restart();
            return None;
        };
        let event = event?;
        let is_down = event.state != KeyState::Up;
        if self.on_modifier(event.code, is_down) || !is_down {
            return None;
        }
        self.on_press(event.code)
    }

    /// Says whether the key was one of those that change others.
    fn on_modifier(&mut self, key: KeyCode, is_down: bool) -> bool {
        let held = &mut self.held;
        match key {
            KeyCode::LShift => held.left_shift = is_down,
            KeyCode::RShift => held.right_shift = is_down,
            KeyCode::LControl => held.left_control = is_down,
            KeyCode::RControl => held.right_control = is_down,
            KeyCode::LAlt => held.left_alt = is_down,
            KeyCode::RAltGr => held.right_alt = is_down,
            KeyCode::RControl2 => held.pause_control = is_down,
            // Shifts that the keyboard itself puts around the movement keys.
            KeyCode::RAlt2 => {}
            KeyCode::CapsLock => {
                self.is_caps_lock ^= is_down && !held.caps_lock_key;
                held.caps_lock_key = is_down;
            }
            KeyCode::NumpadLock => {
                self.is_num_lock ^= is_down && !held.num_lock_key && !held.pause_control;
                held.num_lock_key = is_down;
            }
            KeyCode::PowerOnTestOk => {
                *held = Modifiers::default();
                self.lights.on_keyboard_reset();
            }
            _ => return false,
        }
        self.lights.want(self.is_caps_lock, self.is_num_lock);
        true
    }

    fn is_shift(&self) -> bool {
        self.held.left_shift || self.held.right_shift
    }

    fn is_control(&self) -> bool {
        self.held.left_control || self.held.right_control
    }

    fn is_alt_gr(&self) -> bool {
        self.held.right_alt && self.layout.has_alt_gr
    }

    fn is_alt(&self) -> bool {
        self.held.left_alt || (self.held.right_alt && !self.layout.has_alt_gr)
    }

    fn on_press(&mut self, key: KeyCode) -> Option<Key> {
        if let Some(character) = keypad_character(key, self.layout.keypad_decimal) {
            // As on every PC, Shift lends the keypad its other meaning.
            if self.is_num_lock && !self.is_shift() {
                return self.typed(character);
            }
            return keypad_movement(key).and_then(|movement| self.on_movement(movement, false));
        }
        if let Some(movement) = self.on_movement(key, self.is_shift()) {
            self.dead = None;
            return Some(movement);
        }
        let character = match key {
            KeyCode::Return | KeyCode::NumpadEnter => '\r',
            KeyCode::Tab if self.is_shift() => return Some(bytes("\x1b[Z")),
            KeyCode::Tab => '\t',
            KeyCode::Escape => ESCAPE,
            KeyCode::Backspace => DELETE,
            KeyCode::Spacebar => ' ',
            KeyCode::NumpadDivide => '/',
            KeyCode::NumpadMultiply => '*',
            KeyCode::NumpadSubtract => '-',
            KeyCode::NumpadAdd => '+',
            _ => return self.on_printing(key),
        };
        self.typed(character)
    }

    fn on_movement(&self, key: KeyCode, is_shift: bool) -> Option<Key> {
        match key {
            KeyCode::PageUp if is_shift => return Some(Key::ScrollBack),
            KeyCode::PageDown if is_shift => return Some(Key::ScrollForward),
            _ => {}
        }
        let spelling = spelling(key)?;
        // xterm's number for the modifiers: 1 and a bit each.
        let modifiers =
            1 + u8::from(is_shift) + 2 * u8::from(self.is_alt()) + 4 * u8::from(self.is_control());
        Some(bytes(&match (spelling, modifiers) {
            (Spelling::Letter(letter), 1) => sequence(format_args!("[{letter}")),
            (Spelling::Function(letter), 1) => sequence(format_args!("O{letter}")),
            (Spelling::Letter(letter) | Spelling::Function(letter), _) => {
                sequence(format_args!("[1;{modifiers}{letter}"))
            }
            (Spelling::Number(number), 1) => sequence(format_args!("[{number}~")),
            (Spelling::Number(number), _) => sequence(format_args!("[{number};{modifiers}~")),
        }))
    }

    fn on_printing(&mut self, key: KeyCode) -> Option<Key> {
        let shifts = Shifts {
            is_shift: self.is_shift(),
            is_alt_gr: self.is_alt_gr(),
            is_caps_lock: self.is_caps_lock,
        };
        let printed = self.layout.printed(key, shifts)?;
        let is_accent = printed.is_dead && self.dead.is_none() && !self.is_control();
        if is_accent {
            self.dead = Some(printed.character);
            return None;
        }
        self.typed(printed.character)
    }

    /// A character, with what Control, Alt and a dead key before it make of it.
    fn typed(&mut self, character: char) -> Option<Key> {
        let character = if self.is_control() {
            control(character)
        } else {
            character
        };
        let mut text = fixed::Text::<12>::new();
        if self.is_alt() && character != ESCAPE {
            push(&mut text, ESCAPE);
        }
        match self.dead.take() {
            None => push(&mut text, character),
            // These take the accent back.
            Some(_) if character == ESCAPE || character == DELETE => return None,
            Some(_) if character.is_control() => push(&mut text, character),
            Some(accent) if character == ' ' || character == accent => push(&mut text, accent),
            Some(accent) => match compose(accent, character) {
                Some(composed) => push(&mut text, composed),
                None => {
                    push(&mut text, accent);
                    push(&mut text, character);
                }
            },
        }
        Some(bytes(&text))
    }
}

impl Decoder {
    const fn new(set: ScancodeSet) -> Self {
        match set {
            ScancodeSet::One => Self::One(ScancodeSet1::new()),
            ScancodeSet::Two => Self::Two(ScancodeSet2::new()),
        }
    }

    /// Forgets the codes that have begun.
    fn restart(&mut self) {
        *self = match self {
            Self::One(_) => Self::new(ScancodeSet::One),
            Self::Two(_) => Self::new(ScancodeSet::Two),
        };
    }
}

/// What Control makes of a character, as terminals have it since the VT100.
fn control(character: char) -> char {
    match character {
        '@'..='_' | 'a'..='z' => char::from(character as u8 & 0x1f),
        ' ' => '\0',
        '/' => '\x1f',
        '?' => DELETE,
        DELETE => '\x08',
        _ => character,
    }
}

fn sequence(rest: fmt::Arguments<'_>) -> fixed::Text<12> {
    fixed::Text::format(format_args!("{ESCAPE}{rest}"))
}

fn push(text: &mut fixed::Text<12>, character: char) {
    text.push_cut(character.encode_utf8(&mut [0; 4]));
}

fn bytes(text: &str) -> Key {
    let mut bytes = KeyBytes::new();
    let taken = bytes.extend_from_slice(text.as_bytes());
    crate::invariant!(taken.is_ok(), "a key of {} bytes", text.len());
    Key::Bytes(bytes)
}
