//! What came of an errand, as a report.

use crate::base::fixed::Text;
use crate::base::report::{Report, Value};
use crate::base::time::Duration;
use crate::net::dns::{Answer, Failure};
use crate::net::http::{Fetch, FetchError, Fetched};
use core::fmt::Write;

/// Bytes of one line of a body that are shown.
const LINE_MAX: usize = 512;

pub fn lookup(result: &Result<Answer, Failure>, report: &mut Report) {
    let answer = match result {
        Ok(answer) => answer,
        Err(failure) => return report.fail(format_args!("{failure}")),
    };
    let mut fields = report.fields("answer");
    fields.text("name", answer.name.as_str());
    match answer.server {
        Some(server) => fields.value("server", Value::Format(format_args!("{server}"))),
        None => fields.unknown("server"),
    };
    fields
        .value("ttl_ns", answer.ttl)
        .value("took_ns", answer.took)
        .value("from_cache", answer.is_cached);
    if answer.more > 0 {
        fields.value("addresses_not_shown", answer.more);
    }
    let mut table = report.table("addresses", &["address"]);
    for address in &answer.addresses {
        table.row(&[Value::Format(format_args!("{address}"))]);
    }
}

pub fn fetch(result: Result<&Fetched, FetchError>, fetch: &Fetch, report: &mut Report) {
    let shown = fetch.shown();
    let fetched = match result {
        Ok(fetched) => fetched,
        Err(FetchError::NotSaved) => {
            return report.fail(format_args!(
                "it could not be saved: {}",
                fetch.refusal().unwrap_or("the file was given up")
            ));
        }
        Err(error) => return report.fail(format_args!("{error}")),
    };
    let mut fields = report.fields("answer");
    fields
        .value("url", Value::Format(format_args!("{}", fetched.url)))
        .value("server", Value::Format(format_args!("{}", fetched.server)))
        .value("redirects", fetched.redirects)
        .count("status", u64::from(fetched.status))
        .text("reason", &fetched.reason);
    match &fetched.content_type {
        Some(content_type) => fields.text("content_type", content_type),
        None => fields.unknown("content_type"),
    };
    fields
        .count("head_bytes", fetched.head_bytes)
        .count("body_bytes", fetched.body_bytes)
        .value("looked_up_ns", fetched.looked_up)
        .value("connected_ns", fetched.connected)
        .value("first_byte_ns", fetched.first_byte)
        .value("total_ns", fetched.total)
        .value("body_bytes_per_s", rate(fetched));
    if fetch.is_for_file() {
        // What has come is what is in the file, or there would be an error.
        fields.count("saved_bytes", fetched.body_bytes);
    }
    if !shown.is_empty() {
        body(shown, fetched.body_bytes, report);
    }
}

/// What the body came with, from the answer's first byte on.
fn rate(fetched: &Fetched) -> Value<'static> {
    let span = fetched
        .total
        .as_nanos()
        .saturating_sub(fetched.first_byte.as_nanos());
    let nanos_a_second = u128::from(Duration::from_secs(1).as_nanos());
    match u128::from(fetched.body_bytes) * nanos_a_second / u128::from(span.max(1)) {
        // Too short to say anything.
        _ if span == 0 => Value::Unknown,
        rate => Value::Count(u64::try_from(rate).unwrap_or(u64::MAX)),
    }
}

fn body(shown: &[u8], whole_bytes: u64, report: &mut Report) {
    let mut lines = report.text("body");
    for line in shown.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut text = Text::<LINE_MAX>::new();
        for chunk in line.utf8_chunks() {
            text.push_cut(chunk.valid());
            if !chunk.invalid().is_empty() {
                text.push_cut("\u{fffd}");
            }
        }
        if text.is_cut() {
            // There is room for the mark once something has made way.
            text.pop();
            let _ = text.write_str("...");
        }
        lines.line(text.as_str());
    }
    if whole_bytes > shown.len() as u64 {
        let rest = whole_bytes - shown.len() as u64;
        lines.line(Value::Format(format_args!("... and {rest} bytes more")));
    }
}
