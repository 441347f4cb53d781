//! The cells of the screen and of the lines that left it at the top.
//!
//! One ring of lines holds both, so that scrolling moves an index and no cell.
//! Invariants: the view lies at most `history` lines above the screen; a row of
//! the view whose cells may have changed is marked until it is painted.

use super::cell::Cell;
use crate::limits::SCREEN_SCROLL_BACK_LINES;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

pub struct Grid {
    columns: usize,
    rows: usize,
    /// `rows + SCREEN_SCROLL_BACK_LINES` lines, one behind the other.
    cells: Vec<Cell>,
    /// The line of the ring that is the screen's top row.
    top: usize,
    /// Lines above the screen that still hold what was written.
    history: usize,
    /// How many lines above the screen the view begins.
    view_back: usize,
    changed: Vec<bool>,
}

impl Grid {
    pub fn new(columns: usize, rows: usize, blank: Cell) -> Self {
        Self {
            columns,
            rows,
            cells: vec![blank; columns * (rows + SCREEN_SCROLL_BACK_LINES)],
            top: 0,
            history: 0,
            view_back: 0,
            changed: vec![true; rows],
        }
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn history(&self) -> usize {
        self.history
    }

    pub fn view_back(&self) -> usize {
        self.view_back
    }

    fn lines(&self) -> usize {
        self.rows + SCREEN_SCROLL_BACK_LINES
    }

    /// The cells of the line `down` lines below the screen's top, or above it.
    fn line(&self, down: isize) -> Range<usize> {
        let lines = self.lines();
        // Never farther than once around; a remainder costs a division for each character.
        let line = match self.top.checked_add_signed(down) {
            Some(line) if line < lines => line,
            Some(line) => line - lines,
            None => self.top + lines - down.unsigned_abs(),
        };
        line * self.columns..(line + 1) * self.columns
    }

    /// Puts a cell on the screen; a place outside it is left alone.
    pub fn set(&mut self, row: usize, column: usize, cell: Cell) {
        if row < self.rows && column < self.columns {
            let line = self.line(row as isize);
            self.cells[line.start + column] = cell;
            self.mark(row);
        }
    }

    /// Blanks the columns of a row of the screen.
    pub fn clear(&mut self, row: usize, columns: Range<usize>, blank: Cell) {
        let end = columns.end.min(self.columns);
        if row < self.rows && columns.start < end {
            let line = self.line(row as isize).start;
            self.cells[line + columns.start..line + end].fill(blank);
            self.mark(row);
        }
    }

    /// Moves everything up by a line; the top row becomes history.
    pub fn scroll_up(&mut self, blank: Cell) {
        self.top = (self.top + 1) % self.lines();
        self.history = (self.history + 1).min(SCREEN_SCROLL_BACK_LINES);
        let bottom = self.line(self.rows as isize - 1);
        self.cells[bottom].fill(blank);
        if self.view_back > 0 {
            // Who reads old lines keeps them in view while new ones come.
            self.view_back = (self.view_back + 1).min(self.history);
        }
        self.mark_all();
    }

    pub fn forget_history(&mut self) {
        self.history = 0;
        self.view_to_bottom();
    }

    /// Shows older lines, or newer ones when negative.
    pub fn move_view(&mut self, lines_back: isize) {
        let view_back = self
            .view_back
            .saturating_add_signed(lines_back)
            .min(self.history);
        if view_back != self.view_back {
            self.view_back = view_back;
            self.mark_all();
        }
    }

    pub fn view_to_bottom(&mut self) {
        self.move_view(isize::MIN);
    }

    /// The cells `down` lines below the screen's top, or above it in the history.
    pub fn line_cells(&self, down: isize) -> &[Cell] {
        &self.cells[self.line(down)]
    }

    /// Row `row` of what is to be seen.
    pub fn visible_row(&self, row: usize) -> &[Cell] {
        &self.cells[self.line(row as isize - self.view_back as isize)]
    }

    /// Where in the view a row of the screen stands, if it does.
    pub fn view_row(&self, row: usize) -> Option<usize> {
        let row = row + self.view_back;
        (row < self.rows).then_some(row)
    }

    /// Notes that a row of the screen looks different now.
    pub fn mark(&mut self, row: usize) {
        if let Some(row) = self.view_row(row) {
            self.changed[row] = true;
        }
    }

    /// Nothing of what is to be seen is painted yet.
    pub fn mark_all(&mut self) {
        self.changed.fill(true);
    }

    pub fn is_changed(&self, view_row: usize) -> bool {
        self.changed[view_row]
    }

    pub fn mark_painted(&mut self, view_row: usize) {
        self.changed[view_row] = false;
    }

    pub fn changed_rows(&self) -> usize {
        self.changed.iter().filter(|&&changed| changed).count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::Style;
    use super::*;
    use alloc::string::String;

    const BLANK: char = '.';

    fn cell(character: char) -> Cell {
        Cell::new(character, Style::PLAIN)
    }

    /// A grid of two rows whose lines were numbered 0, 1, 2 ... as they came.
    fn numbered(lines: usize) -> Grid {
        let mut grid = Grid::new(1, 2, cell(BLANK));
        for line in 0..lines {
            if line >= 2 {
                grid.scroll_up(cell(BLANK));
            }
            grid.set(line.min(1), 0, cell(number(line)));
        }
        grid
    }

    fn number(line: usize) -> char {
        char::from_u32(0x4e00 + line as u32).unwrap()
    }

    fn view(grid: &Grid) -> String {
        (0..2)
            .map(|row| grid.visible_row(row)[0].character())
            .collect()
    }

    fn lines(numbers: [usize; 2]) -> String {
        numbers.map(number).into_iter().collect()
    }

    #[test]
    fn lines_that_left_the_screen_can_be_seen_again() {
        let mut grid = numbered(5);
        assert_eq!(view(&grid), lines([3, 4]));
        grid.move_view(2);
        assert_eq!(view(&grid), lines([1, 2]));
        grid.move_view(100);
        assert_eq!(view(&grid), lines([0, 1]));
        grid.move_view(-1);
        assert_eq!(view(&grid), lines([1, 2]));
        grid.view_to_bottom();
        assert_eq!(view(&grid), lines([3, 4]));
    }

    #[test]
    fn the_oldest_lines_make_room_for_new_ones() {
        let all = SCREEN_SCROLL_BACK_LINES * 2 + 7;
        let mut grid = numbered(all);
        grid.move_view(isize::MAX);
        let oldest = all - 2 - SCREEN_SCROLL_BACK_LINES;
        assert_eq!(view(&grid), lines([oldest, oldest + 1]));
    }

    #[test]
    fn old_lines_stay_in_view_while_new_ones_come() {
        let mut grid = numbered(10);
        grid.move_view(4);
        let before = view(&grid);
        grid.scroll_up(cell(BLANK));
        grid.scroll_up(cell(BLANK));
        assert_eq!(view(&grid), before);
    }

    #[test]
    fn only_rows_in_view_are_marked() {
        let mut grid = numbered(10);
        (0..2).for_each(|row| grid.mark_painted(row));
        grid.move_view(1);
        assert_eq!(grid.changed_rows(), 2);
        (0..2).for_each(|row| grid.mark_painted(row));
        grid.set(1, 0, cell('x'));
        assert_eq!(grid.changed_rows(), 0);
        grid.set(0, 0, cell('x'));
        assert!(grid.is_changed(1));
    }

    #[test]
    fn places_outside_the_grid_are_left_alone() {
        let mut grid = numbered(1);
        grid.set(2, 0, cell('x'));
        grid.set(0, 1, cell('x'));
        grid.clear(9, 0..1, cell('x'));
        grid.clear(0, 5..9, cell('x'));
        assert_eq!(
            view(&grid),
            [number(0), BLANK].into_iter().collect::<String>()
        );
    }
}
