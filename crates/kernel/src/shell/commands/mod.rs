//! The handlers of the commands, one file a noun; each reads views and fills a report.

pub mod echo;
pub mod help;
pub mod power;
pub mod status;
pub mod uptime;
pub mod version;

use crate::base::report::Report;
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use crate::shell::inspect::Inspect;
use crate::shell::invocation::Invocation;

/// What every handler gives back: what is to be done once the answer is shown.
type Outcome = Result<Option<Intent>, CommandError>;
