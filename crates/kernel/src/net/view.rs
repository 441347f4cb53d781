//! What can be seen of the network.

use super::counters::{InterfaceCounters, Protocols};
use super::interface::{Interface, LOOPBACK};
use super::neighbours::NeighbourView;
use super::network::Network;
use super::routes::RouteEntry;
use super::tcp::Tcp;
use super::udp::UdpView;
use crate::base::metric::Usage;
use crate::limits::{INTERFACES_MAX, LOOPBACK_FRAMES_MAX};
use core::net::IpAddr;

/// The network, to be read.
#[derive(Clone, Copy)]
pub struct NetworkView<'a>(&'a Network);

impl<'a> NetworkView<'a> {
    pub fn interfaces(self) -> impl Iterator<Item = (usize, &'a Interface)> {
        self.0.stack.interfaces.iter()
    }

    pub fn name_of(self, interface: usize) -> &'a str {
        let interface = self.0.stack.interfaces.get(interface);
        interface.map_or("", |interface| interface.name.as_str())
    }

    /// The first address that is not the loopback's: of IPv4 where there is one.
    pub fn first_address(self) -> Option<(IpAddr, u8)> {
        let outside = || self.interfaces().filter(|(index, _)| *index != LOOPBACK);
        let ipv4 = outside().find_map(|(_, interface)| interface.ipv4.first());
        let ipv4 = ipv4.map(|own| (own.address, own.length));
        ipv4.or_else(|| {
            let mut all = outside().flat_map(|(_, interface)| interface.slaac.addresses());
            all.next()
                .map(|own| (IpAddr::V6(own.address), own.prefix_length))
        })
    }

    pub fn routes(self) -> impl Iterator<Item = &'a RouteEntry> {
        self.0.stack.routes.iter()
    }

    pub fn visit_neighbours(self, visit: &mut dyn FnMut(&NeighbourView)) {
        self.0.stack.neighbours.visit(visit);
    }

    pub fn visit_udp(self, visit: &mut dyn FnMut(&UdpView)) {
        self.0.stack.udp.visit(visit);
    }

    pub const fn tcp(self) -> &'a Tcp {
        &self.0.tcp
    }

    pub const fn services(self) -> &'a super::services::ServiceHost {
        self.0.services()
    }

    pub const fn protocols(self) -> Protocols {
        self.0.stack.protocols
    }

    /// ICMP errors that were not sent, for there had been many already.
    pub const fn errors_withheld(self) -> u64 {
        self.0.stack.icmp_errors_withheld
    }

    /// All that went through ports, the loopback left out.
    pub fn outside(self) -> InterfaceCounters {
        let mut sum = InterfaceCounters::default();
        for (index, interface) in self.interfaces() {
            if index != LOOPBACK {
                let counters = &interface.counters;
                sum.received_frames += counters.received_frames;
                sum.received_bytes += counters.received_bytes;
                sum.sent_frames += counters.sent_frames;
                sum.sent_bytes += counters.sent_bytes;
            }
        }
        sum
    }
}

impl Network {
    pub const fn view(&self) -> NetworkView<'_> {
        NetworkView(self)
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        let stack = &self.stack;
        let interfaces = &stack.interfaces;
        visit(
            &Usage::of("INTERFACES_MAX", INTERFACES_MAX)
                .used(interfaces.len() as u64)
                .refused(interfaces.refused()),
        );
        visit(&stack.routes.usage());
        stack.neighbours.visit_usages(visit);
        visit(&stack.paths.usage());
        visit(&stack.reassembly.usage());
        stack.udp.visit_usages(visit);
        visit(&stack.pings.usage());
        visit(
            &Usage::of("LOOPBACK_FRAMES_MAX", LOOPBACK_FRAMES_MAX)
                .used(stack.own.short.used() as u64)
                .high_water(stack.own.short.high_water() as u64)
                .refused(stack.own.short.refused()),
        );
        stack.firewall.visit_usages(visit);
        self.dhcp.visit_usages(visit);
        visit(&self.services().usage());
        let tcp = self.tcp.view();
        for usage in [
            tcp.connections,
            tcp.half_open,
            tcp.time_wait,
            tcp.listeners,
            tcp.chunks,
        ] {
            visit(&usage);
        }
    }
}
