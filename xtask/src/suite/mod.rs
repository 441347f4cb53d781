//! `test`: runs the host's suites, then the tests that boot the kernel, and adds up what both say.

mod libtest;
mod stage;

use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::doctor::{self, Purpose};
use crate::image;
use crate::kernel;
use crate::outcome::Outcome;
use crate::workspace;
use stage::{Detail, Tally};

/// Tells tests to run their long form.
pub const LONG_VARIABLE: &str = "RAYOS_LONG";
/// The package whose tests boot machines.
const MACHINE_TESTS: &str = "rayos-tests";

/// Run every test; the last line is `N passed, N failed`
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Run only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// Run only what needs no machine
    #[arg(long)]
    host_only: bool,

    /// Run long forms: minutes of load instead of seconds
    #[arg(long)]
    long: bool,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    if !options.host_only {
        doctor::provide(&[Purpose::Tests])?;
    }
    let mut tally = Tally::default();

    let mut host = cargo_test(options);
    host.args(["--workspace", "--exclude", MACHINE_TESTS]);
    finish(&mut host, options);
    tally.add(stage::run("host", &mut host, Detail::Binaries)?);

    if !options.host_only {
        // What takes minutes the first time is built here and not within a test, where it would look like a hang.
        match kernel::ensure().and_then(|kernel| image::prepare().map(|()| kernel)) {
            Ok(kernel) => {
                let mut machine = cargo_test(options);
                machine
                    .args(["--package", MACHINE_TESTS])
                    .env(kernel::KERNEL_VARIABLE, kernel);
                finish(&mut machine, options);
                tally.add(stage::run("machine", &mut machine, Detail::Tests)?);
            }
            // The host's results still count, and the last line still comes.
            Err(error) => {
                eprintln!("error: {error:#}");
                tally.add(Tally::failure(
                    "the build of the kernel or of the images' boot loader",
                ));
            }
        }
    }
    if let (Some(filter), true) = (&options.filter, tally.is_empty()) {
        eprintln!("error: no test has \"{filter}\" in its name");
        println!("{}", tally.report(started.elapsed()));
        return Ok(Outcome::Unusable.into());
    }
    println!("{}", tally.report(started.elapsed()));
    Ok(if tally.has_failed() {
        Outcome::Failure
    } else {
        Outcome::Success
    }
    .into())
}

fn cargo_test(options: &Options) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace::root())
        .args(["test", "--no-fail-fast"]);
    if options.long {
        command.env(LONG_VARIABLE, "1");
    }
    command
}

/// Adds what goes to the test binaries themselves.
fn finish(command: &mut Command, options: &Options) {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    command.args(["--", "--test-threads", &cores.to_string()]);
    command.args(&options.filter);
}
