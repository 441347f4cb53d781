//! A panic's report, taken apart into what a person looks for in it.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use xtask::session::{Failure, Session};
use xtask::workspace;

/// The kernel's own code, as its symbols name it.
const KERNEL_SOURCES: &str = "crates/kernel/src";

/// A line of the backtrace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub address: u64,
    pub function: Option<String>,
    pub source: Option<(String, usize)>,
}

#[derive(Clone, Debug)]
pub struct PanicReport {
    text: String,
}

impl PanicReport {
    pub fn of(text: &str) -> PanicReport {
        PanicReport {
            text: text.replace('\r', ""),
        }
    }

    /// Waits for the panic that this kernel is about to have; its report must be complete.
    pub fn wait(session: &mut Session, within: Duration) -> anyhow::Result<PanicReport> {
        match session.wait_until_ready(within) {
            Err(Failure::Panicked {
                report,
                is_complete: true,
            }) => Ok(PanicReport::of(&report)),
            Err(failure) => Err(failure.into()),
            Ok(()) => bail!("the kernel goes on as if nothing was wrong"),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn reason(&self) -> anyhow::Result<&str> {
        let mut lines = self.text.lines();
        let reason = lines.find_map(|line| line.strip_prefix("panic: "));
        reason.with_context(|| format!("a report without a reason:\n{}", self.text))
    }

    /// The lines below a heading, up to the next heading.
    fn section(&self, heading: &str) -> anyhow::Result<Vec<&str>> {
        let mut lines = self.text.lines();
        ensure!(
            lines.any(|line| line == heading),
            "a report without {heading:?}:\n{}",
            self.text
        );
        Ok(lines
            .take_while(|line| line.starts_with("  "))
            .map(str::trim)
            .collect())
    }

    pub fn frames(&self) -> anyhow::Result<Vec<Frame>> {
        let lines = self.section("backtrace:")?;
        let frames = lines
            .into_iter()
            .filter(|line| !line.starts_with("repeated "));
        frames.map(parse_frame).collect()
    }

    /// The first frame of a function.
    pub fn frame_of(&self, function: &str) -> anyhow::Result<Frame> {
        let mut frames = self.frames()?.into_iter();
        let found = frames.find(|frame| frame.function.as_deref() == Some(function));
        found.with_context(|| format!("no {function} in the backtrace:\n{}", self.text))
    }

    /// A register's value at the moment of the failure.
    pub fn register(&self, name: &str) -> anyhow::Result<u64> {
        let lines = self.section("registers:")?;
        let words: Vec<&str> = lines
            .iter()
            .flat_map(|line| line.split_whitespace())
            .collect();
        let mut pairs = words.chunks(2);
        let value = pairs
            .find_map(|pair| (pair[0] == name).then(|| pair.get(1)))
            .flatten();
        let value = value.with_context(|| format!("no register {name}:\n{}", self.text))?;
        u64::from_str_radix(value, 16).with_context(|| format!("{name} is {value}"))
    }

    /// How many events the tail of the trace ring has.
    pub fn trace_events(&self) -> anyhow::Result<usize> {
        Ok(self.section("trace:")?.len())
    }

    /// Whether the kernel says that it halts, or that it reboots.
    pub fn end(&self) -> Option<&str> {
        self.text.lines().last()
    }
}

impl Frame {
    /// The text of the source line that this frame names.
    pub fn source_line(&self) -> anyhow::Result<String> {
        let (file, number) = self.source.as_ref().context("the frame names no source")?;
        let inside = file
            .find(KERNEL_SOURCES)
            .map_or(file.as_str(), |at| &file[at..]);
        let path = workspace::root().join(inside);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let line = number
            .checked_sub(1)
            .and_then(|index| text.lines().nth(index));
        let line = line.with_context(|| format!("{file} has no line {number}"))?;
        Ok(line.trim().to_string())
    }
}

/// `0xffffffff80201234 function::name+0x12 at path/file.rs:12`, where only the address is always there.
fn parse_frame(line: &str) -> anyhow::Result<Frame> {
    let (address, rest) = line.split_once(' ').unwrap_or((line, ""));
    let digits = address.strip_prefix("0x").unwrap_or_default();
    let address = u64::from_str_radix(digits, 16)
        .with_context(|| format!("a frame without an address: {line}"))?;
    let (name, source) = match rest.rsplit_once(" at ") {
        Some((name, place)) => (name, Some(parse_place(place)?)),
        None => (rest, None),
    };
    let function = name
        .rsplit_once("+0x")
        .map_or(name, |(function, _)| function);
    Ok(Frame {
        address,
        function: (!function.is_empty()).then(|| function.to_string()),
        source,
    })
}

fn parse_place(place: &str) -> anyhow::Result<(String, usize)> {
    let (file, line) = place
        .rsplit_once(':')
        .with_context(|| format!("no line in {place}"))?;
    let line = line
        .parse()
        .with_context(|| format!("no line in {place}"))?;
    Ok((file.to_string(), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\r\npanic: page fault\r\ncore 0, thread \"control\", 1.0 s after boot\r\n\
        registers:\r\n  rax 0000000000000001  rbx 000000000000002a\r\n  cr2 00000000dead0000\r\n\
        backtrace:\r\n  0xffffffff80201234 a::b+0x12 at crates/kernel/src/lib.rs:1\r\n\
        \x20   repeated 3 times\r\n  0x10\r\n\
        trace:\r\n  -1 us core 0 boot 0x1 0x2\r\nhalted\r\n";

    #[test]
    fn a_report_is_taken_apart() {
        let report = PanicReport::of(REPORT);
        assert_eq!(report.reason().unwrap(), "page fault");
        assert_eq!(report.register("rbx").unwrap(), 42);
        assert_eq!(report.register("cr2").unwrap(), 0xdead_0000);
        assert_eq!(report.trace_events().unwrap(), 1);
        assert_eq!(report.end(), Some("halted"));
        let frame = report.frame_of("a::b").unwrap();
        let place = ("crates/kernel/src/lib.rs".to_string(), 1);
        assert_eq!(
            (frame.address, frame.source.as_ref()),
            (0xffff_ffff_8020_1234, Some(&place))
        );
        assert!(frame.source_line().unwrap().starts_with("//!"));
        assert_eq!(report.frames().unwrap()[1].function, None);
    }

    #[test]
    fn what_a_report_lacks_is_an_error() {
        let report = PanicReport::of("panic: x\nrebooting\n");
        assert!(report.frames().is_err());
        assert!(report.register("rax").is_err());
        assert!(report.trace_events().is_err());
        assert!(PanicReport::of("").reason().is_err());
    }
}
