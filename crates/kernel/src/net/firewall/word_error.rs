//! What is wrong with the words of a rule, with the word and a way out.

use super::rule::Prefix;
use crate::base::fixed::Text;
use crate::base::tenant::Tenant;
use crate::limits::{FIREWALL_RULES_MAX, TENANTS_MAX};
use core::fmt;

/// As much of a word as an error repeats.
pub type Shown = Text<40>;

pub fn shown(word: &str) -> Shown {
    Text::cut_from(word)
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WordError {
    Missing(Missing),
    /// The first word of a rule.
    NoVerdict(Shown),
    /// No clause begins with it.
    Unknown(Shown),
    Twice(Shown),
    NoAddress(Shown),
    BitsBehindPrefix {
        word: Shown,
        meant: Prefix,
    },
    NoPort(Shown),
    PortWithoutAddress,
    NoProtocol(Shown),
    NoTenant(Shown),
    NoInterface(Shown),
    NoNumber(Shown),
    PortsOfNoProtocol,
    TwoFamilies,
    FamilyOfProtocol,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    Verdict,
    Clause,
    Address,
    Port,
    Protocol,
    Tenant,
    Interface,
    Number,
    Direction,
    ProtocolName,
    From,
    To,
}

impl WordError {
    /// The word that no clause begins with: perhaps another one was meant.
    pub fn unknown_word(&self) -> Option<&str> {
        match self {
            Self::NoVerdict(word) | Self::Unknown(word) => Some(word),
            _ => None,
        }
    }
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => f.write_str(missing.sentence()),
            Self::NoVerdict(word) => write!(
                f,
                "\"{word}\" is nothing to do with a packet; a rule begins with allow, deny or reject"
            ),
            Self::Unknown(word) => write!(
                f,
                "\"{word}\" says nothing here; write in, out, a protocol, from, to, tenant, interface or at"
            ),
            Self::Twice(word) => write!(f, "\"{word}\" says a second time what was said before; leave one out"),
            Self::NoAddress(word) => write!(
                f,
                "\"{word}\" is no address; write one like 10.0.2.15 or fd00::1, with /LENGTH for a network, or any"
            ),
            Self::BitsBehindPrefix { word, meant } => {
                write!(f, "\"{word}\" has bits behind its prefix; write {meant}")
            }
            Self::NoPort(word) => write!(
                f,
                "\"{word}\" is no port; write one from 0 to 65535, or two like 1000-2000"
            ),
            Self::PortWithoutAddress => {
                f.write_str("\"port\" stands behind an address; write from any port N or to any port N")
            }
            Self::NoProtocol(word) => {
                write!(f, "\"{word}\" is no number of a protocol; write one from 0 to 255")
            }
            Self::NoTenant(word) => {
                write!(f, "\"{word}\" is no tenant; write one from {} to {}", Tenant::KERNEL, TENANTS_MAX - 1)
            }
            Self::NoInterface(word) => {
                write!(f, "\"{word}\" is no interface; write its number in the list of interfaces")
            }
            Self::NoNumber(word) => {
                write!(f, "\"{word}\" is no number of a rule; write one from 1 to {FIREWALL_RULES_MAX}")
            }
            Self::PortsOfNoProtocol => {
                f.write_str("only tcp and udp have ports; leave the ports out or name one of these two")
            }
            Self::TwoFamilies => f.write_str(
                "no packet goes between an IPv4 and an IPv6 address; write both ends in one family",
            ),
            Self::FamilyOfProtocol => {
                f.write_str("icmp goes between IPv4 addresses and icmpv6 between IPv6 addresses; write the other one")
            }
        }
    }
}

impl Missing {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Verdict => "a rule is missing; write one like deny tcp from any to any port 23",
            Self::Clause => {
                "which packets is missing; write any for all, or something like tcp from any to any"
            }
            Self::Address => "an address is missing at the end; write one, or any",
            Self::Port => "a port is missing behind \"port\"; write one, or two like 1000-2000",
            Self::Protocol => "a number is missing behind \"protocol\"",
            Self::Tenant => "a number is missing behind \"tenant\"",
            Self::Interface => "a number is missing behind \"interface\"",
            Self::Number => "a number is missing behind \"at\"; firewall list shows them",
            Self::Direction => "the direction is missing; write in or out",
            Self::ProtocolName => {
                "the protocol is missing; write tcp, udp, icmp, icmpv6 or protocol NUMBER"
            }
            Self::From => "the sender is missing; write from ADDRESS",
            Self::To => "the receiver is missing; write to ADDRESS",
        }
    }
}
