//! One row of a terminal: a prompt and the part of a line around the cursor.
//!
//! A longer line scrolls sideways, with `<` and `>` where it goes on. Only what changed is
//! written again. The last column stays empty: terminals disagree about what happens there.
//! Invariants: the cursor's cell is in the row; what `shown` says is what the terminal shows.

use super::pen::{ERASE_BYTES, MOVE_BYTES_MAX, Pen};
use crate::base::fixed::Text;
use crate::base::width::{char_cells, text_cells};
use crate::limits::{LINE_MAX, PROMPT_MAX};
use core::ops::Range;

/// What a terminal has that does not say how wide it is.
pub const COLUMNS_ASSUMED: u16 = 80;
/// Narrower ones are treated as this wide: something must fit.
pub const COLUMNS_MIN: u16 = 12;

/// Cells that a line has at least; a prompt that leaves fewer is not shown.
const LINE_CELLS_MIN: usize = 8;

const ROW_BYTES_MAX: usize = PROMPT_MAX + LINE_MAX + "<>".len();

/// The most that one `show` writes.
pub const SHOW_BYTES_MAX: usize =
    "\r".len() + ERASE_BYTES + MOVE_BYTES_MAX + ROW_BYTES_MAX + ERASE_BYTES + MOVE_BYTES_MAX;

#[derive(Debug)]
pub struct Display {
    columns: u16,
    /// What the terminal's row has in it, as far as the editor wrote it.
    shown: Row,
    /// The terminal's row has something in it that others wrote.
    is_disturbed: bool,
    /// The byte of the line with which its shown part begins.
    window_start: usize,
}

#[derive(Debug)]
struct Row {
    text: Text<ROW_BYTES_MAX>,
    cells: usize,
    cursor: usize,
}

impl Row {
    const EMPTY: Self = Self {
        text: Text::new(),
        cells: 0,
        cursor: 0,
    };
}

impl Display {
    pub const fn new() -> Self {
        Self {
            columns: COLUMNS_ASSUMED,
            shown: Row::EMPTY,
            is_disturbed: false,
            window_start: 0,
        }
    }

    pub fn set_columns(&mut self, columns: Option<u16>) {
        self.columns = columns.unwrap_or(COLUMNS_ASSUMED).max(COLUMNS_MIN);
    }

    pub fn columns(&self) -> usize {
        self.columns.into()
    }

    /// The cursor is on a new empty row.
    pub fn on_new_row(&mut self) {
        self.shown = Row::EMPTY;
        self.is_disturbed = false;
        self.window_start = 0;
    }

    /// The row may hold anything; the next `show` writes all of it.
    pub fn on_disturbed(&mut self) {
        self.is_disturbed = true;
    }

    /// Empties the row, so that others can write there.
    pub fn hide(&mut self, pen: &mut Pen<'_>) {
        if self.is_disturbed || !self.shown.text.is_empty() {
            pen.text("\r");
            pen.erase_rest_of_row();
            self.shown = Row::EMPTY;
            self.is_disturbed = false;
        }
    }

    /// Moves behind the line, for what is written there at its end.
    pub fn go_to_end(&mut self, pen: &mut Pen<'_>) {
        pen.go(self.shown.cursor, self.shown.cells);
        self.shown.cursor = self.shown.cells;
    }

    pub fn show(&mut self, prompt: &str, line: &str, cursor: usize, pen: &mut Pen<'_>) {
        let row = self.lay_out(prompt, line, cursor);
        if self.is_disturbed {
            self.hide(pen);
        }
        let old = &self.shown;
        let same = same_start(&old.text, &row.text);
        let changed = &row.text[same..];
        if changed.is_empty() && old.text.len() == same {
            pen.go(old.cursor, row.cursor);
        } else {
            pen.go(old.cursor, row.cells - text_cells(changed));
            pen.text(changed);
            if row.cells < old.cells {
                pen.erase_rest_of_row();
            }
            pen.go(row.cells, row.cursor);
        }
        self.shown = row;
    }

    fn lay_out(&mut self, prompt: &str, line: &str, cursor: usize) -> Row {
        // The last column is left alone.
        let width = self.columns() - 1;
        let mut prompt_cells = text_cells(prompt);
        let mut text = Text::new();
        if prompt_cells + LINE_CELLS_MIN > width {
            prompt_cells = 0;
        } else {
            add(&mut text, prompt);
        }
        let (window, mut cells) = self.window(line, cursor, width - prompt_cells);
        cells += prompt_cells;
        let mut cursor_cell = prompt_cells + text_cells(&line[window.start..cursor]);
        if window.start > 0 {
            add(&mut text, "<");
            cells += 1;
            cursor_cell += 1;
        }
        add(&mut text, &line[window.clone()]);
        if window.end < line.len() {
            add(&mut text, ">");
            cells += 1;
        }
        Row {
            text,
            cells,
            cursor: cursor_cell,
        }
    }

    /// The part of the line that is shown, and its cells; it stays where it was while the
    /// cursor is in it.
    fn window(&mut self, line: &str, cursor: usize, room: usize) -> (Range<usize>, usize) {
        let (bytes, cells) = fitting(line, room);
        if bytes == line.len() {
            self.window_start = 0;
            return (0..bytes, cells);
        }
        if !self.has_in_window(line, cursor, room) {
            self.window_start = go_back(line, cursor, room / 2);
        }
        let start = self.window_start;
        let room = room - usize::from(start > 0);
        let (mut bytes, mut cells) = fitting(&line[start..], room);
        if start + bytes < line.len() {
            (bytes, cells) = fitting(&line[start..], room - 1);
        }
        (start..start + bytes, cells)
    }

    fn has_in_window(&self, line: &str, cursor: usize, cells: usize) -> bool {
        let start = self.window_start;
        if start == 0 {
            return cursor <= fitting(line, cells - 1).0;
        }
        let is_edge = start < cursor
            && line.is_char_boundary(start)
            && line[start..]
                .chars()
                .next()
                .is_some_and(|c| char_cells(c) > 0);
        is_edge && cursor - start <= fitting(&line[start..], cells - 2).0
    }
}

fn add(text: &mut Text<ROW_BYTES_MAX>, part: &str) {
    let added = text.push_str(part);
    crate::invariant!(
        added.is_ok(),
        "a row is longer than its prompt and its line"
    );
}

/// Bytes and cells of the longest beginning of `text` that takes at most `room` cells, with
/// all that joins its last character.
fn fitting(text: &str, room: usize) -> (usize, usize) {
    // With one more byte, to see that nothing joins the last character.
    if text.as_bytes()[..text.len().min(room + 1)].is_ascii() {
        let count = text.len().min(room);
        return (count, count);
    }
    let mut used = 0;
    for (at, character) in text.char_indices() {
        let cells = char_cells(character);
        if used + cells > room {
            return (at, used);
        }
        used += cells;
    }
    (text.len(), used)
}

/// Where the characters begin that end at `from` and take at most `cells`.
fn go_back(text: &str, from: usize, cells: usize) -> usize {
    let mut used = 0;
    let mut start = from;
    for (at, character) in text[..from].char_indices().rev() {
        let width = char_cells(character);
        used += width;
        if used > cells {
            break;
        }
        if width > 0 {
            start = at;
        }
    }
    start
}

/// Bytes that both texts begin with, up to where in neither something joins what is before.
fn same_start(old: &str, new: &str) -> usize {
    let same = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b);
    let mut same = same.count();
    let joins = |text: &str, at: usize| {
        !text.is_char_boundary(at)
            || text[at..]
                .chars()
                .next()
                .is_some_and(|c| char_cells(c) == 0)
    };
    while same > 0 && (joins(old, same) || joins(new, same)) {
        same -= 1;
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written_again() {
        for (old, new, same) in [
            ("", "abc", 0),
            ("abc", "abcd", 3),
            ("abc", "ab", 2),
            ("aéc", "aèc", 1),
            ("ae", "ae\u{301}", 1),
            ("ae\u{301}", "ae", 1),
            ("e\u{301}\u{302}", "e\u{301}\u{303}", 0),
        ] {
            assert_eq!(same_start(old, new), same, "{old:?} {new:?}");
        }
    }

    #[test]
    fn a_wide_character_is_not_cut_in_two() {
        assert_eq!(fitting("日本", 3), (3, 2));
        assert_eq!(fitting("日本", 4), (6, 4));
        assert_eq!(fitting("ae\u{301}b", 2), (4, 2));
        assert_eq!(go_back("ab日", 5, 3), 1);
        assert_eq!(go_back("ae\u{301}b", 5, 2), 1);
    }
}
