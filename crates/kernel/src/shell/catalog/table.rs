//! The one table of commands.

use super::Capability::{Administer, Look};
use super::{Action, Argument, Capability, Command, Handler, Kind, device, firewall};
use crate::base::log::Level;
use crate::limits::TRACE_EVENTS_MAX;
use crate::shell::commands as run;
use crate::storage::errand;

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

const SECTOR: Kind = Kind::Number {
    least: 0,
    most: u64::MAX,
};

const SECTORS_SHOWN: Kind = Kind::Number {
    least: 1,
    most: errand::SECTORS_MAX,
};

const SECTOR_COUNT: Kind = Kind::Number {
    least: 1,
    most: u32::MAX as u64,
};

const FORCE: Argument = optional("FORCE", Kind::Keyword(run::disk::FORCE));
const INTERFACE: &[Argument] = &[optional("INTERFACE", Kind::Text)];

const PING_COUNT: Kind = Kind::Number {
    least: 1,
    most: run::net::PINGS_MOST,
};

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
        "cpu",
        "the processor, its cores and its protections",
        "",
        &[only(&[], Look, run::cpu::run)],
    ),
    command(
        "mem",
        "where the machine's memory is",
        "",
        &[
            action("status", "every byte in a sum", &[], Look, run::mem::status),
            action(
                "map",
                "the ranges of the machine and the mappings of the kernel",
                &[],
                Look,
                run::mem::map,
            ),
        ],
    ),
    command(
        "threads",
        "the threads, their state, time and stacks",
        "",
        &[only(&[], Look, run::threads::run)],
    ),
    command(
        "irq",
        "interrupts by source, exceptions included",
        "",
        &[only(&[], Look, run::irq::run)],
    ),
    command(
        "device",
        "what was found on the buses, who drives it, and how it goes",
        "ADDRESS is one of device list, such as 00:03.0. What was unplugged stays in the list until something takes its place.",
        &[
            action(
                "list",
                "every function, what it is, its driver, or why there is none",
                &[],
                Look,
                run::device::list,
            ),
            action(
                "stats",
                "interrupts, resets, lies and queues of the driven ones",
                &[],
                Look,
                run::device::stats,
            ),
            action(
                "reset",
                "brings a device down and up again",
                &[required("ADDRESS", Kind::Text)],
                Administer,
                run::device::reset,
            ),
        ],
    ),
    command(
        "disk",
        "the disks, and single sectors of them",
        "What destroys data looks at the disk first; where there is a partition table or a boot signature, it wants force behind it.",
        &[
            action(
                "list",
                "the disks and what they can",
                &[],
                Look,
                run::disk::list,
            ),
            action(
                "stats",
                "what the disks were asked for",
                &[],
                Look,
                run::disk::stats,
            ),
            action(
                "read",
                "shows sectors",
                &[
                    required("DISK", Kind::Text),
                    required("SECTOR", SECTOR),
                    optional("COUNT", SECTORS_SHOWN),
                ],
                Administer,
                run::disk::read,
            ),
            action(
                "write",
                "writes a text with zeroes behind it to a sector",
                &[
                    required("DISK", Kind::Text),
                    required("SECTOR", SECTOR),
                    required("TEXT", Kind::Text),
                    FORCE,
                ],
                Administer,
                run::disk::write,
            ),
            action(
                "zero",
                "makes sectors zero",
                &[
                    required("DISK", Kind::Text),
                    required("SECTOR", SECTOR),
                    required("COUNT", SECTOR_COUNT),
                    FORCE,
                ],
                Administer,
                run::disk::zero,
            ),
            action(
                "discard",
                "tells the disk that the sectors are not needed",
                &[
                    required("DISK", Kind::Text),
                    required("SECTOR", SECTOR),
                    required("COUNT", SECTOR_COUNT),
                    FORCE,
                ],
                Administer,
                run::disk::discard,
            ),
            action(
                "flush",
                "makes what was written last",
                &[required("DISK", Kind::Text)],
                Administer,
                run::disk::flush,
            ),
        ],
    ),
    command(
        "device",
        "what was found on the buses, who drives it, and how it goes",
        "ADDRESS is one of device list, such as 00:03.0. What was unplugged stays in the list until something takes its place.",
        &[
            action(
                "list",
                "every function, what it is, its driver, or why there is none",
                &[],
                Look,
                run::device::list,
            ),
            action(
                "stats",
                "interrupts, resets, lies and queues of the driven ones",
                &[],
                Look,
                run::device::stats,
            ),
            action(
                "reset",
                "brings a device down and up again",
                &[required("ADDRESS", Kind::Text)],
                Administer,
                run::device::reset,
            ),
        ],
    ),
    command(
        "display",
        "the virtual display and what was shown on it",
        "",
        &[only(&[], Look, run::display::run)],
    ),
    command(
        "input",
        "what pointers and touch screens have done",
        "Keys go to the console that they are typed at and are not shown here.",
        &[
            action("status", "how much it was", &[], Look, run::input::status),
            action("events", "the newest of it", &[], Look, run::input::events),
        ],
    ),
    command(
        "limits",
        "every capacity, what of it is in use, and its reason",
        "Unknown stands where nobody counts.",
        &[only(&[], Look, run::limits::run)],
    ),
    command(
        "log",
        "the log, or its records of some levels",
        "Which records are kept says log=LEVEL,SOURCE=LEVEL on the command line.",
        &[only(
            &[any_number_of("LEVEL", Kind::Keyword(LEVELS))],
            Look,
            run::log::run,
        )],
    ),
    command(
        "trace-ring",
        "the newest events of the trace ring",
        "COUNT is 32 when it is not given.",
        &[only(
            &[optional("COUNT", EVENT_COUNT)],
            Look,
            run::trace_ring::run,
        )],
    ),
    command(
        "net",
        "the network: interfaces, routes, neighbours, sockets, and who answers",
        "TARGET is an address of IPv4 or IPv6. Drops are shown by their reasons.",
        &[
            action(
                "status",
                "frames, packets of each protocol, and what was dropped why",
                &[],
                Look,
                run::net::status,
            ),
            action(
                "interfaces",
                "the interfaces with their addresses and counters",
                &[],
                Look,
                run::net::interfaces,
            ),
            action(
                "sockets",
                "who listens, and the connections",
                &[],
                Look,
                run::net::sockets,
            ),
            action(
                "routes",
                "which way packets go",
                &[],
                Look,
                run::net::routes,
            ),
            action(
                "neighbours",
                "the hosts on the links and how sure we are of them",
                &[],
                Look,
                run::net::neighbours,
            ),
            action(
                "ping",
                "asks a host whether it is there, and measures how long that takes",
                &[
                    required("TARGET", Kind::Text),
                    optional("COUNT", PING_COUNT),
                ],
                Administer,
                run::net::ping,
            ),
            action(
                "services",
                "what is offered for measuring, and what it has done",
                &[],
                Look,
                run::serve::show,
            ),
            action(
                "serve",
                "offers one more service for measuring, or none",
                &[required("SERVICE", Kind::Keyword(run::serve::WANTED))],
                Administer,
                run::serve::change,
            ),
            action(
                "dns",
                "looks a name up through the name servers of the lease",
                &[
                    required("NAME", Kind::Text),
                    optional("KIND", Kind::Keyword(run::net_lookup::KINDS)),
                ],
                Look,
                run::net_lookup::dns,
            ),
            action(
                "names",
                "the name servers, what was asked and what is remembered",
                &[],
                Look,
                run::net_lookup::names,
            ),
            action(
                "fetch",
                "fetches what an address names by HTTP, and measures it",
                &[required("URL", Kind::Text)],
                Administer,
                run::net_lookup::fetch,
            ),
        ],
    ),
    command(
        "dhcp",
        "the IPv4 addresses that come from servers",
        "INTERFACE is a name as eth0; without it, all clients are meant.",
        &[
            action(
                "status",
                "state, address, times and options of each client, and what it has counted",
                INTERFACE,
                Look,
                run::dhcp::status,
            ),
            action(
                "leases",
                "the addresses in use and how long they are ours",
                INTERFACE,
                Look,
                run::dhcp::leases,
            ),
            action(
                "renew",
                "asks for a new lease time now, or for a lease",
                INTERFACE,
                Administer,
                run::dhcp::renew,
            ),
            action(
                "release",
                "gives the address back; renew asks for one again",
                INTERFACE,
                Administer,
                run::dhcp::release,
            ),
            action(
                "inform",
                "asks for the options only",
                INTERFACE,
                Administer,
                run::dhcp::inform,
            ),
            action(
                "history",
                "the newest transactions of each client",
                INTERFACE,
                Look,
                run::dhcp::history,
            ),
        ],
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
        "clear",
        "empties the screen",
        "",
        &[only(&[], Look, run::clear::run)],
    ),
    command(
        "history",
        "the lines that this console remembers",
        "",
        &[only(&[], Look, run::history::run)],
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
            Look,
            run::watch::run,
        )],
    ),
    device::ROW,
    firewall::ROW,
    command(
        "api",
        "the commands by HTTP: what was asked and what was refused",
        "",
        &[
            action(
                "status",
                "connections, requests and answers",
                &[],
                Look,
                run::api::status,
            ),
            action(
                "requests",
                "the last requests, oldest first",
                &[],
                Look,
                run::api::requests,
            ),
        ],
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
    command(
        "selftest",
        "proofs that the running machine gives of itself",
        "One runs at a time, beside everything else. COUNT is 1000 and SECONDS is 10 when not given.",
        &[
            action(
                "status",
                "how far the one that was started last has come",
                &[],
                Look,
                run::selftest::status,
            ),
            action(
                "exceptions",
                "raises every exception and comes back from it",
                &[],
                Administer,
                run::selftest::exceptions,
            ),
            action(
                "wakeups",
                "sends wake-ups from core to core and loses none",
                &[optional("COUNT", WAKE_UP_COUNT)],
                Administer,
                run::selftest::wake_ups,
            ),
            action(
                "preemption",
                "takes threads off their cores at random and checks registers and stacks",
                &[optional("SECONDS", PREEMPTION_SECONDS)],
                Administer,
                run::selftest::preemption,
            ),
        ],
    ),
    Command {
        name: "debug",
        summary: "breaks the kernel on purpose, to see what happens then",
        details: "Only with debug=1 on the command line.",
        actions: &[
            action("panic", "panics", &[], Administer, run::debug::panic),
            action(
                "fault",
                "reads memory that is not mapped",
                &[],
                Administer,
                run::debug::fault,
            ),
            action(
                "overflow",
                "uses up a stack",
                &[],
                Administer,
                run::debug::overflow,
            ),
            action(
                "hang",
                "stops the control loop, for the watchdog to find",
                &[],
                Administer,
                run::debug::hang,
            ),
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
pub(super) const fn only(
    arguments: &'static [Argument],
    capability: Capability,
    run: Handler,
) -> Action {
    action("", "", arguments, capability, run)
}

pub(super) const fn action(
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
