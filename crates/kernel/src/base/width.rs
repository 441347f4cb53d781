//! How many cells of a screen a character takes, for whoever draws and for whoever measures.

use unicode_width::UnicodeWidthChar;

/// 0 for what joins the character before it, 2 for wide ones; 0 for control characters.
pub fn char_cells(character: char) -> usize {
    if matches!(character, ' '..='~') {
        return 1;
    }
    character.width().unwrap_or(0)
}

pub fn text_cells(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
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
    }
}
