//! `threads`: who runs, for how long, and how deep their stacks went.

use super::{Inspect, Invocation, Outcome, Report};

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let mut table = report.table(
        "threads",
        &[
            "id",
            "name",
            "state",
            "priority",
            "core",
            "pinned",
            "run_time_ns",
            "switches",
            "stack_bytes",
            "stack_high_water_bytes",
        ],
    );
    for thread in &inspect.threads().threads {
        table.row(&[
            thread.id.into(),
            thread.name.as_str().into(),
            thread.state.into(),
            thread.priority.into(),
            thread.core.into(),
            thread.is_pinned.into(),
            thread.run_time.into(),
            thread.switches.into(),
            thread.stack_bytes.into(),
            thread.stack_high_water_bytes.into(),
        ]);
    }
    Ok(None)
}
