//! The matrix of what schedulers have shown: a table for each workload.

use super::round::Outcome;
use super::workload::{SHARES, Workload};
use crate::base::report::{Report, Value};
use crate::base::time::Duration;

const USUAL: &[&str] = &[
    "scheduler",
    "model",
    "requests_per_s",
    "bytes_per_s",
    "p50_us",
    "p99_us",
    "merged_ratio",
    "cpu_ns",
];
const FLOOD: &[&str] = &[
    "scheduler",
    "model",
    "requests_per_s",
    "bytes_per_s",
    "p50_us",
    "p99_us",
    "merged_ratio",
    "cpu_ns",
    "deadlines",
    "missed",
];
const SHARED: &[&str] = &[
    "scheduler",
    "model",
    "requests_per_s",
    "bytes_per_s",
    "p50_us",
    "p99_us",
    "merged_ratio",
    "cpu_ns",
    "first_ratio",
    "second_ratio",
    "third_ratio",
];

pub fn fill(outcomes: &[Outcome], report: &mut Report) {
    report
        .text("")
        .line("the disks are models and the times are theirs; only cpu_ns, for one request, was measured here");
    for workload in Workload::ALL {
        let rows = outcomes.iter();
        let mut rows = rows.filter(|it| it.setting.workload == workload).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let columns = match workload {
            Workload::Flood => FLOOD,
            Workload::Shares => SHARED,
            _ => USUAL,
        };
        let mut table = report.table(workload.title(), columns);
        for outcome in rows {
            let values = row(outcome);
            table.row(&values[..columns.len()]);
        }
    }
}

/// As many values as the longest row has.
fn row(outcome: &Outcome) -> [Value<'static>; SHARED.len()] {
    let per_s = |count: u64| match outcome.took.as_nanos() {
        0 => Value::Unknown,
        nanos => Value::Count((u128::from(count) * 1_000_000_000 / u128::from(nanos)) as u64),
    };
    let micros = |taken: Option<Duration>| taken.map_or(Value::Unknown, |it| it.as_micros().into());
    // A simulated machine's clock stands still meanwhile.
    let cpu = match outcome.worked.as_nanos() {
        0 => Value::Unknown,
        nanos => Value::Count(nanos / outcome.requests.max(1)),
    };
    let part = |of: u64, to: u64| Value::Ratio { of, to };
    let total: u64 = outcome.shares.iter().sum();
    let share = |index: usize| part(outcome.shares[index], total);
    let special = match outcome.setting.workload {
        Workload::Shares => [0, 1, 2].map(share),
        _ => [outcome.wanted.into(), outcome.missed.into(), Value::Unknown],
    };
    const { assert!(SHARES.len() == 3) };
    let [first, second, third] = special;
    [
        outcome.setting.policy.name().into(),
        outcome.setting.kind.name().into(),
        per_s(outcome.requests),
        per_s(outcome.bytes),
        micros(outcome.p50),
        micros(outcome.p99),
        part(outcome.merged, outcome.requests),
        cpu,
        first,
        second,
        third,
    ]
}
