//! Rule `first-line`: every file of the kernel says in its first line what it is.

use super::finding::Finding;
use super::source::Tree;

pub const NAME: &str = "first-line";

const COLUMNS_MAX: usize = 79;
/// Fewer words repeat the file's name and say nothing.
const WORDS_MIN: usize = 3;

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        if source.kernel_path().is_none() {
            continue;
        }
        let first = source.line(1);
        let columns = first.chars().count();
        let problem = match first.strip_prefix("//! ") {
            None => "the first line is no `//!` comment".to_owned(),
            Some(_) if columns > COLUMNS_MAX => {
                format!("the first line has {columns} columns, and {COLUMNS_MAX} are allowed")
            }
            Some(text) if text.split_whitespace().count() < WORDS_MIN => {
                "the first line says nothing".to_owned()
            }
            Some(_) => continue,
        };
        findings.push(Finding::new(
            NAME,
            &source.path,
            1,
            problem,
            "say there in one short sentence what the file is",
        ));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tests::{findings, tree};

    fn found(path: &str, text: &str) -> Vec<String> {
        findings(check(&tree(&[(path, text)])))
    }

    #[test]
    fn a_file_of_the_kernel_begins_with_what_it_is() {
        let path = "crates/kernel/src/base/time.rs";
        assert_eq!(
            found(path, "//! Points in time and spans between them.\n"),
            [""; 0]
        );
        let long = format!("//! {}\n", "time and again ".repeat(6));
        for bad in [
            "",
            "use core::time;\n",
            "// Points in time.\n",
            "//! Time.\n",
            "\n//! Points in time.\n",
            &long,
        ] {
            assert_eq!(found(path, bad).len(), 1, "{bad}");
        }
        assert_eq!(found("xtask/src/main.rs", "use std::time;\n"), [""; 0]);
    }
}
