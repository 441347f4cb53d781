//! How many cells of a screen a character takes, for drawing and measuring.

use unicode_width::UnicodeWidthChar;

/// 0 for what joins the character before it, 2 for wide ones; 0 for control characters.
pub fn char_cells(character: char) -> usize {
    match character {
        ' '..='~' | '\u{ae}'..='\u{2ff}' | char::REPLACEMENT_CHARACTER => 1,
        // A sign of Khmer that stands for three: the crate counts them, terminals draw one cell.
        '\u{17d8}' => 1,
        _ => character.width().unwrap_or(0),
    }
}

pub fn text_cells(text: &str) -> usize {
    if text.is_ascii() {
        return text.bytes().filter(|b| matches!(b, b' '..=b'~')).count();
    }
    text.chars().map(char_cells).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_measured_as_terminals_draw_them() {
        let cases = [
            ('a', 1),
            ('é', 1),
            ('\u{301}', 0),
            ('\u{200d}', 0),
            ('日', 2),
            ('😀', 2),
            ('\u{fffd}', 1),
            ('\x07', 0),
        ];
        for (character, cells) in cases {
            assert_eq!(char_cells(character), cells, "{character:?}");
        }
        assert_eq!(text_cells("e\u{301} 日"), 4);
        let mut short_cut = ('\u{ae}'..='\u{2ff}').chain([char::REPLACEMENT_CHARACTER]);
        assert!(short_cut.all(|character| character.width() == Some(1)));
        assert!(('\0'..=char::MAX).all(|character| char_cells(character) <= 2));
    }
}
