//! Runs filters over a report: which rows stay, and in which order.

use crate::base::fixed::Text;
use crate::base::report::{BlockKind, BlockView, Report, Value};
use crate::limits::REPORT_ERROR_MAX;
use crate::shell::filter::{Filter, Relation};
use crate::shell::quantity::Quantity;
use crate::shell::render::{People, Unit, name_of_key};
use crate::shell::suggest;
use core::cmp::Ordering;
use core::fmt::Write;

/// As much of a value as `match` looks at; only numbers are put in here.
type Written = Text<64>;
type Reason = Text<REPORT_ERROR_MAX>;

/// Runs the filters one after the other; the report says what was wrong with one.
pub fn apply(filters: &[Filter<'_>], report: &mut Report) {
    for filter in filters {
        match *filter {
            Filter::Where {
                column,
                relation,
                value,
            } => keep_where(column, relation, value, report),
            Filter::Sort {
                column,
                is_descending,
            } => sort(column, is_descending, report),
            Filter::Limit(count) => limit(count, report),
            Filter::Match(text) => keep_matching(text, report),
        }
        if report.error().is_some() {
            return;
        }
    }
}

/// Keeps the blocks that have the column, and of their rows those that compare so.
fn keep_where(column: &str, relation: Relation, value: &str, report: &mut Report) {
    if !has_column(column, report) {
        return;
    }
    report.retain_blocks(|block| column_index(block, column).is_some());
    for index in 0..report.block_count() {
        let block = report.block(index);
        let Some(place) = block.and_then(|block| column_index(&block, column)) else {
            continue;
        };
        if !takes_value(index, place, value, report) {
            return;
        }
        report.retain_rows(index, |block, row| {
            let cell = block.value(row, place);
            let unit = Unit::of_key(block.key(row, place));
            match compare(cell, unit, value) {
                Some(order) => relation.admits(order),
                None => relation == Relation::NotEqual,
            }
        });
    }
}

fn sort(column: &str, is_descending: bool, report: &mut Report) {
    if !has_column(column, report) {
        return;
    }
    for index in 0..report.block_count() {
        let block = report.block(index);
        if let Some(place) = block.and_then(|block| column_index(&block, column)) {
            report.sort_rows(index, place, is_descending);
        }
    }
}

/// Keeps the first rows of tables and the first lines of texts; fields stay.
fn limit(count: usize, report: &mut Report) {
    for index in 0..report.block_count() {
        let kind = report.block(index).map(|block| block.kind());
        if kind != Some(BlockKind::Fields) {
            report.limit_rows(index, count);
        }
    }
}

/// Keeps the rows in which the text is to be read, and the blocks with such rows.
fn keep_matching(text: &str, report: &mut Report) {
    for index in 0..report.block_count() {
        report.retain_rows(index, |block, row| {
            (0..block.columns().len()).any(|column| is_read_in(text, block, row, column))
        });
    }
    report.retain_blocks(|block| block.row_count() > 0);
}

fn is_read_in(text: &str, block: &BlockView<'_>, row: usize, column: usize) -> bool {
    match block.value(row, column) {
        Value::Text(cell) => cell.contains(text),
        value => {
            let unit = Unit::of_key(block.key(row, column));
            Written::format(format_args!("{}", People { unit, value })).contains(text)
        }
    }
}

/// How a cell compares with what was typed; `None` when it does not at all.
fn compare(cell: Value<'_>, unit: Unit, typed: &str) -> Option<Ordering> {
    match cell {
        Value::Unknown => (typed == "unknown").then_some(Ordering::Equal),
        Value::Bool(cell) => match typed {
            "yes" | "true" | "1" => Some(cell.cmp(&true)),
            "no" | "false" | "0" => Some(cell.cmp(&false)),
            _ => None,
        },
        Value::Text(cell) => Some(cell.cmp(typed)),
        _ => {
            let quantity = Quantity::parse(typed, unit)?;
            cell.compare(quantity.numerator, quantity.denominator)
        }
    }
}

/// Where the block has that column, written as its key or as its heading.
fn column_index(block: &BlockView<'_>, column: &str) -> Option<usize> {
    let is_same = |key: &str| {
        let letters = column.chars().map(|letter| match letter {
            ' ' | '-' => '_',
            _ => letter.to_ascii_lowercase(),
        });
        letters.eq(key.chars())
    };
    let mut keys = block.columns().iter();
    let exact = keys.position(|key| is_same(key));
    let mut keys = block.columns().iter();
    exact.or_else(|| keys.position(|key| is_same(name_of_key(key))))
}

/// Is there a block with the column? Else the report becomes an error that helps.
fn has_column(column: &str, report: &mut Report) -> bool {
    let mut blocks = report.blocks();
    if blocks.any(|block| column_index(&block, column).is_some()) {
        return true;
    }
    drop(blocks);
    let columns = || {
        let blocks = report.blocks();
        blocks.flat_map(|block| block.columns().iter().copied())
    };
    let mut reason = Reason::format(format_args!("unknown column \"{column}\"; "));
    if let Some(meant) = suggest::closest(column, columns()) {
        // Writing to a text cuts and never fails.
        let _ = write!(reason, "did you mean \"{meant}\"? ");
    }
    reason.push_cut("the columns are ");
    for (index, name) in columns().enumerate() {
        let is_known = columns().take(index).any(|earlier| earlier == name);
        if !is_known {
            reason.push_cut(if index == 0 { "" } else { ", " });
            reason.push_cut(name);
        }
    }
    report.fail(format_args!("{reason}"));
    false
}

/// A column of numbers is compared with numbers only; else the report becomes an error.
fn takes_value(index: usize, place: usize, typed: &str, report: &mut Report) -> bool {
    let Some(block) = report.block(index) else {
        return true;
    };
    let mut cells = (0..block.row_count()).map(|row| block.value(row, place));
    let is_numbers = cells.all(|cell| cell.is_number() || matches!(cell, Value::Unknown));
    let key = block.key(0, place);
    let unit = Unit::of_key(key);
    let is_comparable = typed == "unknown" || Quantity::parse(typed, unit).is_some();
    if block.row_count() == 0 || !is_numbers || is_comparable {
        return true;
    }
    let example = match unit {
        Unit::Bytes => ", such as 1.5MiB",
        Unit::Moment | Unit::Span(_) => ", such as 20ms",
        Unit::Hertz => ", such as 2.4GHz",
        Unit::Share => ", such as 80%",
        Unit::Plain | Unit::PerSecond | Unit::Address => "",
    };
    report.fail(format_args!(
        "{key} is a number; \"{typed}\" is none; write a number{example}, or unknown"
    ));
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::parse::{Line, Scratch};
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn sample() -> Report {
        let mut report = Report::new();
        report.begin("x");
        report.fields("sum").count("total_bytes", 9 << 20);
        let mut table = report.table("pools", &["name", "used_bytes", "full_ratio", "is_ok"]);
        for (name, used, of) in [("b", 3u64 << 20, 1), ("a", 1 << 20, 3), ("c", 512, 2)] {
            let full = Value::Ratio { of, to: 4 };
            table.row(&[name.into(), used.into(), full, (of == 1).into()]);
        }
        table.row(&["d".into(), Value::Unknown, Value::Unknown, false.into()]);
        report
    }

    /// The names that are left in the table, or the error.
    fn run(filters: &str) -> Result<Vec<String>, String> {
        let mut report = sample();
        let mut scratch = Scratch::new();
        let text = std::format!("x {filters}");
        let line = Line::parse(&text, &mut scratch).unwrap();
        apply(line.commands().next().unwrap().filters, &mut report);
        if let Some(error) = report.error() {
            return Err(error.to_string());
        }
        let table = report
            .blocks()
            .find(|block| block.kind() == BlockKind::Table);
        Ok(table.map_or(Vec::new(), |table| {
            let names = (0..table.row_count()).map(|row| match table.value(row, 0) {
                Value::Text(name) => name.to_string(),
                _ => "?".to_string(),
            });
            names.collect()
        }))
    }

    #[test]
    fn rows_are_kept_by_number_unit_text_and_truth() {
        let cases: [(&str, &[&str]); 13] = [
            ("| where used>=1MiB", &["b", "a"]),
            ("| where used_bytes < 1 KiB", &["c"]),
            ("| where used=1048576", &["a"]),
            ("| where used!=1MiB", &["b", "c", "d"]),
            ("| where full > 49.9%", &["a", "c"]),
            ("| where full=0.75", &["a"]),
            ("| where used=unknown", &["d"]),
            ("| where name=c", &["c"]),
            ("| where is_ok=no", &["a", "c", "d"]),
            ("| where is-ok=yes", &["b"]),
            ("| sort used", &["c", "a", "b", "d"]),
            ("| sort used desc | limit 2", &["d", "b"]),
            ("| match 'MiB'", &["b", "a"]),
        ];
        for (filters, expected) in cases {
            assert_eq!(run(filters).unwrap(), expected, "{filters}");
        }
    }

    #[test]
    fn a_wrong_column_or_number_is_explained() {
        assert_eq!(
            run("| where usd_bytes=1").unwrap_err(),
            "unknown column \"usd_bytes\"; did you mean \"used_bytes\"? the columns are key, value, name, used_bytes, full_ratio, is_ok"
        );
        assert_eq!(
            run("| sort speed").unwrap_err(),
            "unknown column \"speed\"; the columns are key, value, name, used_bytes, full_ratio, is_ok"
        );
        assert_eq!(
            run("| where used>lots").unwrap_err(),
            "used_bytes is a number; \"lots\" is none; write a number, such as 1.5MiB, or unknown"
        );
    }

    #[test]
    fn where_leaves_out_what_has_no_such_column_and_sort_does_not() {
        let blocks = |filters: &[Filter<'_>]| {
            let mut report = sample();
            apply(filters, &mut report);
            report.block_count()
        };
        let sort = Filter::Sort {
            column: "used",
            is_descending: false,
        };
        let keep = Filter::Where {
            column: "used",
            relation: Relation::Greater,
            value: "0",
        };
        assert_eq!((blocks(&[sort]), blocks(&[keep])), (2, 1));
        assert_eq!(blocks(&[Filter::Match("nowhere")]), 0);
    }
}
