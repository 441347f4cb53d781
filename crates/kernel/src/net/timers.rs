//! What the stack does because time has passed.

use super::address::Prefix;
use super::counters::DropReason;
use super::icmp::Trouble;
use super::inlet::{Inlet, Place};
use super::neighbours::Overdue;
use super::packet::{Direction, Endpoint, protocol};
use super::routes::{RouteEntry, RouteSource};
use super::segment::SendError;
use super::slaac::SlaacDue;
use super::stack::ETHERNET_HEADER_BYTES;
use super::transport;
use crate::base::fixed::Full;
use core::net::{IpAddr, Ipv6Addr};
use smoltcp::wire::EthernetAddress;

impl Inlet<'_> {
    pub(super) fn step_neighbours(&mut self) {
        let now = self.out.now;
        while let Some(overdue) = self.out.stack.neighbours.overdue(now) {
            match overdue {
                Overdue::Ask {
                    interface,
                    address,
                    directly,
                } => self.out.ask_for_neighbour(interface, address, directly),
                Overdue::Silent {
                    interface, waiting, ..
                } => {
                    if let Some(waiting) = waiting {
                        let reason = DropReason::Neighbour;
                        self.out.stack.count_drop(interface, Direction::Out, reason);
                        self.on_undelivered(interface, waiting.carrier.bytes());
                        self.out.recycle(waiting.carrier);
                    }
                }
            }
        }
    }

    /// A frame of ours had nobody to go to: its sender is told as a router would.
    fn on_undelivered(&mut self, interface: usize, frame: &[u8]) {
        let packet = frame.get(ETHERNET_HEADER_BYTES..).unwrap_or_default();
        let Some(quoted) = transport::quote(packet) else {
            return;
        };
        let tenant = self.out.stack.interfaces.get(interface);
        let Some(tenant) = tenant.map(|known| known.tenant) else {
            return;
        };
        match quoted.protocol {
            protocol::TCP => {
                let local = Endpoint {
                    address: quoted.source,
                    port: quoted.source_port,
                };
                let remote = Endpoint {
                    address: quoted.destination,
                    port: quoted.destination_port,
                };
                let start = if quoted.source.is_ipv6() { 40 } else { 20 };
                let sequence = packet.get(start + 4..start + 8).unwrap_or_default();
                let sequence = <[u8; 4]>::try_from(sequence).unwrap_or_default();
                let sequence = u32::from_be_bytes(sequence);
                let now = self.out.now;
                self.tcp
                    .on_unreachable(now, tenant, local, remote, sequence, false);
            }
            protocol::ICMP | protocol::ICMPV6 => {
                let pings = &mut self.out.stack.pings;
                pings.on_unreachable(quoted.destination, quoted.source_port);
            }
            _ => {}
        }
    }

    pub(super) fn step_interfaces(&mut self) {
        let now = self.out.now;
        for index in 0..self.out.stack.interfaces.len() {
            while let Some(known) = self.out.stack.interfaces.get_mut(index)
                && known.is_up
                && let Some(due) = known.slaac.due(now)
            {
                let asked = match due {
                    SlaacDue::AskAbout(address) => self.out.ask_about(index, address),
                    SlaacDue::SolicitRouters => self.out.solicit_routers(index),
                    SlaacDue::Changed => {
                        self.take_routers(index);
                        Ok(())
                    }
                };
                // Over a quota, or not allowed yet: who was not asked has not been silent.
                if asked == Err(SendError::Busy)
                    && let Some(known) = self.out.stack.interfaces.get_mut(index)
                {
                    known.slaac.ask_again(now, due);
                }
            }
        }
    }

    /// Makes the routes of an interface those that its routers announce.
    fn take_routers(&mut self, index: usize) {
        let port_mtu = self.out.port_facts(index).map(|facts| facts.mtu);
        let stack = &mut self.out.stack;
        let is_of_routers =
            |route: &RouteEntry| route.interface == index && route.source == RouteSource::Router;
        stack.routes.remove(is_of_routers);
        let Some(known) = stack.interfaces.get_mut(index) else {
            return;
        };
        if let (Some(told), Some(port_mtu)) = (known.slaac.mtu(), port_mtu) {
            known.mtu = port_mtu.min(told as usize);
        }
        let everything = Prefix::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);
        let prefixes = known.slaac.on_link_prefixes().iter();
        let prefixes = prefixes.map(|on_link| (on_link.prefix, None));
        let routers = known.slaac.routers().iter();
        let routers = routers.map(|router| (everything, Some(IpAddr::V6(router.address))));
        for (prefix, gateway) in prefixes.chain(routers) {
            let added = stack.routes.add(RouteEntry {
                prefix,
                gateway,
                interface: index,
                source: RouteSource::Router,
            });
            // A full table counts what it refuses, and shows it in `limits`.
            let _: Result<(), Full> = added;
        }
    }

    pub(super) fn step_reassembly(&mut self) {
        let now = self.out.now;
        while let Some(given_up) = self.out.stack.reassembly.overdue(now) {
            let index = given_up.interface;
            self.drop_at(index, DropReason::FragmentLate);
            let quoted_bytes = given_up.quoted_bytes;
            let Some(carrier) = given_up.carrier else {
                continue;
            };
            let known = self.out.stack.interfaces.get(index);
            let place = known.map(|known| Place {
                interface: index,
                tenant: known.tenant,
                from: EthernetAddress([0; 6]),
                is_group: false,
                is_trusted: true,
            });
            if let Some(place) = place.filter(|_| quoted_bytes > 0) {
                let packet = carrier.bytes().get(..quoted_bytes).unwrap_or_default();
                self.out.report(&place, packet, Trouble::Reassembly);
            }
            self.out.recycle(carrier);
        }
    }

    pub(super) fn step_pings(&mut self) {
        let now = self.out.now;
        while let Some(due) = self.out.stack.pings.due(now) {
            if self.out.send_echo(&due).is_err() {
                self.out.stack.pings.on_unsent(due.id);
            }
        }
    }
}
