//! The book of commands, from the one table that the shell runs on.

use rayos_kernel::shell::catalog::{Action, COMMANDS, Capability, Command, Usage};
use rayos_kernel::shell::filter::FILTER_USAGE;
use std::fmt::Write;

const OPENING: &str = "\
# Commands

<!-- Made from the catalog of the kernel: RAYOS_REWRITE=1 cargo test -p rayos-sim -->

Several commands stand in a line with `;` between. Words are kept together by `'..'`, `\"..\"` or `\\`.
`--json` behind a command, or `| json`, answers with one line of JSON. `help` shows this list in the shell,
`help COMMAND` one of its rows; Tab completes commands, subcommands, arguments, filters and columns.
";

/// `docs/COMMANDS.md` as it must be.
pub fn commands_markdown() -> String {
    let mut text = OPENING.to_string();
    for command in COMMANDS {
        // Writing to a string cannot fail.
        let _ = write_command(command, &mut text);
    }
    text.push_str("\n## Filters\n\nBehind a bar, for the rows of the answer:\n\n");
    for (_, usage) in FILTER_USAGE {
        let _ = writeln!(text, "- `{usage}`");
    }
    text.push_str(
        "\nA column is named by its key or its heading, a number may carry a unit: `| where used>1MiB`.\n",
    );
    text
}

fn write_command(command: &Command, text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "\n## {}\n\n{}.",
        command.name,
        sentence(command.summary)
    )?;
    if !command.details.is_empty() {
        writeln!(text, "{}", command.details)?;
    }
    writeln!(text)?;
    for (index, action) in command.actions.iter().enumerate() {
        let is_default = index == 0 && command.has_default && command.has_actions();
        write_action(command, action, is_default, text)?;
    }
    Ok(())
}

fn write_action(
    command: &Command,
    action: &Action,
    is_default: bool,
    text: &mut String,
) -> std::fmt::Result {
    write!(text, "- `{}`", Usage { command, action })?;
    if !action.summary.is_empty() {
        write!(text, ": {}", action.summary)?;
    }
    if is_default {
        text.push_str(" (also without the subcommand)");
    }
    if action.capability == Capability::Administer {
        text.push_str(" (administrators)");
    }
    text.push('\n');
    Ok(())
}

/// With a capital letter.
fn sentence(summary: &str) -> String {
    let mut characters = summary.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
