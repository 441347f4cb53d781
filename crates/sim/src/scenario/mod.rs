//! Scenario files: commands and the exact answers that they must get.
//!
//! The same files run on a simulated machine and, through the framed protocol, on a
//! real one: whoever implements `Target` runs them.

mod file;
mod matching;
mod target;

pub use file::{Command, Item, Only, Scenario};
pub use matching::{is_match, keep_placeholders};
pub use target::SimTarget;

use crate::framed::Answer;
use rayos_kernel::base::time::Duration;
use std::fmt::Write;

/// A machine whose shell is in framed mode.
pub trait Target {
    fn run(&mut self, line: &str) -> Result<Answer, String>;
    /// Lets time pass (`@ 150ms`).
    fn advance(&mut self, span: Duration) -> Result<(), String>;
    /// Does something to the world (`! cut 1 2`).
    fn act(&mut self, action: &str) -> Result<(), String>;
}

/// What a run has shown.
pub struct Outcome {
    /// Each failure as a person reads it; none when all is as the file says.
    pub failures: Vec<String>,
    /// The file as it would have to be for the run to succeed, placeholders kept.
    pub rewritten: String,
}

impl Scenario {
    /// Runs all steps; goes on behind an answer that was not expected.
    pub fn run(&self, target: &mut dyn Target) -> Outcome {
        let mut failures = Vec::new();
        let mut rewritten = String::new();
        for item in &self.items {
            let result = match item {
                Item::Other(_) => Ok(()),
                Item::Advance { span, .. } => target.advance(*span),
                Item::Act { action, .. } => target.act(action),
                Item::Command(command) => self.run_command(command, target, &mut rewritten),
            };
            if let Err(failure) = result {
                failures.push(failure);
            }
            if let Some(text) = item.verbatim() {
                rewritten.push_str(&text);
                rewritten.push('\n');
            }
        }
        Outcome {
            failures,
            rewritten,
        }
    }

    fn run_command(
        &self,
        command: &Command,
        target: &mut dyn Target,
        rewritten: &mut String,
    ) -> Result<(), String> {
        let Command {
            line,
            expected,
            number,
        } = command;
        let place = format!("{}:{number}: > {line}", self.name);
        let answer = match target.run(line) {
            Ok(answer) => answer,
            Err(reason) => return Err(format!("{place}\n    {reason}")),
        };
        let mut actual: Vec<&str> = answer.text.lines().collect();
        // Empty lines at the end look in the file like those between two steps.
        while actual.last().is_some_and(|line| line.is_empty()) {
            actual.pop();
        }
        let _ = writeln!(rewritten, "> {line}\n----");
        for text in keep_placeholders(expected, &actual) {
            let _ = writeln!(rewritten, "{text}");
        }
        if !is_match(expected, &actual) {
            return Err(difference(&place, expected, &actual));
        }
        let shows_failure = actual
            .iter()
            .any(|line| line.starts_with("error: ") || line.contains("\"ok\":false"));
        if shows_failure == answer.has_succeeded {
            let status = if answer.has_succeeded { "0" } else { "1" };
            return Err(format!("{place}\n    the answer came with status {status}"));
        }
        Ok(())
    }
}

fn difference(place: &str, expected: &[String], actual: &[&str]) -> String {
    let mut text = format!("{place}\n  expected:\n");
    for line in expected {
        let _ = writeln!(text, "    {line}");
    }
    text.push_str("  got:\n");
    for line in actual {
        let _ = writeln!(text, "    {line}");
    }
    text
}
