//! The files that the rules look at: what is tracked, or will be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::tokens::{self, Token};

/// Everything that the rules look at.
pub struct Tree {
    pub root: PathBuf,
    /// Sorted by path.
    pub sources: Vec<Source>,
}

/// A text file.
pub struct Source {
    /// From the root, with `/` between the parts.
    pub path: String,
    pub text: String,
    /// Of Rust files; empty for others and for those that do not lex (the compiler tells about them).
    pub tokens: Vec<Token>,
}

impl Tree {
    /// The files below `root` that git tracks or would add.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let output = Command::new("git")
            .arg("-C")
            .arg(root)
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .output()
            .context("lint asks git for the list of files and git does not start; install git")?;
        ensure!(
            output.status.success(),
            "git cannot list the files: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let mut sources = Vec::new();
        for path in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
            // What is not there was deleted and not committed yet; what is not text (a picture) has no lines to judge.
            if let Ok(text) = fs::read_to_string(root.join(path)) {
                sources.push(Source::new(path, text));
            }
        }
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        // A file with a conflict is listed once for each side.
        sources.dedup_by(|one, other| one.path == other.path);
        Ok(Self {
            root: root.to_owned(),
            sources,
        })
    }

    /// The file at exactly this path.
    pub fn source(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }
}

impl Source {
    pub fn new(path: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        let tokens = match path.ends_with(".rs") {
            true => tokens::read(&text, is_test_path(path)),
            false => Vec::new(),
        };
        Self {
            path: path.to_owned(),
            text,
            tokens,
        }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The path inside the kernel's `src`, when it is a file of the kernel.
    pub fn kernel_path(&self) -> Option<&str> {
        self.path
            .strip_prefix("crates/kernel/src/")
            .filter(|_| self.is_rust())
    }

    /// Lines as an editor counts them: `line(1)` is the first.
    pub fn line(&self, number: usize) -> &str {
        let index = number.saturating_sub(1);
        self.text.lines().nth(index).unwrap_or_default()
    }
}

/// Whether a file holds nothing but tests: the test crate, `tests.rs` beside a module, `tests/` and `benches/` anywhere.
fn is_test_path(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path
            .split('/')
            .any(|part| part == "tests" || part == "benches")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_file_is_among_the_sources_with_its_tokens() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tree = Tree::read(root).unwrap();
        let own = tree.source("xtask/src/lint/source.rs").unwrap();
        assert!(own.tokens.iter().any(|token| token.text == "Tree"));
        assert!(own.line(1).starts_with("//! The files"));
        assert!(
            tree.sources
                .is_sorted_by(|one, other| one.path < other.path)
        );
    }

    #[test]
    fn files_that_hold_only_tests_are_known_by_their_path() {
        for path in [
            "tests/src/lib.rs",
            "crates/sim/tests/boot.rs",
            "xtask/src/symbols/tests.rs",
        ] {
            assert!(is_test_path(path), "{path}");
        }
        for path in ["crates/kernel/src/base/trace.rs", "xtask/src/test.rs"] {
            assert!(!is_test_path(path), "{path}");
        }
    }
}
