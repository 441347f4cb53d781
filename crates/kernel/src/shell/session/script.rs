//! Scripts: lines that a session takes from a file, one after the other.
//!
//! Limits: `SCRIPT_DEPTH_MAX` within each other.
//! Invariants: each line is announced and passes the gate like one that was typed; the
//! first line that fails is the last.

use super::run::Ran;
use super::{Progress, Session, State};
use crate::base::fixed::Text;
use crate::base::report::{Report, Value};
use crate::base::verdict::Verdict;
use crate::limits::LINE_MAX;
use alloc::boxed::Box;
use alloc::string::String;

/// A script that runs, and what was interrupted for it.
pub struct Script {
    text: String,
    /// Bytes that are done, and lines.
    at: usize,
    number: usize,
    lines_run: usize,
    /// The line with the command that runs it, and how far that has come.
    caller: Box<Text<LINE_MAX>>,
    source: Box<str>,
    progress: Progress,
    ran: Ran,
}

impl Script {
    /// The next line with something to run.
    fn next_line(&mut self) -> Option<&str> {
        loop {
            let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
            let length = rest.find('\n').unwrap_or(rest.len());
            let (from, end) = (self.at, self.at + length);
            self.at = end + 1;
            self.number += 1;
            let line = self.text[from..end].trim();
            if !line.is_empty() && !line.starts_with('#') {
                self.lines_run += 1;
                return Some(self.text[from..end].trim());
            }
        }
    }
}

/// The lines of a report's text, as one; `None` when there is no memory for it.
fn text_of(report: &Report) -> Option<String> {
    let block = report.block(0)?;
    let line = |row| match block.value(row, 0) {
        Value::Text(line) => line,
        _ => "",
    };
    let rows = 0..block.row_count();
    let length = rows.clone().map(|row| line(row).len() + 1).sum();
    let mut text = String::new();
    text.try_reserve_exact(length).ok()?;
    for row in rows {
        text.push_str(line(row));
        text.push('\n');
    }
    Some(text)
}

impl Session {
    /// The report holds a script that is to be run; what comes of it is the answer.
    pub(super) fn begin_script(&mut self, progress: Progress, ran: Ran) {
        let source = self.report.command().into();
        // A report that is too full for all lines is no script to be run in part.
        let text = match self.report.is_cut() {
            true => None,
            false if self.report.block_count() == 0 => Some(String::new()),
            false => text_of(&self.report),
        };
        let Some(text) = text else {
            let reason = format_args!("there is no room for this script; make it shorter");
            self.report.fail(reason);
            return self.become_printing(progress, ran);
        };
        let caller = self.line.clone();
        self.scripts.push(Script {
            text,
            at: 0,
            number: 0,
            lines_run: 0,
            caller,
            source,
            progress,
            ran,
        });
        self.run_next_line();
    }

    /// A line of the newest script has come to its end.
    pub(super) fn on_script_line(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Succeeded => self.run_next_line(),
            _ => self.end_script(Some("has failed")),
        }
    }

    fn run_next_line(&mut self) {
        let Some(line) = self.scripts.last_mut().and_then(Script::next_line) else {
            return self.end_script(None);
        };
        if line.len() > LINE_MAX {
            return self.end_script(Some("is too long"));
        }
        self.line.set_cut(line);
        self.has_begun = true;
        self.state = State::Running(Progress::default());
    }

    /// Answers the command that has run the newest script.
    fn end_script(&mut self, failure: Option<&str>) {
        let Some(script) = self.scripts.pop() else {
            return;
        };
        self.line = script.caller;
        self.report.begin(&script.source);
        match failure {
            Some(reason) => self.report.fail(format_args!(
                "{}: line {} {reason}; nothing behind it was run",
                script.source, script.number
            )),
            None => {
                let lines = script.lines_run;
                self.report
                    .text("")
                    .line(format_args!("{lines} lines were run"));
            }
        }
        self.become_printing(script.progress, script.ran);
    }
}
