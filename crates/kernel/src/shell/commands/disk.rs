//! `disk`: the disks, and single sectors of them.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::disk::SECTOR_BYTES;
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;
use crate::storage::{Errand, Wish, measure};

/// The word that lets a command destroy a partition table.
pub const FORCE: &[&str] = &["force"];

pub fn list(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "name",
        "size_bytes",
        "sectors",
        "read_only",
        "write_cache",
        "discard",
        "write_zeroes",
        "requests_max",
    ];
    let mut table = report.table("disks", columns);
    inspect.visit_disks(&mut |_, facts, _| {
        table.row(&[
            facts.name.into(),
            facts.sectors.saturating_mul(SECTOR_BYTES as u64).into(),
            facts.sectors.into(),
            facts.is_read_only.into(),
            facts.has_write_cache.into(),
            facts.can_discard.into(),
            facts.can_write_zeroes.into(),
            (facts.requests_max as u64).into(),
        ]);
    });
    Ok(None)
}

pub fn stats(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "name",
        "reads",
        "read_bytes",
        "writes",
        "written_bytes",
        "flushes",
        "others",
        "failed",
        "refused",
        "in_flight",
        "in_flight_high_water",
    ];
    let mut table = report.table("requests", columns);
    inspect.visit_disks(&mut |_, facts, view| {
        table.row(&[
            facts.name.into(),
            view.reads.into(),
            view.read_bytes.into(),
            view.writes.into(),
            view.written_bytes.into(),
            view.flushes.into(),
            view.others.into(),
            view.failed.into(),
            view.refused.into(),
            (view.in_flight as u64).into(),
            (view.in_flight_high_water as u64).into(),
        ]);
    });
    Ok(None)
}

pub fn read(call: &Invocation<'_>, inspect: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let wish = Wish::Read {
        sector: call.number(1).unwrap_or_default(),
        sectors: call.number(2).unwrap_or(1),
    };
    ask(call, inspect, wish)
}

pub fn write(call: &Invocation<'_>, inspect: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let text = call.text(2).unwrap_or_default();
    if text.len() > SECTOR_BYTES {
        return Err(CommandError::TextTooLong {
            bytes: text.len(),
            most: SECTOR_BYTES,
        });
    }
    let wish = Wish::Write {
        sector: call.number(1).unwrap_or_default(),
        text: text.into(),
        is_forced: call.text(3).is_some(),
    };
    ask(call, inspect, wish)
}

pub fn zero(call: &Invocation<'_>, inspect: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let wish = Wish::Zero {
        sector: call.number(1).unwrap_or_default(),
        sectors: call.number(2).unwrap_or_default(),
        is_forced: call.text(3).is_some(),
    };
    ask(call, inspect, wish)
}

pub fn discard(call: &Invocation<'_>, inspect: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let wish = Wish::Discard {
        sector: call.number(1).unwrap_or_default(),
        sectors: call.number(2).unwrap_or_default(),
        is_forced: call.text(3).is_some(),
    };
    ask(call, inspect, wish)
}

pub fn flush(call: &Invocation<'_>, inspect: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, inspect, Wish::Flush)
}

pub fn bench(call: &Invocation<'_>, inspect: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let word = call.text(2);
    let load = measure::NAMES.iter().find(|name| Some(**name) == word);
    let wish = measure::Wish {
        disk: disk_of(call, inspect)?,
        seconds: call.number(1).unwrap_or(measure::SECONDS_USUAL),
        load: load.copied(),
        depth: call.number(3).map(|depth| depth as usize),
    };
    Ok(Some(Intent::Operation(Operation::MeasureDisk(wish))))
}

fn ask(call: &Invocation<'_>, inspect: &mut dyn Inspect, wish: Wish) -> Outcome {
    let disk = disk_of(call, inspect)?;
    let errand = Errand { disk, wish };
    Ok(Some(Intent::Operation(Operation::Disk(errand))))
}

/// The place of the disk that the first argument names.
pub fn disk_of(call: &Invocation<'_>, inspect: &mut dyn Inspect) -> Result<usize, CommandError> {
    let name = call.text(0).unwrap_or_default();
    let mut disk = None;
    inspect.visit_disks(&mut |index, facts, _| {
        if facts.name == name {
            disk = Some(index);
        }
    });
    disk.ok_or_else(|| CommandError::NoDisk {
        word: CommandError::shown(name),
    })
}
