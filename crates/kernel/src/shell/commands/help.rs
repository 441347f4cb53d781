//! `help`: the catalog as a person reads it.

use super::{Inspect, Invocation, Outcome, Report};
use crate::shell::catalog::{self, COMMANDS, Command, Usage};
use crate::shell::filter::FILTER_USAGE;

pub fn run(invocation: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    match invocation.text(0).and_then(catalog::find) {
        Some(command) => explain(command, report),
        None => list(report),
    }
    Ok(None)
}

fn list(report: &mut Report) {
    let mut table = report.table("commands", &["command", "what"]);
    for command in COMMANDS {
        table.row(&[command.name.into(), command.summary.into()]);
    }
    let mut table = report.table("filters", &["filter"]);
    for (_, usage) in FILTER_USAGE {
        table.row(&[usage.into()]);
    }
    report.text("").line(
        "help COMMAND says more; a filter stands behind a bar, another command behind a semicolon",
    );
}

fn explain(command: &'static Command, report: &mut Report) {
    let mut lines = report.text("");
    lines.line(format_args!("{}: {}", command.name, command.summary));
    if !command.details.is_empty() {
        lines.line(command.details);
    }
    let mut table = report.table("usage", &["usage", "what"]);
    for action in command.actions {
        let what = match action.summary {
            "" => command.summary,
            summary => summary,
        };
        table.row(&[
            format_args!("{}", Usage { command, action }).into(),
            what.into(),
        ]);
    }
}
