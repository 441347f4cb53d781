//! Lays a screen's text out anew for another width and height.

use super::cell::{Cell, Style};
use super::grid::Grid;

/// A grid of that size with the text of `old`, its history included, and the place to
/// which the cursor has moved with it.
///
/// A line that is too long goes on in the next one. What was cut into lines before
/// stays so, for nothing remembers where a line was cut.
pub fn relay(
    old: &Grid,
    cursor: (usize, usize),
    columns: usize,
    rows: usize,
) -> (Grid, (usize, usize)) {
    let mut pen = Pen {
        grid: Grid::new(columns, rows, blank()),
        row: 0,
        column: 0,
        scrolled: 0,
    };
    let (cursor_row, cursor_column) = (cursor.0 as isize, cursor.1);
    // Its line, counted from the first that was written.
    let mut cursor_line = 0;
    let mut new_column = 0;
    let oldest = -(old.history() as isize);
    for down in oldest..=last_used_row(old, cursor.0) {
        if down > oldest {
            pen.end_line();
        }
        let cells = old.line_cells(down);
        let mut length = used_length(cells);
        if down == cursor_row {
            // The cursor stands on a cell, though nothing is written there yet.
            length = length.max(cursor_column + 1).min(cells.len());
        }
        for (column, cell) in cells[..length].iter().enumerate() {
            pen.put(*cell);
            if down == cursor_row && column == cursor_column {
                cursor_line = pen.row + pen.scrolled;
                new_column = pen.column - 1;
            }
        }
    }
    let row = cursor_line.saturating_sub(pen.scrolled);
    (pen.grid, (row, new_column))
}

const fn used_length(cells: &[Cell]) -> usize {
    let mut length = cells.len();
    while length > 0 && cells[length - 1].is_blank() {
        length -= 1;
    }
    length
}

/// The last row with something in it, or with the cursor.
fn last_used_row(grid: &Grid, cursor_row: usize) -> isize {
    let is_used = |row: &usize| used_length(grid.line_cells(*row as isize)) > 0;
    let used = (cursor_row..grid.rows()).rev().find(is_used);
    used.unwrap_or(cursor_row) as isize
}

fn blank() -> Cell {
    Cell::blank(Style::PLAIN)
}

struct Pen {
    grid: Grid,
    row: usize,
    /// Where the next cell goes; behind the last column the line is full.
    column: usize,
    /// Lines that left the screen at the top.
    scrolled: usize,
}

impl Pen {
    fn put(&mut self, cell: Cell) {
        if self.column == self.grid.columns() {
            self.end_line();
        }
        self.grid.set(self.row, self.column, cell);
        self.column += 1;
    }

    fn end_line(&mut self) {
        self.column = 0;
        if self.row + 1 < self.grid.rows() {
            self.row += 1;
        } else {
            self.grid.scroll_up(blank());
            self.scrolled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::drivers::screen::terminal::Terminal;
    use std::string::String;

    fn text(terminal: &Terminal) -> String {
        let grid = terminal.grid();
        let rows = (0..grid.rows()).map(|row| {
            let cells = grid.visible_row(row).iter();
            let line: String = cells.map(|cell| cell.character()).collect();
            String::from(line.trim_end())
        });
        rows.collect::<std::vec::Vec<_>>().join("|")
    }

    fn written(columns: usize, rows: usize, bytes: &[u8]) -> Terminal {
        let mut terminal = Terminal::new(columns, rows);
        terminal.write(bytes);
        terminal
    }

    #[test]
    fn a_narrower_screen_continues_its_lines_and_keeps_the_end_in_view() {
        let mut terminal = written(10, 3, b"0123456789\nab\nprompt> x");
        terminal.resize(6, 3);
        assert_eq!(text(&terminal), "ab|prompt|> x");
        assert_eq!(terminal.cursor(), (2, 3));
        terminal.grid_mut().move_view(9);
        assert_eq!(text(&terminal), "012345|6789|ab");
        terminal.write(b"y");
        assert_eq!(text(&terminal), "012345|6789|ab");
        terminal.grid_mut().view_to_bottom();
        assert_eq!(text(&terminal), "ab|prompt|> xy");
    }

    #[test]
    fn a_larger_screen_has_the_old_text_at_its_top() {
        let mut terminal = written(4, 2, b"1\n2\n3\n4");
        terminal.resize(8, 6);
        assert_eq!(text(&terminal), "1|2|3|4||");
        assert_eq!(terminal.cursor(), (3, 1));
        terminal.write(b" more\n5");
        assert_eq!(text(&terminal), "1|2|3|4 more|5|");
    }

    #[test]
    fn any_size_after_any_other_leaves_the_cursor_on_the_screen() {
        let mut prng = crate::base::prng::Prng::new(5);
        let mut terminal = Terminal::new(20, 5);
        for _ in 0..500 {
            let mut bytes = [0; 60];
            prng.fill(&mut bytes);
            terminal.write(&bytes);
            let (columns, rows) = (1 + prng.below(40) as usize, 1 + prng.below(12) as usize);
            terminal.resize(columns, rows);
            let (row, column) = terminal.cursor();
            assert!(row < rows && column < columns);
        }
    }
}
