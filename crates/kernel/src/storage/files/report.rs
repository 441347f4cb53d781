//! What works answer.

use super::error::FileError;
use super::listing;
use super::view::Measured;
use super::wish::Act;
use super::work::Work;
use crate::base::digest::Hex;
use crate::base::report::{Report, Value};
use crate::storage::errand;

/// Bytes of a file that is no text which are shown.
const DUMPED_BYTES: usize = 256;

pub fn answer(work: &Work, measured: Option<Measured>, report: &mut Report) {
    let bytes = &work.buffer.bytes()[..work.filled];
    let path = match &*work.wish.path {
        "" => "/",
        path => path,
    };
    if let Err(error) = work.result {
        return match work.wish.act {
            Act::Measure => report.fail(format_args!("{error}")),
            _ => report.fail(format_args!("{path}: {error}")),
        };
    }
    match work.wish.act {
        Act::List => list(bytes, work.more, report),
        Act::Show => show(bytes, work.size, report),
        Act::Sum => sum(work, report),
        Act::Script => script(path, bytes, work.size, report),
        Act::Put { .. } => line(
            report,
            format_args!("{} bytes written to {path}", work.size),
        ),
        Act::Append { .. } => line(report, format_args!("{path} has {} bytes now", work.size)),
        Act::Remove => line(report, format_args!("{path} is removed")),
        Act::MakeDirectory => line(report, format_args!("{path} is there")),
        Act::Receive => {}
        Act::Measure => match measured {
            Some(measured) => measure(&measured, report),
            None => report.fail(format_args!("{}", FileError::Gone)),
        },
    }
}

fn sum(work: &Work, report: &mut Report) {
    let digest = work.hasher.clone().finish();
    report
        .fields("")
        .value("sha256", Value::Format(format_args!("{}", Hex(&digest))))
        .count("size_bytes", work.size);
}

fn line(report: &mut Report, text: core::fmt::Arguments<'_>) {
    report.text("").line(text);
}

fn list(bytes: &[u8], more: u64, report: &mut Report) {
    let mut table = report.table("files", &listing::COLUMNS);
    for row in listing::rows(bytes) {
        let (size, kind) = match row.is_directory {
            true => (Value::Unknown, "directory"),
            false => (u64::from(row.size).into(), "file"),
        };
        let modified = Value::Format(format_args!("{}", row.stamp));
        table.row(&[row.name.into(), size, kind.into(), modified]);
    }
    if more > 0 {
        line(
            report,
            format_args!("{more} more are not shown; the answer is full"),
        );
    }
}

/// The part of a text that is whole, if it is text.
fn text_of(bytes: &[u8], is_all: bool) -> Option<&str> {
    let text = match core::str::from_utf8(bytes) {
        Ok(text) => text,
        // A letter may have been cut in two at the end.
        Err(error) if !is_all && error.error_len().is_none() => {
            core::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_shown = |character: char| !character.is_control() || "\n\r\t".contains(character);
    text.chars().all(is_shown).then_some(text)
}

fn show(bytes: &[u8], size: u64, report: &mut Report) {
    let is_all = bytes.len() as u64 == size;
    let Some(text) = text_of(bytes, is_all) else {
        let shown = bytes.len().min(DUMPED_BYTES);
        line(
            report,
            format_args!("this is no text; the first {shown} of its {size} bytes:"),
        );
        return errand::dump(&bytes[..shown], report);
    };
    let mut lines = report.text("");
    for text in text.lines() {
        lines.line(text);
    }
    if !is_all {
        lines.line(format_args!(
            "... the first {} of {size} bytes are shown",
            bytes.len()
        ));
    }
}

/// The text of a script, whole; whoever runs it takes it from the report.
fn script(path: &str, bytes: &[u8], size: u64, report: &mut Report) {
    if bytes.len() as u64 != size {
        return report.fail(format_args!(
            "{path}: this script has {size} bytes; {} are the most",
            bytes.len()
        ));
    }
    match text_of(bytes, true) {
        Some(text) => {
            let mut lines = report.text("");
            // Some editors begin a text with a mark that is no part of its first line.
            for text in text.trim_start_matches('\u{feff}').lines() {
                lines.line(text);
            }
        }
        None => report.fail(format_args!("{path}: this is no text that could be run")),
    }
}

fn measure(measured: &Measured, report: &mut Report) {
    let free = measured.free_bytes();
    let used = free.map(|free| measured.total_bytes().saturating_sub(free));
    let known = |bytes: Option<u64>| bytes.map_or(Value::Unknown, Value::Count);
    report
        .fields("")
        .text("label", &measured.label())
        .text("kind", measured.kind.name())
        .count("total_bytes", measured.total_bytes())
        .value("used_bytes", known(used))
        .value("free_bytes", known(free))
        .count("cluster_bytes", u64::from(measured.cluster_bytes));
}
