//! `exec`: boots, runs commands in the kernel's shell, and prints exactly what they print.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::outcome::Outcome;
use crate::qemu::Shape;
use crate::qemu::forward;
use crate::run;
use crate::session::{Failure, Session};
use crate::shape_options::ShapeOptions;

/// Boot, run commands in the kernel's shell, and print exactly their output
#[derive(clap::Args, Debug)]
pub struct Options {
    /// One line for the shell each
    #[arg(required = true, value_name = "CMD")]
    commands: Vec<String>,

    #[command(flatten)]
    shape: ShapeOptions,

    /// How long booting and all commands may take together, in seconds; building is not counted
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,

    /// Print one JSON document a command
    #[arg(long)]
    json: bool,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    let shell = if options.json {
        "shell=framed-json"
    } else {
        "shell=framed"
    };
    let shape = options.shape.equipped_shape()?.setting(shell);
    let within = Duration::from_secs(options.timeout);
    let outcome = match Session::start(&shape, within) {
        Ok(mut session) => {
            equip(&mut session, &shape, options.shape.verbose, within)?;
            run_all(&mut session, &options.commands, within)
                .unwrap_or_else(|failure| explain(&failure, Some(session.serial_log())))
        }
        Err(failure) => explain(&failure, None),
    };
    Ok(outcome.into())
}

/// Opens the ports that lead to the machine. Only who asks is told: the answers alone are printed.
fn equip(
    session: &mut Session,
    shape: &Shape,
    is_verbose: bool,
    within: Duration,
) -> anyhow::Result<()> {
    let Some(machine) = session.machine() else {
        return Ok(());
    };
    let forwards = forward::open(machine, shape, Deadline::after(within))?;
    if is_verbose {
        run::explain(machine, shape);
        forwards
            .iter()
            .for_each(|forward| eprintln!("port: {forward}"));
    }
    Ok(())
}

fn run_all(
    session: &mut Session,
    commands: &[String],
    within: Duration,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let left = || within.saturating_sub(started.elapsed());
    session.wait_until_ready(left())?;
    let mut outcome = Outcome::Success;
    for command in commands {
        let answer = session.run_within(command, left())?;
        // A reader that went away has heard what it wanted; the verdict still counts.
        let mut stdout = std::io::stdout().lock();
        let _ = stdout
            .write_all(answer.output.as_bytes())
            .and_then(|()| stdout.flush());
        if !answer.ok {
            outcome = Outcome::Failure;
        }
    }
    settle(session, commands, left()).map(|()| outcome)
}

/// Waits until the kernel is done with the last command: one that breaks it answers first and breaks then.
fn settle(session: &mut Session, commands: &[String], within: Duration) -> Result<(), Failure> {
    match session.wait_until_ready(within) {
        Err(Failure::Ended(_)) if commands.last().is_some_and(|last| ends_the_machine(last)) => {
            Ok(())
        }
        result => result,
    }
}

/// Whether a line asks for the end, so that the end is no failure.
fn ends_the_machine(line: &str) -> bool {
    line.split(|c: char| c.is_whitespace() || c == ';')
        .any(|word| word == "poweroff" || word == "reboot")
}

/// Says on stderr what went wrong, and where the serial log is when the kernel is to blame.
fn explain(failure: &Failure, serial_log: Option<&Path>) -> Outcome {
    eprintln!("error: {failure}");
    let outcome = failure.outcome();
    if let (Outcome::Crashed | Outcome::TimedOut, Some(path)) = (outcome, serial_log) {
        eprintln!("serial log: {}", path.display());
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_that_asks_for_the_end_may_end_the_machine() {
        assert!(ends_the_machine("poweroff"));
        assert!(ends_the_machine("version;reboot"));
        assert!(!ends_the_machine("echo rebooting"));
        assert!(!ends_the_machine("debug panic"));
    }
}
