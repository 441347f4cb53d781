//! Tables as text: columns as wide as their widest cell, numbers to the right.

use std::fmt;

#[derive(Debug)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        Table {
            header: header.map(String::from).to_vec(),
            rows: Vec::new(),
        }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    fn width(&self, column: usize) -> usize {
        let lines = std::iter::once(&self.header).chain(&self.rows);
        lines
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    }

    /// A column of numbers is easier to compare when its units stand below each other.
    fn is_numeric(&self, column: usize) -> bool {
        let cells = || self.rows.iter().filter_map(|row| row.get(column));
        cells().count() > 0
            && cells()
                .all(|cell| cell.starts_with(|c: char| c.is_ascii_digit()) && !cell.contains(' '))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in std::iter::once(&self.header).chain(&self.rows) {
            let mut text = String::new();
            for (column, cell) in line.iter().enumerate() {
                let width = self.width(column);
                if column > 0 {
                    text.push_str("  ");
                }
                if self.is_numeric(column) {
                    text.push_str(&format!("{cell:>width$}"));
                } else {
                    text.push_str(&format!("{cell:<width$}"));
                }
            }
            writeln!(formatter, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_aligned_left_and_numbers_right_without_trailing_blanks() {
        let mut table = Table::new(["name", "ms", "note"]);
        table.row(["a".into(), "5.0".into(), "".into()]);
        table.row(["long".into(), "12.5".into(), "x y".into()]);
        assert_eq!(
            table.to_string(),
            "name    ms  note\na      5.0\nlong  12.5  x y\n"
        );
    }
}
