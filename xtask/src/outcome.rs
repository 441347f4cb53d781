//! How a subcommand ends: the exit codes that scripts rely on, and the errors that choose them.

use std::fmt;
use std::process::ExitCode;

/// The exit codes of `cargo xtask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Success = 0,
    /// A command or a test failed.
    Failure = 1,
    /// Bad usage, or something that is needed is missing.
    Unusable = 2,
    /// The kernel panicked, reset, or went away.
    Crashed = 3,
    TimedOut = 4,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(outcome as u8)
    }
}

/// An error after which there is nothing to try before the user changes something.
#[derive(Debug)]
pub struct Unusable(pub String);

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// The exit code of an error that reached `main`.
pub fn of_error(error: &anyhow::Error) -> Outcome {
    if error.is::<Unusable>() {
        Outcome::Unusable
    } else {
        Outcome::Failure
    }
}
