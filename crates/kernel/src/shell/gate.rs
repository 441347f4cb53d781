//! The gate as the shell sees it: it asks before a command runs.

use crate::base::subject::Subject;
use crate::security::gate::{Permit, Refusal};
use crate::shell::catalog::{Action, Command, Intent};
use crate::shell::inspect::Inspect;

/// One command, and who wants it run.
pub struct Asked<'a> {
    pub subject: Subject,
    pub command: &'static Command,
    pub action: &'static Action,
    /// As it was typed.
    pub line: &'a str,
}

/// What a command wants done, with the proof that it may be.
#[derive(Debug)]
pub struct Permitted {
    pub intent: Intent,
    pub permit: Permit,
}

/// Views for a command, and whether it may have them.
pub trait Gate: Inspect {
    fn authorize(&mut self, asked: &Asked<'_>) -> Result<Permit, Refusal>;
}

impl Permitted {
    /// Is it tried before it is answered?
    pub const fn can_be_refused(&self) -> bool {
        self.intent.can_be_refused()
    }

    /// Is the answer what comes of it?
    pub const fn is_answered_later(&self) -> bool {
        matches!(self.intent, Intent::Operation(_))
    }
}
