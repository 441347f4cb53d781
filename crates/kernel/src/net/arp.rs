//! ARP: whose hardware an IPv4 address is (RFC 826, RFC 5227).

use super::inlet::{Inlet, Place};
use super::neighbours::Claim;
use super::outlet::{Outlet, write_ethernet};
use super::stack::ETHERNET_HEADER_BYTES;
use crate::base::network_port::Offload;
use crate::net::address::is_valid_source;
use crate::net::dhcp;
use core::net::{IpAddr, Ipv4Addr};
use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetProtocol};

const NOBODY: EthernetAddress = EthernetAddress([0; 6]);
const ARP_BYTES: usize = 28;

impl Outlet<'_> {
    /// Asks all, or one host, who has the address.
    pub(super) fn ask_by_arp(
        &mut self,
        interface: usize,
        address: Ipv4Addr,
        directly: Option<EthernetAddress>,
    ) {
        let Some(known) = self.stack.interfaces.get(interface) else {
            return;
        };
        let Some(IpAddr::V4(source)) = known.source_for(IpAddr::V4(address)) else {
            return;
        };
        let to = directly.unwrap_or(EthernetAddress::BROADCAST);
        self.send_arp(
            interface,
            to,
            ArpOperation::Request,
            source,
            (NOBODY, address),
        );
    }

    /// Asks from nobody whether somebody has the address (RFC 5227 2.1).
    pub(super) fn probe_by_arp(&mut self, interface: usize, address: Ipv4Addr) {
        let (to, source) = (EthernetAddress::BROADCAST, Ipv4Addr::UNSPECIFIED);
        self.send_arp(
            interface,
            to,
            ArpOperation::Request,
            source,
            (NOBODY, address),
        );
    }

    /// Tells all that the address is ours now (RFC 5227 2.3).
    pub(super) fn announce_by_arp(&mut self, interface: usize, address: Ipv4Addr) {
        let to = EthernetAddress::BROADCAST;
        self.send_arp(
            interface,
            to,
            ArpOperation::Request,
            address,
            (NOBODY, address),
        );
    }

    fn send_arp(
        &mut self,
        interface: usize,
        to: EthernetAddress,
        operation: ArpOperation,
        source: Ipv4Addr,
        (target_hardware, target): (EthernetAddress, Ipv4Addr),
    ) {
        let Some(known) = self.stack.interfaces.get(interface) else {
            return;
        };
        let (own, tenant) = (known.hardware, known.tenant);
        let frame_bytes = ETHERNET_HEADER_BYTES + ARP_BYTES;
        let Ok(mut carrier) = self.take(interface, frame_bytes) else {
            return;
        };
        let repr = ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr: own,
            source_protocol_addr: source,
            target_hardware_addr: target_hardware,
            target_protocol_addr: target,
        };
        let frame = carrier.bytes_mut();
        write_ethernet(frame, own, to, EthernetProtocol::Arp);
        let body = &mut frame[ETHERNET_HEADER_BYTES..];
        repr.emit(&mut ArpPacket::new_unchecked(body));
        self.stack.protocols.arp.sent += 1;
        // Counted where it is refused; whoever needs the answer asks again.
        let _ = self.hand_over(interface, tenant, carrier, Offload::Nothing);
    }
}

impl Inlet<'_> {
    pub(super) fn on_arp(&mut self, place: &Place, bytes: &[u8]) {
        let protocols = &mut self.out.stack.protocols.arp;
        protocols.received += 1;
        let packet = ArpPacket::new_checked(bytes).ok();
        let repr = packet.and_then(|packet| ArpRepr::parse(&packet).ok());
        let Some(ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr: hardware,
            source_protocol_addr: source,
            target_protocol_addr: target,
            ..
        }) = repr
        else {
            protocols.errors += 1;
            return;
        };
        self.step_dhcp(
            place.interface,
            dhcp::Input::ArpSeen {
                sender_mac: hardware.0,
                sender_ip: source,
                target_ip: target,
            },
        );
        let Some(known) = self.out.stack.interfaces.get(place.interface) else {
            return;
        };
        let is_ours = known.has_address(IpAddr::V4(target));
        let is_own = known.has_address(IpAddr::V4(source)) || hardware == known.hardware;
        let mut networks = known.ipv4.iter();
        let is_near = networks.any(|network| network.contains(IpAddr::V4(source)));
        if !is_own && is_near && is_valid_source(IpAddr::V4(source)) {
            self.on_claim(Claim {
                interface: place.interface,
                address: IpAddr::V4(source),
                hardware,
                is_answer: operation == ArpOperation::Reply,
                may_add: operation == ArpOperation::Request && is_ours,
            });
        }
        if operation == ArpOperation::Request && is_ours && hardware.is_unicast() {
            let answer = (hardware, source);
            let operation = ArpOperation::Reply;
            let out = &mut self.out;
            out.send_arp(place.interface, hardware, operation, target, answer);
        }
    }

    /// Believes what somebody says about himself as far as the table does.
    pub(super) fn on_claim(&mut self, claim: Claim) {
        let out = &mut self.out;
        if let Some(waiting) = out.stack.neighbours.on_claim(out.now, claim) {
            out.release(claim.interface, claim.hardware, waiting);
        }
    }
}
