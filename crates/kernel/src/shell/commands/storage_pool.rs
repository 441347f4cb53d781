//! `storage join`, `storage degraded`, and the pool in `storage status`.

use super::disk::disk_of;
use super::{Inspect, Invocation, Outcome, Report};
use crate::shell::catalog::Intent;
use crate::storage::Storage;
use crate::storage::pool::{Change, Choice};

/// The pool, in use or waited for: part of `storage status`.
pub fn view(storage: &Storage, report: &mut Report) {
    if storage.volumes.is_mounted() {
        super::storage_volumes::pool(&storage.volumes, report);
        return;
    }
    let mut fields = match storage.pool.choice() {
        Choice::Nothing | Choice::Mount { .. } => return,
        Choice::Waits { .. } | Choice::NoneWhole | Choice::Torn => report.fields("pool"),
    };
    fields.text("state", "waits");
    match storage.pool.choice() {
        Choice::Waits { missing, members } => fields.value(
            "reason",
            format_args!(
                "{missing} of its {members} disks are missing and may have what the others have not; plug them in, or go on with storage degraded"
            ),
        ),
        Choice::NoneWhole => fields.text(
            "reason",
            "each disk that is there missed something; plug in one that has everything",
        ),
        _ => fields.text(
            "reason",
            "two of its disks each went on without the other; unplug the one to be given up, and lay it out anew",
        ),
    };
}

pub fn join(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let disk = disk_of(call, inspect)?;
    let name = call.text(0).unwrap_or_default();
    report.text("").line(format_args!(
        "{name} becomes a disk of the pool and is filled; see storage status"
    ));
    Ok(Some(Intent::Pool(Change::Join { disk })))
}

pub fn degraded(_: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    report
        .text("")
        .line("the pool goes on with the disks that are there");
    Ok(Some(Intent::Pool(Change::Degraded)))
}
