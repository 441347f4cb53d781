//! A terminal: bytes in, cells out (a subset of the VT100 and its heirs).
//!
//! Understood: characters in UTF-8, CR, LF, BS, TAB; CSI A B C D E F G d H f J K
//! m s u, `?25h` and `?25l`; ESC 7, 8, D, E, c. All else is swallowed. LF also
//! returns to the first column, since nobody stands between the kernel and its
//! screen to add a CR.
//!
//! Invariant: the cursor is inside the grid.

use super::cell::{Cell, Style};
use super::grid::Grid;
use super::palette::{BACKGROUND, FOREGROUND};
use super::parser::{Action, Parser, Sequence};
use super::relay::relay;
use crate::base::width::char_cells;
use core::ops::Range;

const TAB_COLUMNS: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cursor {
    row: usize,
    column: usize,
    /// The last column was written; the next character begins a new line.
    is_past_end: bool,
}

const HOME: Cursor = Cursor {
    row: 0,
    column: 0,
    is_past_end: false,
};

pub struct Terminal {
    parser: Parser,
    page: Page,
}

/// What the parser's actions change.
struct Page {
    grid: Grid,
    cursor: Cursor,
    is_cursor_shown: bool,
    style: Style,
    saved: (Cursor, Style),
}

impl Terminal {
    pub fn new(columns: usize, rows: usize) -> Self {
        Self {
            parser: Parser::new(),
            page: Page {
                grid: Grid::new(columns, rows, Cell::blank(Style::PLAIN)),
                cursor: HOME,
                is_cursor_shown: true,
                style: Style::PLAIN,
                saved: (HOME, Style::PLAIN),
            },
        }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let page = &mut self.page;
            let mut is_understood = true;
            self.parser
                .feed(byte, |action| is_understood &= page.apply(action));
            if !is_understood {
                self.parser.count_ignored();
            }
        }
    }

    /// For a display that shows nothing yet: lays everything out anew where the size is
    /// another; the cursor stays on its character.
    pub fn resize(&mut self, columns: usize, rows: usize) {
        let page = &mut self.page;
        if (page.grid.columns(), page.grid.rows()) == (columns, rows) {
            return page.grid.mark_all();
        }
        let (grid, (row, column)) = relay(
            &page.grid,
            (page.cursor.row, page.cursor.column),
            columns,
            rows,
        );
        self.page.grid = grid;
        self.page.cursor = Cursor {
            row,
            column,
            is_past_end: false,
        };
        self.page.saved = (HOME, Style::PLAIN);
    }

    pub fn grid(&self) -> &Grid {
        &self.page.grid
    }

    pub fn grid_mut(&mut self) -> &mut Grid {
        &mut self.page.grid
    }

    /// Where in the view the cursor is to be painted: row and column.
    pub fn visible_cursor(&self) -> Option<(usize, usize)> {
        let page = &self.page;
        if !page.is_cursor_shown {
            return None;
        }
        Some((page.grid.view_row(page.cursor.row)?, page.cursor.column))
    }

    /// Row and column of the screen.
    pub fn cursor(&self) -> (usize, usize) {
        (self.page.cursor.row, self.page.cursor.column)
    }

    pub fn sequences_ignored(&self) -> u64 {
        self.parser.ignored()
    }
}

impl Page {
    /// Says whether the action was understood.
    fn apply(&mut self, action: Action) -> bool {
        match action {
            Action::Print(character) => self.print(character),
            Action::Control(control) => self.control(control),
            Action::Escape(letter) => return self.escape(letter),
            Action::Sequence(sequence) => return self.sequence(&sequence),
        }
        true
    }

    fn print(&mut self, character: char) {
        let width = char_cells(character);
        let columns = self.grid.columns();
        if width == 0 {
            return;
        }
        if self.cursor.is_past_end || self.cursor.column + width > columns {
            self.line_feed();
        }
        // A wide character is one that the font lacks: it shows as two boxes, and
        // the columns behind it are where every other terminal has them.
        for _ in 0..width {
            let cell = Cell::new(character, self.style);
            self.grid.set(self.cursor.row, self.cursor.column, cell);
            if self.cursor.column + 1 < columns {
                self.cursor.column += 1;
            } else {
                self.cursor.is_past_end = true;
            }
        }
    }

    fn control(&mut self, control: u8) {
        match control {
            b'\r' => self.move_to(self.cursor.row, 0),
            b'\n' | 0x0b | 0x0c => self.line_feed(),
            0x08 => self.move_to(self.cursor.row, self.cursor.column.saturating_sub(1)),
            b'\t' => {
                let column = (self.cursor.column / TAB_COLUMNS + 1) * TAB_COLUMNS;
                self.move_to(self.cursor.row, column);
            }
            // A bell, and the control characters that frame a machine's answers.
            _ => {}
        }
    }

    fn escape(&mut self, letter: u8) -> bool {
        match letter {
            b'7' => self.saved = (self.cursor, self.style),
            b'8' => self.restore(),
            b'D' => {
                let column = self.cursor.column;
                self.line_feed();
                self.move_to(self.cursor.row, column);
            }
            b'E' => self.line_feed(),
            b'c' => self.reset(),
            // The end of a text for terminals, whose beginning was counted.
            b'\\' => {}
            _ => return false,
        }
        true
    }

    fn sequence(&mut self, sequence: &Sequence) -> bool {
        let Cursor { row, column, .. } = self.cursor;
        let count = sequence.count_at(0);
        match (sequence.marker, sequence.letter) {
            (0, b'A') => self.move_to(row.saturating_sub(count), column),
            (0, b'B') => self.move_to(row + count, column),
            (0, b'C') => self.move_to(row, column + count),
            (0, b'D') => self.move_to(row, column.saturating_sub(count)),
            (0, b'E') => self.move_to(row + count, 0),
            (0, b'F') => self.move_to(row.saturating_sub(count), 0),
            (0, b'G') => self.move_to(row, count - 1),
            (0, b'd') => self.move_to(count - 1, column),
            (0, b'H' | b'f') => self.move_to(count - 1, sequence.count_at(1) - 1),
            (0, b'J') => return self.erase_display(sequence.numbers()[0]),
            (0, b'K') => return self.erase_line(sequence.numbers()[0]),
            (0, b'm') => self.restyle(sequence.numbers()),
            (0, b's') => self.saved = (self.cursor, self.style),
            (0, b'u') => self.restore(),
            (b'?', b'h') if sequence.numbers() == [25] => self.show_cursor(true),
            (b'?', b'l') if sequence.numbers() == [25] => self.show_cursor(false),
            _ => return false,
        }
        true
    }

    /// Puts the cursor as near to the place as the grid allows.
    fn move_to(&mut self, row: usize, column: usize) {
        self.grid.mark(self.cursor.row);
        self.cursor = Cursor {
            row: row.min(self.grid.rows() - 1),
            column: column.min(self.grid.columns() - 1),
            is_past_end: false,
        };
        self.grid.mark(self.cursor.row);
    }

    fn line_feed(&mut self) {
        if self.cursor.row + 1 < self.grid.rows() {
            self.move_to(self.cursor.row + 1, 0);
        } else {
            self.grid.scroll_up(Cell::blank(self.style));
            self.move_to(self.cursor.row, 0);
        }
    }

    fn restore(&mut self) {
        let (cursor, style) = self.saved;
        self.move_to(cursor.row, cursor.column);
        self.cursor = cursor;
        self.style = style;
    }

    fn reset(&mut self) {
        self.style = Style::PLAIN;
        self.saved = (HOME, Style::PLAIN);
        self.is_cursor_shown = true;
        self.clear_rows(0..self.grid.rows());
        self.move_to(0, 0);
    }

    fn show_cursor(&mut self, is_shown: bool) {
        self.is_cursor_shown = is_shown;
        self.grid.mark(self.cursor.row);
    }

    fn clear_rows(&mut self, rows: Range<usize>) {
        for row in rows {
            self.clear_columns(row, 0..self.grid.columns());
        }
    }

    fn clear_columns(&mut self, row: usize, columns: Range<usize>) {
        self.grid.clear(row, columns, Cell::blank(self.style));
    }

    fn erase_display(&mut self, what: u16) -> bool {
        let (row, rows) = (self.cursor.row, self.grid.rows());
        match what {
            0 => {
                self.erase_line(0);
                self.clear_rows(row + 1..rows);
            }
            1 => {
                self.clear_rows(0..row);
                self.erase_line(1);
            }
            2 => self.clear_rows(0..rows),
            3 => self.grid.forget_history(),
            _ => return false,
        }
        true
    }

    fn erase_line(&mut self, what: u16) -> bool {
        let Cursor { row, column, .. } = self.cursor;
        let columns = match what {
            0 => column..self.grid.columns(),
            1 => 0..column + 1,
            2 => 0..self.grid.columns(),
            _ => return false,
        };
        self.clear_columns(row, columns);
        true
    }

    /// Select graphic rendition (ECMA-48, 8.3.117, and the colours of xterm).
    fn restyle(&mut self, numbers: &[u16]) {
        let mut rest = numbers.iter().copied();
        while let Some(number) = rest.next() {
            let style = &mut self.style;
            match number {
                0 => *style = Style::PLAIN,
                1 => style.is_bold = true,
                4 => style.is_underlined = true,
                7 => style.is_inverse = true,
                22 => style.is_bold = false,
                24 => style.is_underlined = false,
                27 => style.is_inverse = false,
                30..=37 => style.foreground = (number - 30) as u8,
                38 => style.foreground = extended_colour(&mut rest).unwrap_or(style.foreground),
                39 => style.foreground = FOREGROUND,
                40..=47 => style.background = (number - 40) as u8,
                48 => style.background = extended_colour(&mut rest).unwrap_or(style.background),
                49 => style.background = BACKGROUND,
                90..=97 => style.foreground = (number - 82) as u8,
                100..=107 => style.background = (number - 92) as u8,
                _ => {}
            }
        }
    }
}

/// One of the first 16 of the 256 colours; the others are read and not shown.
fn extended_colour(numbers: &mut impl Iterator<Item = u16>) -> Option<u8> {
    match numbers.next()? {
        5 => numbers
            .next()
            .filter(|&index| index < 16)
            .map(|index| index as u8),
        2 => {
            numbers.nth(2)?;
            None
        }
        _ => None,
    }
}
