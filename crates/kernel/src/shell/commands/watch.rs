//! `watch SECONDS COMMAND`: the parser takes it off what it stands before.

use super::{Inspect, Invocation, Outcome, Report};
use crate::shell::command_error::CommandError;

/// Reached only by a `watch` that stands where it cannot.
pub fn run(invocation: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    Err(CommandError::OnlyInFront {
        command: invocation.command,
    })
}
