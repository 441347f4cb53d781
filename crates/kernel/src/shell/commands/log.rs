//! `log`: the records that are kept, oldest first.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::resilience::chronicle::Wish;
use crate::shell::catalog::{Intent, Operation};

/// Records copied in one go: the log is locked meanwhile, with interrupts off.
const RECORDS_A_VISIT: usize = 16;

pub fn run(invocation: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let levels = invocation.arguments();
    let log = inspect.log();
    let end = log.view().written;
    let mut table = report.table("log", &["at_ns", "level", "source", "text"]);
    let mut next = 0;
    loop {
        let mut visited = 0;
        log.visit_from(next, |record| {
            if visited == RECORDS_A_VISIT || record.number >= end {
                return;
            }
            visited += 1;
            next = record.number + 1;
            let level = record.level.name();
            if !levels.is_empty() && !levels.contains(&level) {
                return;
            }
            let text = match record.text.is_cut() {
                true => Value::Format(format_args!("{}...", record.text)),
                false => record.text.as_str().into(),
            };
            table.row(&[record.at.into(), level.into(), record.source.into(), text]);
        });
        if visited == 0 {
            return Ok(None);
        }
    }
}

/// Those of the boot before, from the disk that is in use.
pub fn previous(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    Ok(Some(Intent::Operation(Operation::Chronicle(
        Wish::Messages,
    ))))
}
