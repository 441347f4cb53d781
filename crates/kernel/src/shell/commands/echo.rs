//! `echo`: repeats its words.

use super::{Inspect, Invocation, Outcome, Report};
use core::fmt;

pub fn run(invocation: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    report
        .text("")
        .line(format_args!("{}", Words(invocation.arguments())));
    Ok(None)
}

/// Words with a blank between them.
struct Words<'a>(&'a [&'a str]);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{word}")?;
        }
        Ok(())
    }
}
