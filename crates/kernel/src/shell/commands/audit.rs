//! `audit`: the trail of what was done, and whether it holds.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::digest::Hex;
use crate::base::fixed::Vec;
use crate::base::report::Value;
use crate::limits::REPORT_TEXT_BYTES;
use crate::resilience::chronicle::Wish;
use crate::security::audit::{
    AuditTrail, Change, Entry, Filter, Kind, Level, Outcome as Ending, Sealed,
};
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;
use crate::storage::log::LogStateView;

/// Entries of one answer: the report has room for so many rows.
pub const SHOWN_MAX: usize = 256;
const SHOWN: u64 = 16;
/// Lines of an export are told apart by single bytes of the report's memory.
const EXPORT_BYTES: usize = REPORT_TEXT_BYTES - 1024;

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let trail = &inspect.security().audit;
    let (head, kept) = (trail.head(), trail.chain().len() as u64);
    report
        .fields("audit")
        .count("entries", head.entries)
        .count("kept", kept)
        .count("first", head.entries - kept)
        .value("head", format_args!("{}", Hex(&head.hash)))
        .text("kept_in", kept_in(inspect))
        .count(
            "operations_denied",
            trail.operations_denied(inspect.handlers()),
        )
        .count("device_records_missed", trail.device_records_missed());
    report_kept(inspect, report);
    let trail = &inspect.security().audit;
    report_verification(trail, report);
    report_anchors(trail, report);
    let counts = trail.counts();
    let levels = Level::NAMES.iter().zip(counts.by_level);
    report_counts(report, "levels", &["level", "times"], levels);
    let kinds = Kind::NAMES.iter().zip(counts.by_kind);
    report_counts(report, "kinds", &["kind", "times"], kinds);
    let outcomes = Ending::NAMES.iter().zip(counts.by_outcome);
    report_counts(report, "outcomes", &["outcome", "times"], outcomes);
    Ok(None)
}

fn kept_in(inspect: &dyn Inspect) -> &'static str {
    match inspect.storage().home.logs() {
        None => "memory only; lost at power-off",
        Some(logs) if logs.audit.is_open() => "memory, and a disk that is in use",
        Some(_) => "memory; the log of the disk in use does not take it",
    }
}

/// What a disk has of this boot and of earlier ones.
fn report_kept(inspect: &dyn Inspect, report: &mut Report) {
    let Some(logs) = inspect.storage().home.logs() else {
        return;
    };
    let (log, keeper) = (logs.audit.view(), inspect.chronicle().trail());
    let mut fields = report.fields("kept on disk");
    fields.text("log", log.state.name());
    match log.state {
        LogStateView::Damaged(damage) => fields.value("reason", format_args!("{damage}")),
        LogStateView::Failed(error) => fields.value("reason", format_args!("{error}")),
        LogStateView::Recovering | LogStateView::Open => &mut fields,
    };
    fields
        .value("boot", keeper.boot())
        .count("entries_of_earlier_boots", keeper.past().entries)
        .count("earlier_boots", keeper.past().boots)
        .count("entries_of_this_boot", keeper.kept())
        .count("entries_missed", keeper.missed())
        .count("records_that_made_room", log.counters.given_up)
        .count("records_unreadable", keeper.past().unreadable);
}

pub fn earlier(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let count = call.number(0).unwrap_or(SHOWN);
    let wish = Wish::Trail { count };
    Ok(Some(Intent::Operation(Operation::Chronicle(wish))))
}

fn report_verification(trail: &AuditTrail, report: &mut Report) {
    let verification = trail.verification();
    let last = verification.last();
    let mut fields = report.fields("last verification");
    fields.value("verified_at_ns", last.map(|last| last.at));
    match last.map(|last| last.result) {
        None => fields.unknown("result"),
        Some(Ok(_)) => fields.text("result", "the chain holds"),
        Some(Err(finding)) => fields.value("result", format_args!("{finding}")),
    };
    let whole = last.and_then(|last| last.result.ok());
    fields
        .value("entries", whole.map(|whole| whole.entries))
        .value("slices", last.map(|last| last.slices))
        .count("with_findings", verification.findings());
}

fn report_anchors(trail: &AuditTrail, report: &mut Report) {
    let anchors = trail.anchors();
    let newest = anchors.newest();
    let place = newest.and_then(|record| record.result.ok());
    report
        .fields("anchors in PCR 12")
        .value("newest_at_ns", newest.map(|record| record.at))
        .value("newest_in", place.map(|place| place.name()))
        .count("entries_anchored", anchors.entries_anchored())
        .count("entries_behind", anchors.entries_behind(&trail.head()))
        .value("on_its_way", anchors.is_on_its_way())
        .count("refused", anchors.refused())
        .count("left_without_one", trail.left_unanchored());
}

fn report_counts<'n>(
    report: &mut Report,
    title: &'static str,
    columns: &'static [&'static str],
    rows: impl Iterator<Item = (&'n &'static str, u64)>,
) {
    let mut table = report.table(title, columns);
    for (name, times) in rows {
        table.row(&[(*name).into(), times.into()]);
    }
}

pub fn tail(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let count = call.number(0).unwrap_or(SHOWN) as usize;
    let chain = inspect.security().audit.chain();
    let skipped = chain.len().saturating_sub(count);
    let entries = chain.iter().skip(skipped);
    report_entries(entries.map(|sealed| &sealed.entry), report);
    Ok(None)
}

pub fn filter(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let filter =
        Filter::parse(call.arguments()).map_err(|(word, error)| CommandError::AuditFilter {
            word: CommandError::shown(word),
            error,
        })?;
    let now = inspect.now();
    let chain = inspect.security().audit.chain();
    let fitting = || {
        chain
            .iter()
            .filter(|sealed| filter.fits(now, &sealed.entry))
    };
    let mut newest: Vec<&Sealed, SHOWN_MAX> = Vec::new();
    for sealed in fitting().rev() {
        if newest.push(sealed).is_err() {
            break;
        }
    }
    report
        .fields("")
        .value("fitting", fitting().count())
        .value("shown", newest.len());
    report_entries(newest.iter().rev().map(|sealed| &sealed.entry), report);
    Ok(None)
}

fn report_entries<'e>(entries: impl Iterator<Item = &'e Entry>, report: &mut Report) {
    let columns = &[
        "number", "at_ns", "level", "kind", "subject", "verb", "object", "outcome", "times", "text",
    ];
    let mut table = report.table("entries", columns);
    for entry in entries {
        table.row(&[
            entry.number.into(),
            entry.at.into(),
            entry.level.name().into(),
            entry.kind.name().into(),
            format_args!("{}", entry.subject).into(),
            entry.verb.name().into(),
            entry.object.as_str().into(),
            entry.outcome.name().into(),
            entry.times.into(),
            entry.text.as_str().into(),
        ]);
    }
}

pub fn verify(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    Ok(Some(Intent::Operation(Operation::VerifyAudit)))
}

pub fn export(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let chain = inspect.security().audit.chain();
    let mut lines = report.text("");
    let from = call.number(0).unwrap_or_default();
    chain.export(from, EXPORT_BYTES, &mut |line| {
        lines.line(line);
    });
    Ok(None)
}

pub fn anchor(_: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    report
        .text("")
        .line("the head is to go into PCR 12; audit anchors says what became of it");
    Ok(Some(Intent::Audit(Change::Anchor)))
}

pub fn anchors(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let trail = &inspect.security().audit;
    let columns = &["number", "at_ns", "entries", "in", "still_kept", "head"];
    let mut table = report.table("anchors in PCR 12", columns);
    for record in trail.anchors().records() {
        let place = match record.result {
            Ok(place) => place.name(),
            Err(error) => error.reason(),
        };
        let is_kept = trail.chain().hash_at(record.anchor.entries).is_some();
        table.row(&[
            record.number.into(),
            record.at.into(),
            record.anchor.entries.into(),
            place.into(),
            Value::Bool(is_kept),
            format_args!("{}", Hex(&record.anchor.head)).into(),
        ]);
    }
    Ok(None)
}
