//! What a session asks the kernel for, and how it waits for what comes of it.

use super::run::Asking;
use super::{Session, State};
use crate::base::operation::OperationId;
use crate::base::report::Report;
use crate::shell::gate::Permitted;

/// What has become of an intent that the kernel tried.
pub enum Tried {
    Done,
    /// Its answer comes later.
    Runs(OperationId),
}

impl Session {
    /// The line that is about to run, once.
    pub fn take_begun(&mut self) -> Option<&str> {
        core::mem::take(&mut self.has_begun).then_some(&self.line)
    }

    /// What the kernel is to try before the command is answered.
    pub fn request(&mut self) -> Option<Permitted> {
        match &mut self.state {
            State::Asking { ran, .. } => ran.permitted.take(),
            _ => None,
        }
    }

    /// What has become of the request.
    pub fn on_tried(&mut self, result: Result<Tried, &'static str>) {
        match core::mem::replace(&mut self.state, State::Editing) {
            State::Asking { progress, ran } => {
                match result {
                    Ok(Tried::Runs(id)) => {
                        self.state = State::Awaiting { progress, ran, id };
                        return;
                    }
                    Ok(Tried::Done) => {}
                    Err(reason) => self.report.fail(format_args!("{reason}")),
                }
                self.become_printing(progress, ran);
            }
            state => self.state = state,
        }
    }

    /// Asks `maybe_answer` whether the operation that it waits for has ended; that fills
    /// the report and says so.
    pub fn await_answer(&mut self, maybe_answer: impl FnOnce(OperationId, &mut Report) -> bool) {
        match core::mem::replace(&mut self.state, State::Editing) {
            State::Awaiting { progress, ran, id } => {
                if maybe_answer(id, &mut self.report) {
                    if ran.is_script && self.report.error().is_none() {
                        return self.begin_script(progress, ran);
                    }
                    let asking = Asking {
                        line: &self.line,
                        command: progress.command,
                        history: self.front.history(),
                        is_person: self.front.is_person(),
                        scripts: self.scripts_running(),
                        asker: self.asker,
                    };
                    asking.select(&mut self.scratch, &mut self.report);
                    self.become_printing(progress, ran);
                } else {
                    self.state = State::Awaiting { progress, ran, id };
                }
            }
            state => self.state = state,
        }
    }

    /// Its console is gone; one that comes back finds it as at boot.
    pub fn leave(&mut self) {
        match core::mem::replace(&mut self.state, State::Away) {
            State::Away => return,
            State::Awaiting { id, .. } => self.abandoned = Some(id),
            _ => {}
        }
        self.scripts.clear();
        self.input.clear();
        self.has_more_input = false;
        self.output.set_overpainting(false);
        self.output.clear();
    }

    /// The operation whose answer it does not wait for any more, once.
    pub fn take_abandoned(&mut self) -> Option<OperationId> {
        self.abandoned.take()
    }
}
