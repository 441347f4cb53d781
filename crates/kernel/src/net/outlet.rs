//! The way out: a packet is built in its frame, checked and handed over.

use super::address::group_hardware;
use super::carrier::Carrier;
use super::counters::DropReason;
use super::firewall::Verdict;
use super::frame_port::others_port;
use super::interface::{LOOPBACK, Medium};
use super::ip::{Fragment, NewHeader};
use super::neighbours::{Lookup, Waiting};
use super::packet::{Direction, protocol};
use super::ports::Ports;
use super::segment::SendError;
use super::stack::{ETHERNET_HEADER_BYTES, Stack};
use super::transport::{self, Transport};
use crate::base::network_port::{Offload, PortFacts};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::drivers::handlers::{DeviceHandlers, Operation};
use crate::limits::LOOPBACK_FRAMES_MAX;
use core::net::IpAddr;
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol};

/// What is needed to send: the stack, the ports and the quotas, at one moment.
pub struct Outlet<'a> {
    pub stack: &'a mut Stack,
    pub ports: &'a mut dyn Ports,
    pub handlers: &'a mut DeviceHandlers,
    pub now: Instant,
}

/// The next stop of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hop {
    Loopback,
    /// A hardware address that is known without asking.
    Direct(EthernetAddress),
    Neighbour(IpAddr),
}

/// The way of a packet, as far as we decide about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leg {
    pub interface: usize,
    pub tenant: Tenant,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub hop: Hop,
    pub mtu: usize,
}

/// What a packet says of itself beside its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Content {
    pub protocol: u8,
    pub hop_limit: u8,
    pub congestion: u8,
    pub bytes: usize,
}

impl Outlet<'_> {
    /// The way to `destination`; `on` names the interface for groups and link-local addresses.
    pub fn leg(
        &self,
        tenant: Tenant,
        source: Option<IpAddr>,
        destination: IpAddr,
        on: Option<usize>,
    ) -> Option<Leg> {
        let interfaces = &self.stack.interfaces;
        if interfaces.owner(tenant, destination).is_some() {
            let interface = interfaces.get(LOOPBACK)?;
            return Some(Leg {
                interface: LOOPBACK,
                tenant,
                source: source.unwrap_or(destination),
                destination,
                hop: Hop::Loopback,
                mtu: interface.mtu,
            });
        }
        let is_usable = |index: usize| {
            let interface = interfaces.get(index);
            interface.is_some_and(|interface| {
                let is_chosen = on.is_none_or(|on| on == index);
                let has_source = source.is_none_or(|source| interface.has_address(source));
                interface.is_up && interface.tenant == tenant && is_chosen && has_source
            })
        };
        let (index, hop) = self.next_hop(destination, is_usable)?;
        let interface = interfaces.get(index)?;
        let path = self.stack.paths.get(self.now, destination);
        Some(Leg {
            interface: index,
            tenant,
            source: match source {
                Some(source) => source,
                None => interface.source_for(destination)?,
            },
            destination,
            hop,
            mtu: path.map_or(interface.mtu, |path| path.min(interface.mtu)),
        })
    }

    fn next_hop(
        &self,
        destination: IpAddr,
        is_usable: impl Fn(usize) -> bool,
    ) -> Option<(usize, Hop)> {
        let first_usable = || (1..self.stack.interfaces.len()).find(|index| is_usable(*index));
        let everybody = Hop::Direct(EthernetAddress::BROADCAST);
        match destination {
            _ if destination.is_unspecified() => None,
            _ if destination.is_multicast() => {
                Some((first_usable()?, Hop::Direct(group_hardware(destination))))
            }
            IpAddr::V4(address) if address.is_broadcast() => Some((first_usable()?, everybody)),
            IpAddr::V6(address) if address.is_unicast_link_local() => {
                Some((first_usable()?, Hop::Neighbour(destination)))
            }
            _ => {
                let route = self.stack.routes.find(destination, is_usable)?;
                let interface = self.stack.interfaces.get(route.interface)?;
                let hop = match (route.gateway, destination) {
                    (Some(gateway), _) => Hop::Neighbour(gateway),
                    (None, IpAddr::V4(address)) if interface.is_broadcast(address) => everybody,
                    (None, _) => Hop::Neighbour(destination),
                };
                Some((route.interface, hop))
            }
        }
    }

    pub fn port_facts(&mut self, interface: usize) -> Option<PortFacts> {
        match self.stack.interfaces.get(interface)?.medium {
            Medium::Loopback => None,
            Medium::Port(port) => self.ports.port(port).map(|port| port.facts()),
        }
    }

    /// Sends one packet whose transport header and data `fill` writes, in fragments when
    /// it is too large for the way.
    pub fn send_packet(
        &mut self,
        leg: &Leg,
        content: Content,
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), SendError> {
        let header = self.header(leg, &content);
        if header.bytes() + content.bytes > leg.mtu && content.protocol != protocol::TCP {
            return self.send_in_fragments(leg, content, fill);
        }
        let start = ETHERNET_HEADER_BYTES + header.bytes();
        let mut carrier = self.take(leg.interface, start + content.bytes)?;
        let frame = carrier.bytes_mut();
        let (head, payload) = frame.split_at_mut(start);
        fill(payload);
        header.emit(&mut head[ETHERNET_HEADER_BYTES..]);
        // What stays in the memory of this machine needs no checksum.
        let facts = self.port_facts(leg.interface);
        let completes = facts.is_none_or(|facts| facts.completes_checksums);
        let addresses = (leg.source, leg.destination);
        let offload = transport::seal(addresses, content.protocol, payload, start, completes);
        if let Err(error) = self.ask_firewall(leg, content.protocol, payload) {
            self.recycle(carrier);
            return Err(error);
        }
        self.count_sent(leg, content.protocol);
        self.address(leg, carrier, offload)
    }

    /// Sends what nobody waits for; why it was refused is counted where it happens.
    pub(super) fn send_if_possible(
        &mut self,
        leg: &Leg,
        content: Content,
        fill: &mut dyn FnMut(&mut [u8]),
    ) {
        let _ = self.send_packet(leg, content, fill);
    }

    pub(super) const fn header(&self, leg: &Leg, content: &Content) -> NewHeader {
        NewHeader {
            source: leg.source,
            destination: leg.destination,
            protocol: content.protocol,
            hop_limit: content.hop_limit,
            congestion: content.congestion,
            payload_bytes: content.bytes,
            may_fragment: content.protocol != protocol::TCP,
            fragment: None,
        }
    }

    fn send_in_fragments(
        &mut self,
        leg: &Leg,
        content: Content,
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), SendError> {
        let Some(mut whole) = self.stack.own.long.take(content.bytes) else {
            let is_too_large = content.bytes > self.stack.own.long.frame_bytes();
            return Err(match is_too_large {
                true => self.refuse(leg.interface, DropReason::TooLarge, SendError::TooLarge),
                false => self.refuse(leg.interface, DropReason::NoFrame, SendError::Busy),
            });
        };
        fill(whole.bytes_mut());
        let addresses = (leg.source, leg.destination);
        transport::seal(addresses, content.protocol, whole.bytes_mut(), 0, false);
        let mut result = self.ask_firewall(leg, content.protocol, whole.bytes());
        if result.is_ok() {
            self.count_sent(leg, content.protocol);
            result = self.cut(leg, &content, whole.bytes());
        }
        self.recycle(whole);
        result
    }

    fn cut(&mut self, leg: &Leg, content: &Content, whole: &[u8]) -> Result<(), SendError> {
        let identification = self.stack.identification();
        let mut header = self.header(leg, content);
        header.fragment = Some(Fragment {
            identification,
            offset: 0,
            has_more: true,
        });
        let piece_bytes = leg.mtu.saturating_sub(header.bytes()) & !7;
        if piece_bytes == 0 {
            return Err(self.refuse(leg.interface, DropReason::TooLarge, SendError::TooLarge));
        }
        for (index, piece) in whole.chunks(piece_bytes).enumerate() {
            let offset = index * piece_bytes;
            header.payload_bytes = piece.len();
            header.fragment = Some(Fragment {
                identification,
                offset,
                has_more: offset + piece.len() < whole.len(),
            });
            let start = ETHERNET_HEADER_BYTES + header.bytes();
            let mut carrier = self.take(leg.interface, start + piece.len())?;
            let (head, payload) = carrier.bytes_mut().split_at_mut(start);
            payload.copy_from_slice(piece);
            header.emit(&mut head[ETHERNET_HEADER_BYTES..]);
            self.address(leg, carrier, Offload::Nothing)?;
        }
        Ok(())
    }

    pub(super) fn ask_firewall(
        &mut self,
        leg: &Leg,
        number: u8,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let Some(read) = Transport::parse(number, payload) else {
            return Err(self.refuse(leg.interface, DropReason::Malformed, SendError::TooLarge));
        };
        let place = (leg.interface, leg.tenant);
        let addresses = (leg.source, leg.destination);
        let facts = read.facts(Direction::Out, place, addresses, number, payload.len());
        match self.stack.firewall.check(self.now, &facts) {
            Verdict::Allow => Ok(()),
            Verdict::Deny | Verdict::Reject => {
                Err(self.refuse(leg.interface, DropReason::Firewall, SendError::Forbidden))
            }
        }
    }

    /// Counts why a packet does not get out.
    pub(super) fn refuse(
        &mut self,
        interface: usize,
        reason: DropReason,
        error: SendError,
    ) -> SendError {
        self.stack.count_drop(interface, Direction::Out, reason);
        error
    }

    pub(super) fn count_sent(&mut self, leg: &Leg, number: u8) {
        let protocols = &mut self.stack.protocols;
        match leg.destination {
            IpAddr::V4(_) => protocols.ipv4.sent += 1,
            IpAddr::V6(_) => protocols.ipv6.sent += 1,
        }
        match number {
            protocol::ICMP => protocols.icmp.sent += 1,
            protocol::ICMPV6 => protocols.icmpv6.sent += 1,
            protocol::UDP => protocols.udp.sent += 1,
            protocol::TCP => protocols.tcp.sent += 1,
            _ => {}
        }
    }

    /// An empty frame of the interface's medium.
    pub(super) fn take(&mut self, interface: usize, bytes: usize) -> Result<Carrier, SendError> {
        let medium = self
            .stack
            .interfaces
            .get(interface)
            .map(|known| known.medium);
        let carrier = match medium {
            Some(Medium::Loopback) => self.stack.own.take(bytes),
            Some(Medium::Port(index)) => self.ports.port(index).and_then(|port| {
                let mut frame = port.take_frame(bytes)?;
                frame.truncate(bytes);
                if frame.len() < bytes {
                    port.recycle(frame);
                    return None;
                }
                Some(Carrier::of_port(index, frame))
            }),
            None => None,
        };
        carrier.ok_or_else(|| self.refuse(interface, DropReason::NoFrame, SendError::Busy))
    }

    pub fn recycle(&mut self, carrier: Carrier) {
        self.stack.own.recycle(carrier, self.ports);
    }

    /// Finds the hardware address of the next stop; a packet without one waits for it.
    pub(super) fn address(
        &mut self,
        leg: &Leg,
        mut carrier: Carrier,
        offload: Offload,
    ) -> Result<(), SendError> {
        let kind = match leg.destination {
            IpAddr::V4(_) => EthernetProtocol::Ipv4,
            IpAddr::V6(_) => EthernetProtocol::Ipv6,
        };
        let own = self.stack.interfaces.get(leg.interface);
        let own = own.map_or(EthernetAddress([0; 6]), |own| own.hardware);
        write_ethernet(carrier.bytes_mut(), own, EthernetAddress([0; 6]), kind);
        let address = match leg.hop {
            Hop::Loopback => return self.hand_over(leg.interface, leg.tenant, carrier, offload),
            Hop::Direct(hardware) => {
                set_destination(carrier.bytes_mut(), hardware);
                return self.hand_over(leg.interface, leg.tenant, carrier, offload);
            }
            Hop::Neighbour(address) => address,
        };
        match self
            .stack
            .neighbours
            .lookup(self.now, leg.interface, address)
        {
            Lookup::Known(hardware) => {
                set_destination(carrier.bytes_mut(), hardware);
                self.hand_over(leg.interface, leg.tenant, carrier, offload)
            }
            Lookup::Unknown { must_ask } => {
                let waiting = Waiting { carrier, offload };
                let displaced = self.stack.neighbours.wait(leg.interface, address, waiting);
                if let Some(displaced) = displaced {
                    self.refuse(leg.interface, DropReason::Neighbour, SendError::Busy);
                    self.recycle(displaced.carrier);
                }
                if must_ask {
                    self.ask_for_neighbour(leg.interface, address, None);
                }
                Ok(())
            }
            Lookup::Full => {
                self.recycle(carrier);
                let reason = DropReason::NeighbourFull;
                Err(self.refuse(leg.interface, reason, SendError::Busy))
            }
        }
    }

    /// Lets a packet go whose neighbour has answered.
    pub(super) fn release(
        &mut self,
        interface: usize,
        hardware: EthernetAddress,
        mut waiting: Waiting,
    ) {
        let Some(known) = self.stack.interfaces.get(interface) else {
            return self.recycle(waiting.carrier);
        };
        let tenant = known.tenant;
        set_destination(waiting.carrier.bytes_mut(), hardware);
        // What is refused now is counted; its sender has long been told that it was sent.
        let _ = self.hand_over(interface, tenant, waiting.carrier, waiting.offload);
    }

    /// The last step: capability, quota, counters, the device.
    pub(super) fn hand_over(
        &mut self,
        interface: usize,
        tenant: Tenant,
        carrier: Carrier,
        offload: Offload,
    ) -> Result<(), SendError> {
        let bytes = carrier.bytes().len();
        let Some(known) = self.stack.interfaces.get_mut(interface) else {
            self.recycle(carrier);
            return Err(SendError::Unreachable);
        };
        if let Medium::Port(_) = known.medium {
            let operation = Operation::NetworkSend { bytes };
            let admitted = self.handlers.admit_frame(self.now, tenant, operation, || {
                others_port(carrier.bytes(), Direction::Out)
            });
            if admitted.is_err() {
                self.recycle(carrier);
                return Err(self.refuse(interface, DropReason::Quota, SendError::Busy));
            }
        }
        known.counters.sent_frames += 1;
        known.counters.sent_bytes += bytes as u64;
        match carrier.into_frame() {
            Ok((index, frame)) => match self.ports.port(index) {
                Some(port) => {
                    port.transmit(frame, offload);
                    Ok(())
                }
                None => Err(self.refuse(interface, DropReason::LinkDown, SendError::Busy)),
            },
            Err(own) => {
                if self.stack.loopback.len() == LOOPBACK_FRAMES_MAX {
                    self.recycle(own);
                    return Err(self.refuse(interface, DropReason::NoFrame, SendError::Busy));
                }
                self.stack.loopback.push_back((tenant, own));
                Ok(())
            }
        }
    }
}

pub(super) fn write_ethernet(
    frame: &mut [u8],
    source: EthernetAddress,
    destination: EthernetAddress,
    kind: EthernetProtocol,
) {
    let mut frame = EthernetFrame::new_unchecked(frame);
    frame.set_src_addr(source);
    frame.set_dst_addr(destination);
    frame.set_ethertype(kind);
}

fn set_destination(frame: &mut [u8], hardware: EthernetAddress) {
    EthernetFrame::new_unchecked(frame).set_dst_addr(hardware);
}
