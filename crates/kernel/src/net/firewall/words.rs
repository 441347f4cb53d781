//! Reads a rule as it is typed.
//!
//! `deny tcp from any to 10.0.0.0/8 port 23 in tenant 2 at 3`: the words in
//! front of `from` and behind the ends come in any order, each at most once. After any
//! number of words the parser knows what may follow; completion asks for it.

use super::flow::SYN;
use super::policy::icmp;
use super::rule::{PROTOCOLS, PortRange, Prefix, Rule, Side, Verdict};
use super::word_error::{Missing, WordError, shown};
use crate::base::tenant::Tenant;
use crate::limits::FIREWALL_RULES_MAX;
use crate::net::packet::{Direction, PacketFacts, protocol};
use core::net::IpAddr;

/// What is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Begins with what becomes of packets, and may end with a place.
    Rule,
    /// A packet: all that a rule leaves open is said.
    Packet,
}

/// A rule, and the number that it is to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish {
    pub rule: Rule,
    pub number: Option<usize>,
}

pub struct Parser {
    form: Form,
    state: State,
    rule: Rule,
    number: Option<usize>,
    seen: [bool; Clause::ALL.len()],
}

/// What the next word is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Verdict,
    /// A clause begins, or all is said.
    Clause,
    Address(End),
    /// `port`, or a clause.
    BehindAddress(End),
    Port(End),
    Protocol,
    Tenant,
    Interface,
    Number,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Source,
    Destination,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Clause {
    Direction,
    Protocol,
    Source,
    Destination,
    Tenant,
    Interface,
    Number,
}

impl Clause {
    const ALL: [Self; 7] = [
        Self::Direction,
        Self::Protocol,
        Self::Source,
        Self::Destination,
        Self::Tenant,
        Self::Interface,
        Self::Number,
    ];
}

const VERDICTS: [Verdict; 3] = [Verdict::Allow, Verdict::Deny, Verdict::Reject];
const DIRECTIONS: [Direction; 2] = [Direction::In, Direction::Out];
/// The words that begin a clause and are followed by its value.
const KEYWORDS: [(&str, Clause, State); 6] = [
    ("protocol", Clause::Protocol, State::Protocol),
    ("from", Clause::Source, State::Address(End::Source)),
    ("to", Clause::Destination, State::Address(End::Destination)),
    ("tenant", Clause::Tenant, State::Tenant),
    ("interface", Clause::Interface, State::Interface),
    ("at", Clause::Number, State::Number),
];
const ANY: &str = "any";
const PORT: &str = "port";

/// Reads what stands behind `firewall add`.
pub fn parse_rule(words: &[&str]) -> Result<Wish, WordError> {
    Parser::read(Form::Rule, words)?.finish()
}

/// Reads what stands behind `firewall test`: the facts of a packet that begins something.
pub fn parse_packet(words: &[&str]) -> Result<PacketFacts, WordError> {
    Parser::read(Form::Packet, words)?.finish_packet()
}

/// Offers every word that may stand behind these, as far as words have names.
pub fn offer_next(form: Form, words: &[&str], offer: &mut dyn FnMut(&'static str)) {
    if let Ok(parser) = Parser::read(form, words) {
        parser.offer_next(offer);
    }
}

impl Parser {
    fn new(form: Form) -> Self {
        Self {
            form,
            state: match form {
                Form::Rule => State::Verdict,
                Form::Packet => State::Clause,
            },
            rule: Rule::any(Verdict::Deny),
            number: None,
            seen: [false; Clause::ALL.len()],
        }
    }

    fn read(form: Form, words: &[&str]) -> Result<Self, WordError> {
        let mut parser = Self::new(form);
        for word in words {
            parser.take(word)?;
        }
        Ok(parser)
    }

    /// Takes the next word.
    fn take(&mut self, word: &str) -> Result<(), WordError> {
        let next = match self.state {
            State::Verdict => {
                let mut known = VERDICTS.into_iter();
                let verdict = known.find(|verdict| verdict.name() == word);
                self.rule.verdict = verdict.ok_or_else(|| WordError::NoVerdict(shown(word)))?;
                State::Clause
            }
            State::BehindAddress(end) if word == PORT => State::Port(end),
            State::Clause | State::BehindAddress(_) => self.begin(word)?,
            State::Address(end) => {
                self.end(end).prefix = read_prefix(self.form, word)?;
                State::BehindAddress(end)
            }
            State::Port(end) => {
                self.end(end).ports = Some(read_ports(self.form, word)?);
                State::Clause
            }
            State::Protocol => {
                let number = word
                    .parse()
                    .map_err(|_| WordError::NoProtocol(shown(word)))?;
                self.rule.protocol = Some(number);
                State::Clause
            }
            State::Tenant => {
                let tenant = word.parse().ok().and_then(Tenant::new);
                self.rule.tenant = Some(tenant.ok_or_else(|| WordError::NoTenant(shown(word)))?);
                State::Clause
            }
            State::Interface => {
                let interface = word.parse::<u8>().ok().map(usize::from);
                let interface = interface.ok_or_else(|| WordError::NoInterface(shown(word)))?;
                self.rule.interface = Some(interface);
                State::Clause
            }
            State::Number => {
                let numbers = 1..=FIREWALL_RULES_MAX;
                let number = word.parse().ok().filter(|number| numbers.contains(number));
                self.number = Some(number.ok_or_else(|| WordError::NoNumber(shown(word)))?);
                State::Clause
            }
        };
        self.state = next;
        Ok(())
    }

    /// A word at which a clause begins.
    fn begin(&mut self, word: &str) -> Result<State, WordError> {
        if word == PORT {
            return Err(WordError::PortWithoutAddress);
        }
        let is_word = |direction: &Direction| direction.name() == word;
        if let Some(direction) = DIRECTIONS.into_iter().find(is_word) {
            self.see(Clause::Direction, word)?;
            self.rule.direction = Some(direction);
            return Ok(State::Clause);
        }
        let known = PROTOCOLS.into_iter().find(|(name, _)| *name == word);
        if known.is_some() || (word == ANY && self.form == Form::Rule) {
            self.see(Clause::Protocol, word)?;
            self.rule.protocol = known.map(|(_, number)| number);
            return Ok(State::Clause);
        }
        let mut keywords = KEYWORDS.into_iter();
        match keywords.find(|(keyword, ..)| *keyword == word) {
            Some((_, clause, state)) if self.takes(clause) => {
                self.see(clause, word)?;
                Ok(state)
            }
            _ => Err(WordError::Unknown(shown(word))),
        }
    }

    fn takes(&self, clause: Clause) -> bool {
        clause != Clause::Number || self.form == Form::Rule
    }

    fn see(&mut self, clause: Clause, word: &str) -> Result<(), WordError> {
        match core::mem::replace(&mut self.seen[clause as usize], true) {
            true => Err(WordError::Twice(shown(word))),
            false => Ok(()),
        }
    }

    fn end(&mut self, end: End) -> &mut Side {
        match end {
            End::Source => &mut self.rule.source,
            End::Destination => &mut self.rule.destination,
        }
    }

    /// Offers every word that may come next.
    fn offer_next(&self, offer: &mut dyn FnMut(&'static str)) {
        match self.state {
            State::Verdict => VERDICTS.iter().for_each(|verdict| offer(verdict.name())),
            State::Clause => self.offer_clauses(offer),
            State::BehindAddress(_) => {
                offer(PORT);
                self.offer_clauses(offer);
            }
            State::Address(_) if self.form == Form::Rule => offer(ANY),
            State::Address(_)
            | State::Port(_)
            | State::Protocol
            | State::Tenant
            | State::Interface
            | State::Number => {}
        }
    }

    fn offer_clauses(&self, offer: &mut dyn FnMut(&'static str)) {
        let is_open = |clause: Clause| !self.seen[clause as usize] && self.takes(clause);
        if is_open(Clause::Direction) {
            DIRECTIONS
                .iter()
                .for_each(|direction| offer(direction.name()));
        }
        if is_open(Clause::Protocol) {
            PROTOCOLS.iter().for_each(|(name, _)| offer(name));
            if self.form == Form::Rule {
                offer(ANY);
            }
        }
        for (keyword, clause, _) in KEYWORDS {
            if is_open(clause) {
                offer(keyword);
            }
        }
    }

    /// The rule, when enough was said and it can mean a packet at all.
    fn finish(self) -> Result<Wish, WordError> {
        let missing = match self.state {
            State::Clause | State::BehindAddress(_) => None,
            State::Verdict => Some(Missing::Verdict),
            State::Address(_) => Some(Missing::Address),
            State::Port(_) => Some(Missing::Port),
            State::Protocol => Some(Missing::Protocol),
            State::Tenant => Some(Missing::Tenant),
            State::Interface => Some(Missing::Interface),
            State::Number => Some(Missing::Number),
        };
        if let Some(missing) = missing {
            return Err(WordError::Missing(missing));
        }
        // `deny` alone would be a rule for everything; whoever means that says so.
        if !self.seen.contains(&true) {
            return Err(WordError::Missing(Missing::Clause));
        }
        let rule = self.rule;
        let has_ports_of = matches!(rule.protocol, None | Some(protocol::TCP | protocol::UDP));
        if rule.has_ports() && !has_ports_of {
            return Err(WordError::PortsOfNoProtocol);
        }
        let family = |side: &Side| side.prefix.map(|prefix| prefix.address().is_ipv6());
        let families = [family(&rule.source), family(&rule.destination)];
        let of_protocol = match rule.protocol {
            Some(protocol::ICMP) => Some(false),
            Some(protocol::ICMPV6) => Some(true),
            _ => None,
        };
        let [source, destination] = families;
        if source
            .zip(destination)
            .is_some_and(|(left, right)| left != right)
        {
            return Err(WordError::TwoFamilies);
        }
        let family = source.or(destination);
        if family
            .zip(of_protocol)
            .is_some_and(|(left, right)| left != right)
        {
            return Err(WordError::FamilyOfProtocol);
        }
        Ok(Wish {
            rule,
            number: self.number,
        })
    }

    fn finish_packet(self) -> Result<PacketFacts, WordError> {
        let Wish { rule, .. } = self.finish()?;
        let address = |side: &Side, missing| match side.prefix {
            Some(prefix) => Ok(prefix.address()),
            None => Err(WordError::Missing(missing)),
        };
        let port = |side: &Side| side.ports.map_or(0, |ports| ports.first());
        let missing = |missing| move || WordError::Missing(missing);
        let protocol = rule.protocol.ok_or_else(missing(Missing::ProtocolName))?;
        Ok(PacketFacts {
            direction: rule.direction.ok_or_else(missing(Missing::Direction))?,
            interface: rule.interface.unwrap_or(0),
            tenant: rule.tenant.unwrap_or(Tenant::KERNEL),
            source: address(&rule.source, Missing::From)?,
            destination: address(&rule.destination, Missing::To)?,
            protocol,
            source_port: port(&rule.source),
            destination_port: port(&rule.destination),
            tcp_flags: match protocol {
                protocol::TCP => SYN,
                _ => 0,
            },
            icmp_type: match protocol {
                protocol::ICMP => icmp::ECHO_REQUEST,
                protocol::ICMPV6 => icmp::ECHO_REQUEST_V6,
                _ => 0,
            },
            quoted: None,
            bytes: 0,
        })
    }
}

/// `any`, an address, or the bits that addresses begin with.
fn read_prefix(form: Form, word: &str) -> Result<Option<Prefix>, WordError> {
    if word == ANY && form == Form::Rule {
        return Ok(None);
    }
    let error = || WordError::NoAddress(shown(word));
    let Some((address, length)) = word.split_once('/') else {
        return word
            .parse()
            .map(Prefix::host)
            .map(Some)
            .map_err(|_| error());
    };
    if form == Form::Packet {
        return Err(error());
    }
    let address: IpAddr = address.parse().map_err(|_| error())?;
    let length = length.parse().map_err(|_| error())?;
    let around = Prefix::around(address, length).ok_or_else(error)?;
    match Prefix::new(address, length) {
        Some(prefix) => Ok(Some(prefix)),
        None => Err(WordError::BitsBehindPrefix {
            word: shown(word),
            meant: around,
        }),
    }
}

/// A port, or the first and the last of a range.
fn read_ports(form: Form, word: &str) -> Result<PortRange, WordError> {
    let range = match word.split_once('-') {
        Some((first, last)) if form == Form::Rule => (first.parse(), last.parse()),
        _ => (word.parse(), word.parse()),
    };
    match range {
        (Ok(first), Ok(last)) => PortRange::new(first, last),
        _ => None,
    }
    .ok_or_else(|| WordError::NoPort(shown(word)))
}
