//! What a report promises about rows, fullness and order.

use super::*;
use std::format;
use std::string::ToString;
use std::vec::Vec;

fn texts(report: &Report, block: usize, column: usize) -> Vec<std::string::String> {
    let block = report.block(block).unwrap();
    (0..block.row_count())
        .map(|row| match block.value(row, column) {
            Value::Text(text) => text.to_string(),
            Value::Count(count) => count.to_string(),
            _ => "?".to_string(),
        })
        .collect()
}

#[test]
fn values_come_out_as_they_went_in() {
    let mut report = Report::new();
    report.begin("mem");
    report
        .fields("memory")
        .count("total_bytes", 5)
        .text("kind", "small")
        .unknown("tpm");
    report
        .table("pools", &["name", "used"])
        .row(&["threads".into(), 9u64.into()])
        .row(&[format_args!("pool {}", 2).into(), Value::Unknown]);
    report.text("note").line("one").line("two");
    assert_eq!(texts(&report, 0, 0), ["total_bytes", "kind", "tpm"]);
    assert_eq!(texts(&report, 0, 1), ["5", "small", "?"]);
    assert_eq!(report.block(0).unwrap().key(0, 1), "total_bytes");
    assert_eq!(texts(&report, 1, 0), ["threads", "pool 2"]);
    assert_eq!(texts(&report, 2, 0), ["one", "two"]);
    assert!(!report.is_cut());
}

#[test]
fn a_row_that_does_not_fit_is_left_out_whole_and_said() {
    let mut report = Report::new();
    let mut table = report.table("t", &["a", "b", "c"]);
    for row in 0..REPORT_CELLS_MAX as u64 {
        table.row(&[row.into(), row.into(), "x".into()]);
    }
    assert!(report.is_cut());
    assert_eq!(report.block(0).unwrap().row_count(), REPORT_CELLS_MAX / 3);
    assert_eq!(report.text.len(), REPORT_CELLS_MAX / 3);
}

#[test]
fn text_and_blocks_are_bounded_too() {
    let mut report = Report::new();
    let long = "x".repeat(REPORT_TEXT_BYTES - 1);
    report.text("a").line(long.as_str()).line("yy").line("z");
    assert_eq!(
        (report.is_cut(), report.text.len()),
        (true, REPORT_TEXT_BYTES)
    );
    assert_eq!(report.block(0).unwrap().row_count(), 2);

    report.begin("next");
    assert!(!report.is_cut());
    for _ in 0..=REPORT_BLOCKS_MAX {
        report.fields("f").count("n", 1);
    }
    assert_eq!(
        (report.is_cut(), report.block_count()),
        (true, REPORT_BLOCKS_MAX)
    );
}

#[test]
fn what_was_refused_is_counted_over_all_answers() {
    let mut report = Report::new();
    for _ in 0..2 {
        report.begin("x");
        let long = "x".repeat(REPORT_TEXT_BYTES);
        report.text("t").line(long.as_str()).line("y");
    }
    report.begin("x");
    let [blocks, _, text] = report.usages();
    assert_eq!(
        (blocks.used, blocks.high_water, blocks.refused),
        (Some(0), Some(1), Some(0))
    );
    assert_eq!((text.used, text.refused), (Some(0), Some(2)));
    assert_eq!(text.high_water, Some(REPORT_TEXT_BYTES as u64));
}

#[test]
fn the_memory_taken_at_creation_is_all_there_ever_is() {
    let mut report = Report::new();
    let before = (
        report.blocks.capacity(),
        report.rows.capacity(),
        report.cells.capacity(),
        report.text.capacity(),
    );
    for _ in 0..2 * REPORT_CELLS_MAX {
        report.text("t").line(format!("{:0100}", 7).as_str());
    }
    let after = (
        report.blocks.capacity(),
        report.rows.capacity(),
        report.cells.capacity(),
        report.text.capacity(),
    );
    assert_eq!(before, after);
}

#[test]
fn rows_are_kept_sorted_and_limited_without_touching_their_neighbours() {
    let mut report = Report::new();
    for _ in 0..2 {
        let mut table = report.table("t", &["n", "name"]);
        for (number, name) in [(3u64, "c"), (1, "a"), (2, "b"), (1, "d")] {
            table.row(&[number.into(), name.into()]);
        }
    }
    report.sort_rows(0, 0, false);
    assert_eq!(texts(&report, 0, 1), ["a", "d", "b", "c"]);
    report.sort_rows(0, 0, true);
    assert_eq!(texts(&report, 0, 1), ["c", "b", "a", "d"]);
    report.sort_rows(0, 1, true);
    report.sort_rows(0, 0, false);
    assert_eq!(texts(&report, 0, 1), ["d", "a", "b", "c"]);
    report.retain_rows(0, |block, row| {
        !matches!(block.value(row, 1), Value::Text("c" | "a"))
    });
    assert_eq!(texts(&report, 0, 1), ["d", "b"]);
    report.limit_rows(0, 1);
    assert_eq!(texts(&report, 0, 1), ["d"]);
    assert_eq!(texts(&report, 1, 1), ["c", "a", "b", "d"]);
    report.retain_blocks(|block| block.row_count() == 4);
    assert_eq!(report.block_count(), 1);
}

#[test]
fn an_error_replaces_what_was_said() {
    let mut report = Report::new();
    report.begin("mem staus");
    report.fields("f").count("n", 1);
    report.fail(format_args!("unknown subcommand"));
    assert_eq!(report.error(), Some("unknown subcommand"));
    assert_eq!((report.block_count(), report.command()), (0, "mem staus"));
}
