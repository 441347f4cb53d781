//! The row of `firewall`.

use super::access::{ADMINISTER, LOOK};
use super::table::{action, any_number_of, command, required};
use super::{Command, Kind};
use crate::limits::FIREWALL_RULES_MAX;
use crate::net::firewall::words::{Form, offer_next};
use crate::shell::commands as run;

const RULE: Kind = Kind::Phrase(|words, offer| offer_next(Form::Rule, words, offer));
const PACKET: Kind = Kind::Phrase(|words, offer| offer_next(Form::Packet, words, offer));
const NUMBER: Kind = Kind::Number {
    least: 1,
    most: FIREWALL_RULES_MAX as u64,
};

pub const ROW: Command = command(
    "firewall",
    "which packets come in and go out",
    "A rule is allow, deny or reject, then any of: in or out, a protocol, from and to with ADDRESS or ADDRESS/LENGTH or any and port FIRST-LAST, tenant NUMBER, interface NUMBER. The first rule that means a packet decides. Behind a rule, at NUMBER says where in the list it goes.",
    &[
        action(
            "status",
            "what was decided, how fast, and which flows are followed",
            &[],
            LOOK,
            run::firewall::status,
        ),
        action(
            "list",
            "the rules in their order",
            &[],
            LOOK,
            run::firewall::list,
        ),
        action(
            "add",
            "adds a rule, as in add deny tcp from any to any port 23",
            &[any_number_of("RULE", RULE)],
            ADMINISTER,
            run::firewall::add,
        ),
        action(
            "remove",
            "removes a rule",
            &[required("NUMBER", NUMBER)],
            ADMINISTER,
            run::firewall::remove,
        ),
        action(
            "hits",
            "what decided about packets, and when last",
            &[],
            LOOK,
            run::firewall::hits,
        ),
        action(
            "test",
            "says what would become of a packet, as in test in tcp from 1.2.3.4 port 5 to 10.0.2.15 port 23",
            &[any_number_of("PACKET", PACKET)],
            LOOK,
            run::firewall::test,
        ),
    ],
);
