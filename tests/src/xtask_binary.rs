//! The built `xtask`, called as a user calls it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use xtask::deadline::Deadline;
use xtask::process::{self, Said};
use xtask::workspace;

const BUILD_WITHIN: Duration = Duration::from_secs(10 * 60);

/// Calls `xtask` with these arguments and this standard input.
pub fn call(arguments: &[&str], input: &str, within: Duration) -> anyhow::Result<Said> {
    let mut command = Command::new(path()?);
    command.args(arguments);
    process::ask_with_input(&mut command, input.as_bytes(), Deadline::after(within))
        .with_context(|| format!("xtask {arguments:?}"))
}

/// The program beside the test binaries, built when it is not there or older than its sources.
///
/// `cargo test` builds the library for the tests and not the program; it holds no lock while tests run.
pub fn path() -> anyhow::Result<&'static Path> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let path = PATH.get_or_init(|| find_or_build().map_err(|error| format!("{error:#}")));
    path.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

fn find_or_build() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("this test does not know where it is")?;
    let directory = test.parent().and_then(Path::parent);
    let directory = directory.context("this test is not in cargo's target directory")?;
    let program = directory.join("xtask");
    let is_current = || changed(&program) >= newest(&workspace::root().join("xtask"));
    if is_current() {
        return Ok(program);
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace::root())
        .args(["build", "--quiet", "--package", "xtask"]);
    if directory.ends_with("release") {
        command.arg("--release");
    }
    let said = process::ask(&mut command, Deadline::after(BUILD_WITHIN))?;
    ensure!(said.success, "xtask does not build: {}", said.stderr);
    ensure!(program.is_file(), "there is no {}", program.display());
    Ok(program)
}

/// When a file was last changed; what is not there was never.
fn changed(path: &Path) -> SystemTime {
    let changed = std::fs::metadata(path).and_then(|data| data.modified());
    changed.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// When a file below this directory was last changed.
fn newest(directory: &Path) -> SystemTime {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let times = entries.map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            newest(&path)
        } else {
            changed(&path)
        }
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
