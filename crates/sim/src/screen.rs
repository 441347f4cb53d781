//! A terminal as text: what a person sees of the bytes that it was sent.
//!
//! It knows the sequences that the shell uses, and shows what it does not know as it is.

use rayos_kernel::base::width::char_cells;

const ESCAPE: char = '\x1b';

#[derive(Default)]
pub struct TextScreen {
    columns: usize,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    bells: usize,
    /// The sequence that is being received, without its ESC.
    sequence: Option<String>,
    /// Bytes of a character that is not complete.
    partial: Vec<u8>,
}

impl TextScreen {
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: vec![Vec::new()],
            ..Self::default()
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        let bytes = core::mem::take(&mut self.partial);
        let whole = match core::str::from_utf8(&bytes) {
            Ok(_) => bytes.len(),
            Err(error) => error.valid_up_to(),
        };
        self.partial = bytes[whole..].to_vec();
        for character in String::from_utf8_lossy(&bytes[..whole]).chars() {
            self.put(character);
        }
    }

    /// All rows, each without blanks at its end, and without empty rows at the end.
    pub fn text(&self) -> String {
        let rows = self.rows.iter().map(|row| row.iter().collect::<String>());
        let text: Vec<String> = rows.map(|row| row.trim_end().to_string()).collect();
        text.join("\n").trim_end_matches('\n').to_string()
    }

    /// The row in which the cursor stands, with the blanks at its end.
    pub fn cursor_row(&self) -> String {
        self.rows[self.row].iter().collect()
    }

    pub fn bells(&self) -> usize {
        self.bells
    }

    fn put(&mut self, character: char) {
        if let Some(mut sequence) = self.sequence.take() {
            sequence.push(character);
            if sequence.len() > 1 && ('@'..='~').contains(&character) {
                self.obey(&sequence);
            } else {
                self.sequence = Some(sequence);
            }
            return;
        }
        match character {
            ESCAPE => self.sequence = Some(String::new()),
            '\r' => self.column = 0,
            '\n' => self.go_to_row(self.row + 1),
            '\x08' => self.column = self.column.saturating_sub(1),
            '\x07' => self.bells += 1,
            _ => self.print(character),
        }
    }

    fn print(&mut self, character: char) {
        let cells = char_cells(character).max(1);
        if self.column + cells > self.columns {
            self.column = 0;
            self.go_to_row(self.row + 1);
        }
        let row = &mut self.rows[self.row];
        while row.len() <= self.column {
            row.push(' ');
        }
        row[self.column] = character;
        self.column += cells;
    }

    fn go_to_row(&mut self, row: usize) {
        self.row = row;
        while self.rows.len() <= row {
            self.rows.push(Vec::new());
        }
    }

    fn obey(&mut self, sequence: &str) {
        match sequence {
            "[K" => self.rows[self.row].truncate(self.column),
            "[J" => {
                self.rows[self.row].truncate(self.column);
                self.rows.truncate(self.row + 1);
            }
            "[2J" | "[3J" => {
                self.rows = vec![Vec::new()];
                self.go_to_row(self.row);
            }
            "[H" => {
                self.go_to_row(0);
                self.column = 0;
            }
            _ => match sequence
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix('G'))
            {
                Some(column) => self.column = column.parse().map_or(0, |column: usize| column - 1),
                None => {
                    "\\e"
                        .chars()
                        .chain(sequence.chars())
                        .for_each(|character| self.print(character));
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_can_be_written_over_and_erased() {
        let mut screen = TextScreen::new(10);
        screen.feed(b"hello\rHE\x1b[K\x08\x1b[5Gx\r\n\x07end");
        assert_eq!(screen.text(), "HE  x\nend");
        assert_eq!((screen.cursor_row().as_str(), screen.bells()), ("end", 1));
        screen.feed(b"\x1b[H\x1b[2J0123456789ab");
        assert_eq!(screen.text(), "0123456789\nab");
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        let mut screen = TextScreen::new(10);
        for byte in "aé€".as_bytes() {
            screen.feed(&[*byte]);
        }
        assert_eq!(screen.text(), "aé€");
    }
}
