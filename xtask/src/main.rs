//! `cargo xtask`: one subcommand a module, and the exit codes that scripts rely on.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{attest, audit, bench, doctor, exec, flash, image, kernel, lint, outcome, run, suite};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Builds, boots, tests and measures RayOS"
)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Run(run::Options),
    Exec(exec::Options),
    Attest(attest::Options),
    Test(suite::Options),
    Lint(lint::Arguments),
    Bench(bench::Options),
    Doctor(doctor::Options),
    Flash(flash::Options),
    Image(image::Options),
    Kernel(kernel::Options),
    Audit(audit::Options),
}

fn main() -> ExitCode {
    let result = match CommandLine::parse().task {
        Task::Test(options) => suite::command(&options),
        Task::Lint(arguments) => lint::run(&arguments),
        Task::Bench(options) => bench::command(&options),
        Task::Doctor(options) => doctor::command(&options),
        Task::Run(options) => run::command(&options),
        Task::Attest(options) => attest::command(&options),
        Task::Exec(options) => exec::command(&options),
        Task::Flash(options) => flash::command(&options),
        Task::Image(options) => image::command(&options),
        Task::Kernel(options) => kernel::command(&options),
        Task::Audit(options) => audit::command(&options),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        outcome::of_error(&error).into()
    })
}
