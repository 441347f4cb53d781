//! The book's list of commands is the one that the shell runs on; RAYOS_REWRITE=1 rewrites it.

use rayos_kernel::shell::catalog::COMMANDS;
use rayos_sim::scenario::{Item, Scenario};
use std::path::Path;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_book_lists_the_commands_as_they_are() {
    let path = root().join("docs/COMMANDS.md");
    let wanted = rayos_sim::commands_markdown();
    if std::env::var_os("RAYOS_REWRITE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == wanted,
        "docs/COMMANDS.md is not current; write it anew: RAYOS_REWRITE=1 cargo test -p rayos-sim"
    );
}

#[test]
fn every_command_has_help_and_a_scenario() {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/scenarios")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for item in Scenario::parse("", &text).unwrap().items {
            if let Item::Command(command) = item {
                lines.push(command.line);
            }
        }
    }
    for command in COMMANDS {
        assert!(!command.summary.is_empty(), "{} has no help", command.name);
        let is_run = |line: &String| line.split_whitespace().any(|word| word == command.name);
        assert!(lines.iter().any(is_run), "{} has no scenario", command.name);
    }
}
