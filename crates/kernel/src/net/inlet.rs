//! The way in: from a frame to the machine it is meant for, uncopied.

use super::address::is_valid_source;
use super::carrier::Carrier;
use super::counters::DropReason;
use super::dhcp;
use super::firewall::Verdict;
use super::frame_port::others_port;
use super::icmp::Trouble;
use super::interface::{Interface, LOOPBACK, Medium};
use super::ip::{CONGESTION_MARKED, IpError, IpHeader};
use super::outlet::Outlet;
use super::packet::{Direction, Endpoint, protocol};
use super::reassembly::Taken;
use super::segment::Arrival;
use super::stack::ETHERNET_HEADER_BYTES;
use super::tcp::Tcp;
use super::transport::{self, Transport};
use super::udp::{Datagram, UdpSocket};
use crate::base::network_port::{Checksums, Frame};
use crate::base::tenant::Tenant;
use crate::drivers::handlers::Operation;
use core::net::IpAddr;
use core::ops::Range;
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol};

/// Where a packet stands: on which interface, and how it came there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub interface: usize,
    pub tenant: Tenant,
    /// The hardware address that the frame came from.
    pub from: EthernetAddress,
    /// Was it meant for more than one host?
    pub is_group: bool,
    /// Are the checksums known to be right?
    pub is_trusted: bool,
}

/// What becomes of the memory that a packet lies in.
pub(super) enum Fate {
    Done,
    /// A socket wants it; what it wants of it is told.
    Kept(Kept),
}

pub(super) struct Kept {
    socket: UdpSocket,
    ends: (Endpoint, Endpoint),
    window: Range<usize>,
}

/// Everything that a frame can reach.
pub struct Inlet<'a> {
    pub out: Outlet<'a>,
    pub tcp: &'a mut Tcp,
    pub dhcp: &'a mut dhcp::Clients,
    /// Empty between two steps; too large for a stack.
    pub dhcp_outputs: &'a mut dhcp::Outputs,
}

impl Inlet<'_> {
    /// A frame of a port: to every interface on it that the frame is meant for.
    pub fn on_frame(&mut self, port: usize, frame: Frame) {
        let is_trusted = frame.checksums == Checksums::Trusted;
        let mut waiting = Some(Carrier::of_port(port, frame));
        let mut next = LOOPBACK + 1;
        while let Some(carrier) = waiting.take() {
            let Some((index, place)) = self.taker(port, next, carrier.bytes(), is_trusted) else {
                if next == LOOPBACK + 1 {
                    self.count_stray(port, carrier.bytes());
                }
                self.out.recycle(carrier);
                return;
            };
            let has_more = self
                .taker(port, index + 1, carrier.bytes(), is_trusted)
                .is_some();
            let fate = self.on_ethernet(&place, carrier.bytes());
            next = index + 1;
            waiting = match fate {
                Fate::Done => Some(carrier),
                Fate::Kept(kept) if has_more => {
                    self.keep_copy(&place, kept, &carrier);
                    Some(carrier)
                }
                Fate::Kept(kept) => {
                    self.keep(&place, kept, carrier);
                    None
                }
            };
        }
    }

    /// The first interface from `next` on that takes the frame.
    fn taker(
        &self,
        port: usize,
        next: usize,
        bytes: &[u8],
        is_trusted: bool,
    ) -> Option<(usize, Place)> {
        let frame = EthernetFrame::new_checked(bytes).ok()?;
        let (to, from) = (frame.dst_addr(), frame.src_addr());
        let takes = |known: &Interface| {
            known.medium == Medium::Port(port) && known.is_up && known.takes(to)
        };
        let mut interfaces = self.out.stack.interfaces.iter();
        let (index, known) = interfaces.find(|(index, known)| *index >= next && takes(known))?;
        let place = Place {
            interface: index,
            tenant: known.tenant,
            from,
            is_group: to.is_multicast(),
            is_trusted,
        };
        Some((index, place))
    }

    /// Nobody on the port takes the frame; its first interface counts that.
    fn count_stray(&mut self, port: usize, bytes: &[u8]) {
        let interfaces = &self.out.stack.interfaces;
        let stands_there = |known: &Interface| known.medium == Medium::Port(port);
        let found = interfaces.iter().find(|(_, known)| stands_there(known));
        let found = found.map(|(index, _)| index);
        let reason = match bytes.len() < ETHERNET_HEADER_BYTES {
            true => DropReason::Frame,
            false => DropReason::NotForUs,
        };
        if let Some(index) = found {
            self.drop_at(index, reason);
        }
    }

    pub(super) fn drop_at(&mut self, interface: usize, reason: DropReason) {
        let stack = &mut self.out.stack;
        stack.count_drop(interface, Direction::In, reason);
    }

    fn on_ethernet(&mut self, place: &Place, bytes: &[u8]) -> Fate {
        let operation = Operation::NetworkReceive { bytes: bytes.len() };
        let (now, handlers) = (self.out.now, &mut self.out.handlers);
        let admitted = handlers.admit_frame(now, place.tenant, operation, || {
            others_port(bytes, Direction::In)
        });
        if admitted.is_err() {
            self.drop_at(place.interface, DropReason::Quota);
            return Fate::Done;
        }
        let Some(known) = self.out.stack.interfaces.get_mut(place.interface) else {
            return Fate::Done;
        };
        known.counters.received_frames += 1;
        known.counters.received_bytes += bytes.len() as u64;
        if place.from == known.hardware || !place.from.is_unicast() {
            known.counters.received_drops.count(DropReason::Source);
            return Fate::Done;
        }
        match EthernetFrame::new_unchecked(bytes).ethertype() {
            EthernetProtocol::Arp => {
                self.on_arp(place, &bytes[ETHERNET_HEADER_BYTES..]);
                Fate::Done
            }
            EthernetProtocol::Ipv4 | EthernetProtocol::Ipv6 => {
                self.on_ip(place, bytes, ETHERNET_HEADER_BYTES)
            }
            _ => {
                self.drop_at(place.interface, DropReason::Frame);
                Fate::Done
            }
        }
    }

    /// A frame that the machine has sent to itself.
    pub fn on_loopback(&mut self, tenant: Tenant, carrier: Carrier) {
        let place = Place {
            interface: LOOPBACK,
            tenant,
            from: EthernetAddress([0; 6]),
            is_group: false,
            is_trusted: true,
        };
        if let Some(known) = self.out.stack.interfaces.get_mut(LOOPBACK) {
            known.counters.received_frames += 1;
            known.counters.received_bytes += carrier.bytes().len() as u64;
        }
        let fate = self.on_ip(&place, carrier.bytes(), ETHERNET_HEADER_BYTES);
        self.settle(&place, fate, carrier);
    }

    fn settle(&mut self, place: &Place, fate: Fate, carrier: Carrier) {
        match fate {
            Fate::Done => self.out.recycle(carrier),
            Fate::Kept(kept) => self.keep(place, kept, carrier),
        }
    }

    /// An IP packet that begins at `start` of `bytes`.
    pub(super) fn on_ip(&mut self, place: &Place, bytes: &[u8], start: usize) -> Fate {
        let packet = bytes.get(start..).unwrap_or_default();
        let is_ipv6 = packet.first().is_some_and(|first| first >> 4 == 6);
        let protocols = &mut self.out.stack.protocols;
        let counters = match is_ipv6 {
            true => &mut protocols.ipv6,
            false => &mut protocols.ipv4,
        };
        counters.received += 1;
        let header = match IpHeader::parse(packet) {
            Ok(header) => header,
            Err(error) => {
                counters.errors += 1;
                self.on_ip_error(place, packet, error);
                return Fate::Done;
            }
        };
        let mut place = *place;
        if let Some(reason) = self.misdirected(&mut place, &header) {
            self.drop_at(place.interface, reason);
            return Fate::Done;
        }
        if header.fragment.is_some() {
            self.on_fragment(&place, &header, packet);
            return Fate::Done;
        }
        self.on_packet(&place, &header, bytes, start)
    }

    fn on_ip_error(&mut self, place: &Place, packet: &[u8], error: IpError) {
        let reason = match error {
            IpError::Checksum => DropReason::Checksum,
            _ => DropReason::Malformed,
        };
        self.drop_at(place.interface, reason);
        if let IpError::Parameter { code, pointer } = error {
            let trouble = Trouble::Parameter { code, pointer };
            self.out.report(place, packet, trouble);
        }
    }

    /// Why a packet is not to be here; notes whether it was meant for many.
    fn misdirected(&self, place: &mut Place, header: &IpHeader) -> Option<DropReason> {
        if place.interface == LOOPBACK {
            return None;
        }
        let interface = self.out.stack.interfaces.get(place.interface)?;
        let (source, destination) = (header.source, header.destination);
        // Hosts that have no address yet ask from none: DHCP and address detection.
        let is_nobody = source.is_unspecified();
        let may_be_nobody = match header.protocol {
            protocol::UDP => destination.is_ipv4(),
            protocol::ICMPV6 => destination.is_multicast(),
            _ => false,
        };
        let is_possible = match is_nobody {
            true => may_be_nobody,
            false => is_valid_source(source) && !interface.has_address(source),
        };
        if !is_possible || destination.is_loopback() {
            return Some(DropReason::Source);
        }
        if interface.is_member(destination) {
            place.is_group = true;
            return None;
        }
        if interface.has_address(destination) {
            return None;
        }
        // A lease that is still being offered comes to an address that we do not have yet.
        let is_for_client = header.protocol == protocol::UDP && destination.is_ipv4();
        match is_for_client && !place.is_group && !destination.is_multicast() {
            true => None,
            false => Some(DropReason::NotForUs),
        }
    }

    fn on_fragment(&mut self, place: &Place, header: &IpHeader, packet: &[u8]) {
        let Some(fragment) = header.fragment else {
            return;
        };
        let stack = &mut self.out.stack;
        if let Some(given_up) = stack.reassembly.make_room(&stack.own.long) {
            stack.count_drop(given_up.interface, Direction::In, DropReason::FragmentFull);
            if let Some(carrier) = given_up.carrier {
                self.out.recycle(carrier);
            }
        }
        let payload = packet.get(header.payload_start..header.end);
        let payload = payload.unwrap_or_default();
        let stack = &mut self.out.stack;
        let (now, index) = (self.out.now, place.interface);
        let memory = &mut stack.own.long;
        let taken = stack
            .reassembly
            .on_piece(now, index, header, fragment, payload, memory);
        match taken {
            Taken::Waits => {}
            Taken::NoMemory => self.drop_at(index, DropReason::FragmentFull),
            Taken::Spoilt(carrier) => {
                self.drop_at(index, DropReason::Fragment);
                if let Some(carrier) = carrier {
                    self.out.recycle(carrier);
                }
            }
            Taken::Whole(carrier) => self.on_whole(place, carrier),
        }
    }

    /// A packet that was put together from its fragments.
    fn on_whole(&mut self, place: &Place, carrier: Carrier) {
        let fate = match IpHeader::parse(carrier.bytes()) {
            // Headers may only have come to light now.
            Ok(header) if header.fragment.is_none() => {
                // Nobody has looked at the checksum of the whole.
                let place = Place {
                    is_trusted: false,
                    ..*place
                };
                self.on_packet(&place, &header, carrier.bytes(), 0)
            }
            _ => {
                self.drop_at(place.interface, DropReason::Malformed);
                Fate::Done
            }
        };
        self.settle(place, fate, carrier);
    }

    fn on_packet(&mut self, place: &Place, header: &IpHeader, bytes: &[u8], start: usize) -> Fate {
        let packet = bytes.get(start..start + header.end).unwrap_or_default();
        let payload = packet.get(header.payload_start..).unwrap_or_default();
        let Some(read) = Transport::parse(header.protocol, payload) else {
            self.count_transport(header.protocol, true);
            self.drop_at(place.interface, DropReason::Malformed);
            return Fate::Done;
        };
        let payload = payload.get(..read.bytes).unwrap_or_default();
        if !place.is_trusted && !transport::is_sound(header, payload) {
            self.count_transport(header.protocol, true);
            self.drop_at(place.interface, DropReason::Checksum);
            return Fate::Done;
        }
        self.count_transport(header.protocol, false);
        let at = (place.interface, place.tenant);
        let addresses = (header.source, header.destination);
        let facts = read.facts(Direction::In, at, addresses, header.protocol, header.end);
        match self.out.stack.firewall.check(self.out.now, &facts) {
            Verdict::Allow => {}
            verdict => {
                self.drop_at(place.interface, DropReason::Firewall);
                if verdict == Verdict::Reject {
                    self.reject(place, header, packet, &read);
                }
                return Fate::Done;
            }
        }
        let at = start + header.payload_start;
        self.dispatch(place, header, packet, &read, at)
    }

    fn count_transport(&mut self, number: u8, is_wrong: bool) {
        let protocols = &mut self.out.stack.protocols;
        let counters = match number {
            protocol::ICMP => &mut protocols.icmp,
            protocol::ICMPV6 => &mut protocols.icmpv6,
            protocol::UDP => &mut protocols.udp,
            protocol::TCP => &mut protocols.tcp,
            _ => return,
        };
        counters.received += 1;
        counters.errors += u64::from(is_wrong);
    }

    /// Hands a packet to its protocol; `at` is where the transport header is in the frame.
    fn dispatch(
        &mut self,
        place: &Place,
        header: &IpHeader,
        packet: &[u8],
        read: &Transport,
        at: usize,
    ) -> Fate {
        let payload = packet.get(header.payload_start..).unwrap_or_default();
        let payload = payload.get(..read.bytes).unwrap_or_default();
        let local = Endpoint {
            address: header.destination,
            port: read.destination_port,
        };
        let remote = Endpoint {
            address: header.source,
            port: read.source_port,
        };
        match header.protocol {
            protocol::ICMP | protocol::ICMPV6 => self.on_icmp(place, header, payload),
            protocol::TCP if place.is_group => {
                self.drop_at(place.interface, DropReason::NoListener);
            }
            protocol::TCP => {
                let (head, data) = payload.split_at(read.header_bytes.min(payload.len()));
                self.tcp.on_segment(
                    self.out.now,
                    &Arrival {
                        tenant: place.tenant,
                        local,
                        remote,
                        header: head,
                        payload: data,
                        is_congestion_marked: header.congestion == CONGESTION_MARKED,
                    },
                );
            }
            protocol::UDP => {
                let data = payload.get(read.header_bytes..).unwrap_or_default();
                let window = at + read.header_bytes..at + read.bytes;
                return self.on_udp(place, packet, (local, remote), data, window);
            }
            _ => {
                self.drop_at(place.interface, DropReason::NoListener);
                let pointer = 6;
                self.out
                    .report(place, packet, Trouble::Protocol { pointer });
            }
        }
        Fate::Done
    }

    fn on_udp(
        &mut self,
        place: &Place,
        packet: &[u8],
        ends: (Endpoint, Endpoint),
        data: &[u8],
        window: Range<usize>,
    ) -> Fate {
        let (local, remote) = ends;
        let is_dhcp = local.port == dhcp::CLIENT_PORT && place.interface != LOOPBACK;
        if let (true, IpAddr::V4(address)) = (is_dhcp, remote.address) {
            let sender = dhcp::Sender {
                hardware_address: place.from.0,
                address,
            };
            let input = dhcp::Input::Datagram {
                bytes: data,
                sender,
            };
            if self.step_dhcp(place.interface, input) {
                return Fate::Done;
            }
        }
        let interfaces = &self.out.stack.interfaces;
        let interface = interfaces.get(place.interface);
        let is_ours = place.interface == LOOPBACK
            || place.is_group
            || interface.is_some_and(|interface| interface.has_address(local.address));
        let socket = self.out.stack.udp.listener(place.tenant, local);
        match socket.filter(|_| is_ours) {
            Some(socket) => Fate::Kept(Kept {
                socket,
                ends,
                window,
            }),
            None => {
                let reason = match is_ours {
                    true => DropReason::NoListener,
                    false => DropReason::NotForUs,
                };
                self.drop_at(place.interface, reason);
                if is_ours {
                    self.out.report(place, packet, Trouble::Port);
                }
                Fate::Done
            }
        }
    }

    /// Gives a frame to the socket that wants it, for as long as it wants.
    fn keep(&mut self, place: &Place, kept: Kept, carrier: Carrier) {
        let (index, now) = (place.interface, self.out.now);
        let datagram = Datagram::new(kept.ends, index, now, carrier, kept.window);
        if let Err(datagram) = self.out.stack.udp.deliver(kept.socket, datagram) {
            self.drop_at(index, DropReason::QueueFull);
            self.out.recycle(datagram.into_carrier());
        }
    }

    /// A frame for many interfaces is copied for all sockets but that of the last one.
    fn keep_copy(&mut self, place: &Place, kept: Kept, carrier: &Carrier) {
        let bytes = carrier.bytes();
        match self.out.stack.own.take(bytes.len()) {
            Some(mut copy) => {
                copy.bytes_mut().copy_from_slice(bytes);
                self.keep(place, kept, copy);
            }
            None => self.drop_at(place.interface, DropReason::QueueFull),
        }
    }
}
