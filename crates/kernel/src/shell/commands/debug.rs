//! `debug`: breaks the kernel on purpose, where the command line allows it.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::machine::DebugAction;
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

fn break_by(action: DebugAction, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    if !inspect.boot().config.is_debug {
        return Err(CommandError::DebugIsOff);
    }
    report.text("").line("breaking");
    Ok(Some(Intent::Debug(action)))
}
