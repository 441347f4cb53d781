//! What the tests of the rules share: trees made of examples, findings as text.

use std::path::PathBuf;

use super::*;

/// A tree with these files, which are nowhere on the disk.
pub fn tree(files: &[(&str, &str)]) -> Tree {
    Tree {
        root: PathBuf::new(),
        sources: files
            .iter()
            .map(|(path, text)| Source::new(path, *text))
            .collect(),
    }
}

/// Findings as they are printed.
pub fn findings(result: anyhow::Result<Vec<Finding>>) -> Vec<String> {
    result.unwrap().iter().map(Finding::to_string).collect()
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    let mut names = RULES.map(|rule| rule.name);
    names.sort_unstable();
    assert!(names.is_sorted_by(|one, other| one < other), "{names:?}");
}
