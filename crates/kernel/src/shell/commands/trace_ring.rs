//! `trace-ring`: the newest events of all cores.

use super::{Inspect, Invocation, Outcome, Report};

const COUNT_DEFAULT: u64 = 32;

pub fn run(invocation: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let count = invocation.number(0).unwrap_or(COUNT_DEFAULT);
    let mut table = report.table(
        "events",
        &["number", "at_ns", "core", "kind", "first", "second"],
    );
    for event in inspect.trace().tail(count as usize) {
        table.row(&[
            event.number.into(),
            event.at.into(),
            event.core.into(),
            event.kind.name().into(),
            event.first.into(),
            event.second.into(),
        ]);
    }
    Ok(None)
}
