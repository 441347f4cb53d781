//! Rule `commands`: every command of the shell has help and a scenario, and docs/COMMANDS.md is up to date.

use super::command_book::{self, BOOK, Described};
use super::finding::Finding;
use super::source::{Source, Tree};

pub const NAME: &str = "commands";

/// How the paths of the catalog's files begin.
const CATALOG: &str = "crates/kernel/src/shell/catalog";
const SCENARIOS: &str = "tests/scenarios/";

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    Ok(judge(tree, &command_book::described()))
}

/// Judges the `commands` of the catalog against what is written about them in the tree.
fn judge(tree: &Tree, commands: &[Described]) -> Vec<Finding> {
    let shown = tree
        .sources
        .iter()
        .filter(|source| source.path.starts_with(SCENARIOS))
        .flat_map(commands_shown)
        .collect::<Vec<_>>();
    let mut findings = Vec::new();
    for command in commands {
        let mut add = |problem, advice| {
            let (path, line) = row_of(tree, &command.name);
            findings.push(Finding::new(NAME, path, line, problem, advice));
        };
        for problem in lacking_help(command) {
            add(
                problem,
                "say in its row what it is for, as a person would ask for it".to_owned(),
            );
        }
        for words in command.spoken() {
            if !shown.iter().any(|line| begins_with(line, &words)) {
                let words = words.join(" ");
                add(
                    format!("no scenario shows `{words}`"),
                    format!("put `> {words}` with its answer into a file of {SCENARIOS}"),
                );
            }
        }
    }
    let is_up_to_date = tree
        .source(BOOK)
        .is_some_and(|book| book.text == command_book::render(commands));
    if !is_up_to_date {
        findings.push(Finding::new(
            NAME,
            BOOK,
            1,
            "it is not what the catalog says",
            "write it again with `cargo xtask lint --rewrite`",
        ));
    }
    findings
}

/// What a row of the catalog does not explain.
fn lacking_help(command: &Described) -> Vec<String> {
    let mut problems = Vec::new();
    if command.summary.trim().is_empty() {
        problems.push(format!("`{}` has no summary", command.name));
    }
    for action in &command.actions {
        if !action.name.is_empty() && action.summary.trim().is_empty() {
            problems.push(format!("`{} {}` has no summary", command.name, action.name));
        }
    }
    problems
}

/// Path and line where the catalog names the command, so that the finding can be jumped to.
fn row_of<'tree>(tree: &'tree Tree, command: &str) -> (&'tree str, usize) {
    let quoted = format!("\"{command}\"");
    let catalog = tree
        .sources
        .iter()
        .filter(|source| source.path.starts_with(CATALOG));
    for source in catalog {
        let row = source.text.lines().position(|line| line.contains(&quoted));
        if let Some(index) = row {
            return (&source.path, index + 1);
        }
    }
    (CATALOG, 1)
}

/// The commands that a scenario types, as words.
fn commands_shown(scenario: &Source) -> Vec<Vec<&str>> {
    let typed = scenario
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("> "));
    typed
        .flat_map(|line| line.split(';'))
        .map(|command| command.split_whitespace().collect())
        .collect()
}

fn begins_with(line: &[&str], words: &[&str]) -> bool {
    // `watch 1 mem` shows `mem` no better than `help mem` does; only what comes first counts.
    line.starts_with(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::command_book::DescribedAction;
    use crate::lint::tests::{findings, tree};

    fn action(name: &str, summary: &str) -> DescribedAction {
        DescribedAction {
            name: name.to_owned(),
            usage: format!("mem {name}").trim().to_owned(),
            summary: summary.to_owned(),
        }
    }

    fn command(summary: &str, actions: Vec<DescribedAction>) -> Described {
        Described {
            name: "mem".to_owned(),
            summary: summary.to_owned(),
            details: String::new(),
            has_default: true,
            actions,
        }
    }

    fn found(command: Described, scenario: &str) -> Vec<String> {
        let commands = [command];
        let book = command_book::render(&commands);
        let files = [
            (BOOK, book.as_str()),
            (
                "crates/kernel/src/shell/catalog/table.rs",
                "\n\n    name: \"mem\",\n",
            ),
            ("tests/scenarios/mem.txt", scenario),
        ];
        findings(Ok(judge(&tree(&files), &commands)))
    }

    #[test]
    fn a_command_with_help_and_a_scenario_is_fine() {
        let one = || command("shows memory", vec![action("", "")]);
        assert_eq!(found(one(), "> mem\n----\nmemory\n"), [""; 0]);
        assert_eq!(found(one(), "> echo a; mem | json\n----\n"), [""; 0]);
        let two = command(
            "shows memory",
            vec![action("status", "sums"), action("pools", "pools")],
        );
        assert_eq!(
            found(two, "> mem\n----\n> mem pools\n----\n> mem status\n----\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_command_without_a_scenario_is_found() {
        for scenario in ["", "mem\n", "> memory\n", "> help mem\n"] {
            let findings = found(command("shows memory", vec![action("", "")]), scenario);
            assert_eq!(
                findings,
                [format!(
                    "{CATALOG}/table.rs:3: commands: no scenario shows `mem`; put `> mem` with its answer into a file of {SCENARIOS}"
                )]
            );
        }
    }

    #[test]
    fn every_subcommand_wants_a_scenario() {
        let two = command(
            "shows memory",
            vec![action("status", "sums"), action("pools", "pools")],
        );
        let findings = found(two, "> mem\n> mem status\n");
        assert_eq!(findings.len(), 1);
        assert!(findings[0].contains("no scenario shows `mem pools`"));
    }

    #[test]
    fn a_command_without_help_is_found() {
        let findings = found(
            command(" ", vec![action("pools", "")]),
            "> mem\n> mem pools\n",
        );
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].contains("`mem` has no summary"));
        assert!(findings[1].contains("`mem pools` has no summary"));
    }

    #[test]
    fn a_stale_book_is_found() {
        let commands = [command("shows memory", vec![action("", "")])];
        let files = [
            (BOOK, "# Commands\n"),
            ("tests/scenarios/mem.txt", "> mem\n"),
        ];
        let findings = findings(Ok(judge(&tree(&files), &commands)));
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0]
                .starts_with("docs/COMMANDS.md:1: commands: it is not what the catalog says;")
        );
    }
}
