//! Keys that print nothing, as the bytes that xterm sends for them.

use pc_keyboard::KeyCode;

/// How a key's sequence is spelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spelling {
    /// ESC [ letter, and with modifiers ESC [ 1 ; n letter.
    Letter(char),
    /// ESC O letter, and with modifiers ESC [ 1 ; n letter.
    Function(char),
    /// ESC [ number ~, and with modifiers ESC [ number ; n ~.
    Number(u8),
}

pub fn spelling(key: KeyCode) -> Option<Spelling> {
    use Spelling::{Function, Letter, Number};
    Some(match key {
        KeyCode::ArrowUp => Letter('A'),
        KeyCode::ArrowDown => Letter('B'),
        KeyCode::ArrowRight => Letter('C'),
        KeyCode::ArrowLeft => Letter('D'),
        KeyCode::Home => Letter('H'),
        KeyCode::End => Letter('F'),
        KeyCode::Insert => Number(2),
        KeyCode::Delete => Number(3),
        KeyCode::PageUp => Number(5),
        KeyCode::PageDown => Number(6),
        KeyCode::F1 => Function('P'),
        KeyCode::F2 => Function('Q'),
        KeyCode::F3 => Function('R'),
        KeyCode::F4 => Function('S'),
        KeyCode::F5 => Number(15),
        KeyCode::F6 => Number(17),
        KeyCode::F7 => Number(18),
        KeyCode::F8 => Number(19),
        KeyCode::F9 => Number(20),
        KeyCode::F10 => Number(21),
        KeyCode::F11 => Number(23),
        KeyCode::F12 => Number(24),
        _ => return None,
    })
}

/// What a key of the keypad is while Num Lock is off.
pub fn keypad_movement(key: KeyCode) -> Option<KeyCode> {
    Some(match key {
        KeyCode::Numpad0 => KeyCode::Insert,
        KeyCode::Numpad1 => KeyCode::End,
        KeyCode::Numpad2 => KeyCode::ArrowDown,
        KeyCode::Numpad3 => KeyCode::PageDown,
        KeyCode::Numpad4 => KeyCode::ArrowLeft,
        KeyCode::Numpad6 => KeyCode::ArrowRight,
        KeyCode::Numpad7 => KeyCode::Home,
        KeyCode::Numpad8 => KeyCode::ArrowUp,
        KeyCode::Numpad9 => KeyCode::PageUp,
        KeyCode::NumpadPeriod => KeyCode::Delete,
        _ => return None,
    })
}

/// What a key of the keypad prints while Num Lock is on.
pub fn keypad_character(key: KeyCode, decimal: char) -> Option<char> {
    Some(match key {
        KeyCode::Numpad0 => '0',
        KeyCode::Numpad1 => '1',
        KeyCode::Numpad2 => '2',
        KeyCode::Numpad3 => '3',
        KeyCode::Numpad4 => '4',
        KeyCode::Numpad5 => '5',
        KeyCode::Numpad6 => '6',
        KeyCode::Numpad7 => '7',
        KeyCode::Numpad8 => '8',
        KeyCode::Numpad9 => '9',
        KeyCode::NumpadPeriod => decimal,
        _ => return None,
    })
}
