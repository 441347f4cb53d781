//! The one table of commands.

use super::Capability::{Administer, Look};
use super::{Action, Argument, Capability, Command, Handler, Kind};
use crate::shell::commands as run;

/// In the order in which `help` lists them.
pub static COMMANDS: &[Command] = &[
    command(
        "help",
        "lists the commands, or explains one",
        "Behind a command, a bar and a filter change its answer: where COLUMN=VALUE, sort COLUMN [desc], limit N, match TEXT, json. Several commands are separated by a semicolon.",
        &[only(
            &[optional("COMMAND", Kind::Command)],
            Look,
            run::help::run,
        )],
    ),
    command(
        "status",
        "what runs, what is missing and why, what is near its limit",
        "Something is near its limit when 80 % of it are or were in use, or when it has refused something.",
        &[only(&[], Look, run::status::run)],
    ),
    command(
        "version",
        "the version and how this kernel was built",
        "",
        &[only(&[], Look, run::version::run)],
    ),
    command(
        "uptime",
        "how long the kernel runs and how it was booted",
        "",
        &[only(&[], Look, run::uptime::run)],
    ),
    command(
        "echo",
        "repeats its words",
        "",
        &[only(
            &[any_number_of("WORD", Kind::Text)],
            Look,
            run::echo::run,
        )],
    ),
    command(
        "reboot",
        "restarts the machine",
        "The answer is shown first.",
        &[only(&[], Administer, run::power::reboot)],
    ),
    command(
        "poweroff",
        "switches the machine off",
        "The answer is shown first.",
        &[only(&[], Administer, run::power::power_off)],
    ),
];

/// A row whose first action runs when no subcommand is named.
const fn command(
    name: &'static str,
    summary: &'static str,
    details: &'static str,
    actions: &'static [Action],
) -> Command {
    Command {
        name,
        summary,
        details,
        actions,
        has_default: true,
    }
}

/// The only action of a command without subcommands.
const fn only(arguments: &'static [Argument], capability: Capability, run: Handler) -> Action {
    action("", "", arguments, capability, run)
}

const fn action(
    name: &'static str,
    summary: &'static str,
    arguments: &'static [Argument],
    capability: Capability,
    run: Handler,
) -> Action {
    Action {
        name,
        summary,
        arguments,
        capability,
        run,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        is_required: false,
        is_repeated: false,
    }
}

const fn any_number_of(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        is_required: false,
        is_repeated: true,
    }
}
