//! `irq`: interrupts by source.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let undelivered = inspect.interrupts().undelivered;
    report
        .fields("messages between cores")
        .count("undelivered", undelivered);
    let mut table = report.table("interrupts", &["vector", "source", "line", "core", "count"]);
    for source in &inspect.interrupts().sources {
        let line = match source.line {
            Some(line) => line.into(),
            None => Value::Text("none"),
        };
        let core = match source.core {
            Some(core) => core.into(),
            None => Value::Text("all"),
        };
        table.row(&[
            source.vector.into(),
            source.source.into(),
            line,
            core,
            source.count.into(),
        ]);
    }
    Ok(None)
}
