//! Runs one command of a line into a report.

use crate::base::report::Report;
use crate::base::time::Duration;
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use crate::shell::inspect::Inspect;
use crate::shell::invocation::Invocation;
use crate::shell::parse::{Command, Line, Scratch};
use crate::shell::select;

/// What has become of a command besides its report.
#[derive(Default)]
pub struct Ran {
    pub intent: Option<Intent>,
    pub watch: Option<Duration>,
    pub is_json: bool,
}

/// Runs command number `index` of the line; `None` when there are not so many.
///
/// A line that is wrong somewhere counts as one command that fails.
pub fn run_command(
    line: &str,
    index: usize,
    is_interactive: bool,
    scratch: &mut Scratch,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Option<Ran> {
    let line = match Line::parse(line, scratch) {
        Ok(line) => line,
        Err(error) if index == 0 => {
            report.begin(line);
            report.fail(format_args!("{error}"));
            return Some(Ran::default());
        }
        Err(_) => return None,
    };
    let command = line.commands().nth(index)?;
    report.begin(command.source);
    let mut ran = Ran {
        intent: None,
        watch: command.watch,
        is_json: command.is_json,
    };
    match execute(&command, is_interactive, inspect, report) {
        Ok(intent) => ran.intent = intent,
        Err(error) => report.fail(format_args!("{error}")),
    }
    if report.error().is_none() {
        select::apply(command.filters, report);
    }
    if report.error().is_some() {
        ran.intent = None;
        ran.watch = None;
    }
    Some(ran)
}

fn execute(
    command: &Command<'_>,
    is_interactive: bool,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Result<Option<Intent>, CommandError> {
    let invocation = Invocation::resolve(command.words)?;
    if command.watch.is_some() && !is_interactive {
        return Err(CommandError::WatchNeedsAPerson);
    }
    let intent = (invocation.action.run)(&invocation, inspect, report)?;
    if command.watch.is_some() && intent.is_some() {
        return Err(CommandError::WatchOfAnAct);
    }
    Ok(intent)
}
