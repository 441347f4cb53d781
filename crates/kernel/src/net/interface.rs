//! Interfaces: who we are on a link, with which addresses, for which tenant.

use super::address::{
    ALL_NODES, ALL_SYSTEMS, Prefix, group_hardware, is_link_local, solicited_node,
};
use super::counters::InterfaceCounters;
use super::slaac::Slaac;
use crate::base::fixed::{Full, Text, Vec};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::{INTERFACES_MAX, IPV4_ADDRESSES_MAX};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use smoltcp::wire::EthernetAddress;

/// The interface that leads back to this machine; always the first of the table.
pub const LOOPBACK: usize = 0;

/// What an interface stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Medium {
    /// The machine itself.
    Loopback,
    /// A port by its number; several interfaces may stand on one.
    Port(usize),
}

#[derive(Debug)]
pub struct Interface {
    pub name: Text<16>,
    pub medium: Medium,
    pub tenant: Tenant,
    pub hardware: EthernetAddress,
    /// Bytes of the largest IP packet; a router may announce less than the port takes.
    pub mtu: usize,
    pub is_up: bool,
    /// IPv4 addresses with the lengths of their networks.
    pub ipv4: Vec<Prefix, IPV4_ADDRESSES_MAX>,
    /// IPv6 addresses and all that comes from routers.
    pub slaac: Slaac,
    pub counters: InterfaceCounters,
    /// Does the hardware address follow the port's?
    pub is_primary: bool,
    /// When the link last changed; `None` when it never did.
    pub changed_at: Option<Instant>,
}

impl Interface {
    /// Is a packet to this address meant for the interface itself?
    pub fn has_address(&self, address: IpAddr) -> bool {
        match (self.medium, address) {
            (Medium::Loopback, address) => address.is_loopback(),
            (_, IpAddr::V4(_)) => self.ipv4.iter().any(|own| own.address == address),
            (_, IpAddr::V6(address)) => self.slaac.has_usable(address),
        }
    }

    /// Is it one of the groups of hosts that the interface listens to?
    pub fn is_member(&self, group: IpAddr) -> bool {
        match group {
            IpAddr::V4(group) => group == ALL_SYSTEMS || self.is_broadcast(group),
            IpAddr::V6(group) => {
                let mut addresses = self.slaac.addresses();
                group == ALL_NODES || addresses.any(|own| solicited_node(own.address) == group)
            }
        }
    }

    /// Does the address mean every host on the link?
    pub fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        let mut own = self.ipv4.iter();
        address.is_broadcast() || own.any(|prefix| prefix.broadcast() == Some(address))
    }

    /// Is a frame to this hardware address for the interface?
    pub fn takes(&self, hardware: EthernetAddress) -> bool {
        if hardware == self.hardware || hardware.is_broadcast() {
            return true;
        }
        if !hardware.is_multicast() {
            return false;
        }
        let is_group = |group: IpAddr| group_hardware(group) == hardware;
        is_group(IpAddr::V4(ALL_SYSTEMS))
            || is_group(IpAddr::V6(ALL_NODES))
            || self
                .slaac
                .addresses()
                .any(|own| is_group(IpAddr::V6(solicited_node(own.address))))
    }

    /// The address that packets to `destination` come from (RFC 6724, as far as it matters here).
    pub fn source_for(&self, destination: IpAddr) -> Option<IpAddr> {
        match (self.medium, destination) {
            (Medium::Loopback, address) => Some(address),
            (_, IpAddr::V4(_)) => {
                let near = self.ipv4.iter().find(|own| own.contains(destination));
                let chosen = near.or_else(|| self.ipv4.first());
                chosen.map(|own| own.address)
            }
            (_, IpAddr::V6(destination)) => self.source_for_ipv6(destination).map(IpAddr::V6),
        }
    }

    fn source_for_ipv6(&self, destination: Ipv6Addr) -> Option<Ipv6Addr> {
        let wants_link_local = is_link_local(destination) || destination.is_multicast();
        let usable = || self.slaac.addresses().filter(|own| own.is_usable());
        let score = |own: Ipv6Addr| {
            let common = (own.to_bits() ^ destination.to_bits()).leading_zeros();
            (is_link_local(own) == wants_link_local, common)
        };
        let preferred = usable().filter(|own| own.is_preferred());
        let best = preferred.max_by_key(|own| score(own.address));
        let best = best.or_else(|| usable().max_by_key(|own| score(own.address)));
        best.map(|own| own.address)
    }

    pub const fn port(&self) -> Option<usize> {
        match self.medium {
            Medium::Loopback => None,
            Medium::Port(port) => Some(port),
        }
    }
}

/// All interfaces, by their place.
#[derive(Debug)]
pub struct Interfaces {
    entries: alloc::vec::Vec<Interface>,
    refused: u64,
}

impl Interfaces {
    pub fn new(loopback_mtu: usize) -> Self {
        let mut entries = alloc::vec::Vec::with_capacity(INTERFACES_MAX);
        let loopback = Interface {
            name: Text::cut_from("lo"),
            medium: Medium::Loopback,
            tenant: Tenant::KERNEL,
            hardware: EthernetAddress([0; 6]),
            mtu: loopback_mtu,
            is_up: true,
            ipv4: Vec::new(),
            slaac: Slaac::default(),
            counters: InterfaceCounters::default(),
            is_primary: false,
            changed_at: None,
        };
        entries.push(loopback);
        Self {
            entries,
            refused: 0,
        }
    }

    pub fn add(&mut self, interface: Interface) -> Result<usize, Full> {
        let index = self.entries.len();
        if index == INTERFACES_MAX {
            self.refused += 1;
            return Err(Full);
        }
        self.entries.push(interface);
        Ok(index)
    }

    pub fn get(&self, index: usize) -> Option<&Interface> {
        self.entries.get(index)
    }

    pub fn get_mut(&mut self, index: usize) -> Option<&mut Interface> {
        self.entries.get_mut(index)
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, &Interface)> {
        self.entries.iter().enumerate()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The interface on which the tenant owns the address; one that is down keeps its own.
    pub fn owner(&self, tenant: Tenant, address: IpAddr) -> Option<usize> {
        if address.is_loopback() {
            return Some(LOOPBACK);
        }
        let owns =
            |interface: &Interface| interface.tenant == tenant && interface.has_address(address);
        self.entries.iter().position(owns)
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }
}
