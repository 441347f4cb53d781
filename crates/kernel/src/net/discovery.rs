//! Neighbour discovery: hosts and routers on a link (RFC 4861).

use super::address::{ALL_NODES, ALL_ROUTERS, group_hardware, is_link_local, solicited_node};
use super::advertisement::{Advertisement, hardware, visit_options};
use super::inlet::{Inlet, Place};
use super::ip::IpHeader;
use super::neighbours::Claim;
use super::outlet::{Content, Hop, Leg, Outlet};
use super::packet::protocol;
use super::segment::SendError;
use core::net::{IpAddr, Ipv6Addr};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, Icmpv6Message, Icmpv6Packet, Icmpv6Repr, NdiscNeighborFlags, NdiscOptionType,
    NdiscRepr, RawHardwareAddress,
};

/// Only hosts on the link can send it: each router takes one off (RFC 4861 7.1).
const HOP_LIMIT: u8 = 255;

impl Outlet<'_> {
    /// Asks for a hardware address by the protocol of the address's family.
    pub(super) fn ask_for_neighbour(
        &mut self,
        interface: usize,
        address: IpAddr,
        directly: Option<EthernetAddress>,
    ) {
        match address {
            IpAddr::V4(address) => self.ask_by_arp(interface, address, directly),
            IpAddr::V6(address) => {
                let Some(known) = self.stack.interfaces.get(interface) else {
                    return;
                };
                if let Some(IpAddr::V6(source)) = known.source_for(IpAddr::V6(address)) {
                    // Whoever waits for the answer asks again.
                    let _ = self.solicit(interface, source, address, directly);
                }
            }
        }
    }

    /// Asks whether anybody has an address that we want (RFC 4862 5.4.2).
    pub(super) fn ask_about(
        &mut self,
        interface: usize,
        address: Ipv6Addr,
    ) -> Result<(), SendError> {
        self.solicit(interface, Ipv6Addr::UNSPECIFIED, address, None)
    }

    fn solicit(
        &mut self,
        interface: usize,
        source: Ipv6Addr,
        target: Ipv6Addr,
        directly: Option<EthernetAddress>,
    ) -> Result<(), SendError> {
        let own = self.own_hardware(interface);
        let repr = NdiscRepr::NeighborSolicit {
            target_addr: target,
            lladdr: own.filter(|_| !source.is_unspecified()),
        };
        let destination = match directly {
            Some(_) => target,
            None => solicited_node(target),
        };
        self.send_discovery(interface, source, destination, directly, repr)
    }

    pub(super) fn solicit_routers(&mut self, interface: usize) -> Result<(), SendError> {
        let known = self.stack.interfaces.get(interface);
        let known = known.ok_or(SendError::Unreachable)?;
        let source = match known.source_for(IpAddr::V6(ALL_ROUTERS)) {
            Some(IpAddr::V6(source)) => source,
            _ => Ipv6Addr::UNSPECIFIED,
        };
        let own = self.own_hardware(interface);
        let lladdr = own.filter(|_| !source.is_unspecified());
        let repr = NdiscRepr::RouterSolicit { lladdr };
        self.send_discovery(interface, source, ALL_ROUTERS, None, repr)
    }

    /// Says that an address is ours; to all when nobody in particular has asked.
    fn advertise(
        &mut self,
        interface: usize,
        address: Ipv6Addr,
        to: Option<(Ipv6Addr, EthernetAddress)>,
    ) {
        let mut flags = NdiscNeighborFlags::OVERRIDE;
        flags.set(NdiscNeighborFlags::SOLICITED, to.is_some());
        let repr = NdiscRepr::NeighborAdvert {
            flags,
            target_addr: address,
            lladdr: self.own_hardware(interface),
        };
        let (destination, directly) = to.map_or((ALL_NODES, None), |(address, hardware)| {
            (address, Some(hardware))
        });
        // Whoever has asked asks again.
        let _ = self.send_discovery(interface, address, destination, directly, repr);
    }

    fn own_hardware(&self, interface: usize) -> Option<RawHardwareAddress> {
        let known = self.stack.interfaces.get(interface)?;
        Some(RawHardwareAddress::from_bytes(known.hardware.as_bytes()))
    }

    fn send_discovery(
        &mut self,
        interface: usize,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        directly: Option<EthernetAddress>,
        repr: NdiscRepr<'_>,
    ) -> Result<(), SendError> {
        let known = self.stack.interfaces.get(interface);
        let known = known.ok_or(SendError::Unreachable)?;
        let group = group_hardware(IpAddr::V6(destination));
        let leg = Leg {
            interface,
            tenant: known.tenant,
            source: IpAddr::V6(source),
            destination: IpAddr::V6(destination),
            hop: Hop::Direct(directly.unwrap_or(group)),
            mtu: known.mtu,
        };
        let repr = Icmpv6Repr::Ndisc(repr);
        let content = Content {
            protocol: protocol::ICMPV6,
            hop_limit: HOP_LIMIT,
            congestion: 0,
            bytes: repr.buffer_len(),
        };
        self.send_packet(&leg, content, &mut |bytes| {
            let mut packet = Icmpv6Packet::new_unchecked(bytes);
            let none = ChecksumCapabilities::ignored();
            repr.emit(&source, &destination, &mut packet, &none);
        })
    }
}

impl Inlet<'_> {
    /// A message about neighbours and routers whose checksum is right.
    pub(super) fn on_discovery(
        &mut self,
        place: &Place,
        header: &IpHeader,
        packet: &Icmpv6Packet<&[u8]>,
    ) {
        let (IpAddr::V6(source), IpAddr::V6(destination)) = (header.source, header.destination)
        else {
            return;
        };
        let is_sound = header.hop_limit == HOP_LIMIT
            && packet.msg_code() == 0
            && match packet.msg_type() {
                Icmpv6Message::NeighborSolicit => self.on_solicitation(place, source, packet),
                Icmpv6Message::NeighborAdvert => self.on_neighbour(place, destination, packet),
                Icmpv6Message::RouterAdvert => self.on_router(place, source, packet),
                _ => true,
            };
        if !is_sound {
            self.out.stack.protocols.icmpv6.errors += 1;
        }
    }

    /// Says whether the message was in order, as the others do.
    fn on_solicitation(
        &mut self,
        place: &Place,
        source: Ipv6Addr,
        packet: &Icmpv6Packet<&[u8]>,
    ) -> bool {
        let target = packet.target_addr();
        let wanted = NdiscOptionType::SourceLinkLayerAddr;
        let Some(asker) = link_layer(packet, wanted) else {
            return false;
        };
        let Some(known) = self.out.stack.interfaces.get_mut(place.interface) else {
            return true;
        };
        if known.slaac.is_tentative(target) {
            if source.is_unspecified() {
                // Two hosts want it at the same time: neither gets it (RFC 4862 5.4.3).
                known.slaac.on_defended(target);
            }
            return true;
        }
        if !known.slaac.has_usable(target) {
            return true;
        }
        if source.is_unspecified() {
            self.out.advertise(place.interface, target, None);
            return asker.is_none();
        }
        if let Some(hardware) = asker {
            self.on_claim(Claim {
                interface: place.interface,
                address: IpAddr::V6(source),
                hardware,
                is_answer: false,
                may_add: true,
            });
        }
        let to = (source, asker.unwrap_or(place.from));
        self.out.advertise(place.interface, target, Some(to));
        true
    }

    fn on_neighbour(
        &mut self,
        place: &Place,
        destination: Ipv6Addr,
        packet: &Icmpv6Packet<&[u8]>,
    ) -> bool {
        let (target, flags) = (packet.target_addr(), packet.neighbor_flags());
        let is_solicited = flags.contains(NdiscNeighborFlags::SOLICITED);
        if target.is_multicast() || (is_solicited && destination.is_multicast()) {
            return false;
        }
        let Some(told) = link_layer(packet, NdiscOptionType::TargetLinkLayerAddr) else {
            return false;
        };
        let Some(known) = self.out.stack.interfaces.get_mut(place.interface) else {
            return true;
        };
        if known.slaac.is_tentative(target) {
            known.slaac.on_defended(target);
        } else if !known.slaac.has_usable(target) {
            self.on_claim(Claim {
                interface: place.interface,
                address: IpAddr::V6(target),
                hardware: told.unwrap_or(place.from),
                is_answer: is_solicited,
                may_add: false,
            });
        }
        true
    }

    fn on_router(&mut self, place: &Place, source: Ipv6Addr, packet: &Icmpv6Packet<&[u8]>) -> bool {
        let told = Advertisement::parse(packet);
        let Some(told) = told.filter(|_| is_link_local(source)) else {
            return false;
        };
        let now = self.out.now;
        if let Some(known) = self.out.stack.interfaces.get_mut(place.interface) {
            known.slaac.on_advertisement(now, source, &told);
        }
        if let Some(hardware) = told.hardware {
            self.on_claim(Claim {
                interface: place.interface,
                address: IpAddr::V6(source),
                hardware,
                is_answer: false,
                may_add: true,
            });
        }
        true
    }
}

/// The link-layer option of a message, if it has one; `None` when its options are no options.
fn link_layer(
    packet: &Icmpv6Packet<&[u8]>,
    wanted: NdiscOptionType,
) -> Option<Option<EthernetAddress>> {
    let mut found = None;
    visit_options(packet.payload(), |option| {
        if option.option_type() == wanted {
            found = hardware(option);
        }
    })?;
    Some(found)
}
