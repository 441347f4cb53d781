//! `debug`: breaks the kernel on purpose, where the command line allows it.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::machine::DebugAction;
use crate::security::audit::{Change, Tamper};
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;

pub fn panic(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    break_by(DebugAction::Panic, inspect, report)
}

pub fn fault(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    break_by(DebugAction::Fault, inspect, report)
}

pub fn overflow(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    break_by(DebugAction::Overflow, inspect, report)
}

pub fn hang(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    break_by(DebugAction::Hang, inspect, report)
}

pub fn audit_change(
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    break_trail_by(Tamper::Change, call, inspect, report)
}

pub fn audit_drop(
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    break_trail_by(Tamper::Drop, call, inspect, report)
}

pub fn audit_reorder(
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    break_trail_by(Tamper::Reorder, call, inspect, report)
}

pub fn audit_insert(
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    break_trail_by(Tamper::Insert, call, inspect, report)
}

/// Not the machine but its memory of what was done.
fn break_trail_by(
    how: Tamper,
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    if !inspect.boot().config.is_debug {
        return Err(CommandError::DebugIsOff);
    }
    let number = call.number(0).unwrap_or_default();
    report.text("").line("broken; audit verify finds it");
    Ok(Some(Intent::Audit(Change::Tamper { how, number })))
}

fn break_by(action: DebugAction, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    if !inspect.boot().config.is_debug {
        return Err(CommandError::DebugIsOff);
    }
    report.text("").line("breaking");
    Ok(Some(Intent::Debug(action)))
}
