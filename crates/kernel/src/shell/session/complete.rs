//! What may stand at the cursor: names and columns that fit.

use crate::base::report::Report;
use crate::shell::catalog::{self, Action, COMMANDS, Kind, LOOK};
use crate::shell::editor::{Candidates, Complete};
use crate::shell::inspect::Inspect;
use crate::shell::invocation::{Invocation, argument_at};
use core::cell::RefCell;

/// Lives for one key; the report is free while a line is being typed.
pub struct Completing<'a> {
    inspect: RefCell<&'a mut dyn Inspect>,
    report: RefCell<&'a mut Report>,
}

impl<'a> Completing<'a> {
    pub fn new(inspect: &'a mut dyn Inspect, report: &'a mut Report) -> Self {
        Self {
            inspect: RefCell::new(inspect),
            report: RefCell::new(report),
        }
    }
}

impl Complete for Completing<'_> {
    fn candidates(&self, words_before: &[&str], _prefix: &str, out: &mut Candidates<'_>) {
        let words = behind_watch(words_before);
        let Some((name, words)) = words.split_first() else {
            return offer_commands(out);
        };
        let Some(command) = catalog::find(name) else {
            return;
        };
        if command.name == "watch" {
            // Its seconds are the user's to say.
            return;
        }
        if !command.has_actions() {
            return offer_argument(&command.actions[0], words, out);
        }
        for action in command.actions {
            if let Some(next) = action.next_word(words) {
                out.offer(next);
            }
        }
        if let Some((action, words)) = command.action_of(words) {
            offer_argument(action, words, out);
        }
    }

    /// Runs the command, if it only reads, and offers the columns of its answer.
    fn columns(&self, command: &[&str], _prefix: &str, out: &mut Candidates<'_>) {
        let Ok(invocation) = Invocation::resolve(behind_watch(command), None) else {
            return;
        };
        if invocation.action.access != LOOK {
            return;
        }
        let (mut inspect, mut report) = (self.inspect.borrow_mut(), self.report.borrow_mut());
        report.begin("");
        if (invocation.action.run)(&invocation, &mut **inspect, &mut report).is_ok() {
            for block in report.blocks() {
                block.columns().iter().for_each(|column| out.offer(column));
            }
        }
    }
}

/// The words of the command that `watch SECONDS` stands in front of.
fn behind_watch<'w, 't>(words: &'w [&'t str]) -> &'w [&'t str] {
    match words {
        ["watch", _, rest @ ..] => rest,
        _ => words,
    }
}

fn offer_commands(out: &mut Candidates<'_>) {
    COMMANDS.iter().for_each(|command| out.offer(command.name));
}

fn offer_argument(action: &'static Action, words: &[&str], out: &mut Candidates<'_>) {
    match argument_at(action, words.len()).map(|argument| argument.kind) {
        Some(Kind::Keyword(words)) => words.iter().for_each(|word| out.offer(word)),
        Some(Kind::Command) => offer_commands(out),
        Some(Kind::Phrase(expect)) => expect(words, &mut |word| out.offer(word)),
        Some(Kind::Number { .. } | Kind::Text) | None => {}
    }
}
