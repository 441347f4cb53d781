//! Runs one `cargo test`, shows how it goes, and counts.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::libtest::{self, Line, Verdict};
use crate::deadline::Deadline;
use crate::process;

/// How long a test run may say nothing; the longest single test and the longest compilation are shorter.
const SILENCE_MAX: Duration = Duration::from_secs(30 * 60);
const END_WITHIN: Duration = Duration::from_secs(60);

/// What a line of progress is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// One line a test binary: for suites of many quick tests.
    Binaries,
    /// One line a test.
    Tests,
}

/// What came out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u32,
    failed: u32,
    /// Every failure by name.
    failures: Vec<String>,
}

impl Tally {
    /// One failure that is no test's: a build, a crash.
    pub fn failure(name: &str) -> Tally {
        Tally {
            passed: 0,
            failed: 1,
            failures: vec![name.to_string()],
        }
    }

    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
    }

    pub fn has_failed(&self) -> bool {
        self.failed > 0
    }

    /// Whether nothing ran at all.
    pub fn is_empty(&self) -> bool {
        self.passed == 0 && self.failed == 0
    }

    /// The failures by name, the time, and as the last line the counts.
    pub fn report(&self, elapsed: Duration) -> String {
        let mut text = String::new();
        if !self.failures.is_empty() {
            text.push_str("\nfailed:\n");
            self.failures
                .iter()
                .for_each(|name| text.push_str(&format!("  {name}\n")));
        }
        text.push_str(&format!(
            "\n{:.1} s\n{} passed, {} failed",
            elapsed.as_secs_f64(),
            self.passed,
            self.failed
        ));
        text
    }
}

/// Runs a prepared `cargo test`.
pub fn run(stage: &str, command: &mut Command, detail: Detail) -> anyhow::Result<Tally> {
    // One pipe for both streams keeps cargo's "Running" before the results of that binary.
    let (reader, writer) = std::io::pipe().context("no pipe for the tests' output")?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn().context("cargo cannot be started")?;
    // The command still holds the writing ends; without this the reader would wait for its own process.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let (lines, inbox) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
            if lines
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    let mut progress = Progress::new(stage, detail);
    loop {
        match inbox.recv_timeout(SILENCE_MAX) {
            Ok(line) => progress
                .on_line(&line)
                .into_iter()
                .for_each(|text| println!("{text}")),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                process::stop_with_descendants(&mut child);
                progress.on_silence();
                return Ok(progress.tally);
            }
        }
    }
    let status = process::wait(&mut child, Deadline::after(END_WITHIN))?;
    if status.is_none() {
        process::stop_with_descendants(&mut child);
    }
    progress.on_end(status.is_some_and(|status| status.success()));
    Ok(progress.tally)
}

/// Follows the lines of one run.
struct Progress {
    stage: String,
    detail: Detail,
    /// The binary that runs, and since when.
    binary: Option<(String, Instant)>,
    tally: Tally,
}

impl Progress {
    fn new(stage: &str, detail: Detail) -> Self {
        Progress {
            stage: stage.to_string(),
            detail,
            binary: None,
            tally: Tally::default(),
        }
    }

    /// Takes a line and says what to show for it.
    fn on_line(&mut self, line: &str) -> Option<String> {
        match libtest::read(line) {
            Line::Binary(name) => {
                self.on_lost_binary();
                self.binary = Some((name, Instant::now()));
                None
            }
            Line::Test { name, verdict } => self.on_test(&name, verdict),
            Line::Summary {
                passed,
                failed,
                seconds,
            } => {
                self.tally.passed += passed;
                self.tally.failed += failed;
                let (name, _) = self.binary.take()?;
                let is_worth_a_line = self.detail == Detail::Binaries && passed + failed > 0;
                let mark = if failed == 0 { "ok  " } else { "FAIL" };
                let time = seconds.map_or_else(
                    || "unknown".to_string(),
                    |seconds| format!("{seconds:.2} s"),
                );
                is_worth_a_line
                    .then(|| format!("{mark}  {name}: {passed} passed, {failed} failed, {time}"))
            }
            Line::Noise => None,
            Line::Text => Some(line.to_string()),
        }
    }

    fn on_test(&mut self, name: &str, verdict: Verdict) -> Option<String> {
        let full_name = self.binary.as_ref().map_or_else(
            || name.to_string(),
            |(binary, _)| format!("{binary}: {name}"),
        );
        let is_each_shown = self.detail == Detail::Tests;
        match verdict {
            Verdict::Passed => is_each_shown.then(|| format!("ok    {full_name}")),
            Verdict::Failed => {
                self.tally.failures.push(full_name.clone());
                Some(format!("FAIL  {full_name}"))
            }
            Verdict::Skipped(reason) => {
                let reason = reason.unwrap_or_else(|| "it gives no reason".to_string());
                Some(format!("skip  {full_name}: {reason}"))
            }
        }
    }

    /// A binary that never summed up crashed, and its tests with it.
    fn on_lost_binary(&mut self) {
        if let Some((name, since)) = self.binary.take() {
            let seconds = since.elapsed().as_secs_f64();
            self.tally.add(Tally::failure(&format!(
                "{name}: ended after {seconds:.1} s without a result"
            )));
        }
    }

    fn on_silence(&mut self) {
        let what = self
            .binary
            .take()
            .map_or_else(|| self.stage.clone(), |(name, _)| name);
        let minutes = SILENCE_MAX.as_secs() / 60;
        self.tally.add(Tally::failure(&format!(
            "{what}: said nothing for {minutes} minutes and was ended"
        )));
    }

    fn on_end(&mut self, is_success: bool) {
        self.on_lost_binary();
        if !is_success && !self.tally.has_failed() {
            self.tally.add(Tally::failure(&format!(
                "{} tests: cargo failed; its messages are above",
                self.stage
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str =
        "     Running unittests src/lib.rs (target/debug/deps/xtask-46f36e54effcdcd6)";
    const SUMMARY: &str = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";

    fn after(lines: &[&str], is_success: bool) -> Tally {
        let mut progress = Progress::new("host", Detail::Binaries);
        for line in lines {
            progress.on_line(line);
        }
        progress.on_end(is_success);
        progress.tally
    }

    #[test]
    fn results_are_added_up_and_failures_named() {
        let mut tally = after(&[RUNNING, "test a::b ... FAILED", SUMMARY], false);
        tally.add(after(
            &[RUNNING, SUMMARY.replace("1 failed", "0 failed").as_str()],
            true,
        ));
        assert_eq!((tally.passed, tally.failed), (6, 1));
        assert_eq!(tally.failures, ["xtask src/lib.rs: a::b"]);
        assert_eq!(
            tally.report(Duration::ZERO).lines().last(),
            Some("6 passed, 1 failed")
        );
    }

    #[test]
    fn a_binary_that_crashes_is_a_failure() {
        let tally = after(&[RUNNING, "test a ... ok"], false);
        assert_eq!(tally.failed, 1);
        assert!(
            tally.failures[0].starts_with("xtask src/lib.rs: ended"),
            "{tally:?}"
        );
    }

    #[test]
    fn tests_that_do_not_compile_are_a_failure() {
        let tally = after(&["error[E0425]: cannot find value"], false);
        assert_eq!(
            tally,
            Tally::failure("host tests: cargo failed; its messages are above")
        );
    }

    #[test]
    fn progress_is_a_line_a_binary_or_a_line_a_test() {
        let mut binaries = Progress::new("host", Detail::Binaries);
        binaries.on_line(RUNNING);
        assert_eq!(binaries.on_line("test a ... ok"), None);
        assert_eq!(
            binaries.on_line(SUMMARY).as_deref(),
            Some("FAIL  xtask src/lib.rs: 3 passed, 1 failed, 1.00 s")
        );
        let mut tests = Progress::new("machine", Detail::Tests);
        tests.on_line(RUNNING);
        assert_eq!(
            tests.on_line("test a ... ok").as_deref(),
            Some("ok    xtask src/lib.rs: a")
        );
        assert_eq!(
            tests.on_line("thread 'a' panicked at b").as_deref(),
            Some("thread 'a' panicked at b")
        );
    }

    #[test]
    fn both_streams_of_a_run_are_read_to_their_end() {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &format!("echo '{RUNNING}' >&2; echo '{SUMMARY}'; exit 1"),
        ]);
        let tally = run("host", &mut command, Detail::Binaries).unwrap();
        assert_eq!((tally.passed, tally.failed), (3, 1));
    }
}
