//! What if the kernel itself is wrong? It says what, where and how it got there, and ends as it was told to.

use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_tests::cores;
use rayos_tests::panic_report::{Frame, PanicReport};
use xtask::deadline::Deadline;
use xtask::qemu::{Boot, Machine, Shape};
use xtask::session::{Failure, Session};

const REPORT_WITHIN: Duration = Duration::from_secs(30);
/// The watchdog has a patience of its own, and time passes slowly on a busy host.
const HANG_WITHIN: Duration = Duration::from_secs(60);
const END_WITHIN: Duration = Duration::from_secs(30);

fn shape(cores: u32) -> Shape {
    Shape::new(Boot::Pvh).cores(cores).setting("debug=1")
}

/// Breaks a kernel, and returns what it reports and the session that it ended.
fn break_by(shape: &Shape, command: &str) -> anyhow::Result<(PanicReport, Session)> {
    let mut session = Session::boot(shape)?;
    let answer = session.run(command)?;
    ensure!(answer.ok, "{command} is refused: {}", answer.output);
    let within = if command == "debug hang" {
        HANG_WITHIN
    } else {
        REPORT_WITHIN
    };
    let report = PanicReport::wait(&mut session, within)?;
    Ok((report, session))
}

fn machine(session: &mut Session) -> anyhow::Result<&mut Machine> {
    session.machine().context("the session has no machine")
}

/// Every function that a report names must be a place in the kernel's sources, and the trace ring must speak.
fn is_worth_reading(report: &PanicReport) -> anyhow::Result<()> {
    let frames = report.frames()?;
    ensure!(frames.len() >= 3, "hardly a backtrace:\n{}", report.text());
    for frame in &frames {
        let function = frame.function.as_deref().unwrap_or_default();
        // Assembly has names and no lines.
        let is_placed = frame.source.is_some() || function.starts_with("rayos_kernel::arch::");
        ensure!(
            !function.is_empty() && is_placed,
            "{:#x} has no name or no place:\n{}",
            frame.address,
            report.text()
        );
    }
    ensure!(
        report.trace_events()? > 0,
        "the trace ring is silent:\n{}",
        report.text()
    );
    Ok(())
}

/// A frame of this function stands on a line with this text.
fn stands_on(report: &PanicReport, function: &str, text: &str) -> anyhow::Result<()> {
    let frames = report.frames()?;
    let own = frames
        .iter()
        .filter(|frame| frame.function.as_deref() == Some(function));
    let lines = own
        .map(Frame::source_line)
        .collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(
        lines.iter().any(|line| line.contains(text)),
        "{function} stands on {lines:?}, none of them {text:?}:\n{}",
        report.text()
    );
    Ok(())
}

#[test]
fn a_panic_says_why_and_who_called_whom() {
    let (report, _session) = break_by(&shape(2), "debug panic").unwrap();
    let reason = report.reason().unwrap();
    assert!(
        reason.starts_with("debug panic was asked for (crates/kernel/src/failure.rs:"),
        "{reason}"
    );
    assert!(report.text().contains("core 0, thread \"control\", "));
    is_worth_reading(&report).unwrap();
    stands_on(&report, "rayos_kernel::failure::provoke", "panic!(").unwrap();
    stands_on(&report, "rayos_kernel::boot::control::run", ".tick()").unwrap();
}

#[test]
fn a_fault_shows_its_address_and_the_registers() {
    let (report, _session) = break_by(&shape(2), "debug fault").unwrap();
    let reason = report.reason().unwrap();
    assert!(reason.starts_with("page fault: "), "{reason}");
    assert!(reason.ends_with("nothing is mapped there"), "{reason}");
    is_worth_reading(&report).unwrap();
    let address = report.register("cr2").unwrap();
    assert!(reason.contains(&format!(" of {address:#x}, ")), "{reason}");
    // What failed is the top of the backtrace.
    let top = &report.frames().unwrap()[0];
    assert_eq!(top.address, report.register("rip").unwrap());
    assert!(
        top.source_line().unwrap().contains(".read_volatile()"),
        "{top:?}"
    );
    report.frame_of("rayos_kernel::failure::provoke").unwrap();
}

#[test]
fn a_stack_overflow_names_the_stack_and_the_function_that_used_it_up() {
    let (report, _session) = break_by(&shape(2), "debug overflow").unwrap();
    let reason = report.reason().unwrap();
    assert!(
        reason.contains("\"control\"") && reason.contains("stack"),
        "{reason}"
    );
    is_worth_reading(&report).unwrap();
    stands_on(
        &report,
        "rayos_kernel::failure::overflow",
        "overflow(depth + 1)",
    )
    .unwrap();
    stands_on(&report, "rayos_kernel::boot::control::run", ".tick()").unwrap();
    assert!(report.text().contains("repeated "), "{}", report.text());
}

fn is_caught_hanging(cores: u32) -> anyhow::Result<()> {
    let (report, _session) = break_by(&shape(cores), "debug hang")?;
    let reason = report.reason()?;
    ensure!(reason.contains("the control loop hangs"), "{reason}");
    is_worth_reading(&report)?;
    report.frame_of("rayos_kernel::failure::hang")?;
    stands_on(&report, "rayos_kernel::failure::provoke", "hang()")?;
    stands_on(&report, "rayos_kernel::boot::control::run", ".tick()")
}

#[test]
fn a_hang_is_caught_and_named_on_the_only_core() {
    is_caught_hanging(1).unwrap();
}

#[test]
fn a_hang_is_caught_and_named_from_another_core() {
    is_caught_hanging(2).unwrap();
}

/// Every way to break the kernel.
const WAYS: [&str; 4] = ["debug panic", "debug fault", "debug overflow", "debug hang"];

fn resets_after(command: &str) -> anyhow::Result<()> {
    let (report, mut session) = break_by(&shape(2).setting("panic=reboot"), command)?;
    ensure!(report.end() == Some("rebooting"), "{}", report.text());
    let ending = machine(&mut session)?.wait(Deadline::after(END_WITHIN))?;
    let reason = ending.and_then(|ending| ending.reason);
    ensure!(
        reason.as_deref() == Some("guest-reset"),
        "the machine ended with {reason:?}"
    );
    Ok(())
}

fn halts_after(command: &str) -> anyhow::Result<()> {
    let cores = 2;
    let (report, mut session) = break_by(&shape(cores).setting("panic=halt"), command)?;
    ensure!(report.end() == Some("halted"), "{}", report.text());
    let machine = machine(&mut session)?;
    cores::wait_until_halted_for_ever(machine, cores, END_WITHIN)?;
    let status = machine.qmp().status(Deadline::after(END_WITHIN))?;
    ensure!(status == "running", "the machine is {status}");
    Ok(())
}

fn all(ways: &[&str], check: impl Fn(&str) -> anyhow::Result<()>) {
    for way in ways {
        if let Err(error) = check(way) {
            panic!("{way}: {error:#}");
        }
    }
}

#[test]
fn a_kernel_that_is_told_to_reboot_resets_the_machine_after_its_report() {
    all(&WAYS, resets_after);
}

#[test]
fn a_kernel_that_is_told_to_halt_stops_every_core_after_its_report() {
    all(&WAYS, halts_after);
}

#[test]
fn a_panic_is_told_whole_while_the_other_cores_are_busy() {
    let cores = 4;
    let shape = shape(cores).setting("panic=halt");
    for way in ["debug panic", "debug fault", "debug overflow"] {
        let mut session = Session::boot(&shape).unwrap();
        // Threads on every core that run and are pre-empted for longer than this test lasts.
        assert!(session.run("selftest preemption 600").unwrap().ok);
        assert!(session.run(way).unwrap().ok);
        let report = PanicReport::wait(&mut session, REPORT_WITHIN).unwrap();
        is_worth_reading(&report).unwrap();
        stands_on(&report, "rayos_kernel::boot::control::run", ".tick()").unwrap();
        let machine = machine(&mut session).unwrap();
        cores::wait_until_halted_for_ever(machine, cores, END_WITHIN).unwrap();
    }
}

#[test]
fn a_kernel_that_was_not_booted_for_it_cannot_be_broken() {
    let mut session = Session::boot(&Shape::new(Boot::Pvh)).unwrap();
    for way in WAYS {
        let answer = session.run(way).unwrap();
        assert!(!answer.ok, "{way}: {}", answer.output);
        assert!(
            answer.output.contains("debug=1"),
            "{way}: {}",
            answer.output
        );
    }
    assert!(session.run("version").unwrap().ok);
}

#[test]
fn a_person_at_the_prompt_reads_the_report_too() {
    use xtask::session::{PROMPT, Terminal};
    let mut terminal = Terminal::boot(&shape(2), REPORT_WITHIN).unwrap();
    terminal.expect(PROMPT, REPORT_WITHIN).unwrap();
    terminal.send(b"debug panic\r", REPORT_WITHIN).unwrap();
    terminal.expect("\x18", REPORT_WITHIN).unwrap();
    let report = PanicReport::of(&terminal.expect("\x04", REPORT_WITHIN).unwrap());
    is_worth_reading(&report).unwrap();
    let failure = terminal.expect(PROMPT, END_WITHIN).unwrap_err();
    assert!(matches!(failure, Failure::Ended(_)), "{failure}");
}
