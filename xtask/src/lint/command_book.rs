//! docs/COMMANDS.md: the catalog of the shell as a page of the book.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Context;
use rayos_kernel::shell::catalog::{COMMANDS, Command, Usage};
use rayos_kernel::shell::filter::FILTER_USAGE;

/// Where the page is.
pub const BOOK: &str = "docs/COMMANDS.md";

const INTRODUCTION: &str = "\
# Commands

<!-- Written by `cargo xtask lint --rewrite` from the catalog of the shell; do not edit. -->

What the shell of RayOS understands. `help` and `help COMMAND` show the same at the prompt. Arguments in capitals stand
for what is typed in their place; those in square brackets may be left out.

Several commands stand in a line with `;` between. Words are kept together by `'..'`, `\"..\"` or `\\`. `--json` behind a
command, or `| json`, answers with one line of JSON. Tab completes commands, subcommands, arguments, filters and columns.

";

/// A command as the catalog describes it.
pub struct Described {
    pub name: String,
    pub summary: String,
    /// Whole sentences, or nothing.
    pub details: String,
    /// Whether the first action runs when none is named.
    pub has_default: bool,
    pub actions: Vec<DescribedAction>,
}

/// One thing that a command does.
pub struct DescribedAction {
    /// The subcommand; empty where there is none.
    pub name: String,
    /// How it is typed, with its arguments.
    pub usage: String,
    pub summary: String,
}

/// The catalog of the kernel.
pub fn described() -> Vec<Described> {
    COMMANDS.iter().map(Described::of).collect()
}

impl Described {
    fn of(command: &'static Command) -> Self {
        let actions = command.actions.iter().map(|action| DescribedAction {
            name: action.name.to_owned(),
            usage: Usage { command, action }.to_string(),
            summary: action.summary.to_owned(),
        });
        Self {
            name: command.name.to_owned(),
            summary: command.summary.to_owned(),
            details: command.details.to_owned(),
            has_default: command.has_default,
            actions: actions.collect(),
        }
    }

    /// The words with which each action is asked for.
    pub fn spoken(&self) -> Vec<Vec<&str>> {
        let mut spoken = Vec::new();
        if self.has_default {
            spoken.push(vec![self.name.as_str()]);
        }
        for action in self.actions.iter().filter(|action| !action.name.is_empty()) {
            let words = action.name.split(' ');
            spoken.push([self.name.as_str()].into_iter().chain(words).collect());
        }
        spoken
    }
}

/// Writes the page of the catalog into the tree at `root`.
pub fn write(root: &Path) -> anyhow::Result<()> {
    let path = root.join(BOOK);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&path, render(&described())).with_context(|| format!("{BOOK} cannot be written"))
}

/// The whole page.
pub fn render(commands: &[Described]) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| command | what it does |\n|---|---|\n");
    for command in commands {
        let name = &command.name;
        push(
            &mut page,
            format_args!("| [`{name}`](#{name}) | {} |\n", cell(&command.summary)),
        );
    }
    for command in commands {
        push_section(&mut page, command);
    }
    push_filters(&mut page);
    page
}

fn push_filters(page: &mut String) {
    page.push_str("\n## Filters\n\nBehind a bar, for the rows of the answer:\n\n");
    for (_, usage) in FILTER_USAGE {
        push(page, format_args!("- `{usage}`\n"));
    }
    page.push_str(
        "\nA column is named by its key or its heading; a number may carry a unit: `| where used>1MiB`.\n",
    );
}

fn push_section(page: &mut String, command: &Described) {
    let Described { name, summary, .. } = command;
    push(
        page,
        format_args!("\n## {name}\n\n{}.\n", sentence(summary)),
    );
    if !command.details.trim().is_empty() {
        push(page, format_args!("\n{}\n", command.details.trim()));
    }
    if let [DescribedAction { name, usage, .. }] = command.actions.as_slice()
        && name.is_empty()
    {
        push(page, format_args!("\n    {usage}\n"));
        return;
    }
    page.push_str("\n| usage | |\n|---|---|\n");
    for (index, action) in command.actions.iter().enumerate() {
        let (usage, summary) = (cell(&action.usage), cell(&action.summary));
        let is_default = index == 0 && command.has_default;
        let note = match is_default {
            true => " (when no subcommand is named)",
            false => "",
        };
        push(page, format_args!("| `{usage}` | {summary}{note} |\n"));
    }
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes whatever is written to it.
    let _ = page.write_fmt(text);
}

/// Text that does not end its cell of the table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|")
}

/// A summary as the beginning of a paragraph: with a capital, without its full stop.
fn sentence(summary: &str) -> String {
    let summary = summary.trim().trim_end_matches('.');
    let mut letters = summary.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_listed_and_has_a_section_with_its_usage() {
        let action = |name: &str, usage: &str, summary: &str| DescribedAction {
            name: name.to_owned(),
            usage: usage.to_owned(),
            summary: summary.to_owned(),
        };
        let command = |name: &str, summary: &str, details: &str, actions| Described {
            name: name.to_owned(),
            summary: summary.to_owned(),
            details: details.to_owned(),
            has_default: true,
            actions,
        };
        let page = render(&[
            command(
                "log",
                "shows what was logged",
                "Newest last.",
                vec![
                    action("show", "log show [LEVEL|all]", "prints it"),
                    action("clear", "log clear", "forgets it"),
                ],
            ),
            command(
                "echo",
                "repeats its words",
                "",
                vec![action("", "echo [WORD...]", "")],
            ),
        ]);
        let rest = page.strip_prefix(INTRODUCTION).unwrap();
        let expected = "\
| command | what it does |
|---|---|
| [`log`](#log) | shows what was logged |
| [`echo`](#echo) | repeats its words |

## log

Shows what was logged.

Newest last.

| usage | |
|---|---|
| `log show [LEVEL\\|all]` | prints it (when no subcommand is named) |
| `log clear` | forgets it |

## echo

Repeats its words.

    echo [WORD...]
";
        let (sections, filters) = rest.split_once("\n## Filters").unwrap();
        assert_eq!(sections, expected);
        assert!(filters.contains("- `limit N`\n"));
    }
}
