//! What becomes of a packet that no rule means: the default.
//!
//! Out it goes; in comes what is expected.

use super::decision::Reason;
use crate::base::fixed::{Full, Map};
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::limits::FIREWALL_OFFERS_MAX;
use crate::net::packet::{Direction, PacketFacts, protocol};

/// A port on which somebody listens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Offer {
    pub tenant: Tenant,
    pub protocol: u8,
    pub port: u16,
}

pub struct Policy {
    /// With the number of those who listen: one for each family, for example.
    offers: Map<Offer, u16, FIREWALL_OFFERS_MAX>,
    refused: u64,
    /// Interfaces on which a DHCP client runs, a bit each.
    dhcp_clients: u64,
    /// Interfaces behind which nobody is a stranger, a bit each.
    inside: u64,
}

const DHCP_SERVER_PORT: u16 = 67;
const DHCP_CLIENT_PORT: u16 = 68;

impl Policy {
    pub const fn new() -> Self {
        Self {
            offers: Map::new(),
            refused: 0,
            dhcp_clients: 0,
            inside: 0,
        }
    }

    pub fn offer(&mut self, offer: Offer) -> Result<(), Full> {
        if let Some(count) = self.offers.get_mut(&offer) {
            *count = count.saturating_add(1);
            return Ok(());
        }
        let result = self.offers.insert(offer, 1).map(|_| ());
        self.refused += u64::from(result.is_err());
        result
    }

    pub fn withdraw(&mut self, offer: Offer) {
        match self.offers.get_mut(&offer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.offers.remove(&offer)),
        }
    }

    pub fn set_dhcp_client(&mut self, interface: usize, is_running: bool) {
        set_bit(&mut self.dhcp_clients, interface, is_running);
    }

    pub fn set_inside(&mut self, interface: usize, is_inside: bool) {
        set_bit(&mut self.inside, interface, is_inside);
    }

    pub fn is_inside(&self, interface: usize) -> bool {
        self.inside & bit_of(interface) != 0
    }

    pub fn offers(&self) -> impl Iterator<Item = Offer> {
        self.offers.iter().map(|(offer, _)| *offer)
    }

    pub fn is_offered(&self, offer: &Offer) -> bool {
        self.offers.get(offer).is_some()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("FIREWALL_OFFERS_MAX", FIREWALL_OFFERS_MAX)
            .used(self.offers.len() as u64)
            .refused(self.refused)
    }

    pub fn judge(&self, facts: &PacketFacts) -> Reason {
        if self.is_inside(facts.interface) {
            return Reason::Inside;
        }
        if facts.direction == Direction::Out {
            return Reason::Outbound;
        }
        let offer = Offer {
            tenant: facts.tenant,
            protocol: facts.protocol,
            port: facts.destination_port,
        };
        match facts.protocol {
            protocol::TCP | protocol::UDP if self.is_offered(&offer) => Reason::Offer,
            protocol::UDP if self.is_dhcp_answer(facts) => Reason::Dhcp,
            protocol::ICMP if facts.icmp_type == icmp::ECHO_REQUEST => Reason::Echo,
            protocol::ICMPV6 => match facts.icmp_type {
                icmp::ECHO_REQUEST_V6 => Reason::Echo,
                kind if icmp::is_of_the_link(kind) => Reason::Link,
                _ => Reason::NotOffered,
            },
            _ => Reason::NotOffered,
        }
    }

    fn is_dhcp_answer(&self, facts: &PacketFacts) -> bool {
        facts.source.is_ipv4()
            && (facts.source_port, facts.destination_port) == (DHCP_SERVER_PORT, DHCP_CLIENT_PORT)
            && self.dhcp_clients & bit_of(facts.interface) != 0
    }
}

fn set_bit(set: &mut u64, interface: usize, is_set: bool) {
    match is_set {
        true => *set |= bit_of(interface),
        false => *set &= !bit_of(interface),
    }
}

/// Interfaces beyond the last bit are in no set.
fn bit_of(interface: usize) -> u64 {
    u32::try_from(interface)
        .ok()
        .and_then(|interface| 1_u64.checked_shl(interface))
        .unwrap_or(0)
}

/// Types of ICMP messages.
pub mod icmp {
    pub const ECHO_REQUEST: u8 = 8;
    pub const ECHO_REQUEST_V6: u8 = 128;

    /// Without these, IPv6 does not work on a link (RFC 4890, section 4.4.1): neighbour
    /// discovery and multicast listeners.
    pub const fn is_of_the_link(kind: u8) -> bool {
        matches!(kind, 130..=137 | 143)
    }

    /// Errors about a packet of ours, which belong to its flow; a redirect is none.
    pub const fn is_error(kind: u8, is_version_6: bool) -> bool {
        match is_version_6 {
            false => matches!(kind, 3 | 11 | 12),
            true => matches!(kind, 1..=4),
        }
    }
}
