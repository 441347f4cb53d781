//! Runs one command of a line into a report.

use crate::base::asker::Asker;
use crate::base::report::Report;
use crate::base::time::Duration;
use crate::base::verdict::Verdict;
use crate::limits::SCRIPT_DEPTH_MAX;
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use crate::shell::gate::{Asked, Gate, Permitted};
use crate::shell::history::History;
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
    /// Scripts that run already; `None` where there are none.
    pub scripts: Option<usize>,
    pub asker: Asker,
}

/// What has become of a command besides its report.
pub struct Ran {
    /// What is to be done because of it.
    pub permitted: Option<Permitted>,
    pub is_clearing: bool,
    pub watch: Option<Duration>,
    pub is_json: bool,
    /// The answer is a text whose lines are to be run.
    pub is_script: bool,
    /// What is to be said of the command if it fails, now or later.
    pub on_failure: Verdict,
}

impl Default for Ran {
    fn default() -> Self {
        Self {
            permitted: None,
            is_clearing: false,
            watch: None,
            is_json: false,
            is_script: false,
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
        desk: &mut dyn Gate,
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
        let result = self.execute(&command, desk, report);
        match &result {
            // They are for the answer, and that comes later.
            Ok(done) if done.is_answered_later() => {}
            Ok(_) => select::apply(command.filters, report),
            Err(error) => report.fail(format_args!("{error}")),
        }
        let on_failure = match &result {
            Ok(_) => Verdict::Failed,
            Err(error) => error.verdict(),
        };
        let has_succeeded = report.error().is_none();
        let done = result.ok().filter(|_| has_succeeded).unwrap_or_default();
        let permitted = done.permitted.as_ref();
        let is_script = permitted.is_some_and(|permitted| permitted.intent.is_script());
        Some(Ran {
            is_script,
            permitted: done.permitted,
            is_clearing: done.is_clearing,
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
        desk: &mut dyn Gate,
        report: &mut Report,
    ) -> Result<Done, CommandError> {
        let invocation = Invocation::resolve(command.words, self.history)?;
        let (named, action) = (invocation.command, invocation.action);
        if action.access.is_change() && !self.asker.may_change {
            return Err(CommandError::NeedsToken {
                command: named,
                action,
            });
        }
        if command.watch.is_some() && !self.is_person {
            return Err(CommandError::WatchNeedsAPerson);
        }
        let asked = Asked {
            subject: self.asker.subject,
            command: named,
            action,
            line: command.source,
        };
        let permit = desk.authorize(&asked);
        let permit = permit.map_err(|refusal| CommandError::Refused {
            command: named,
            action,
            refusal,
        })?;
        let intent = (action.run)(&invocation, desk, report)?;
        let intent = match intent {
            None => return Ok(Done::default()),
            // The session's own affair.
            Some(Intent::ClearScreen) => {
                return Ok(Done {
                    is_clearing: true,
                    ..Done::default()
                });
            }
            Some(intent) => intent,
        };
        if command.watch.is_some() {
            return Err(CommandError::WatchOfAnAct);
        }
        if intent.is_script() {
            match self.scripts {
                None => return Err(CommandError::ScriptNeedsAConsole),
                Some(running) if running >= SCRIPT_DEPTH_MAX => {
                    return Err(CommandError::ScriptTooDeep);
                }
                Some(_) => {}
            }
        }
        crate::invariant!(
            !action.access.needs().is_empty(),
            "{} {} wants something done and needs no capability",
            named.name,
            action.name
        );
        Ok(Done {
            permitted: Some(Permitted { intent, permit }),
            ..Done::default()
        })
    }
}

/// What came of a command's handler besides its report.
#[derive(Default)]
struct Done {
    permitted: Option<Permitted>,
    is_clearing: bool,
}

impl Done {
    fn is_answered_later(&self) -> bool {
        let permitted = self.permitted.as_ref();
        permitted.is_some_and(Permitted::is_answered_later)
    }
}
