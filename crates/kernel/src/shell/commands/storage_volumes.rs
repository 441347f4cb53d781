//! `storage volumes` and what is done with them.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::base::tenant::Tenant;
use crate::limits::VOLUME_KEY_MAX;
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;
use crate::shell::quantity::Quantity;
use crate::shell::render::Unit;
use crate::storage::volumes::{
    BLOCK_BYTES, Change, Key, Kind, Limits, MemberState, Mode, Name, Progress, VolumeError,
    Volumes, Wish, is_name,
};
use alloc::boxed::Box;

/// What a volume can be; the last one needs a cluster.
pub const TYPES: &[&str] = &["block", "object", "file", "distributed"];

/// The pool that is in use: part of `storage status`.
pub fn pool(volumes: &Volumes, report: &mut Report) {
    let view = volumes.view();
    let mut fields = report.fields("pool");
    fields.text("state", view.state);
    if let Some(failure) = &view.failure {
        fields.value("reason", format_args!("{failure}"));
    }
    fields
        .count("size_bytes", view.size_bytes)
        .count("used_bytes", view.used_bytes)
        .count("free_bytes", view.free_bytes)
        .value("metadata_bytes", view.metadata_bytes)
        .value("reclaiming", view.is_reclaiming)
        .count("lost_pages", view.lost_pages)
        .count("transactions", view.transactions)
        .value(
            "transaction_longest_ns",
            view.transaction_took_max.as_nanos(),
        )
        .count("journal_renewals", view.checkpoints)
        .count("page_misses", view.page_misses)
        .count("contradictions", view.contradictions)
        .count("answers_ignored", view.answers_ignored);
    members(volumes, report);
    let walks = [view.running, view.scrubbed];
    let mut table = report.table(
        "scrub",
        &["what", "state", "checked", "of", "repaired", "lost"],
    );
    for progress in walks.iter().flatten() {
        walk(progress, view.used_bytes / BLOCK_BYTES as u64, &mut |row| {
            table.row(row);
        });
    }
    let mut table = report.table("lost", &["of", "where"]);
    volumes.visit_damages(&mut |found| {
        let place = format_args!("{}", found.place);
        table.row(&[found.name.as_str().into(), Value::Format(place)]);
    });
}

/// It is known that there is none.
fn none_or(number: Option<u64>) -> Value<'static> {
    number.map_or("none".into(), Value::from)
}

fn members(volumes: &Volumes, report: &mut Report) {
    let mut table = report.table("members", &["disk", "state", "errors"]);
    volumes.visit_members(&mut |member| {
        let state = match member.state {
            MemberState::Healthy => "healthy",
            MemberState::Filling => "filling",
            MemberState::Stale => "stale",
            MemberState::Absent => "absent",
        };
        table.row(&[
            member.disk.map(|disk| disk as u64).into(),
            state.into(),
            member.errors.into(),
        ]);
    });
}

fn walk(progress: &Progress, of: u64, row: &mut dyn FnMut(&[Value<'_>])) {
    let what = match progress.mode {
        Mode::Count => "count",
        Mode::Check => "check",
        Mode::Fill(_) => "fill",
    };
    let state = if progress.ended.is_some() {
        "ended"
    } else {
        "runs"
    };
    // What was in use when it ended was all that was looked at.
    let of = progress.ended.map_or(of, |_| progress.checked);
    row(&[
        what.into(),
        state.into(),
        progress.checked.into(),
        of.into(),
        progress.repaired.into(),
        progress.lost.into(),
    ]);
}

pub fn volumes(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let volumes = &inspect.storage().volumes;
    let columns = &[
        "name",
        "type",
        "state",
        "size_bytes",
        "referenced_bytes",
        "own_bytes",
        "tenant",
        "newest_snapshot",
        "requests_limit_per_s",
        "bytes_limit_per_s",
    ];
    let mut table = report.table("volumes", columns);
    volumes.visit_volumes(&mut |volume| {
        table.row(&[
            volume.name.as_str().into(),
            volume.kind.map_or("", Kind::name).into(),
            volume.state.name().into(),
            volume.size_bytes.into(),
            volume.referenced_bytes.into(),
            volume.own_bytes.into(),
            none_or(volume.tenant.map(|tenant| tenant.index() as u64)),
            volume.newest.map_or("", |name| name.as_str()).into(),
            none_or(volume.limits.requests_per_s),
            none_or(volume.limits.bytes_per_s),
        ]);
    });
    let columns = &[
        "name",
        "reads",
        "read_bytes",
        "writes",
        "written_bytes",
        "flushes",
        "discards",
        "throttled",
        "failed",
        "damaged",
        "repaired",
    ];
    let mut table = report.table("requests", columns);
    volumes.visit_volumes(&mut |volume| {
        let counters = &volume.counters;
        table.row(&[
            volume.name.as_str().into(),
            counters.reads.into(),
            counters.read_bytes.into(),
            counters.writes.into(),
            counters.written_bytes.into(),
            counters.flushes.into(),
            counters.discards.into(),
            counters.throttled.into(),
            counters.failed.into(),
            counters.damaged.into(),
            counters.repaired.into(),
        ]);
    });
    Ok(None)
}

pub fn snapshots(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "name",
        "volume",
        "before",
        "size_bytes",
        "referenced_bytes",
        "own_bytes",
    ];
    let mut table = report.table("snapshots", columns);
    inspect.storage().volumes.visit_snapshots(&mut |snapshot| {
        table.row(&[
            snapshot.name.as_str().into(),
            snapshot
                .volume
                .map_or("deleted", |name| name.as_str())
                .into(),
            snapshot.parent.map_or("", |name| name.as_str()).into(),
            snapshot.size_bytes.into(),
            snapshot.referenced_bytes.into(),
            snapshot.own_bytes.into(),
        ]);
    });
    Ok(None)
}

pub fn create(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let kind = match call.text(1) {
        Some("object") => Kind::Object,
        Some("file") => Kind::File,
        Some("distributed") => return Err(VolumeError::NeedsCluster.into()),
        _ => Kind::Block,
    };
    let word = call.text(2).unwrap_or_default();
    let bytes = bytes(word).ok_or_else(|| CommandError::NotASize {
        word: CommandError::shown(word),
    })?;
    change(Change::Create {
        name: name(call, 0)?,
        kind,
        bytes,
    })
}

pub fn attach(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    // The catalog lets only numbers of tenants through.
    let tenant = call
        .number(1)
        .and_then(|number| Tenant::new(number as usize));
    change(Change::Attach {
        volume: name(call, 0)?,
        tenant: tenant.unwrap_or(Tenant::KERNEL),
    })
}

pub fn detach(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    change(Change::Detach {
        volume: name(call, 0)?,
    })
}

pub fn snapshot(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    change(Change::Snapshot {
        volume: name(call, 0)?,
        name: name(call, 1)?,
    })
}

pub fn restore(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    change(Change::Restore {
        volume: name(call, 0)?,
        snapshot: name(call, 1)?,
    })
}

pub fn clone(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    change(Change::Clone {
        snapshot: name(call, 0)?,
        name: name(call, 1)?,
    })
}

pub fn delete(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    change(Change::Delete {
        name: name(call, 0)?,
    })
}

pub fn qos(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let requests_per_s = limit(call, 1, Unit::Plain, "requests a second")?;
    let bytes_per_s = limit(call, 2, Unit::Bytes, "bytes a second")?;
    change(Change::Limit {
        volume: name(call, 0)?,
        limits: Limits {
            requests_per_s,
            bytes_per_s,
        },
    })
}

pub fn scrub(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(Wish::Scrub)
}

pub fn read(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let offset = offset(call)?;
    let left = BLOCK_BYTES - (offset % BLOCK_BYTES as u64) as usize;
    let count = call.number(2).unwrap_or(256) as usize;
    ask(Wish::Read {
        volume: name(call, 0)?,
        offset,
        bytes: count.min(left),
    })
}

pub fn write(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let offset = offset(call)?;
    let text = call.text(2).unwrap_or_default();
    let most = BLOCK_BYTES - (offset % BLOCK_BYTES as u64) as usize;
    if text.len() > most {
        let bytes = text.len();
        return Err(CommandError::TextTooLong { bytes, most });
    }
    ask(Wish::Write {
        volume: name(call, 0)?,
        offset,
        text: text.into(),
    })
}

pub fn put(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(Wish::Put {
        volume: name(call, 0)?,
        key: key(call)?,
        text: call.text(2).unwrap_or_default().into(),
    })
}

pub fn get(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(Wish::Get {
        volume: name(call, 0)?,
        key: key(call)?,
    })
}

pub fn list(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(Wish::List {
        volume: name(call, 0)?,
        prefix: key(call)?,
    })
}

pub fn remove(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(Wish::Remove {
        volume: name(call, 0)?,
        key: key(call)?,
    })
}

fn change(change: Change) -> Outcome {
    ask(Wish::Change(change))
}

fn ask(wish: Wish) -> Outcome {
    Ok(Some(Intent::Operation(Operation::Volume(Box::new(wish)))))
}

fn name(call: &Invocation<'_>, index: usize) -> Result<Name, CommandError> {
    let word = call.text(index).unwrap_or_default();
    match is_name(word) {
        true => Ok(Name::cut_from(word)),
        false => Err(VolumeError::BadName.into()),
    }
}

fn key(call: &Invocation<'_>) -> Result<Key, CommandError> {
    let word = call.text(1).unwrap_or_default();
    match word.len() <= VOLUME_KEY_MAX {
        true => Ok(Key::cut_from(word)),
        false => Err(VolumeError::BadKey.into()),
    }
}

fn bytes(word: &str) -> Option<u64> {
    whole(Quantity::parse(word, Unit::Bytes)?)
}

fn whole(quantity: Quantity) -> Option<u64> {
    let over = i128::from(quantity.denominator);
    let is_whole = quantity.numerator % over == 0;
    is_whole.then(|| u64::try_from(quantity.numerator / over).ok())?
}

fn offset(call: &Invocation<'_>) -> Result<u64, CommandError> {
    let word = call.text(1).unwrap_or_default();
    bytes(word).ok_or_else(|| CommandError::NotASize {
        word: CommandError::shown(word),
    })
}

fn limit(
    call: &Invocation<'_>,
    index: usize,
    unit: Unit,
    name: &'static str,
) -> Result<Option<u64>, CommandError> {
    let word = call.text(index).unwrap_or_default();
    if word == "none" {
        return Ok(None);
    }
    let limit = Quantity::parse(word, unit)
        .and_then(whole)
        .filter(|limit| *limit > 0);
    limit.map(Some).ok_or_else(|| CommandError::NotALimit {
        word: CommandError::shown(word),
        unit: name,
    })
}
