//! The text face: aligned columns and units for people.
//!
//! Where the console's width is known, a table's widest texts are cut with `...`
//! and long values and lines are wrapped; numbers are always whole.

use super::Place;
use super::people::{Escaped, Heading, People, Unit};
use super::window::Width;
use crate::base::fixed::Vec;
use crate::base::report::{BlockKind, BlockView, Report, Value};
use crate::base::width::char_cells;
use crate::limits::REPORT_COLUMNS_MAX;
use core::fmt::{self, Write};

const GAP: usize = 2;
/// Texts of a table are not cut below this.
const TEXT_WIDTH_MIN: usize = 8;
/// Values are wrapped beside their key when this much room is left for them.
const WRAP_WIDTH_MIN: usize = 20;
const CUT_MARK: &str = "...";

#[derive(Clone, Copy, Default)]
struct Column {
    width: usize,
    /// Numbers stand at the right.
    is_number: bool,
}

/// How wide the columns of the block are that is being rendered.
pub struct Layout {
    columns: Vec<Column, REPORT_COLUMNS_MAX>,
    /// Cells of a line, where they are known.
    line_width: Option<usize>,
}

impl Layout {
    pub const fn new() -> Self {
        Self {
            columns: Vec::new(),
            line_width: None,
        }
    }

    /// Measures the block that opens at `place`; does nothing inside a block.
    pub fn prepare(&mut self, report: &Report, place: Place, console_columns: Option<u16>) {
        self.line_width = console_columns
            .filter(|&columns| columns > 0)
            .map(usize::from);
        if let Place::Open(index) = place
            && let Some(block) = report.block(index)
        {
            self.measure(&block);
        }
    }

    fn measure(&mut self, block: &BlockView<'_>) {
        self.columns.clear();
        for column in 0..block.columns().len() {
            let measured = measure_column(block, column);
            // A table is made with at most `REPORT_COLUMNS_MAX` columns.
            let kept = self.columns.push(measured);
            crate::invariant!(kept.is_ok(), "a block with too many columns");
        }
        if let Some(line_width) = self.line_width
            && block.kind() == BlockKind::Table
        {
            self.narrow(line_width);
        }
    }

    /// Takes from the widest text column until a row fits or nothing can be taken.
    fn narrow(&mut self, line_width: usize) {
        let gaps = self.columns.len().saturating_sub(1) * GAP;
        let total: usize = self.columns.iter().map(|column| column.width).sum();
        let mut excess = (gaps + total).saturating_sub(line_width);
        while excess > 0 {
            let texts = self.columns.iter_mut().filter(|column| !column.is_number);
            match texts.max_by_key(|column| column.width) {
                Some(widest) if widest.width > TEXT_WIDTH_MIN => widest.width -= 1,
                _ => return,
            }
            excess -= 1;
        }
    }
}

fn measure_column(block: &BlockView<'_>, column: usize) -> Column {
    let heading_width = match block.kind() {
        BlockKind::Table => width_of(&Heading(block.key(0, column))),
        BlockKind::Fields | BlockKind::Text => 0,
    };
    let mut measured = Column {
        width: heading_width,
        is_number: false,
    };
    let (mut has_number, mut has_text) = (false, false);
    for row in 0..block.row_count() {
        let value = block.value(row, column);
        has_number |= value.is_number();
        has_text |= matches!(value, Value::Text(_) | Value::Format(_) | Value::Bool(_));
        measured.width = measured.width.max(width_of(&shown(block, row, column)));
    }
    measured.is_number = has_number && !has_text;
    measured
}

/// The cell as it is shown; the key of a field reads like a heading.
enum Shown<'a> {
    Key(Heading<'a>),
    Value(People<'a>),
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Value(value) => value.fmt(f),
        }
    }
}

fn shown<'a>(block: &BlockView<'a>, row: usize, column: usize) -> Shown<'a> {
    if block.kind() == BlockKind::Fields && column == 0 {
        return Shown::Key(Heading(block.key(row, 1)));
    }
    Shown::Value(People {
        unit: Unit::of_key(block.key(row, column)),
        value: block.value(row, column),
    })
}

fn width_of(item: &impl fmt::Display) -> usize {
    let mut width = Width::default();
    // Counting cannot fail.
    let _ = write!(width, "{item}");
    width.0
}

/// Writes the part of the answer that stands at `place`.
pub fn write_unit(
    report: &Report,
    place: Place,
    layout: &Layout,
    out: &mut dyn Write,
) -> fmt::Result {
    match place {
        Place::Start => write_error(report, layout, out),
        Place::Open(index) => write_open(report, index, layout, out),
        Place::Row(index, row) => match report.block(index) {
            Some(block) => write_row(&block, row, layout, out),
            None => Ok(()),
        },
        Place::Close(index) => match report.block(index) {
            Some(block) if is_worth_a_none(&block) => out.write_str("none\n"),
            _ => Ok(()),
        },
        Place::End if report.is_cut() => {
            out.write_str("(cut: the answer did not fit its memory; narrow what is asked for)\n")
        }
        Place::End | Place::Done => Ok(()),
    }
}

fn is_worth_a_none(block: &BlockView<'_>) -> bool {
    block.row_count() == 0 && block.kind() != BlockKind::Text
}

fn write_error(report: &Report, layout: &Layout, out: &mut dyn Write) -> fmt::Result {
    let Some(error) = report.error() else {
        return Ok(());
    };
    let label = "error: ";
    out.write_str(label)?;
    write_wrapped(error, label.len(), label.len(), layout.line_width, out)?;
    out.write_char('\n')
}

fn write_open(report: &Report, index: usize, layout: &Layout, out: &mut dyn Write) -> fmt::Result {
    let Some(block) = report.block(index) else {
        return Ok(());
    };
    if index > 0 {
        out.write_char('\n')?;
    }
    if report.block_count() > 1 && !block.title().is_empty() {
        writeln!(out, "{}:", block.title())?;
    }
    if block.kind() != BlockKind::Table || block.row_count() == 0 {
        return Ok(());
    }
    for (column, measured) in layout.columns.iter().enumerate() {
        let heading = Heading(block.key(0, column));
        write_cell(&heading, column, *measured, layout, out)?;
    }
    out.write_char('\n')
}

fn write_row(
    block: &BlockView<'_>,
    row: usize,
    layout: &Layout,
    out: &mut dyn Write,
) -> fmt::Result {
    match block.kind() {
        BlockKind::Table => {
            for (column, measured) in layout.columns.iter().enumerate() {
                let cell = shown(block, row, column);
                write_cell(&cell, column, *measured, layout, out)?;
            }
        }
        BlockKind::Fields => write_field(block, row, layout, out)?,
        BlockKind::Text => {
            if let Value::Text(line) = block.value(row, 0) {
                write_wrapped(line, 0, 0, layout.line_width, out)?;
            }
        }
    }
    out.write_char('\n')
}

fn write_field(
    block: &BlockView<'_>,
    row: usize,
    layout: &Layout,
    out: &mut dyn Write,
) -> fmt::Result {
    let key_width = layout.columns.first().map_or(0, |column| column.width);
    let key = shown(block, row, 0);
    write!(out, "{key}")?;
    write_blanks(key_width + GAP - width_of(&key).min(key_width), out)?;
    match block.value(row, 1) {
        Value::Text(text) => {
            let indent = key_width + GAP;
            let line_width = layout
                .line_width
                .filter(|width| indent + WRAP_WIDTH_MIN <= *width);
            write_wrapped(text, indent, indent, line_width, out)
        }
        _ => write!(out, "{}", shown(block, row, 1)),
    }
}

/// Writes one cell of a table with the gap before it; the last is not padded.
fn write_cell(
    cell: &impl fmt::Display,
    column: usize,
    measured: Column,
    layout: &Layout,
    out: &mut dyn Write,
) -> fmt::Result {
    if column > 0 {
        write_blanks(GAP, out)?;
    }
    let width = width_of(cell);
    let padding = measured.width.saturating_sub(width);
    if measured.is_number {
        write_blanks(padding, out)?;
        return write!(out, "{cell}");
    }
    if width > measured.width {
        let room = measured.width - CUT_MARK.len();
        let mut prefix = Prefix {
            room,
            is_full: false,
            out: &mut *out,
        };
        // The prefix stops the writer by an error once it is full.
        let _ = write!(prefix, "{cell}");
        let left = prefix.room;
        // A wide character may not have fitted the last cell.
        write_blanks(left, out)?;
        out.write_str(CUT_MARK)?;
    } else {
        write!(out, "{cell}")?;
    }
    let is_last = column + 1 == layout.columns.len();
    write_blanks(if is_last { 0 } else { padding }, out)
}

fn write_blanks(count: usize, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{:count$}", "")
}

/// Lets what fits the first `room` cells pass.
struct Prefix<'a> {
    room: usize,
    /// Nothing passes behind a character that did not.
    is_full: bool,
    out: &'a mut dyn Write,
}

impl Write for Prefix<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let cells = char_cells(character);
            self.is_full |= cells > self.room;
            if self.is_full {
                return Err(fmt::Error);
            }
            self.room -= cells;
            self.out.write_char(character)?;
        }
        Ok(())
    }
}

/// Writes text whose first line begins behind `used` characters and whose further
/// lines begin behind `indent` blanks; breaks at blanks where it can.
fn write_wrapped(
    text: &str,
    used: usize,
    indent: usize,
    line_width: Option<usize>,
    out: &mut dyn Write,
) -> fmt::Result {
    let Some(line_width) = line_width else {
        return write!(out, "{}", Escaped(text));
    };
    let mut room = line_width.saturating_sub(used).max(1);
    let mut rest = text;
    loop {
        let fitting = fitting_prefix(rest, room);
        if fitting.len() == rest.len() {
            return write!(out, "{}", Escaped(rest));
        }
        let ends_between_words = rest[fitting.len()..].starts_with(' ');
        let line = match fitting.rfind(' ') {
            Some(at) if !ends_between_words && !fitting[..at].trim_start().is_empty() => {
                &fitting[..at]
            }
            _ => fitting,
        };
        write!(out, "{}\n{:indent$}", Escaped(line.trim_end()), "")?;
        rest = rest[line.len()..].trim_start();
        room = line_width.saturating_sub(indent).max(1);
    }
}

/// As much of the text as takes up to `room` cells when escaped; at least one character.
fn fitting_prefix(text: &str, room: usize) -> &str {
    let mut width = 0;
    for (at, character) in text.char_indices() {
        width += match character.is_control() {
            true => character.escape_default().len(),
            false => char_cells(character),
        };
        if width > room && at > 0 {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{Face, Rendering};
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    fn render(report: &Report, columns: Option<u16>, chunk: usize) -> String {
        let mut rendering = Rendering::new(Face::Text { columns });
        let (mut bytes, mut buffer) = (Vec::new(), std::vec![0; chunk]);
        while !rendering.is_done() {
            let count = rendering.render(report, &mut buffer);
            bytes.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8(bytes).unwrap()
    }

    fn sample() -> Report {
        let mut report = Report::new();
        report
            .fields("memory")
            .count("total_bytes", 133_169_152)
            .text("kind", "flat")
            .unknown("tpm");
        report
            .table("threads", &["name", "run_time_ns", "core", "note"])
            .row(&["loop".into(), 1_500u64.into(), 0u64.into(), "a".into()])
            .row(&[
                "a longer name".into(),
                Value::Unknown,
                12u64.into(),
                "b\x07".into(),
            ]);
        report.table("missing", &["what"]);
        report
    }

    #[test]
    fn columns_are_aligned_and_numbers_stand_at_the_right() {
        let expected = "\
memory:
total  127.0 MiB
kind   flat
tpm    unknown

threads:
name           run time  core  note
loop             1.5 us     0  a
a longer name   unknown    12  b\\u{7}

missing:
none
";
        assert_eq!(render(&sample(), None, 4096), expected);
    }

    #[test]
    fn a_report_in_pieces_is_the_same_report() {
        let whole = render(&sample(), Some(30), 4096);
        for chunk in 1..40 {
            assert_eq!(render(&sample(), Some(30), chunk), whole, "chunk {chunk}");
        }
    }

    #[test]
    fn a_narrow_console_cuts_texts_and_never_numbers() {
        let text = render(&sample(), Some(32), 4096);
        assert!(
            text.contains("a lon...   unknown    12  b\\u{7}\n"),
            "{text}"
        );
    }

    #[test]
    fn long_values_and_lines_are_wrapped_at_blanks() {
        let mut report = Report::new();
        report
            .fields("f")
            .text("reason", "one two three four five six");
        assert_eq!(
            render(&report, Some(30), 4096),
            "reason  one two three four\n        five six\n"
        );
        report.begin("x");
        report
            .text("t")
            .line("aaaa bbbb cccc")
            .line("ddddddddddddd");
        assert_eq!(
            render(&report, Some(10), 4096),
            "aaaa bbbb\ncccc\ndddddddddd\nddd\n"
        );
        report.fail(format_args!("no such thing here"));
        assert_eq!(
            render(&report, Some(20), 4096),
            "error: no such thing\n       here\n"
        );
    }
}
