//! Do threads, exceptions and wake-ups hold on a real machine? The kernel's own proofs, run and judged from outside.

use std::time::Duration;

use anyhow::ensure;
use rayos_tests::report::{self, Report};
use rayos_tests::{form, poll};
use xtask::qemu::{Boot, Shape};
use xtask::session::Session;

const TITLE: &str = "self test";
/// A self test that neither passes nor fails in this time, beside what it was asked to take, hangs.
const END_WITHIN: Duration = Duration::from_secs(60);

fn boot(cores: u32) -> anyhow::Result<Session> {
    report::boot(&Shape::new(Boot::Pvh).cores(cores))
}

/// What a self test came to.
#[derive(Debug)]
struct Outcome {
    passed: u64,
    failed: u64,
    switches: u64,
    report: Report,
}

/// Starts a self test and waits until it is over.
fn run(session: &mut Session, test: &str, within: Duration) -> anyhow::Result<Outcome> {
    Report::ask(session, &format!("selftest {test}"))?;
    let report = poll::until(&format!("the end of {test}"), within, || {
        let report = Report::ask(session, "selftest status")?;
        let is_running = report.fields(TITLE)?["running"] == true;
        Ok((!is_running).then_some(report))
    })?;
    let number = |key| report.number(TITLE, key);
    Ok(Outcome {
        passed: number("passed")?,
        failed: number("failed")?,
        switches: number("switches")?,
        report,
    })
}

/// Nothing failed, and something was tried.
fn is_proved(outcome: &Outcome) -> anyhow::Result<()> {
    ensure!(outcome.failed == 0, "{outcome:?}");
    ensure!(outcome.passed > 0, "{outcome:?}");
    ensure!(
        outcome.report.fields(TITLE)?["first_failure"].is_null(),
        "{outcome:?}"
    );
    Ok(())
}

#[test]
fn every_exception_is_handled_on_every_core() {
    let mut passed_on_one = None;
    for cores in [1, 2, 4] {
        let mut session = boot(cores).unwrap();
        let outcome = run(&mut session, "exceptions", END_WITHIN).unwrap();
        is_proved(&outcome).unwrap();
        // All 32 stubs were entered, and some exceptions were raised besides; on each core the same.
        let on_one = *passed_on_one.get_or_insert(outcome.passed);
        assert!(on_one > 32, "{outcome:?}");
        assert_eq!(outcome.passed, u64::from(cores) * on_one, "{cores} cores");
    }
}

#[test]
fn no_wake_up_between_cores_is_lost() {
    for cores in [1, 2, 4] {
        let mut session = boot(cores).unwrap();
        let outcome = run(&mut session, "wakeups 1000", END_WITHIN).unwrap();
        is_proved(&outcome).unwrap();
        assert_eq!(outcome.passed, 1000, "{cores} cores: {outcome:?}");
        assert!(outcome.switches >= 1000, "{cores} cores: {outcome:?}");
    }
}

#[test]
fn pre_empted_threads_keep_their_registers_and_stacks() {
    let seconds: u64 = if form::is_long() { 600 } else { 5 };
    if !form::is_long() {
        form::say_skipped(
            "ten minutes of pre-emption; these are seconds, `cargo xtask test --long` runs them",
        );
    }
    let mut session = boot(4).unwrap();
    let within = Duration::from_secs(seconds) + END_WITHIN;
    let outcome = run(&mut session, &format!("preemption {seconds}"), within).unwrap();
    is_proved(&outcome).unwrap();
    // Each core is disturbed thousands of times a second; even a busy host lets through hundreds.
    assert!(outcome.switches >= 100 * seconds, "{outcome:?}");
    assert!(Report::ask(&mut session, "version").is_ok());
}

#[test]
fn the_shell_answers_while_every_core_is_pre_empted() {
    let mut session = boot(2).unwrap();
    Report::ask(&mut session, "selftest preemption 3").unwrap();
    let refused = session.run("selftest exceptions").unwrap();
    assert!(!refused.ok, "two self tests at once: {}", refused.output);
    let mut answers = 0;
    poll::until("the end of the self test", END_WITHIN, || {
        answers += 1;
        let report = Report::ask(&mut session, "selftest status")?;
        Ok((report.fields(TITLE)?["running"] == false).then_some(()))
    })
    .unwrap();
    assert!(answers > 1, "the shell was silent while the self test ran");
}

#[test]
fn self_tests_can_be_run_one_after_the_other() {
    let mut session = boot(4).unwrap();
    for test in [
        "exceptions",
        "wakeups 200",
        "preemption 1",
        "wakeups 200",
        "exceptions",
    ] {
        let outcome = run(&mut session, test, END_WITHIN);
        outcome.and_then(|outcome| is_proved(&outcome)).unwrap();
    }
}
