//! Runs one command of a line into a report.

use crate::base::authority::Authority;
use crate::base::report::Report;
use crate::base::time::Duration;
use crate::base::verdict::Verdict;
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use crate::shell::history::History;
use crate::shell::inspect::Inspect;
use crate::shell::invocation::Invocation;
use crate::shell::parse::{Command, Line, Scratch};
use crate::shell::select;

/// What is asked, and who asks.
pub struct Asking<'a> {
    pub line: &'a str,
    /// Which command of the line.
    pub command: usize,
    pub history: Option<&'a History>,
    pub is_person: bool,
    /// What the command may do at most.
    pub authority: Authority,
}

/// What has become of a command besides its report.
pub struct Ran {
    pub intent: Option<Intent>,
    pub watch: Option<Duration>,
    pub is_json: bool,
    /// What is to be said of the command if it fails, now or later.
    pub on_failure: Verdict,
}

impl Default for Ran {
    fn default() -> Self {
        Self {
            intent: None,
            watch: None,
            is_json: false,
            on_failure: Verdict::Failed,
        }
    }
}

impl Asking<'_> {
    /// Runs the command; `None` when the line has not so many.
    ///
    /// A line that is wrong somewhere counts as one command that fails.
    pub fn run(
        &self,
        scratch: &mut Scratch,
        inspect: &mut dyn Inspect,
        report: &mut Report,
    ) -> Option<Ran> {
        let line = match Line::parse(self.line, scratch) {
            Ok(line) => line,
            Err(error) if self.command == 0 => {
                report.begin(self.line);
                report.fail(format_args!("{error}"));
                return Some(Ran {
                    on_failure: Verdict::Malformed,
                    ..Ran::default()
                });
            }
            Err(_) => return None,
        };
        let command = line.commands().nth(self.command)?;
        report.begin(command.source);
        let result = self.execute(&command, inspect, report);
        match &result {
            // They are for the answer, and that comes later.
            Ok(Some(Intent::Operation(_))) => {}
            Ok(_) => select::apply(command.filters, report),
            Err(error) => report.fail(format_args!("{error}")),
        }
        let on_failure = match &result {
            Ok(_) => Verdict::Failed,
            Err(error) => error.verdict(),
        };
        let has_succeeded = report.error().is_none();
        Some(Ran {
            intent: result.ok().flatten().filter(|_| has_succeeded),
            watch: command.watch.filter(|_| has_succeeded),
            is_json: command.is_json,
            on_failure,
        })
    }

    /// Runs the filters of the command over an answer that came later.
    pub fn select(&self, scratch: &mut Scratch, report: &mut Report) {
        if report.error().is_none()
            && let Ok(line) = Line::parse(self.line, scratch)
            && let Some(command) = line.commands().nth(self.command)
        {
            select::apply(command.filters, report);
        }
    }

    fn execute(
        &self,
        command: &Command<'_>,
        inspect: &mut dyn Inspect,
        report: &mut Report,
    ) -> Result<Option<Intent>, CommandError> {
        let invocation = Invocation::resolve(command.words, self.history)?;
        if invocation.action.capability > self.authority {
            return Err(CommandError::NeedsToken {
                command: invocation.command,
                action: invocation.action,
            });
        }
        if command.watch.is_some() && !self.is_person {
            return Err(CommandError::WatchNeedsAPerson);
        }
        let intent = (invocation.action.run)(&invocation, inspect, report)?;
        if command.watch.is_some() && intent.is_some() {
            return Err(CommandError::WatchOfAnAct);
        }
        Ok(intent)
    }
}
