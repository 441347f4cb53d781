//! What a console says unasked: the greeting, and bad news from the log.

use super::output::Output;
use crate::base::log::Level;
use crate::base::machine::BootView;
use crate::limits::LOG_TEXT_MAX;
use crate::shell::commands::version::VERSION;
use crate::shell::inspect::Inspect;
use crate::shell::render::Escaped;
use core::fmt::{self, Write};

/// Records shown in one go.
const RECORDS_A_STEP: usize = 8;
/// What one record takes at most, each of its bytes escaped.
const RECORD_BYTES_MAX: usize = 64 + LOG_TEXT_MAX * "\\u{ff}".len();
/// Room that the output must have for `show_records`.
pub const NOTICE_BYTES_MAX: usize = RECORDS_A_STEP * RECORD_BYTES_MAX;

/// Says once what runs here and what boot could not do.
pub fn greet(boot: &BootView, output: &mut Output) {
    let mut lines = Lines(output);
    // Writing lines cannot fail: the output counts what does not fit.
    let _ = writeln!(lines, "RayOS {VERSION} ({})", boot.path);
    for (what, reason) in &boot.missing {
        let _ = writeln!(lines, "missing: {what}: {reason}");
    }
    for problem in &boot.config.problems {
        let word = Escaped(&problem.word);
        let _ = writeln!(lines, "configuration: {word}: {}", problem.reason);
    }
    if boot.config.problems_more > 0 {
        let more = boot.config.problems_more;
        let _ = writeln!(lines, "configuration: {more} more problems");
    }
}

/// The next records of level warn or worse, from record number `seen` on.
pub struct News {
    seen: u64,
}

impl News {
    pub const fn new() -> Self {
        Self { seen: 0 }
    }

    /// Is there one that was not shown?
    pub fn is_waiting(&mut self, inspect: &dyn Inspect) -> bool {
        let written = inspect.log().view().written;
        if written == self.seen {
            return false;
        }
        let mut first_bad = None;
        inspect.log().visit_from(self.seen, |record| {
            if record.level <= Level::Warn && first_bad.is_none() {
                first_bad = Some(record.number);
            }
        });
        self.seen = first_bad.unwrap_or(written);
        first_bad.is_some()
    }

    /// Shows some of them.
    pub fn show(&mut self, inspect: &dyn Inspect, output: &mut Output) {
        let (mut shown, mut next) = (0, self.seen);
        inspect.log().visit_from(self.seen, |record| {
            if shown == RECORDS_A_STEP {
                return;
            }
            next = record.number + 1;
            if record.level <= Level::Warn {
                shown += 1;
                let (at, level, source) = (record.at, record.level.name(), record.source);
                let text = Escaped(&record.text);
                let _ = writeln!(Lines(output), "[{at}] {level} {source}: {text}");
            }
        });
        self.seen = next;
    }
}

struct Lines<'a>(&'a mut Output);

impl Write for Lines<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_lines(text.as_bytes());
        Ok(())
    }
}
