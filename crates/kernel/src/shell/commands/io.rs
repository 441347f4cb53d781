//! `io`: the queues before the disks, and their schedulers.

use super::disk::disk_of;
use super::{Inspect, Invocation, Outcome, Report};
use crate::base::histogram::Histogram;
use crate::base::report::Value;
use crate::base::tenant::Tenant;
use crate::base::time::Duration;
use crate::limits::{DISKS_MAX, IO_REQUESTS_MAX};
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;
use crate::shell::quantity::Quantity;
use crate::shell::render::Unit;
use crate::storage::io::bench::{Wish, Workload};
use crate::storage::io::queue::QueueView;
use crate::storage::io::queues::Change;
use crate::storage::io::schedulers::Policy;
use crate::storage::io::{Priority, Queues};

/// The word for every scheduler.
pub const ALL: &str = "all";
/// The word that lifts a limit.
const NONE: &str = "none";

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "disk",
        "scheduler",
        "waiting",
        "held_back",
        "in_flight",
        "depth",
        "requests",
        "merged_ratio",
        "failed",
    ];
    let mut table = report.table("queues", columns);
    visit(inspect, &mut |name, policy, view| {
        table.row(&[
            name.into(),
            policy.name().into(),
            view.waiting.into(),
            view.held_back.into(),
            view.in_flight.into(),
            view.depth.into(),
            view.counts.submitted.into(),
            merged_ratio(view),
            view.counts.failed.into(),
        ]);
    });
    let queues = &inspect.storage().queues;
    let limits = Tenant::all().filter_map(|tenant| Some((tenant, queues.limit(tenant)?)));
    let mut limits = limits.peekable();
    if limits.peek().is_some() {
        let mut table = report.table("limits", &["tenant", "limit_bytes_per_s"]);
        for (tenant, limit) in limits {
            table.row(&[tenant.index().into(), limit.into()]);
        }
    }
    Ok(None)
}

pub fn policy(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let mut table = report.table("disks", &["disk", "scheduler"]);
    visit(inspect, &mut |name, policy, _| {
        table.row(&[name.into(), policy.name().into()]);
    });
    let mut table = report.table("schedulers", &["scheduler", "what_goes_first"]);
    for policy in Policy::ALL {
        table.row(&[policy.name().into(), policy.about().into()]);
    }
    Ok(None)
}

pub fn queues(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "disk",
        "waiting",
        "held_back",
        "to_flush",
        "in_flight",
        "depth",
        "in_flight_high_water",
        "high_water",
        "capacity",
        "refused",
    ];
    let mut table = report.table("queues", columns);
    visit(inspect, &mut |name, _, view| {
        table.row(&[
            name.into(),
            view.waiting.into(),
            view.held_back.into(),
            view.waiting_to_flush.into(),
            view.in_flight.into(),
            view.depth.into(),
            view.counts.in_flight_high_water.into(),
            view.counts.high_water.into(),
            IO_REQUESTS_MAX.into(),
            view.counts.refused.into(),
        ]);
    });
    const COLUMNS: [&str; 5] = ["disk", "urgent", "real_time", "best_effort", "idle"];
    const { assert!(COLUMNS.len() == Priority::CLASSES.len() + 1) };
    let mut table = report.table("waiting by class of priority", &COLUMNS);
    visit(inspect, &mut |name, _, view| {
        let [urgent, real_time, best_effort, idle] = view.waiting_by_class.map(Value::from);
        table.row(&[name.into(), urgent, real_time, best_effort, idle]);
    });
    let columns = &[
        "disk",
        "requests_max",
        "pieces_max",
        "transfer_max_bytes",
        "write_cache",
        "starts",
    ];
    let mut table = report.table("what the disks take", columns);
    inspect.visit_disks(&mut |_, facts, _| {
        table.row(&[
            facts.name.into(),
            facts.requests_max.into(),
            facts.pieces_max.into(),
            facts.transfer_bytes_max.into(),
            facts.has_write_cache.into(),
            u64::from(facts.starts).into(),
        ]);
    });
    Ok(None)
}

pub fn stats(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "disk",
        "submitted",
        "done",
        "failed",
        "transfers",
        "merged",
        "retried",
        "overdue",
        "refused",
        "answers_ignored",
    ];
    let mut table = report.table("requests", columns);
    visit(inspect, &mut |name, _, view| {
        let counts = view.counts;
        table.row(&[
            name.into(),
            counts.submitted.into(),
            counts.done.into(),
            counts.failed.into(),
            counts.transfers.into(),
            counts.merged.into(),
            counts.retried.into(),
            counts.overdue.into(),
            counts.refused.into(),
            counts.answers_ignored.into(),
        ]);
    });
    let columns = &["disk", "kind", "count", "p50_us", "p99_us", "longest_us"];
    let mut table = report.table("from arrival to answer", columns);
    visit(inspect, &mut |name, _, view| {
        let kinds = [
            ("reads", &view.counts.reads),
            ("writes", &view.counts.writes),
            ("flushes", &view.counts.flushes),
        ];
        for (kind, times) in kinds {
            let [p50, p99, longest] = figures(times);
            table.row(&[
                name.into(),
                kind.into(),
                times.count().into(),
                p50,
                p99,
                longest,
            ]);
        }
    });
    Ok(None)
}

fn figures(times: &Histogram) -> [Value<'static>; 3] {
    let value = |taken: Option<Duration>| taken.map_or(Value::Unknown, |it| it.as_micros().into());
    [times.per_mille(500), times.per_mille(990), times.longest()].map(value)
}

fn merged_ratio(view: &QueueView<'_>) -> Value<'static> {
    match view.counts.done {
        0 => Value::Unknown,
        to => Value::Ratio {
            of: view.counts.merged,
            to,
        },
    }
}

/// Every disk that is there, with its queue.
fn visit(inspect: &mut dyn Inspect, visit: &mut dyn FnMut(&'static str, Policy, &QueueView<'_>)) {
    let mut names = [None; DISKS_MAX];
    inspect.visit_disks(&mut |index, facts, _| {
        if let Some(name) = names.get_mut(index) {
            *name = Some(facts.name);
        }
    });
    let queues: &Queues = &inspect.storage().queues;
    for (index, name) in names.into_iter().enumerate() {
        if let (Some(name), Some(queue), Some(policy)) =
            (name, queues.queue(index), queues.policy(index))
        {
            visit(name, policy, &queue.view());
        }
    }
}

pub fn set_policy(
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    let disk = disk_of(call, inspect)?;
    let Some(policy) = call.text(1).and_then(Policy::parse) else {
        // The catalog lets only names of schedulers through.
        return Ok(None);
    };
    report
        .fields("")
        .text("disk", call.text(0).unwrap_or_default())
        .text("scheduler", policy.name());
    Ok(Some(Intent::Io(Change::Policy { disk, policy })))
}

pub fn set_depth(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let disk = disk_of(call, inspect)?;
    let depth = call.number(1).unwrap_or(1) as usize;
    report
        .fields("")
        .text("disk", call.text(0).unwrap_or_default())
        .value("depth", depth);
    Ok(Some(Intent::Io(Change::Depth { disk, depth })))
}

pub fn set_limit(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let Some(tenant) = call.number(0).and_then(|it| Tenant::new(it as usize)) else {
        // The catalog lets only numbers of tenants through.
        return Ok(None);
    };
    let word = call.text(1).unwrap_or_default();
    let bytes_per_s = match word {
        NONE => None,
        word => Some(read_limit(word).ok_or_else(|| CommandError::NotALimit {
            word: CommandError::shown(word),
            unit: "bytes/s",
        })?),
    };
    report
        .fields("")
        .value("tenant", tenant.index())
        .value("limit_bytes_per_s", limit_value(bytes_per_s));
    Ok(Some(Intent::Io(Change::Limit {
        tenant,
        bytes_per_s,
    })))
}

fn limit_value(limit: Option<u64>) -> Value<'static> {
    limit.map_or(Value::Text(NONE), Value::Count)
}

/// A whole number of bytes, one at least: with none a second nothing would ever end.
fn read_limit(word: &str) -> Option<u64> {
    let Quantity {
        numerator,
        denominator,
    } = Quantity::parse(word, Unit::Bytes)?;
    let denominator = i128::from(denominator);
    let is_whole = numerator > 0 && numerator % denominator == 0;
    is_whole.then(|| u64::try_from(numerator / denominator).ok())?
}

pub fn bench(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let wish = Wish {
        // `all` is the name of none.
        policy: call.text(0).and_then(Policy::parse),
        workload: call.text(1).and_then(Workload::parse),
    };
    Ok(Some(Intent::Operation(Operation::CompareSchedulers(wish))))
}
