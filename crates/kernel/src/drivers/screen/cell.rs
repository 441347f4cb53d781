//! One place of the screen: a character and how it looks, in 32 bits.

use super::palette::{BACKGROUND, Colour, FOREGROUND};

/// How characters look that are written from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    pub foreground: Colour,
    pub background: Colour,
    pub is_bold: bool,
    pub is_underlined: bool,
    pub is_inverse: bool,
}

impl Style {
    pub const PLAIN: Self = Self {
        foreground: FOREGROUND,
        background: BACKGROUND,
        is_bold: false,
        is_underlined: false,
        is_inverse: false,
    };
}

/// Bits 0-20 the character, 21-24 its colour, 25-28 the colour behind it, 29 bold, 30 underlined, 31 under the cursor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell(u32);

const CHARACTER: u32 = (1 << 21) - 1;
const FOREGROUND_SHIFT: u32 = 21;
const BACKGROUND_SHIFT: u32 = 25;
const BOLD: u32 = 1 << 29;
const UNDERLINED: u32 = 1 << 30;
const CURSOR: u32 = 1 << 31;

impl Cell {
    /// Differs from every cell with a character in it: nothing has been painted yet.
    pub const UNPAINTED: Self = Self(u32::MAX);

    pub fn new(character: char, style: Style) -> Self {
        let (front, behind) = if style.is_inverse {
            (style.background, style.foreground)
        } else {
            (style.foreground, style.background)
        };
        let mut bits = character as u32
            | u32::from(front & 15) << FOREGROUND_SHIFT
            | u32::from(behind & 15) << BACKGROUND_SHIFT;
        if style.is_bold {
            bits |= BOLD;
        }
        if style.is_underlined {
            bits |= UNDERLINED;
        }
        Self(bits)
    }

    /// What erasing leaves behind: the colour behind the text, and nothing else.
    pub fn blank(style: Style) -> Self {
        Self::new(
            ' ',
            Style {
                foreground: FOREGROUND,
                is_bold: false,
                is_underlined: false,
                is_inverse: false,
                ..style
            },
        )
    }

    /// Would nobody see that it is there?
    pub const fn is_blank(self) -> bool {
        let is_plain = self.0 & (UNDERLINED | CURSOR) == 0;
        let behind = (self.0 >> BACKGROUND_SHIFT) as Colour & 15;
        is_plain && behind == BACKGROUND && self.0 & CHARACTER == ' ' as u32
    }

    pub fn under_cursor(self) -> Self {
        Self(self.0 | CURSOR)
    }

    pub fn character(self) -> char {
        char::from_u32(self.0 & CHARACTER).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    pub fn foreground(self) -> Colour {
        (self.0 >> FOREGROUND_SHIFT) as Colour & 15
    }

    pub fn background(self) -> Colour {
        (self.0 >> BACKGROUND_SHIFT) as Colour & 15
    }

    pub fn is_bold(self) -> bool {
        self.0 & BOLD != 0
    }

    pub fn is_underlined(self) -> bool {
        self.0 & UNDERLINED != 0
    }

    pub fn is_under_cursor(self) -> bool {
        self.0 & CURSOR != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_gives_back_what_was_put_in() {
        let style = Style {
            foreground: 9,
            background: 4,
            is_bold: true,
            is_underlined: false,
            is_inverse: true,
        };
        let cell = Cell::new(char::MAX, style).under_cursor();
        assert_eq!(cell.character(), char::MAX);
        assert_eq!((cell.foreground(), cell.background()), (4, 9));
        assert!(cell.is_bold() && cell.is_under_cursor() && !cell.is_underlined());
        assert_ne!(cell, Cell::UNPAINTED);
    }
}
