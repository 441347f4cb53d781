//! The screen for the report of a panic: painted line by line, at once.
//!
//! The report begins at the top of an empty screen and never scrolls: on a machine
//! without a serial port the reason, which comes first, is what a photograph must
//! show. What does not fit is counted in the last row.

use super::painter::Painter;
use super::terminal::Terminal;
use core::fmt;

pub struct PanicWriter<'a, M: AsMut<[u8]>> {
    terminal: &'a mut Terminal,
    painter: &'a mut Painter<M>,
    is_full: bool,
    lines_hidden: usize,
}

impl<'a, M: AsMut<[u8]>> PanicWriter<'a, M> {
    pub(super) fn new(terminal: &'a mut Terminal, painter: &'a mut Painter<M>) -> Self {
        terminal.grid_mut().view_to_bottom();
        // Ends whatever sequence was under way; then all that is shown becomes history.
        terminal.write(b"\x18\x1b[0m\x1b[?25l\x1b[999H");
        for _ in 0..terminal.grid().rows() {
            terminal.write(b"\n");
        }
        terminal.write(b"\x1b[H");
        Self {
            terminal,
            painter,
            is_full: false,
            lines_hidden: 0,
        }
    }

    fn write_part(&mut self, text: &str) {
        let (row, column) = self.terminal.cursor();
        let grid = self.terminal.grid();
        // The last row is kept for what had to be left out.
        let last_row = row + (column + text.chars().count()) / grid.columns();
        self.is_full |= last_row + 1 >= grid.rows();
        if !self.is_full {
            self.terminal.write(text.as_bytes());
        }
    }

    fn end_line(&mut self) {
        if self.is_full {
            self.lines_hidden += 1;
        } else {
            self.terminal.write(b"\n");
            self.paint();
        }
    }

    fn paint(&mut self) {
        self.painter.paint(self.terminal, usize::MAX);
    }
}

impl<M: AsMut<[u8]>> fmt::Write for PanicWriter<'_, M> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for line in text.split_inclusive('\n') {
            match line.strip_suffix('\n') {
                Some(line) => {
                    self.write_part(line);
                    self.end_line();
                }
                None => self.write_part(line),
            }
        }
        Ok(())
    }
}

impl<M: AsMut<[u8]>> Drop for PanicWriter<'_, M> {
    fn drop(&mut self) {
        if self.is_full {
            let note = crate::base::fixed::Text::<64>::format(format_args!(
                "\x1b[999H\x1b[0;7m {} more lines on the serial console \x1b[0m",
                self.lines_hidden
            ));
            self.terminal.write(note.as_bytes());
        }
        self.paint();
    }
}
