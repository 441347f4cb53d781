//! Rule `length`: a file has at most 500 lines; the few longer ones are listed and may only shrink.

use super::finding::Finding;
use super::source::{Source, Tree};

pub const NAME: &str = "length";

const LINES_MAX: usize = 500;
/// Per line: a path and how many lines it may have.
const LIST: &str = "xtask/src/lint/long_files.txt";

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut listed = Vec::new();
    let list = tree.source(LIST).map_or("", |list| &list.text);
    for (index, entry) in list.lines().enumerate() {
        let entry = entry.trim();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        let judged = match parse(entry) {
            Some((path, allowed)) => {
                listed.push(path);
                judge_entry(tree, path, allowed)
            }
            None => Some(("not `path lines`".to_owned(), "write it so".to_owned())),
        };
        if let Some((problem, advice)) = judged {
            findings.push(Finding::new(NAME, LIST, index + 1, problem, advice));
        }
    }
    for source in tree.sources.iter().filter(|source| source.is_rust()) {
        let lines = length(source);
        if lines > LINES_MAX && !listed.contains(&source.path.as_str()) {
            findings.push(Finding::new(
                NAME,
                &source.path,
                LINES_MAX + 1,
                format!("{lines} lines, and {LINES_MAX} are allowed"),
                "find the question that has hidden in it and give it a file of its own",
            ));
        }
    }
    Ok(findings)
}

fn parse(entry: &str) -> Option<(&str, usize)> {
    let (path, allowed) = entry.split_once(char::is_whitespace)?;
    Some((path, allowed.trim().parse().ok()?))
}

/// What is wrong with an entry of the list, and what to do.
fn judge_entry(tree: &Tree, path: &str, allowed: usize) -> Option<(String, String)> {
    let Some(source) = tree.source(path) else {
        return Some((
            format!("{path} is not there"),
            "remove the entry".to_owned(),
        ));
    };
    let lines = length(source);
    if lines <= LINES_MAX {
        Some((
            format!("{path} has only {lines} lines"),
            "remove the entry".to_owned(),
        ))
    } else if lines < allowed {
        Some((
            format!("{path} has shrunk to {lines} lines"),
            format!("lower the entry from {allowed} to {lines}"),
        ))
    } else if lines > allowed {
        Some((
            format!("{path} has grown to {lines} lines, and {allowed} are allowed"),
            "take something out of it; the list may only shrink".to_owned(),
        ))
    } else {
        None
    }
}

fn length(source: &Source) -> usize {
    source.text.lines().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tests::{findings, tree};

    fn found(lines: usize, list: &str) -> Vec<String> {
        let text = "\n".repeat(lines);
        findings(check(&tree(&[
            ("crates/kernel/src/base/a.rs", &text),
            (LIST, list),
        ])))
    }

    #[test]
    fn five_hundred_lines_are_allowed_and_one_more_is_not() {
        assert_eq!(found(500, ""), [""; 0]);
        let findings = found(501, "# none\n");
        assert!(
            findings[0].starts_with("crates/kernel/src/base/a.rs:501: length: 501 lines"),
            "{findings:?}"
        );
    }

    #[test]
    fn a_listed_file_may_only_shrink() {
        let entry = "crates/kernel/src/base/a.rs 600\n";
        assert_eq!(found(600, entry), [""; 0]);
        assert!(found(601, entry)[0].contains("has grown to 601 lines"));
        assert!(found(599, entry)[0].contains("lower the entry from 600 to 599"));
        assert!(found(500, entry)[0].contains("remove the entry"));
    }

    #[test]
    fn entries_for_nothing_are_found() {
        assert!(found(1, "gone.rs 600\n")[0].contains("gone.rs is not there"));
        assert!(found(1, "a.rs many\n")[0].contains("not `path lines`"));
    }
}
