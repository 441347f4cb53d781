//! A terminal that draws what is written and fails at what is not for it.
//!
//! It knows only what a simple terminal knows; a test compares its rows with what the
//! editor claims.

use crate::base::width::char_cells;
use std::collections::VecDeque;
use std::string::String;
use std::vec;
use std::vec::Vec;

const ROWS: usize = 24;

#[derive(Clone)]
enum Cell {
    Blank,
    Character {
        base: char,
        joined: String,
    },
    /// The right half of a wide character.
    Half,
}

pub struct Terminal {
    columns: usize,
    rows: VecDeque<Vec<Cell>>,
    row: usize,
    column: usize,
    /// The last column was written: the next character goes to a new row.
    is_past_end: bool,
    pending: Vec<u8>,
    pub bells: u64,
}

impl Terminal {
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: VecDeque::from([vec![Cell::Blank; columns]]),
            row: 0,
            column: 0,
            is_past_end: false,
            pending: Vec::new(),
            bells: 0,
        }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.pending.push(*byte);
            self.take_pending();
        }
    }

    /// The cell in which the cursor stands.
    pub const fn cursor(&self) -> usize {
        self.column
    }

    /// The text of the cursor's row before and from the cursor.
    pub fn around_cursor(&self) -> (String, String) {
        let row = &self.rows[self.row];
        (text(&row[..self.column]), text(&row[self.column..]))
    }

    /// All rows, with a bar where the cursor stands.
    pub fn picture(&self) -> Vec<String> {
        let rows = self.rows.iter().enumerate().map(|(index, row)| {
            if index != self.row {
                return text(row).trim_end().into();
            }
            let (before, after) = self.around_cursor();
            [before.as_str(), "|", after.trim_end()].concat()
        });
        rows.collect()
    }

    fn take_pending(&mut self) {
        match self.pending[..] {
            [b'\r'] => self.go(0),
            [b'\n'] => self.line_feed(),
            [0x08] => self.go(self.column.saturating_sub(1)),
            [0x07] => self.bells += 1,
            [0x1b] | [0x1b, b'['] => return,
            [0x1b, b'[', ref numbers @ .., last @ b'@'..=b'~'] => {
                let numbers = String::from_utf8(numbers.to_vec()).unwrap();
                self.sequence(&numbers, last);
            }
            [0x1b, b'[', .., b'0'..=b'9' | b';'] => return,
            [first, ..] if first < b' ' => panic!("{:x?} is not for a terminal", self.pending),
            _ => match std::str::from_utf8(&self.pending) {
                Ok(text) => {
                    let character = text.chars().next().unwrap();
                    self.print(character);
                }
                Err(error) if error.error_len().is_none() => return,
                Err(_) => panic!("{:x?} is no UTF-8", self.pending),
            },
        }
        self.pending.clear();
    }

    fn sequence(&mut self, numbers: &str, last: u8) {
        match (numbers, last) {
            ("", b'K') => {
                let column = self.column;
                self.rows[self.row][column..].fill(Cell::Blank);
            }
            (column, b'G') => self.go(column.parse::<usize>().unwrap() - 1),
            ("", b'H') => {
                self.row = 0;
                self.go(0);
            }
            ("", b'J') => {
                self.rows.truncate(self.row + 1);
                self.sequence("", b'K');
            }
            _ => panic!(
                "a terminal of ours knows no CSI {numbers} {}",
                char::from(last)
            ),
        }
    }

    fn go(&mut self, column: usize) {
        assert!(column < self.columns, "column {column}");
        self.column = column;
        self.is_past_end = false;
    }

    fn line_feed(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push_back(vec![Cell::Blank; self.columns]);
        }
        if self.rows.len() > ROWS {
            self.rows.pop_front();
            self.row -= 1;
        }
    }

    fn print(&mut self, character: char) {
        assert!(!character.is_control(), "{character:?} was printed");
        let width = char_cells(character);
        if width == 0 {
            return self.join(character);
        }
        if self.is_past_end || self.column + width > self.columns {
            self.line_feed();
            self.go(0);
        }
        self.break_wide(self.column);
        self.break_wide(self.column + width);
        let row = &mut self.rows[self.row];
        row[self.column] = Cell::Character {
            base: character,
            joined: String::new(),
        };
        if width == 2 {
            row[self.column + 1] = Cell::Half;
        }
        self.column += width;
        if self.column == self.columns {
            self.column -= 1;
            self.is_past_end = true;
        }
    }

    /// Half of a wide character is none: what is left of it becomes blank.
    fn break_wide(&mut self, column: usize) {
        let row = &mut self.rows[self.row];
        if matches!(row.get(column), Some(Cell::Half)) {
            row[column - 1] = Cell::Blank;
            row[column] = Cell::Blank;
        }
    }

    /// A character without width joins what stands before the cursor.
    fn join(&mut self, character: char) {
        let before = if self.is_past_end {
            self.column + 1
        } else {
            self.column
        };
        let row = &mut self.rows[self.row];
        for cell in row[..before].iter_mut().rev() {
            match cell {
                Cell::Half => {}
                Cell::Character { joined, .. } => return joined.push(character),
                Cell::Blank => break,
            }
        }
        panic!("{character:?} joins nothing");
    }
}

fn text(cells: &[Cell]) -> String {
    let mut text = String::new();
    for cell in cells {
        match cell {
            Cell::Blank => text.push(' '),
            Cell::Half => {}
            Cell::Character { base, joined } => {
                text.push(*base);
                text.push_str(joined);
            }
        }
    }
    text
}
