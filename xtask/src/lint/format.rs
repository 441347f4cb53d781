//! Rule `format`: the source is as rustfmt writes it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::finding::Finding;
use super::source::Tree;
use crate::deadline::Deadline;
use crate::process;

pub const NAME: &str = "format";

const ENDS_WITHIN: Duration = Duration::from_secs(120);
/// The image builder is a workspace of its own.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "crates/image/Cargo.toml"];

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for manifest in WORKSPACES {
        if tree.source(manifest).is_some() {
            findings.extend(check_workspace(&tree.root, manifest)?);
        }
    }
    Ok(findings)
}

fn check_workspace(root: &Path, manifest: &str) -> anyhow::Result<Vec<Finding>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo
        .current_dir(root)
        .args(["fmt", "--all", "--check", "--manifest-path", manifest]);
    let said = process::ask(&mut cargo, Deadline::after(ENDS_WITHIN))
        .context("cargo fmt does not run; `cargo xtask doctor --install` installs it")?;
    let findings = read(root, &said.stdout);
    if !said.success && findings.is_empty() {
        bail!("cargo fmt cannot check {manifest}: {}", said.stderr.trim());
    }
    Ok(findings)
}

/// Reads `Diff in PATH:LINE:`, once for each file.
fn read(root: &Path, output: &str) -> Vec<Finding> {
    let mut findings = Vec::<Finding>::new();
    for line in output.lines() {
        let place = line
            .strip_prefix("Diff in ")
            .and_then(|place| place.trim_end().trim_end_matches(':').rsplit_once(':'));
        let Some((path, line)) = place else {
            continue;
        };
        let path = Path::new(path);
        let path = path
            .strip_prefix(root)
            .unwrap_or(path)
            .display()
            .to_string();
        if findings.last().is_none_or(|last| last.path != path) {
            let line = line.parse().unwrap_or(1);
            let problem = "not formatted from here on";
            findings.push(Finding::new(NAME, &path, line, problem, "run cargo fmt"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::Source;
    use crate::lint::tests::findings;
    use crate::workspace::Scratch;
    use std::fs;

    fn found(program: &str) -> Vec<String> {
        let scratch = Scratch::new().unwrap();
        let manifest = "[package]\nname = \"a\"\nedition = \"2024\"\n[workspace]\n";
        fs::create_dir(scratch.path().join("src")).unwrap();
        fs::write(scratch.path().join("Cargo.toml"), manifest).unwrap();
        fs::write(scratch.path().join("src/main.rs"), program).unwrap();
        findings(check(&Tree {
            root: scratch.path().to_path_buf(),
            sources: vec![Source::new("Cargo.toml", manifest)],
        }))
    }

    #[test]
    fn what_is_not_formatted_is_found_once_a_file() {
        assert_eq!(found("fn main() {}\n"), [""; 0]);
        assert_eq!(
            found("fn main() {}\n\n\nfn a()  {}\n\nfn b() {}\n\nfn c() {}\n\nfn d()  {}\n"),
            ["src/main.rs:1: format: not formatted from here on; run cargo fmt"]
        );
    }
}
