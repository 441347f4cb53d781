//! `history`: the lines that the asking console remembers, oldest first.

use super::{Inspect, Invocation, Outcome, Report};

pub fn run(invocation: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let mut table = report.table("history", &["number", "line"]);
    let Some(history) = invocation.history else {
        return Ok(None);
    };
    for (index, line) in history.oldest_first().enumerate() {
        let number = history.forgotten() + index as u64 + 1;
        table.row(&[number.into(), line.into()]);
    }
    Ok(None)
}
