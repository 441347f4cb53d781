//! Between DHCP clients and interfaces: packets, addresses, routes.

use super::address::Prefix;
use super::dhcp::{self, CLIENT_PORT, Lease, Output, Repr, SERVER_PORT};
use super::inlet::Inlet;
use super::ip::HOP_LIMIT;
use super::outlet::{Content, Hop, Leg};
use super::packet::protocol;
use super::routes::{RouteEntry, RouteSource};
use crate::base::fixed::Full;
use core::net::{IpAddr, Ipv4Addr};
use smoltcp::wire::{EthernetAddress, UdpPacket};

const UDP_HEADER_BYTES: usize = 8;
/// The network of addresses that hosts give themselves (RFC 3927).
const LINK_LOCAL_LENGTH: u8 = 16;

impl Inlet<'_> {
    /// Lets the client of an interface take a step; says whether there is one.
    pub(super) fn step_dhcp(&mut self, interface: usize, input: dhcp::Input<'_>) -> bool {
        let now = self.out.now;
        let has_client = self.dhcp.step(interface, now, input, self.dhcp_outputs);
        self.do_dhcp_outputs(interface);
        has_client
    }

    fn do_dhcp_outputs(&mut self, interface: usize) {
        while let Some(output) = self.dhcp_outputs.pop() {
            self.on_dhcp_output(interface, output);
        }
    }

    /// A user wants something of the client of an interface.
    pub(super) fn command_dhcp(
        &mut self,
        interface: usize,
        command: dhcp::Command,
    ) -> Result<(), &'static str> {
        let known = self.out.stack.interfaces.get(interface);
        let own = known.and_then(|known| known.ipv4.first());
        let by_hand = own.and_then(|own| match own.address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        });
        let now = self.out.now;
        let outputs = &mut *self.dhcp_outputs;
        self.dhcp
            .command(interface, command, by_hand, now, outputs)?;
        self.do_dhcp_outputs(interface);
        Ok(())
    }

    fn on_dhcp_output(&mut self, interface: usize, output: Output) {
        match output {
            Output::SendDatagram {
                source,
                destination,
                repr,
            } => self.send_dhcp(interface, source, destination, &repr),
            Output::ArpProbe { address } => self.out.probe_by_arp(interface, address),
            Output::ArpAnnounce { address } => self.out.announce_by_arp(interface, address),
            Output::Configure(lease) => self.use_lease(interface, &lease),
            Output::ConfigureLinkLocal { address } => {
                self.use_address(interface, address, LINK_LOCAL_LENGTH);
            }
            Output::Deconfigure { address } => self.drop_address(interface, address),
            // The client remembers both; they are looked up where they are needed.
            Output::Informed(_) | Output::History(_) => {}
        }
    }

    /// Sends a message as it is: the source may be an address that we do not have.
    fn send_dhcp(
        &mut self,
        interface: usize,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        repr: &Repr,
    ) {
        let mut message = [0; dhcp::CLIENT_MESSAGE_BYTES_MAX];
        let Ok(length) = repr.emit(&mut message) else {
            return;
        };
        let message = message.get(..length).unwrap_or_default();
        let Some(leg) = self.dhcp_leg(interface, source, destination) else {
            return;
        };
        let content = Content {
            protocol: protocol::UDP,
            hop_limit: HOP_LIMIT,
            congestion: 0,
            bytes: UDP_HEADER_BYTES + message.len(),
        };
        self.out.send_if_possible(&leg, content, &mut |bytes| {
            write_udp(bytes, CLIENT_PORT, SERVER_PORT, message);
        });
    }

    fn dhcp_leg(&self, interface: usize, source: Ipv4Addr, destination: Ipv4Addr) -> Option<Leg> {
        let known = self.out.stack.interfaces.get(interface)?;
        let (source, destination) = (IpAddr::V4(source), IpAddr::V4(destination));
        let routed = self
            .out
            .leg(known.tenant, None, destination, Some(interface))
            .filter(|_| destination != IpAddr::V4(Ipv4Addr::BROADCAST));
        Some(Leg {
            interface,
            tenant: known.tenant,
            source,
            destination,
            hop: routed.map_or(Hop::Direct(EthernetAddress::BROADCAST), |leg| leg.hop),
            mtu: known.mtu,
        })
    }

    fn use_lease(&mut self, interface: usize, lease: &Lease) {
        self.use_address(interface, lease.address, lease.prefix);
        for route in lease.routes() {
            let gateway = (!route.router.is_unspecified()).then_some(IpAddr::V4(route.router));
            let added = self.out.stack.routes.add(RouteEntry {
                prefix: Prefix::new(IpAddr::V4(route.destination), route.prefix),
                gateway,
                interface,
                source: RouteSource::Dhcp,
            });
            // A full table counts what it refuses, and shows it in `limits`.
            let _: Result<(), Full> = added;
        }
    }

    /// The interface's leased address is this one, instead of what it had.
    fn use_address(&mut self, interface: usize, address: Ipv4Addr, length: u8) {
        let stack = &mut self.out.stack;
        let is_old = |route: &RouteEntry| {
            let is_of_lease = matches!(route.source, RouteSource::Dhcp | RouteSource::Address);
            route.interface == interface && is_of_lease && route.prefix.address.is_ipv4()
        };
        stack.routes.remove(is_old);
        let Some(known) = stack.interfaces.get_mut(interface) else {
            return;
        };
        let prefix = Prefix::new(IpAddr::V4(address), length);
        known.ipv4.clear();
        let kept = known.ipv4.push(prefix);
        crate::invariant!(kept.is_ok(), "an empty list of addresses refuses one");
        // As above.
        let _ = stack.routes.add(RouteEntry {
            prefix,
            gateway: None,
            interface,
            source: RouteSource::Address,
        });
    }

    fn drop_address(&mut self, interface: usize, address: Ipv4Addr) {
        let stack = &mut self.out.stack;
        if let Some(known) = stack.interfaces.get_mut(interface) {
            let is_it = |own: &Prefix| own.address == IpAddr::V4(address);
            if let Some(index) = known.ipv4.iter().position(is_it) {
                known.ipv4.remove(index);
            }
        }
        stack.routes.remove(|route| {
            let is_of_lease = matches!(route.source, RouteSource::Dhcp | RouteSource::Address);
            route.interface == interface && is_of_lease && route.prefix.address.is_ipv4()
        });
    }
}

/// A whole UDP datagram but for its checksum; `bytes` has room for exactly that.
pub(super) fn write_udp(bytes: &mut [u8], from: u16, to: u16, payload: &[u8]) {
    let length = bytes.len();
    let mut packet = UdpPacket::new_unchecked(bytes);
    packet.set_src_port(from);
    packet.set_dst_port(to);
    packet.set_len(length as u16);
    packet.payload_mut().copy_from_slice(payload);
}
