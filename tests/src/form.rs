//! The short form of a test, for every day, and the long one; what a short form leaves out is said.

use std::io::Write;

use xtask::suite::LONG_VARIABLE;

/// Whether tests run their long form.
pub fn is_long() -> bool {
    std::env::var_os(LONG_VARIABLE).is_some()
}

/// Says what the running test leaves out, and why.
///
/// Past the harness, which keeps what a test that passes prints to itself.
pub fn say_skipped(what_and_why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Whoever closed the stream does not want to hear it.
    let _ = writeln!(std::io::stderr(), "skip  {test}: {what_and_why}");
}

/// The long form's cases in a long run; else the short form's, and the word that the rest was left out.
pub fn cases<T>(short: Vec<T>, long: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if is_long() {
        return long();
    }
    let left_out = long().len().saturating_sub(short.len());
    if left_out > 0 {
        say_skipped(&format!(
            "{left_out} of {} cases, which take minutes; `cargo xtask test --long` runs them",
            short.len() + left_out
        ));
    }
    short
}
