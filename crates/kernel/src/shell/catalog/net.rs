//! The rows of `net`, `dhcp` and `api`.

use super::Authority::{Administer, Look};
use super::table::{action, command, optional, required};
use super::{Argument, Command, Kind};
use crate::shell::commands as run;

const INTERFACE: &[Argument] = &[optional("INTERFACE", Kind::Text)];

const PING_COUNT: Kind = Kind::Number {
    least: 1,
    most: run::net::PINGS_MOST,
};

pub const NET: Command = command(
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
);

pub const DHCP: Command = command(
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
);

pub const API: Command = command(
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
);
