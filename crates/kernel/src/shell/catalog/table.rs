//! The one table of commands.

use super::access::{ADMINISTER, AUDIT, LOOK};
use super::{
    Access, Action, Argument, Command, Handler, Kind, audit, cap, device, disk, files, firewall,
    io, net, optimize, security, storage, tpm,
};
use crate::base::log::Level;
use crate::limits::TRACE_EVENTS_MAX;
use crate::shell::commands as run;

const LEVELS: &[&str] = &[
    Level::Error.name(),
    Level::Warn.name(),
    Level::Info.name(),
    Level::Debug.name(),
    Level::Trace.name(),
];

const EVENT_COUNT: Kind = Kind::Number {
    least: 1,
    most: TRACE_EVENTS_MAX as u64,
};

const WAKE_UP_COUNT: Kind = Kind::Number {
    least: 1,
    most: run::selftest::WAKE_UPS_MAX,
};

const PREEMPTION_SECONDS: Kind = Kind::Number {
    least: 1,
    most: run::selftest::PREEMPTION_SECONDS_MAX,
};

/// In the order in which `help` lists them.
pub static COMMANDS: &[Command] = &[
    command(
        "help",
        "lists the commands, or explains one",
        "Behind a command, a bar and a filter change its answer: where COLUMN=VALUE, sort COLUMN [desc], limit N, match TEXT, json. Several commands are separated by a semicolon.",
        &[only(
            &[optional("COMMAND", Kind::Command)],
            LOOK,
            run::help::run,
        )],
    ),
    command(
        "status",
        "what runs, what is missing and why, what is near its limit",
        "Something is near its limit when 80 % of it are or were in use, or when it has refused something.",
        &[only(&[], LOOK, run::status::run)],
    ),
    command(
        "version",
        "the version and how this kernel was built",
        "",
        &[only(&[], LOOK, run::version::run)],
    ),
    command(
        "uptime",
        "how long the kernel runs and how it was booted",
        "",
        &[only(&[], LOOK, run::uptime::run)],
    ),
    command(
        "cpu",
        "the processor, its cores and its protections",
        "",
        &[only(&[], LOOK, run::cpu::run)],
    ),
    command(
        "mem",
        "where the machine's memory is",
        "",
        &[
            action("status", "every byte in a sum", &[], LOOK, run::mem::status),
            action(
                "map",
                "the ranges of the machine and the mappings of the kernel",
                &[],
                LOOK,
                run::mem::map,
            ),
        ],
    ),
    command(
        "threads",
        "the threads, their state, time and stacks",
        "",
        &[only(&[], LOOK, run::threads::run)],
    ),
    command(
        "irq",
        "interrupts by source, exceptions included",
        "",
        &[only(&[], LOOK, run::irq::run)],
    ),
    cap::ROW,
    device::ROW,
    disk::ROW,
    io::ROW,
    storage::ROW,
    files::LS,
    files::CAT,
    files::SUM,
    files::PUT,
    files::APPEND,
    files::RM,
    files::MKDIR,
    files::DF,
    files::RUN,
    command(
        "display",
        "the virtual display and what was shown on it",
        "",
        &[only(&[], LOOK, run::display::run)],
    ),
    command(
        "input",
        "what pointers and touch screens have done",
        "Keys go to the console that they are typed at and are not shown here.",
        &[
            action("status", "how much it was", &[], LOOK, run::input::status),
            action("events", "the newest of it", &[], LOOK, run::input::events),
        ],
    ),
    command(
        "limits",
        "every capacity, what of it is in use, and its reason",
        "Unknown stands where nobody counts.",
        &[only(&[], LOOK, run::limits::run)],
    ),
    command(
        "log",
        "the log, or its records of some levels",
        "Which records are kept says log=LEVEL,SOURCE=LEVEL on the command line.",
        &[only(
            &[any_number_of("LEVEL", Kind::Keyword(LEVELS))],
            LOOK,
            run::log::run,
        )],
    ),
    command(
        "log-previous",
        "the newest records of the log of the boot before",
        "They come from the disk that is in use.",
        &[only(&[], AUDIT, run::log::previous)],
    ),
    command(
        "trace-ring",
        "the newest events of the trace ring",
        "COUNT is 32 when it is not given.",
        &[only(
            &[optional("COUNT", EVENT_COUNT)],
            LOOK,
            run::trace_ring::run,
        )],
    ),
    net::NET,
    net::DHCP,
    command(
        "echo",
        "repeats its words",
        "",
        &[only(
            &[any_number_of("WORD", Kind::Text)],
            LOOK,
            run::echo::run,
        )],
    ),
    command(
        "clear",
        "empties the screen",
        "",
        &[only(&[], LOOK, run::clear::run)],
    ),
    command(
        "history",
        "the lines that this console remembers",
        "",
        &[only(&[], LOOK, run::history::run)],
    ),
    command(
        "watch",
        "repeats another command until a key is pressed",
        "SECONDS is 0.1 to 86400.",
        &[only(
            &[
                required("SECONDS", Kind::Text),
                required("COMMAND", Kind::Command),
            ],
            LOOK,
            run::watch::run,
        )],
    ),
    firewall::ROW,
    security::ROW,
    optimize::ROW,
    tpm::ROW,
    audit::ROW,
    net::API,
    command(
        "reboot",
        "restarts the machine",
        "The answer is shown first.",
        &[only(&[], ADMINISTER, run::power::reboot)],
    ),
    command(
        "poweroff",
        "switches the machine off",
        "The answer is shown first.",
        &[only(&[], ADMINISTER, run::power::power_off)],
    ),
    command(
        "selftest",
        "proofs that the running machine gives of itself",
        "One runs at a time, beside everything else. COUNT is 1000 and SECONDS is 10 when not given.",
        &[
            action(
                "status",
                "how far the one that was started last has come",
                &[],
                LOOK,
                run::selftest::status,
            ),
            action(
                "exceptions",
                "raises every exception and comes back from it",
                &[],
                ADMINISTER,
                run::selftest::exceptions,
            ),
            action(
                "wakeups",
                "sends wake-ups from core to core and loses none",
                &[optional("COUNT", WAKE_UP_COUNT)],
                ADMINISTER,
                run::selftest::wake_ups,
            ),
            action(
                "preemption",
                "takes threads off their cores at random and checks registers and stacks",
                &[optional("SECONDS", PREEMPTION_SECONDS)],
                ADMINISTER,
                run::selftest::preemption,
            ),
        ],
    ),
    Command {
        name: "debug",
        summary: "breaks the kernel on purpose, to see what happens then",
        details: "Only with debug=1 on the command line.",
        actions: &[
            action("panic", "panics", &[], ADMINISTER, run::debug::panic),
            action(
                "fault",
                "reads memory that is not mapped",
                &[],
                ADMINISTER,
                run::debug::fault,
            ),
            action(
                "overflow",
                "uses up a stack",
                &[],
                ADMINISTER,
                run::debug::overflow,
            ),
            action(
                "hang",
                "stops the control loop, for the watchdog to find",
                &[],
                ADMINISTER,
                run::debug::hang,
            ),
            audit::CHANGE,
            audit::DROP,
            audit::REORDER,
            audit::INSERT,
        ],
        has_default: false,
    },
];

/// A row whose first action runs when no subcommand is named.
pub(super) const fn command(
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
pub(super) const fn only(arguments: &'static [Argument], access: Access, run: Handler) -> Action {
    action("", "", arguments, access, run)
}

pub(super) const fn action(
    name: &'static str,
    summary: &'static str,
    arguments: &'static [Argument],
    access: Access,
    run: Handler,
) -> Action {
    Action {
        name,
        summary,
        arguments,
        access,
        run,
    }
}

pub(super) const fn optional(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        is_required: false,
        is_repeated: false,
    }
}

pub(super) const fn required(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        is_required: true,
        is_repeated: false,
    }
}

pub(super) const fn any_number_of(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        is_required: false,
        is_repeated: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_keeps_the_promises_of_its_types() {
        for (index, command) in COMMANDS.iter().enumerate() {
            let name = command.name;
            assert!(COMMANDS[..index].iter().all(|other| other.name != name));
            assert!(
                !command.summary.is_empty() && !command.actions.is_empty(),
                "{name}"
            );
            let is_only = !command.has_actions();
            assert!(!is_only || command.actions.len() == 1, "{name}");
            for (index, action) in command.actions.iter().enumerate() {
                let earlier = &command.actions[..index];
                assert!(earlier.iter().all(|other| other.name != action.name));
                assert_eq!(action.summary.is_empty(), is_only, "{name} {}", action.name);
                let (last, others) = match action.arguments.split_last() {
                    Some((last, others)) => (Some(last), others),
                    None => (None, action.arguments),
                };
                assert!(
                    others.iter().all(|argument| !argument.is_repeated),
                    "{name}"
                );
                let required_later = last.is_some_and(|last| last.is_required);
                let is_in_order = others.iter().all(|argument| argument.is_required);
                assert!(is_in_order || !required_later, "{name}");
            }
            let default = &command.actions[0];
            let needs_nothing = default
                .arguments
                .iter()
                .all(|argument| !argument.is_required);
            assert!(is_only || !command.has_default || needs_nothing, "{name}");
        }
    }
}
