//! A command's answer, in memory that is taken once: blocks of values.
//!
//! Limits: `REPORT_BLOCKS_MAX`, `REPORT_CELLS_MAX`, `REPORT_TEXT_BYTES`.
//! Invariants: a row is in the report whole or not at all; what was left out sets
//! `is_cut`. Nothing is allocated after `new`.

mod block;
mod rows;
mod value;

pub use block::{BlockKind, BlockView};
pub use value::Value;

use crate::base::fixed::{Full, Text};
use crate::base::metric::Usage;
use crate::limits::{
    LINE_MAX, REPORT_BLOCKS_MAX, REPORT_CELLS_MAX, REPORT_COLUMNS_MAX, REPORT_ERROR_MAX,
    REPORT_TEXT_BYTES,
};
use alloc::string::String;
use alloc::vec::Vec;
use block::{Block, Cell, Span};
use core::fmt;

const FIELD_COLUMNS: &[&str] = &["key", "value"];
const TEXT_COLUMNS: &[&str] = &["line"];

/// What one command answers, success or error; faces render it.
pub struct Report {
    command: Text<LINE_MAX>,
    error: Option<Text<REPORT_ERROR_MAX>>,
    blocks: Vec<Block>,
    /// Where each row's first cell lies; sorting and filtering move these only.
    rows: Vec<u32>,
    cells: Vec<Cell>,
    text: String,
    is_cut: bool,
    usage: ReportUsage,
}

/// How much of a report's memory was ever used, and how often it was not enough.
#[derive(Clone, Copy, Default)]
struct ReportUsage {
    blocks_high_water: usize,
    cells_high_water: usize,
    text_high_water: usize,
    blocks_refused: u64,
    cells_refused: u64,
    text_refused: u64,
}

impl Report {
    /// Takes all the memory that the report will ever use, on the heap.
    pub fn new() -> Self {
        Self {
            command: Text::new(),
            error: None,
            blocks: Vec::with_capacity(REPORT_BLOCKS_MAX),
            rows: Vec::with_capacity(REPORT_CELLS_MAX),
            cells: Vec::with_capacity(REPORT_CELLS_MAX),
            text: String::with_capacity(REPORT_TEXT_BYTES),
            is_cut: false,
            usage: ReportUsage::default(),
        }
    }

    /// Empties the report for the answer to `command`.
    pub fn begin(&mut self, command: &str) {
        self.command.clear();
        self.command.push_cut(command);
        self.clear();
    }

    /// Drops the answer and keeps the command.
    pub fn clear(&mut self) {
        self.error = None;
        self.blocks.clear();
        self.rows.clear();
        self.cells.clear();
        self.text.clear();
        self.is_cut = false;
    }

    /// Turns the answer into an error; what was said before is dropped.
    pub fn fail(&mut self, reason: fmt::Arguments<'_>) {
        self.clear();
        self.error = Some(Text::format(reason));
    }

    pub fn command(&self) -> &str {
        &self.command
    }

    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Did something not fit?
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// A block of keys and values.
    pub fn fields(&mut self, title: &'static str) -> Fields<'_> {
        let is_open = self.open(BlockKind::Fields, title, FIELD_COLUMNS);
        Fields {
            report: self,
            is_open,
        }
    }

    /// A block of rows with named columns.
    pub fn table(&mut self, title: &'static str, columns: &'static [&'static str]) -> Table<'_> {
        crate::invariant!(
            columns.len() <= REPORT_COLUMNS_MAX,
            "table {title} has more columns than REPORT_COLUMNS_MAX"
        );
        let is_open = self.open(BlockKind::Table, title, columns);
        Table {
            report: self,
            is_open,
        }
    }

    /// A block of lines.
    pub fn text(&mut self, title: &'static str) -> Lines<'_> {
        let is_open = self.open(BlockKind::Text, title, TEXT_COLUMNS);
        Lines {
            report: self,
            is_open,
        }
    }

    pub fn blocks(&self) -> impl Iterator<Item = BlockView<'_>> {
        self.blocks.iter().map(|block| BlockView {
            report: self,
            block,
        })
    }

    pub fn block(&self, index: usize) -> Option<BlockView<'_>> {
        let block = self.blocks.get(index)?;
        Some(BlockView {
            report: self,
            block,
        })
    }

    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// How full its memory is, over all the answers that it has held.
    pub fn usages(&self) -> [Usage; 3] {
        let usage = &self.usage;
        [
            Usage::of("REPORT_BLOCKS_MAX", REPORT_BLOCKS_MAX)
                .used(self.blocks.len() as u64)
                .high_water(usage.blocks_high_water as u64)
                .refused(usage.blocks_refused),
            Usage::of("REPORT_CELLS_MAX", REPORT_CELLS_MAX)
                .used(self.cells.len() as u64)
                .high_water(usage.cells_high_water as u64)
                .refused(usage.cells_refused),
            Usage::of("REPORT_TEXT_BYTES", REPORT_TEXT_BYTES)
                .used(self.text.len() as u64)
                .high_water(usage.text_high_water as u64)
                .refused(usage.text_refused),
        ]
    }

    fn open(
        &mut self,
        kind: BlockKind,
        title: &'static str,
        columns: &'static [&'static str],
    ) -> bool {
        if self.blocks.len() == REPORT_BLOCKS_MAX {
            self.usage.blocks_refused += 1;
            self.is_cut = true;
            return false;
        }
        self.blocks.push(Block {
            kind,
            title,
            columns,
            first_row: self.rows.len(),
            row_count: 0,
        });
        let high_water = &mut self.usage.blocks_high_water;
        *high_water = (*high_water).max(self.blocks.len());
        true
    }

    /// Adds one row to the newest block, or nothing of it.
    fn add_row(&mut self, name: Option<&'static str>, values: &[Value<'_>]) {
        let (cells_before, text_before) = (self.cells.len(), self.text.len());
        if self.try_add_row(name, values).is_err() {
            self.cells.truncate(cells_before);
            self.text.truncate(text_before);
            self.is_cut = true;
        }
        let usage = &mut self.usage;
        usage.cells_high_water = usage.cells_high_water.max(self.cells.len());
        usage.text_high_water = usage.text_high_water.max(self.text.len());
    }

    fn try_add_row(
        &mut self,
        name: Option<&'static str>,
        values: &[Value<'_>],
    ) -> Result<(), Full> {
        let first_cell = self.cells.len() as u32;
        if let Some(name) = name {
            self.push_cell(Cell::Name(name))?;
        }
        for value in values {
            let cell = self.keep(value)?;
            self.push_cell(cell)?;
        }
        // Every row has a cell, and there are as many places for rows as for cells.
        self.rows.push(first_cell);
        if let Some(block) = self.blocks.last_mut() {
            block.row_count += 1;
        }
        Ok(())
    }

    fn push_cell(&mut self, cell: Cell) -> Result<(), Full> {
        if self.cells.len() == REPORT_CELLS_MAX {
            self.usage.cells_refused += 1;
            return Err(Full);
        }
        self.cells.push(cell);
        Ok(())
    }

    fn keep(&mut self, value: &Value<'_>) -> Result<Cell, Full> {
        Ok(match *value {
            Value::Unknown => Cell::Unknown,
            Value::Bool(value) => Cell::Bool(value),
            Value::Count(count) => Cell::Count(count),
            Value::Signed(number) => Cell::Signed(number),
            Value::Ratio { to: 0, .. } => Cell::Unknown,
            Value::Ratio { of, to } => Cell::Ratio { of, to },
            Value::Text(text) => Cell::Text(self.keep_text(format_args!("{text}"))?),
            Value::Format(text) => Cell::Text(self.keep_text(text)?),
        })
    }

    fn keep_text(&mut self, text: fmt::Arguments<'_>) -> Result<Span, Full> {
        let start = self.text.len();
        if fmt::write(&mut Bounded(&mut self.text), text).is_err() {
            self.usage.text_refused += 1;
            return Err(Full);
        }
        Ok(Span {
            start: start as u32,
            length: (self.text.len() - start) as u32,
        })
    }

    fn resolve(&self, cell: Cell) -> Value<'_> {
        match cell {
            Cell::Unknown => Value::Unknown,
            Cell::Bool(value) => Value::Bool(value),
            Cell::Count(count) => Value::Count(count),
            Cell::Signed(number) => Value::Signed(number),
            Cell::Ratio { of, to } => Value::Ratio { of, to },
            Cell::Name(name) => Value::Text(name),
            Cell::Text(Span { start, length }) => {
                Value::Text(&self.text[start as usize..(start + length) as usize])
            }
        }
    }
}

impl Default for Report {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes into a string up to `REPORT_TEXT_BYTES`, so that it never grows.
struct Bounded<'a>(&'a mut String);

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > REPORT_TEXT_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// Fills a block of keys and values.
pub struct Fields<'a> {
    report: &'a mut Report,
    is_open: bool,
}

impl Fields<'_> {
    pub fn value<'v>(&mut self, key: &'static str, value: impl Into<Value<'v>>) -> &mut Self {
        if self.is_open {
            self.report.add_row(Some(key), &[value.into()]);
        }
        self
    }

    pub fn count(&mut self, key: &'static str, count: u64) -> &mut Self {
        self.value(key, count)
    }

    pub fn text(&mut self, key: &'static str, text: &str) -> &mut Self {
        self.value(key, text)
    }

    pub fn unknown(&mut self, key: &'static str) -> &mut Self {
        self.value(key, Value::Unknown)
    }
}

/// Fills a table.
pub struct Table<'a> {
    report: &'a mut Report,
    is_open: bool,
}

impl Table<'_> {
    /// Adds a row; it has one value a column.
    pub fn row(&mut self, values: &[Value<'_>]) -> &mut Self {
        if self.is_open {
            let columns = self
                .report
                .blocks
                .last()
                .map_or(0, |block| block.columns.len());
            crate::invariant!(
                columns == values.len(),
                "a row has {} values for {columns} columns",
                values.len()
            );
            self.report.add_row(None, values);
        }
        self
    }
}

/// Fills a block of lines.
pub struct Lines<'a> {
    report: &'a mut Report,
    is_open: bool,
}

impl Lines<'_> {
    pub fn line<'v>(&mut self, text: impl Into<Value<'v>>) -> &mut Self {
        if self.is_open {
            self.report.add_row(None, &[text.into()]);
        }
        self
    }
}

#[cfg(test)]
mod tests;
