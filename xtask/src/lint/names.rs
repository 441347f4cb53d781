//! Rule `names`: nothing that is tracked names a directory or a mirror of the machine it was written on.

use super::finding::Finding;
use super::source::{Source, Tree};

pub const NAME: &str = "names";

/// Directories that only one machine has, in two parts so that this file does not find itself.
const DIRECTORIES: [(&str, &str); 5] = [
    ("/home", "/"),
    ("/root", "/"),
    ("/Users", "/"),
    ("/work", "/"),
    ("/tmp", "/w/"),
];

/// What the names of package mirrors contain, in two parts as well.
const MIRRORS: [(&str, &str); 5] = [
    ("artifac", "tory"),
    ("jfr", "og"),
    ("nexus", "."),
    ("replace", "-with"),
    ("index.crates.io", ":"),
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    Ok(tree.sources.iter().flat_map(check_source).collect())
}

fn check_source(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let mut add = |problem: String, advice| {
            findings.push(Finding::new(NAME, &source.path, index + 1, problem, advice));
        };
        for (one, two) in DIRECTORIES {
            let directory = [one, two].concat();
            if names_directory(line, &directory) {
                add(
                    format!("`{directory}...` is a path of one machine"),
                    "write a path from the workspace's root, or `~`",
                );
            }
        }
        for (one, two) in MIRRORS {
            let mirror = [one, two].concat();
            if line.to_ascii_lowercase().contains(&mirror) {
                add(
                    format!("`{mirror}` looks like a mirror of a package registry"),
                    "keep it in the configuration of the machine",
                );
            }
        }
        if source.path.ends_with("Cargo.lock") && is_foreign_source(line) {
            add(
                "a package that does not come from crates.io".to_owned(),
                "run cargo update with the ordinary registry",
            );
        }
    }
    findings
}

/// Whether `directory` stands in `line` as the beginning of a path, with something behind it.
fn names_directory(line: &str, directory: &str) -> bool {
    line.match_indices(directory).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + directory.len()..].chars().next();
        !before.is_some_and(|before| before.is_alphanumeric() || "._-~}".contains(before))
            && after.is_some_and(|after| after.is_alphanumeric() || "._".contains(after))
    })
}

fn is_foreign_source(line: &str) -> bool {
    line.strip_prefix("source = ")
        .is_some_and(|source| source.trim_matches('"') != CRATES_IO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tests::{findings, tree};

    fn found(path: &str, text: &str) -> Vec<String> {
        findings(check(&tree(&[(path, text)])))
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for (one, two) in DIRECTORIES {
            let path = format!("{one}{two}anna");
            for text in [
                format!("const A: &str = \"{path}/rayos\";"),
                format!("cd {path}"),
                path.clone(),
            ] {
                assert_eq!(found("docs/README.md", &text).len(), 1, "{text}");
            }
            for text in [
                format!("https://example.org{path}"),
                format!("~{path}"),
                format!("`{one}` {one}{two} x"),
            ] {
                assert_eq!(found("docs/README.md", &text), [""; 0], "{text}");
            }
        }
    }

    #[test]
    fn a_mirror_is_found() {
        for (one, two) in MIRRORS {
            let text = format!("registry = \"https://{one}{two}example\"");
            assert_eq!(found(".cargo/config.toml", &text).len(), 1, "{text}");
        }
    }

    #[test]
    fn packages_come_from_crates_io() {
        let line = format!("source = \"{CRATES_IO}\"\n");
        assert_eq!(found("Cargo.lock", &line), [""; 0]);
        assert_eq!(
            found(
                "Cargo.lock",
                "source = \"registry+https://example.org/index\"\n"
            )
            .len(),
            1
        );
    }
}
