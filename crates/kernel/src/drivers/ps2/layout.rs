//! What is printed on the keys: us, de and fr, three characters a key.
//!
//! The rows hold the characters of the 48 keys that print, in the order of
//! `position`; a blank means that the key has no such character.

use crate::base::config::Keymap;
use pc_keyboard::KeyCode;

/// Rows of a layout.
const PLAIN: usize = 0;
const SHIFT: usize = 1;
const ALT_GR: usize = 2;

/// What is held or locked while a key is pressed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Shifts {
    pub is_shift: bool,
    pub is_alt_gr: bool,
    pub is_caps_lock: bool,
}

pub struct Layout {
    levels: [&'static str; 3],
    /// For each level the characters that wait for a letter.
    dead: [&'static str; 3],
    /// The right Alt key chooses characters; otherwise it is an Alt key.
    pub has_alt_gr: bool,
    /// What the keypad's decimal key prints.
    pub keypad_decimal: char,
}

/// One key's character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Printed {
    pub character: char,
    pub is_dead: bool,
}

impl Layout {
    pub fn of(keymap: Keymap) -> &'static Self {
        match keymap {
            Keymap::Us => &US,
            Keymap::De => &DE,
            Keymap::Fr => &FR,
        }
    }

    /// What the key prints; `None` for keys that print nothing.
    pub fn printed(&self, key: KeyCode, shifts: Shifts) -> Option<Printed> {
        let position = position(key)?;
        // A key without a character for AltGr prints as if AltGr were up.
        if shifts.is_alt_gr
            && let Some(printed) = self.at(position, ALT_GR)
        {
            return Some(printed);
        }
        let plain = self.at(position, PLAIN);
        let shifted = self.at(position, SHIFT);
        let unlocked = if shifts.is_shift { shifted } else { plain };
        let capital = plain.and_then(|plain| capital_of(plain.character));
        let Some(capital) = capital.filter(|_| shifts.is_caps_lock) else {
            return unlocked;
        };
        if !shifts.is_shift {
            Some(Printed {
                character: capital,
                is_dead: false,
            })
        } else if shifted.map(|printed| printed.character) == Some(capital) {
            plain
        } else {
            shifted
        }
    }

    fn at(&self, position: usize, level: usize) -> Option<Printed> {
        let character = self.levels[level].chars().nth(position)?;
        (character != ' ').then(|| Printed {
            character,
            is_dead: self.dead[level].chars().any(|dead| dead == character),
        })
    }
}

/// The capital that Caps Lock makes of a letter (one that is a single character: not of ß).
fn capital_of(character: char) -> Option<char> {
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(capital), None) if capital != character => Some(capital),
        _ => None,
    }
}

/// The key's place in the rows of a layout: from left to right, from top to bottom.
fn position(key: KeyCode) -> Option<usize> {
    use KeyCode::*;
    #[rustfmt::skip]
    const ORDER: [KeyCode; 48] = [
        Oem8, Key1, Key2, Key3, Key4, Key5, Key6, Key7, Key8, Key9, Key0, OemMinus, OemPlus,
        Q, W, E, R, T, Y, U, I, O, P, Oem4, Oem6,
        A, S, D, F, G, H, J, K, L, Oem1, Oem3, Oem7,
        Oem5, Z, X, C, V, B, N, M, OemComma, OemPeriod, Oem2,
    ];
    ORDER.iter().position(|&other| other == key)
}

static US: Layout = Layout {
    levels: [
        concat!(
            "`1234567890-=",
            "qwertyuiop[]",
            "asdfghjkl;'\\",
            "<zxcvbnm,./"
        ),
        concat!(
            "~!@#$%^&*()_+",
            "QWERTYUIOP{}",
            "ASDFGHJKL:\"|",
            ">ZXCVBNM<>?"
        ),
        "",
    ],
    dead: ["", "", ""],
    has_alt_gr: false,
    keypad_decimal: '.',
};

static DE: Layout = Layout {
    levels: [
        concat!(
            "^1234567890ß´",
            "qwertzuiopü+",
            "asdfghjklöä#",
            "<yxcvbnm,.-"
        ),
        concat!(
            "°!\"§$%&/()=?`",
            "QWERTZUIOPÜ*",
            "ASDFGHJKLÖÄ'",
            ">YXCVBNM;:_"
        ),
        concat!(
            "  ²³   {[]}\\ ",
            "@ €        ~",
            "            ",
            "|      µ   "
        ),
    ],
    dead: ["^´", "`", ""],
    has_alt_gr: true,
    keypad_decimal: ',',
};

static FR: Layout = Layout {
    levels: [
        concat!(
            "²&é\"'(-è_çà)=",
            "azertyuiop^$",
            "qsdfghjklmù*",
            "<wxcvbn,;:!"
        ),
        concat!(
            " 1234567890°+",
            "AZERTYUIOP¨£",
            "QSDFGHJKLM%µ",
            ">WXCVBN?./§"
        ),
        concat!(
            "  ~#{[|`\\^@]}",
            "  €        ¤",
            "            ",
            "           "
        ),
    ],
    dead: ["^", "¨", ""],
    has_alt_gr: true,
    keypad_decimal: '.',
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_character_for_each_key() {
        for layout in [&US, &DE, &FR] {
            for level in layout.levels.iter().filter(|level| !level.is_empty()) {
                assert_eq!(level.chars().count(), 48, "{level}");
            }
        }
    }

    #[test]
    fn all_of_ascii_can_be_typed_on_every_layout() {
        for layout in [&US, &DE, &FR] {
            for character in '!'..='~' {
                let is_dead_somewhere = layout.dead.concat().contains(character);
                let is_printed = layout.levels.concat().contains(character);
                assert!(is_printed || is_dead_somewhere, "{character}");
            }
        }
    }

    #[test]
    fn caps_lock_makes_capitals_of_letters_only() {
        let printed = |layout: &Layout, key, is_shift| {
            let shifts = Shifts {
                is_shift,
                is_caps_lock: true,
                ..Shifts::default()
            };
            layout.printed(key, shifts).map(|printed| printed.character)
        };
        assert_eq!(printed(&DE, KeyCode::Oem1, false), Some('Ö'));
        assert_eq!(printed(&DE, KeyCode::Oem1, true), Some('ö'));
        assert_eq!(printed(&DE, KeyCode::OemMinus, false), Some('ß'));
        assert_eq!(printed(&FR, KeyCode::Key2, false), Some('É'));
        assert_eq!(printed(&FR, KeyCode::Key2, true), Some('2'));
        assert_eq!(printed(&US, KeyCode::Key1, false), Some('1'));
    }
}
