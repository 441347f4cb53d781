//! What boot writes down: the log, the trace, and what is missing.

use crate::arch::clock;
use crate::base::fixed::Vec;
use crate::base::log::{Level, Log};
use crate::base::trace::Trace;

/// The log and the trace ring of this machine.
pub static LOG: Log = Log::new();
pub static TRACE: Trace = Trace::new();

/// What is missing, each with the reason; `status` shows it.
pub(super) type Missing = Vec<(&'static str, &'static str), 16>;

pub(super) fn log(level: Level, text: core::fmt::Arguments<'_>) {
    LOG.write(clock::now(), level, "boot", text);
}

pub(super) fn note(missing: &mut Missing, what: &'static str, reason: &'static str) {
    // The greeting and `status` show it; as a warning it would be said twice.
    log(Level::Info, format_args!("{what} is missing: {reason}"));
    if missing.push((what, reason)).is_err() {
        log(
            Level::Warn,
            format_args!("the list of missing things is full"),
        );
    }
}
