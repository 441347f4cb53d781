//! Ports that come and go, and the interfaces that stand on them.

use super::address::Prefix;
use super::counters::{DropReason, InterfaceCounters};
use super::dhcp::{self, Identity};
use super::interface::{Interface, Medium};
use super::network::Network;
use super::packet::Direction;
use super::ports::Ports;
use super::routes::{RouteEntry, RouteSource};
use super::slaac::Slaac;
use crate::base::config::AddressSource;
use crate::base::fixed::{Full, Text, Vec};
use crate::base::network_port::PortFacts;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::drivers::handlers::DeviceHandlers;
use crate::limits::NETWORK_PORTS_MAX;
use core::net::{IpAddr, Ipv4Addr};
use smoltcp::wire::EthernetAddress;

/// The port whose address is configured; the others lead to neighbours only.
const OUTSIDE: usize = 0;
/// Hosts that start together ask about their addresses at different times (RFC 4862 5.4.2);
/// the second that the RFC allows is too long for who waits.
const SPREAD_MICROS: u64 = 100_000;

impl Network {
    /// Finds out which ports and links have come or gone.
    pub(super) fn watch_ports(
        &mut self,
        now: Instant,
        ports: &mut dyn Ports,
        handlers: &mut DeviceHandlers,
    ) {
        for index in 0..NETWORK_PORTS_MAX {
            let facts = ports.port(index).map(|port| port.facts());
            if facts == self.known_ports[index] {
                continue;
            }
            let before = core::mem::replace(&mut self.known_ports[index], facts);
            let is_other = before.map(|facts| facts.hardware_address)
                != facts.map(|facts| facts.hardware_address);
            if is_other || facts.is_none_or(|facts| !facts.is_link_up) {
                self.take_down(now, index, ports, handlers);
            }
            if let Some(facts) = facts {
                self.adopt(index, &facts);
                self.bring_up(now, index, &facts, ports, handlers);
            }
        }
    }

    /// Gives a port its first interface, or the interface its port's new facts.
    fn adopt(&mut self, port: usize, facts: &PortFacts) {
        let hardware = EthernetAddress(facts.hardware_address);
        let primary = self.interfaces_of(port).find(|index| {
            let known = self.stack.interfaces.get(*index);
            known.is_some_and(|known| known.is_primary)
        });
        if let Some(known) = primary.and_then(|index| self.stack.interfaces.get_mut(index)) {
            let is_other = known.hardware != hardware;
            known.hardware = hardware;
            if let (true, Some(index)) = (is_other, primary.filter(|_| port == OUTSIDE)) {
                self.configure_outside(index, facts);
            }
            return;
        }
        let mut interface = interface(facts.name, port, Tenant::KERNEL, hardware);
        interface.is_primary = true;
        if let (OUTSIDE, AddressSource::Fixed { address, prefix }) = (port, self.setup.address) {
            let own = Prefix::new(IpAddr::V4(address), prefix);
            let kept = interface.ipv4.push(own);
            crate::invariant!(kept.is_ok(), "a new interface has no room for an address");
        }
        // More ports than interfaces: the rest stays without, and is counted.
        if let Ok(index) = self.stack.interfaces.add(interface)
            && port == OUTSIDE
        {
            self.configure_outside(index, facts);
        }
    }

    fn configure_outside(&mut self, index: usize, facts: &PortFacts) {
        match self.setup.address {
            AddressSource::Dhcp => {
                // A machine has more places for clients than ports.
                let _ = self.add_dhcp(index, facts.hardware_address);
            }
            AddressSource::Fixed { address, prefix } => self.add_fixed(index, address, prefix),
            AddressSource::Off => {}
        }
    }

    /// Gives an interface a DHCP client.
    fn add_dhcp(&mut self, index: usize, machine: [u8; 6]) -> Result<(), Full> {
        let Some(known) = self.stack.interfaces.get(index) else {
            return Err(Full);
        };
        let identity = Identity::new(known.hardware.0, machine, index as u32, "rayos");
        let (name, tenant) = (known.name.clone(), known.tenant);
        let seed = self.stack.prng.next_u64();
        self.dhcp.add(index, &name, tenant, identity, seed)?;
        self.stack.firewall.set_dhcp_client(index, true);
        // It has no link yet, so there is nothing that it could want.
        let start = dhcp::Input::Start { remembered: None };
        self.dhcp
            .step(index, Instant::ZERO, start, &mut self.dhcp_outputs);
        Ok(())
    }

    fn add_fixed(&mut self, interface: usize, address: Ipv4Addr, length: u8) {
        let own = RouteEntry {
            prefix: Prefix::new(IpAddr::V4(address), length),
            gateway: None,
            interface,
            source: RouteSource::Address,
        };
        let gateway = self.setup.gateway.map(|gateway| RouteEntry {
            prefix: Prefix::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            gateway: Some(IpAddr::V4(gateway)),
            interface,
            source: RouteSource::Static,
        });
        for route in [own].into_iter().chain(gateway) {
            // The first routes of a machine; a full table would count them.
            let _ = self.stack.routes.add(route);
        }
    }

    /// Adds an interface with a hardware address of its own for a tenant.
    ///
    /// Its port must be there, for the address is made from the port's.
    pub fn add_tenant_interface(
        &mut self,
        now: Instant,
        port: usize,
        tenant: Tenant,
        ports: &mut dyn Ports,
        handlers: &mut DeviceHandlers,
    ) -> Result<usize, Full> {
        let facts = self.known_ports.get(port).copied().flatten().ok_or(Full)?;
        let [a, b, c, d, e, f] = facts.hardware_address;
        // Locally administered, and different from the port's and the other tenants'.
        let hardware = [a | 0x02, b, c, d ^ tenant.index() as u8, e, f];
        let name: Text<16> = Text::format(format_args!("{}t{tenant}", facts.name));
        let interface = interface(&name, port, tenant, EthernetAddress(hardware));
        let index = self.stack.interfaces.add(interface)?;
        self.add_dhcp(index, facts.hardware_address)?;
        self.bring_up(now, port, &facts, ports, handlers);
        Ok(index)
    }

    fn bring_up(
        &mut self,
        now: Instant,
        port: usize,
        facts: &PortFacts,
        ports: &mut dyn Ports,
        handlers: &mut DeviceHandlers,
    ) {
        for &index in &self.list_of(port) {
            let spread = Duration::from_micros(self.stack.prng.below(SPREAD_MICROS));
            let Some(known) = self.stack.interfaces.get_mut(index) else {
                continue;
            };
            known.mtu = known
                .slaac
                .mtu()
                .map_or(facts.mtu, |told| facts.mtu.min(told as usize));
            if known.is_up || !facts.is_link_up {
                continue;
            }
            known.is_up = true;
            known.changed_at = Some(now);
            known.slaac.on_link_up(now, known.hardware, spread);
            let own = known.ipv4.clone();
            let mut inlet = self.inlet(now, ports, handlers);
            let has_client = inlet.step_dhcp(index, dhcp::Input::LinkUp);
            for prefix in own.iter().filter(|_| !has_client) {
                if let IpAddr::V4(address) = prefix.address {
                    inlet.out.announce_by_arp(index, address);
                }
            }
        }
    }

    fn take_down(
        &mut self,
        now: Instant,
        port: usize,
        ports: &mut dyn Ports,
        handlers: &mut DeviceHandlers,
    ) {
        for &index in &self.list_of(port) {
            let Some(known) = self.stack.interfaces.get_mut(index) else {
                continue;
            };
            if !known.is_up {
                continue;
            }
            known.is_up = false;
            known.changed_at = Some(now);
            known.slaac.on_link_down();
            let mut inlet = self.inlet(now, ports, handlers);
            inlet.step_dhcp(index, dhcp::Input::LinkDown);
            while let Some(waiting) = inlet.out.stack.neighbours.forget_one(index) {
                if let Some(waiting) = waiting {
                    let reason = DropReason::LinkDown;
                    inlet.out.stack.count_drop(index, Direction::Out, reason);
                    inlet.out.recycle(waiting.carrier);
                }
            }
        }
    }

    fn list_of(&self, port: usize) -> Vec<usize, { crate::limits::INTERFACES_MAX }> {
        let mut list = Vec::new();
        for index in self.interfaces_of(port) {
            let kept = list.push(index);
            crate::invariant!(kept.is_ok(), "more interfaces than there is room for");
        }
        list
    }
}

fn interface(name: &str, port: usize, tenant: Tenant, hardware: EthernetAddress) -> Interface {
    Interface {
        name: Text::cut_from(name),
        medium: Medium::Port(port),
        tenant,
        hardware,
        mtu: 0,
        is_up: false,
        ipv4: Vec::new(),
        slaac: Slaac::default(),
        counters: InterfaceCounters::default(),
        is_primary: false,
        changed_at: None,
    }
}
