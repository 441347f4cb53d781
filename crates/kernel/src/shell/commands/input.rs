//! `input`: what pointers and touch screens have done.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::input::event;
use crate::base::report::Value;

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let queue = inspect.pointers();
    report
        .fields("input")
        .count("keys_without_console", queue.keys)
        .count("pointer", queue.pointer)
        .count("touch", queue.touch)
        .count("dropped", queue.dropped)
        .count("waiting", queue.len() as u64);
    Ok(None)
}

/// Those that wait, oldest first.
pub fn events(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let mut table = report.table("events", &["device", "kind", "code", "value"]);
    for input in inspect.pointers().iter() {
        let kind = match input.kind {
            event::KEY => "button",
            event::RELATIVE => "move",
            _ => "place",
        };
        table.row(&[
            format_args!("{}", input.class()).into(),
            kind.into(),
            u32::from(input.code).into(),
            Value::Signed(input.value.into()),
        ]);
    }
    Ok(None)
}
