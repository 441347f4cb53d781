//! The rows of `net`, `dhcp` and `api`.

use super::access::{ADMINISTER, LOOK, NET as NETWORK};
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
            LOOK,
            run::net::status,
        ),
        action(
            "interfaces",
            "the interfaces with their addresses and counters",
            &[],
            LOOK,
            run::net::interfaces,
        ),
        action(
            "sockets",
            "who listens, and the connections",
            &[],
            LOOK,
            run::net::sockets,
        ),
        action(
            "routes",
            "which way packets go",
            &[],
            LOOK,
            run::net::routes,
        ),
        action(
            "neighbours",
            "the hosts on the links and how sure we are of them",
            &[],
            LOOK,
            run::net::neighbours,
        ),
        action(
            "ping",
            "asks a host whether it is there, and measures how long that takes",
            &[
                required("TARGET", Kind::Text),
                optional("COUNT", PING_COUNT),
            ],
            NETWORK,
            run::net::ping,
        ),
        action(
            "services",
            "what is offered for measuring, and what it has done",
            &[],
            LOOK,
            run::serve::show,
        ),
        action(
            "serve",
            "offers one more service for measuring, or none",
            &[required("SERVICE", Kind::Keyword(run::serve::WANTED))],
            ADMINISTER,
            run::serve::change,
        ),
        action(
            "dns",
            "looks a name up through the name servers of the lease",
            &[
                required("NAME", Kind::Text),
                optional("KIND", Kind::Keyword(run::net_lookup::KINDS)),
            ],
            NETWORK,
            run::net_lookup::dns,
        ),
        action(
            "names",
            "the name servers, what was asked and what is remembered",
            &[],
            LOOK,
            run::net_lookup::names,
        ),
        action(
            "fetch",
            "fetches what an address names by HTTP, and measures it; -o FILE saves it on the exchange partition",
            &[
                required("URL", Kind::Text),
                optional("-o", Kind::Keyword(run::net_lookup::INTO)),
                optional("FILE", Kind::Text),
            ],
            NETWORK,
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
            LOOK,
            run::dhcp::status,
        ),
        action(
            "leases",
            "the addresses in use and how long they are ours",
            INTERFACE,
            LOOK,
            run::dhcp::leases,
        ),
        action(
            "renew",
            "asks for a new lease time now, or for a lease",
            INTERFACE,
            NETWORK,
            run::dhcp::renew,
        ),
        action(
            "release",
            "gives the address back; renew asks for one again",
            INTERFACE,
            NETWORK,
            run::dhcp::release,
        ),
        action(
            "inform",
            "asks for the options only",
            INTERFACE,
            NETWORK,
            run::dhcp::inform,
        ),
        action(
            "history",
            "the newest transactions of each client",
            INTERFACE,
            LOOK,
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
            LOOK,
            run::api::status,
        ),
        action(
            "requests",
            "the last requests, oldest first",
            &[],
            LOOK,
            run::api::requests,
        ),
    ],
);
