//! The text of a line, the cursor in it, and what was last cut out of it.
//!
//! A *cluster* is a character with the zero-width ones that join it; the cursor stands
//! between clusters, and editing takes whole ones. No line begins with a joining character.

use crate::base::fixed::{Full, Text};
use crate::base::width::char_cells;
use crate::limits::LINE_MAX;
use core::ops::Range;

/// Clusters that are longer cannot change places.
const SWAPPED_BYTES_MAX: usize = 64;

#[derive(Debug, Default)]
pub struct Buffer {
    text: Text<LINE_MAX>,
    cursor: usize,
    cut: Text<LINE_MAX>,
    /// Nothing happened since the last cut: the next one adds to it.
    is_cutting: bool,
}

/// In which direction something is removed or the cursor moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Towards {
    Start,
    End,
}

/// How far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    Cluster,
    /// Letters and digits.
    Word,
    /// Everything up to a blank.
    Chunk,
    All,
}

impl Buffer {
    pub const fn new() -> Self {
        Self {
            text: Text::new(),
            cursor: 0,
            cut: Text::new(),
            is_cutting: false,
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    pub fn after_cursor(&self) -> &str {
        &self.text[self.cursor..]
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces the whole line; the cursor goes to its end.
    pub fn set(&mut self, text: &str) {
        self.text.set_cut(text);
        self.cursor = self.text.len();
        self.is_cutting = false;
    }

    /// Puts the cursor before the cluster that holds byte `at`.
    pub fn set_cursor(&mut self, at: usize) {
        let mut edge = 0;
        while edge < at {
            let next = self.edge_after(edge);
            if next > at {
                break;
            }
            edge = next;
        }
        self.cursor = edge;
        self.is_cutting = false;
    }

    /// `Full` also for a character that would join nothing.
    pub fn insert(&mut self, text: &str) -> Result<(), Full> {
        let joins = text.chars().next().is_some_and(|c| char_cells(c) == 0);
        if joins && self.cursor == 0 {
            return Err(Full);
        }
        self.is_cutting = false;
        self.text.insert_str(self.cursor, text)?;
        self.cursor += text.len();
        Ok(())
    }

    pub fn insert_char(&mut self, character: char) -> Result<(), Full> {
        self.insert(character.encode_utf8(&mut [0; 4]))
    }

    /// Puts `text` where the bytes of `range` before the cursor are; all of it or nothing.
    pub fn replace(&mut self, range: Range<usize>, text: &str) -> Result<(), Full> {
        if self.text.len() - range.len() + text.len() > LINE_MAX {
            return Err(Full);
        }
        self.cursor = range.start;
        self.text.remove_range(range);
        self.insert(text)
    }

    /// Says whether the cursor moved.
    pub fn go(&mut self, towards: Towards, reach: Reach) -> bool {
        let target = self.target(towards, reach);
        let has_moved = target != self.cursor;
        self.cursor = target;
        self.is_cutting = false;
        has_moved
    }

    /// Says whether there was something to remove.
    pub fn remove(&mut self, towards: Towards, reach: Reach) -> bool {
        let range = self.range(towards, reach);
        self.cursor = range.start;
        self.is_cutting = false;
        self.text.remove_range(range.clone());
        !range.is_empty()
    }

    /// Removes and keeps for `paste`; cuts in a row are kept as the one text they were.
    pub fn cut(&mut self, towards: Towards, reach: Reach) -> bool {
        if !self.is_cutting {
            self.cut.clear();
        }
        self.is_cutting = true;
        let range = self.range(towards, reach);
        let at = match towards {
            Towards::Start => 0,
            Towards::End => self.cut.len(),
        };
        let kept = self.cut.insert_str(at, &self.text[range.clone()]);
        crate::invariant!(kept.is_ok(), "more was cut out of a line than it had");
        self.cursor = range.start;
        self.text.remove_range(range.clone());
        !range.is_empty()
    }

    pub fn paste(&mut self) -> Result<(), Full> {
        self.is_cutting = false;
        self.text.insert_str(self.cursor, &self.cut)?;
        self.cursor += self.cut.len();
        Ok(())
    }

    /// Exchanges the clusters around the cursor, or the last two; says whether it did.
    pub fn swap(&mut self) -> bool {
        self.is_cutting = false;
        let second_start = match self.cursor == self.text.len() {
            true => self.edge_before(self.cursor),
            false => self.cursor,
        };
        let first_start = self.edge_before(second_start);
        let second_end = self.edge_after(second_start);
        let mut second: Text<SWAPPED_BYTES_MAX> = Text::new();
        let is_short = second
            .push_str(&self.text[second_start..second_end])
            .is_ok();
        if first_start == second_start || !is_short {
            return false;
        }
        self.text.remove_range(second_start..second_end);
        let put_back = self.text.insert_str(first_start, &second);
        crate::invariant!(put_back.is_ok(), "a line grew by a swap");
        self.cursor = second_end;
        true
    }

    fn range(&self, towards: Towards, reach: Reach) -> Range<usize> {
        let target = self.target(towards, reach);
        self.cursor.min(target)..self.cursor.max(target)
    }

    fn target(&self, towards: Towards, reach: Reach) -> usize {
        let step = |at| match towards {
            Towards::Start => self.edge_before(at),
            Towards::End => self.edge_after(at),
        };
        let is_in_word = |c: char| match reach {
            Reach::Word => c.is_alphanumeric(),
            _ => c != ' ',
        };
        match (reach, towards) {
            (Reach::Cluster, _) => step(self.cursor),
            (Reach::All, Towards::Start) => 0,
            (Reach::All, Towards::End) => self.text.len(),
            (Reach::Word | Reach::Chunk, _) => {
                // First what is between words, then the word.
                let mut at = self.skip(self.cursor, step, |c| !is_in_word(c));
                at = self.skip(at, step, is_in_word);
                at
            }
        }
    }

    /// Goes over clusters while their first characters are `passed`.
    fn skip(
        &self,
        mut at: usize,
        step: impl Fn(usize) -> usize,
        passed: impl Fn(char) -> bool,
    ) -> usize {
        loop {
            let next = step(at);
            let first = self.text[at.min(next)..].chars().next();
            if next == at || !first.is_some_and(&passed) {
                return at;
            }
            at = next;
        }
    }

    fn edge_after(&self, at: usize) -> usize {
        let mut characters = self.text[at..].char_indices().skip(1);
        characters
            .find(|(_, character)| char_cells(*character) > 0)
            .map_or(self.text.len(), |(offset, _)| at + offset)
    }

    fn edge_before(&self, at: usize) -> usize {
        let mut characters = self.text[..at].char_indices().rev();
        characters
            .find(|(_, character)| char_cells(*character) > 0)
            .map_or(0, |(offset, _)| offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(before: &str, after: &str) -> Buffer {
        let mut buffer = Buffer::new();
        buffer.set(&[before, after].concat());
        buffer.set_cursor(before.len());
        buffer
    }

    fn state(buffer: &Buffer) -> (&str, &str) {
        (buffer.before_cursor(), buffer.after_cursor())
    }

    #[test]
    fn the_cursor_steps_over_clusters_words_and_chunks() {
        use Reach::*;
        use Towards::*;
        let cases = [
            (("ab", "c"), Start, Cluster, ("a", "bc")),
            (("ae\u{301}", "c"), Start, Cluster, ("a", "e\u{301}c")),
            (("a", "日\u{200d}x"), End, Cluster, ("a日\u{200d}", "x")),
            (("", ""), Start, Cluster, ("", "")),
            (("a-b c-d ", "e"), Start, Word, ("a-b c-", "d e")),
            (("a-b c-d ", "e"), Start, Chunk, ("a-b ", "c-d e")),
            (("", " a1-b"), End, Word, (" a1", "-b")),
            (("", " e\u{301}e b"), End, Word, (" e\u{301}e", " b")),
            (("ab", "cd"), Start, All, ("", "abcd")),
            (("ab", "cd"), End, All, ("abcd", "")),
        ];
        for ((before, after), towards, reach, expected) in cases {
            let mut buffer = buffer(before, after);
            buffer.go(towards, reach);
            assert_eq!(state(&buffer), expected, "{before:?} {after:?} {reach:?}");
        }
    }

    #[test]
    fn cuts_in_a_row_come_back_as_one_text() {
        let mut buffer = buffer("one two three", " four");
        buffer.cut(Towards::Start, Reach::Chunk);
        buffer.cut(Towards::Start, Reach::Chunk);
        buffer.cut(Towards::End, Reach::All);
        assert_eq!(state(&buffer), ("one ", ""));
        assert_eq!(buffer.paste(), Ok(()));
        assert_eq!(state(&buffer), ("one two three four", ""));
        buffer.cut(Towards::Start, Reach::Word);
        assert_eq!(buffer.paste(), Ok(()));
        assert_eq!(state(&buffer), ("one two three four", ""));
    }

    #[test]
    fn neighbours_change_places() {
        for (line, expected) in [
            (("ab", ""), Some(("ba", ""))),
            (("a", "bc"), Some(("ba", "c"))),
            (("e\u{301}", "日"), Some(("日e\u{301}", ""))),
            (("", "ab"), None),
            (("a", ""), None),
            (("", ""), None),
        ] {
            let mut buffer = buffer(line.0, line.1);
            assert_eq!(buffer.swap(), expected.is_some(), "{line:?}");
            assert_eq!(state(&buffer), expected.unwrap_or(line));
        }
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut buffer = buffer(&"x".repeat(LINE_MAX - 1), "");
        assert_eq!(buffer.insert("é"), Err(Full));
        assert_eq!(buffer.replace(0..1, "abc"), Err(Full));
        assert_eq!(buffer.insert_char('y'), Ok(()));
        assert_eq!(buffer.text().len(), LINE_MAX);
        buffer.go(Towards::Start, Reach::All);
        assert_eq!(buffer.insert_char('\u{301}'), Err(Full));
    }
}
