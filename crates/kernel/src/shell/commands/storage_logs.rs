//! `storage logs`: the logs of the disk in use, and what was lost of them.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::disk::SECTOR_BYTES;
use crate::base::report::Value;
use crate::resilience::chronicle::Chronicle;
use crate::shell::catalog::Intent;
use crate::storage::layout::LogArea;
use crate::storage::log::LogStateView;

/// The logs that are in use, by the names that are typed.
pub const NAMES: &[&str] = &[
    LogArea::Volumes.name(),
    LogArea::Audit.name(),
    LogArea::Messages.name(),
];

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "log",
        "disk",
        "state",
        "first",
        "next",
        "safe",
        "used_bytes",
        "size_bytes",
        "batches",
        "flushes",
        "dropped",
        "made_room",
        "reopened",
        "note",
    ];
    let storage = inspect.storage();
    if storage.home.logs().is_none() && storage.pool.logs().next().is_none() {
        match storage.home.error() {
            Some(error) => report.text("").line(format_args!(
                "the disk could not be taken into use: {error}"
            )),
            None => report.text("").line(Chronicle::NO_DISK),
        };
        return Ok(None);
    }
    let mut table = report.table("logs", columns);
    let of_volumes = storage.pool.logs().map(|log| (log, LogArea::Volumes));
    let others = storage.home.logs().map(|logs| {
        let [(_, audit), (_, messages)] = logs.all();
        [(audit, LogArea::Audit), (messages, LogArea::Messages)]
    });
    for (log, area) in of_volumes.chain(others.into_iter().flatten()) {
        let view = log.view();
        let is_known = !matches!(view.state, LogStateView::Recovering);
        let known = |number: u64| is_known.then_some(number);
        let bytes = |sectors: u64| sectors * SECTOR_BYTES as u64;
        let counters = view.counters;
        let mut row = |note: Value<'_>| {
            table.row(&[
                area.name().into(),
                (view.region.disk as u64).into(),
                view.state.name().into(),
                known(view.first.0).into(),
                known(view.next.0).into(),
                known(view.durable.0).into(),
                known(bytes(view.used_sectors)).into(),
                bytes(view.area_sectors).into(),
                counters.batches.into(),
                counters.flushes.into(),
                counters.batches_dropped.into(),
                counters.given_up.into(),
                counters.reopened.into(),
                note,
            ]);
        };
        match view.state {
            LogStateView::Damaged(damage) => row(Value::Format(format_args!("{damage}"))),
            LogStateView::Failed(error) => row(Value::Format(format_args!("{error}"))),
            LogStateView::Recovering | LogStateView::Open => row("".into()),
        }
    }
    Ok(None)
}

pub fn accept_loss(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let named = |area: &&LogArea| call.text(0) == Some(area.name());
    let Some(area) = LogArea::ALL.iter().find(named) else {
        return Ok(None);
    };
    let name = area.name();
    report.text("").line(format_args!(
        "the {name} log gives up what is destroyed and all behind it; it goes on from there"
    ));
    Ok(Some(Intent::AcceptLoss(*area)))
}
