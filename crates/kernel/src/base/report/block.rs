//! A block of a report: where its cells lie, and how a face reads them.

use super::Report;
use super::value::Value;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockKind {
    /// Key and value; two columns.
    Fields,
    Table,
    /// Lines; one column.
    Text,
}

impl BlockKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fields => "fields",
            Self::Table => "table",
            Self::Text => "text",
        }
    }
}

/// A piece of the report's text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub start: u32,
    pub length: u32,
}

/// A value as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell {
    Unknown,
    Bool(bool),
    Count(u64),
    Signed(i64),
    Ratio { of: u64, to: u64 },
    Text(Span),
    Name(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub kind: BlockKind,
    pub title: &'static str,
    pub columns: &'static [&'static str],
    /// Its rows are `rows[first_row..first_row + row_count]` of the report.
    pub first_row: usize,
    pub row_count: usize,
}

/// A block to be read.
#[derive(Clone, Copy)]
pub struct BlockView<'a> {
    pub(super) report: &'a Report,
    pub(super) block: &'a Block,
}

impl<'a> BlockView<'a> {
    pub fn kind(&self) -> BlockKind {
        self.block.kind
    }

    pub fn title(&self) -> &'static str {
        self.block.title
    }

    pub fn columns(&self) -> &'static [&'static str] {
        self.block.columns
    }

    pub fn row_count(&self) -> usize {
        self.block.row_count
    }

    /// The cell, `Unknown` outside the block.
    pub fn value(&self, row: usize, column: usize) -> Value<'a> {
        if row >= self.block.row_count || column >= self.block.columns.len() {
            return Value::Unknown;
        }
        let first_cell = self.report.rows[self.block.first_row + row] as usize;
        self.report.resolve(self.report.cells[first_cell + column])
    }

    /// The key that names what stands in this cell: its unit is the key's suffix.
    pub fn key(&self, row: usize, column: usize) -> &'static str {
        if self.block.kind != BlockKind::Fields {
            return self.block.columns.get(column).copied().unwrap_or_default();
        }
        if column != 1 || row >= self.block.row_count {
            return "";
        }
        match self.report.cells[self.report.rows[self.block.first_row + row] as usize] {
            Cell::Name(name) => name,
            _ => "",
        }
    }
}
