//! Linux key codes as scan codes of set 1, for which the layouts are.
//!
//! Up to F12 both count the keys of the AT keyboard; the others follow a table.

use crate::base::fixed::Vec;

/// Codes of one key's event.
pub type Scancodes = Vec<u8, 2>;

/// The last key that has the same number in both.
const LAST_SAME: u16 = 88;
/// 84 is not given, 85 is a key of Japanese keyboards.
const NOT_ON_THE_BOARD: [u16; 3] = [0, 84, 85];
const EXTENDED: u8 = 0xe0;
const RELEASED: u8 = 0x80;

/// Keys that set 1 puts behind 0xe0.
const BEHIND_PREFIX: [(u16, u8); 17] = [
    (96, 0x1c),  // Enter of the keypad
    (97, 0x1d),  // right Control
    (98, 0x35),  // slash of the keypad
    (100, 0x38), // right Alt
    (102, 0x47), // Home
    (103, 0x48), // up
    (104, 0x49), // Page Up
    (105, 0x4b), // left
    (106, 0x4d), // right
    (107, 0x4f), // End
    (108, 0x50), // down
    (109, 0x51), // Page Down
    (110, 0x52), // Insert
    (111, 0x53), // Delete
    (125, 0x5b), // left logo
    (126, 0x5c), // right logo
    (127, 0x5d), // menu
];

/// What a keyboard of the AT sends for the key; empty for keys that it has not.
pub fn scancodes(key: u16, is_down: bool) -> Scancodes {
    let released = if is_down { 0 } else { RELEASED };
    let mut codes = Scancodes::new();
    let found = BEHIND_PREFIX.iter().find(|(code, _)| *code == key);
    let bytes: &[u8] = match (key, found) {
        (_, Some((_, code))) => &[EXTENDED, code | released],
        (..=LAST_SAME, None) if !NOT_ON_THE_BOARD.contains(&key) => &[key as u8 | released],
        _ => &[],
    };
    // Two bytes at most, as there is room for.
    let _ = codes.extend_from_slice(bytes);
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Keymap;
    use crate::drivers::ps2::{Key, Keyboard, ScancodeSet};

    fn typed(keys: &[(u16, bool)]) -> std::string::String {
        let mut keyboard = Keyboard::new(ScancodeSet::One, Keymap::Us);
        let mut text = std::vec::Vec::new();
        for &(key, is_down) in keys {
            for &code in &scancodes(key, is_down) {
                if let Some(Key::Bytes(bytes)) = keyboard.feed(code) {
                    text.extend_from_slice(&bytes);
                }
            }
        }
        std::string::String::from_utf8(text).unwrap()
    }

    #[test]
    fn keys_type_what_stands_on_them() {
        // KEY_LEFTSHIFT 42, KEY_H 35, KEY_I 23, KEY_ENTER 28, KEY_UP 103, KEY_DELETE 111.
        let keys = [
            (42, true),
            (35, true),
            (35, false),
            (42, false),
            (23, true),
            (28, true),
        ];
        assert_eq!(typed(&keys), "Hi\r");
        assert_eq!(typed(&[(103, true), (111, true)]), "\x1b[A\x1b[3~");
        assert_eq!(
            typed(&[(97, true), (46, true), (97, false), (46, true)]),
            "\x03c"
        );
    }

    #[test]
    fn no_key_code_disturbs_the_keyboard() {
        let mut keyboard = Keyboard::new(ScancodeSet::One, Keymap::Us);
        for key in 0..=u16::MAX {
            for is_down in [true, false] {
                for &code in &scancodes(key, is_down) {
                    keyboard.feed(code);
                }
            }
        }
        assert_eq!(keyboard.scancodes_ignored(), 0);
    }
}
