//! The firewall: decides about packets, by flows, rules and a default.
//!
//! A packet of a flow that is followed passes. Of others the first rule that means them
//! decides, and where none does, the default: out is allowed, in is what services offer
//! and what IP needs. What is allowed begins a flow, so that answers pass.
//!
//! Limits: `FIREWALL_RULES_MAX`, `FLOWS_MAX`, `FLOWS_TENANT_MAX`, `FIREWALL_OFFERS_MAX`.
//! Invariant: after a change of rules no packet passes by what an older list said.

mod decision;
mod flow;
mod flow_table;
mod policy;
mod rule;
mod rules;
mod search;
mod table;
#[cfg(test)]
mod tests;
mod tuple;
mod word_error;
pub mod words;

pub use decision::{Decision, Reason};
pub use flow::{Flow, FlowKey, Stage};
pub use flow_table::FlowCounts;
pub use policy::Offer;
pub use rule::{PortRange, Prefix, Rule, Side, Verdict, protocol_name};
pub use rules::{Entry, Hits, PathCounts};
pub use tuple::Tuple;
pub use word_error::WordError;

use super::packet::{Direction, PacketFacts, protocol};
use crate::base::fixed::Full;
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::base::token_bucket::TokenBucket;
use crate::limits::{FIREWALL_RULES_MAX, FLOWS_MAX};
use core::net::IpAddr;
use flow::Grant;
use flow_table::FlowTable;
use policy::{Policy, icmp};
use rules::Rules;

/// Echo requests that are answered: enough for every honest ping, too few for a reflector.
const ECHO_PER_S: u64 = 1_000;
const ECHO_BURST: u64 = 100;
/// Answers to what is rejected; more is dropped without a word.
const REJECTS_PER_S: u64 = 100;
const REJECTS_BURST: u64 = 20;

pub struct Firewall {
    rules: Rules,
    flows: FlowTable,
    policy: Policy,
    echo: TokenBucket,
    rejects: TokenBucket,
    counts: Counts,
}

/// What a person wants done to the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    Add(words::Wish),
    Remove { number: usize },
}

/// What became of packets since boot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub allowed: u64,
    pub denied: u64,
    pub rejected: u64,
    /// Denied though a rule says reject, for there were too many.
    pub rejects_silenced: u64,
    /// By what it was decided, in the order of `Reason::NAMES`.
    pub by_reason: [Hits; Reason::KINDS],
    pub rules_refused: u64,
}

impl Counts {
    pub const fn checks(&self) -> u64 {
        self.allowed + self.denied + self.rejected
    }
}

impl Firewall {
    /// Takes all the memory that it will ever use. The seed is nobody else's to know.
    pub fn new(seed: u64) -> Self {
        Self {
            rules: Rules::new(seed),
            flows: FlowTable::new(seed.rotate_left(32)),
            policy: Policy::new(),
            echo: TokenBucket::new(ECHO_PER_S, ECHO_BURST),
            rejects: TokenBucket::new(REJECTS_PER_S, REJECTS_BURST),
            counts: Counts::default(),
        }
    }

    /// Decides about a packet, and counts it.
    pub fn check(&mut self, now: Instant, facts: &PacketFacts) -> Verdict {
        let Decision {
            mut verdict,
            reason,
        } = self.decide(now, facts);
        if verdict == Verdict::Reject && self.rejects.take(now, 1).is_err() {
            self.counts.rejects_silenced += 1;
            verdict = Verdict::Deny;
        }
        match verdict {
            Verdict::Allow => self.counts.allowed += 1,
            Verdict::Deny => self.counts.denied += 1,
            Verdict::Reject => self.counts.rejected += 1,
        }
        self.counts.by_reason[reason.kind()].add(now, facts.bytes);
        if let Reason::Rule(place) = reason {
            self.rules.count(place, now, facts.bytes);
        }
        verdict
    }

    /// What `check` would say, without counting or remembering anything.
    pub fn explain(&self, now: Instant, facts: &PacketFacts) -> Decision {
        let tuple = Tuple::of(facts);
        let flow = self.flows.find(now, &FlowKey::of(&tuple));
        let is_followed = flow
            .and_then(|index| self.flows.get(index))
            .is_some_and(|flow| {
                let is_current = flow.generation == self.rules.generation();
                !flow.is_begun_anew_by(facts) && (is_current || self.regrant(flow).is_some())
            });
        if is_followed {
            return Decision {
                verdict: Verdict::Allow,
                reason: Reason::Flow,
            };
        }
        if self.is_related(now, facts) {
            return Decision {
                verdict: Verdict::Allow,
                reason: Reason::Related,
            };
        }
        self.judge(facts, self.rules.find(&tuple))
    }

    fn decide(&mut self, now: Instant, facts: &PacketFacts) -> Decision {
        let tuple = Tuple::of(facts);
        if let Some(decision) = self.follow(now, facts, &tuple) {
            return decision;
        }
        if self.is_related(now, facts) {
            return Decision {
                verdict: Verdict::Allow,
                reason: Reason::Related,
            };
        }
        let place = self.rules.decide(&tuple);
        let decision = self.judge(facts, place);
        if decision.reason == Reason::Echo && self.echo.take(now, 1).is_err() {
            return default(Reason::EchoLimit);
        }
        // Inside, answers pass by themselves.
        let is_inside = decision.reason == Reason::Inside;
        if decision.verdict == Verdict::Allow && !is_inside && begins_flow(facts) {
            let grant = match decision.reason {
                Reason::Rule(place) => Grant::Rule(place),
                _ => Grant::Policy,
            };
            let flow = Flow::new(now, facts, grant, self.rules.generation());
            if self.flows.insert(now, flow).is_err() {
                return default(Reason::FlowsFull);
            }
        }
        decision
    }

    /// Passes a packet of a flow that is followed, if the rules of today still let the flow be.
    fn follow(&mut self, now: Instant, facts: &PacketFacts, tuple: &Tuple) -> Option<Decision> {
        let index = self.flows.find(now, &FlowKey::of(tuple))?;
        let flow = self.flows.get(index)?;
        if flow.is_begun_anew_by(facts) {
            self.flows.remove(index);
            return None;
        }
        let mut grant = flow.grant;
        let generation = self.rules.generation();
        if flow.generation != generation {
            let Some(anew) = self.regrant(flow) else {
                self.flows.remove(index);
                return None;
            };
            grant = anew;
        }
        self.flows.update(index, |flow| {
            (flow.grant, flow.generation) = (grant, generation);
            flow.on_packet(now, facts);
        });
        if let Grant::Rule(place) = grant {
            self.rules.count(place, now, facts.bytes);
        }
        Some(default(Reason::Flow))
    }

    /// Why the flow may go on under the rules as they are now, if it may.
    fn regrant(&self, flow: &Flow) -> Option<Grant> {
        match (self.rules.find(&flow.key.tuple(flow.began)), flow.grant) {
            (Some(place), _) => (self.rules.entries()[place].rule.verdict == Verdict::Allow)
                .then_some(Grant::Rule(place)),
            // A listener that has closed its port leaves its connections alone.
            (None, Grant::Policy) => Some(Grant::Policy),
            (None, Grant::Rule(_)) => {
                let offer = Offer {
                    tenant: flow.key.tenant,
                    protocol: flow.key.protocol,
                    port: flow.key.local.port,
                };
                let is_out = flow.began == Direction::Out;
                (is_out || self.policy.is_offered(&offer)).then_some(Grant::Policy)
            }
        }
    }

    /// Is it an ICMP error about a packet of a flow that is followed?
    fn is_related(&self, now: Instant, facts: &PacketFacts) -> bool {
        let is_icmp = matches!(facts.protocol, protocol::ICMP | protocol::ICMPV6);
        facts.quoted.is_some_and(|quoted| {
            is_icmp
                && icmp::is_error(facts.icmp_type, facts.protocol == protocol::ICMPV6)
                && self
                    .flows
                    .find(now, &FlowKey::of_quoted(facts, &quoted))
                    .is_some()
        })
    }

    fn judge(&self, facts: &PacketFacts, place: Option<usize>) -> Decision {
        match place {
            Some(place) => Decision {
                verdict: self.rules.entries()[place].rule.verdict,
                reason: Reason::Rule(place),
            },
            None => default(self.policy.judge(facts)),
        }
    }

    /// Adds a rule before the one with this number, or at the end; says its number.
    pub fn add(&mut self, rule: Rule, number: Option<usize>) -> Result<usize, Full> {
        let place = number.map(|number| number.saturating_sub(1));
        let result = self.rules.add(rule, place);
        self.counts.rules_refused += u64::from(result.is_err());
        Ok(result? + 1)
    }

    /// Removes the rule with this number, counted from 1; `None` when there is none.
    pub fn remove(&mut self, number: usize) -> Option<Entry> {
        self.rules.remove(number.checked_sub(1)?)
    }

    /// The rules in their order.
    pub fn rules(&self) -> &[Entry] {
        self.rules.entries()
    }

    /// A service listens: its port is open for the outside until as many have withdrawn it
    /// as have offered it.
    pub fn offer(&mut self, tenant: Tenant, protocol: u8, port: u16) -> Result<(), Full> {
        self.policy.offer(Offer {
            tenant,
            protocol,
            port,
        })
    }

    pub fn withdraw(&mut self, tenant: Tenant, protocol: u8, port: u16) {
        self.policy.withdraw(Offer {
            tenant,
            protocol,
            port,
        });
    }

    pub fn offers(&self) -> impl Iterator<Item = Offer> {
        self.policy.offers()
    }

    /// While a DHCP client runs on an interface, answers to it come in.
    pub fn set_dhcp_client(&mut self, interface: usize, is_running: bool) {
        self.policy.set_dhcp_client(interface, is_running);
    }

    /// Nobody behind the interface is a stranger: what no rule means may come in there.
    /// So it is for the loopback; every other interface is outside until this says otherwise.
    pub fn set_inside(&mut self, interface: usize, is_inside: bool) {
        self.policy.set_inside(interface, is_inside);
    }

    pub fn is_inside(&self, interface: usize) -> bool {
        self.policy.is_inside(interface)
    }

    /// Does what a person wants done to the rules.
    pub fn apply(&mut self, change: Change) -> Result<(), &'static str> {
        match change {
            Change::Add(wish) => match self.add(wish.rule, wish.number) {
                Ok(_) => Ok(()),
                Err(Full) => Err("the firewall has as many rules as it can have; remove one first"),
            },
            Change::Remove { number } => match self.remove(number) {
                Some(_) => Ok(()),
                None => Err("no rule has that number any more; see firewall list"),
            },
        }
    }

    /// Forgets flows whose time is over.
    pub fn step(&mut self, now: Instant) {
        self.flows.expire(now, FLOWS_MAX);
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.flows.next_deadline()
    }

    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How rules were found where no flow was.
    pub const fn paths(&self) -> PathCounts {
        self.rules.paths()
    }

    /// Checks that needed no search, and all of them.
    pub fn fast_path(&self) -> (u64, u64) {
        let checks = self.counts.checks();
        (checks - self.rules.paths().search.min(checks), checks)
    }

    /// Hosts on the deny list, and tuples in the table of verdicts.
    pub const fn fast_path_used(&self) -> (usize, usize) {
        self.rules.fast_path_used()
    }

    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.flows.iter()
    }

    pub fn flows_in(&self, stage: Stage) -> usize {
        self.flows.in_stage(stage)
    }

    pub const fn flow_counts(&self) -> FlowCounts {
        self.flows.counts()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("FIREWALL_RULES_MAX", FIREWALL_RULES_MAX)
                .used(self.rules().len() as u64)
                .refused(self.counts.rules_refused),
        );
        self.flows.visit_usages(visit);
        visit(&self.policy.usage());
    }
}

const fn default(reason: Reason) -> Decision {
    Decision {
        verdict: reason.default_verdict(),
        reason,
    }
}

/// Will there be answers that only this packet explains?
fn begins_flow(facts: &PacketFacts) -> bool {
    let is_between_two = !is_for_many(facts.destination) && !facts.source.is_unspecified();
    match facts.protocol {
        protocol::TCP => facts.tcp_flags & flow::RST == 0,
        protocol::ICMP => facts.icmp_type == icmp::ECHO_REQUEST && is_between_two,
        protocol::ICMPV6 => facts.icmp_type == icmp::ECHO_REQUEST_V6 && is_between_two,
        _ => is_between_two,
    }
}

fn is_for_many(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}
