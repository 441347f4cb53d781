//! Rule `clippy`: neither the compiler nor clippy warns, on the host and on bare metal.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::finding::Finding;
use super::source::Tree;
use crate::deadline::Deadline;
use crate::outcome::Unusable;
use crate::process;
use crate::toolchain::{self, Search};

pub const NAME: &str = "clippy";

const ENDS_WITHIN: Duration = Duration::from_secs(20 * 60);

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    // The first time, both compile what they check; nobody should wonder whether it hangs.
    eprintln!("clippy: the host's code");
    let mut findings = run(host(&tree.root))?;
    eprintln!("clippy: the kernel on bare metal");
    findings.extend(run(bare_metal()?)?);
    // A module that several crates compile is warned of several times.
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// Everything that runs on the host: the kernel's library as well, xtask, the simulator, all tests.
fn host(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo
        .current_dir(root)
        .args(["clippy", "--workspace", "--all-targets"]);
    cargo
}

/// The kernel as it is built for the machine.
fn bare_metal() -> anyhow::Result<Command> {
    let Search::Found(toolchain) = toolchain::search() else {
        bail!(Unusable(format!(
            "no toolchain here can build for {}; `cargo xtask doctor --install` installs one",
            toolchain::TARGET
        )));
    };
    let Some(mut clippy) = toolchain.clippy() else {
        bail!(Unusable(format!(
            "the toolchain that builds the kernel ({}) has no clippy; `cargo xtask doctor --install` installs it",
            toolchain.version
        )));
    };
    clippy.args(["--release", "--package", "rayos-kernel", "--lib", "--bins"]);
    Ok(clippy)
}

fn run(mut command: Command) -> anyhow::Result<Vec<Finding>> {
    // Warnings are left warnings, so that one crate's do not keep clippy from the next; here each is a finding.
    command.args(["--message-format=short", "--keep-going"]);
    let said = process::ask(&mut command, Deadline::after(ENDS_WITHIN))
        .context("clippy does not run; `cargo xtask doctor --install` installs it")?;
    let findings = said.stderr.lines().filter_map(read).collect::<Vec<_>>();
    if !said.success && findings.is_empty() {
        bail!("clippy fails without saying where: {}", said.stderr.trim());
    }
    Ok(findings)
}

/// Reads `path:line:column: error: what`; other lines are progress and sums.
fn read(line: &str) -> Option<Finding> {
    let (place, message) = line.split_once(": ")?;
    let mut parts = place.rsplitn(3, ':');
    let _column = parts.next()?.parse::<usize>().ok()?;
    let number = parts.next()?.parse().ok()?;
    let path = parts.next()?;
    let (level, message) = message.split_once(": ")?;
    let is_warning = level.starts_with("error") || level.starts_with("warning");
    is_warning.then(|| {
        let advice = "`cargo clippy` shows the code and mostly what to write instead";
        Finding::new(NAME, path, number, message, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;
    use std::fs;

    fn found(program: &str) -> Vec<String> {
        let scratch = Scratch::new().unwrap();
        let manifest = "[package]\nname = \"a\"\nedition = \"2024\"\n[workspace]\n";
        fs::create_dir(scratch.path().join("src")).unwrap();
        fs::write(scratch.path().join("Cargo.toml"), manifest).unwrap();
        fs::write(scratch.path().join("src/main.rs"), program).unwrap();
        let mut command = host(scratch.path());
        // The scratch crate must not wait for whoever builds in the real target directory.
        command.env("CARGO_TARGET_DIR", scratch.path().join("target"));
        let findings = run(command).unwrap();
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_warning_is_a_finding() {
        assert_eq!(found("fn main() {}\n"), [""; 0]);
        let findings = found("fn main() {\n    let a = 1;\n}\n");
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(
            findings[0].starts_with("src/main.rs:2: clippy: unused variable: `a`"),
            "{findings:?}"
        );
        assert!(found("fn main() {\n    return;\n}\n")[0].contains("unneeded `return`"));
    }

    #[test]
    fn progress_and_sums_are_no_findings() {
        for line in [
            "    Checking xtask v0.1.0 (xtask)",
            "error: could not compile `a` (bin \"a\") due to 1 previous error",
            "warning: `a` (bin \"a\") generated 1 warning",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
