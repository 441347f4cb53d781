//! ICMP of both versions: echo, errors told and errors heard.

use super::address::is_valid_source;
use super::inlet::{Inlet, Place};
use super::ip::{HOP_LIMIT, IpHeader};
use super::outlet::{Content, Hop, Leg, Outlet};
use super::packet::{Endpoint, Quoted, protocol};
use super::ping::EchoDue;
use super::segment::SendError;
use super::transport;
use core::net::IpAddr;
use smoltcp::wire::{Icmpv4Message, Icmpv6Message, Icmpv6Packet};

const ICMP_HEADER_BYTES: usize = 8;
/// Bytes of an error, IP header included, that no link has to cut (RFC 1812, RFC 4443).
const IPV4_ERROR_BYTES: usize = 576;
const IPV6_ERROR_BYTES: usize = 1280;
/// ICMPv4 codes of "unreachable" that will not change by waiting (RFC 1122 4.2.3.9).
const IPV4_HARD_CODES: [u8; 2] = [2, 3];
const IPV4_NEEDS_FRAGMENTS: u8 = 4;
/// ICMPv6: prohibited, and no such port.
const IPV6_HARD_CODES: [u8; 2] = [1, 4];

/// What goes wrong with a packet of somebody else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Nobody listens on the port.
    Port,
    /// Nobody speaks the protocol; where its number stands in the packet.
    Protocol {
        pointer: u32,
    },
    Prohibited,
    /// Its fragments did not come in time.
    Reassembly,
    /// A header that has to be understood and is not.
    Parameter {
        code: u8,
        pointer: u32,
    },
}

impl Trouble {
    /// Type, code, and the four bytes behind the checksum.
    const fn code(self, is_ipv6: bool) -> (u8, u8, u32) {
        match (self, is_ipv6) {
            (Self::Port, false) => (3, 3, 0),
            (Self::Port, true) => (1, 4, 0),
            (Self::Protocol { .. }, false) => (3, 2, 0),
            (Self::Protocol { pointer }, true) => (4, 1, pointer),
            (Self::Prohibited, false) => (3, 13, 0),
            (Self::Prohibited, true) => (1, 1, 0),
            (Self::Reassembly, false) => (11, 1, 0),
            (Self::Reassembly, true) => (3, 1, 0),
            (Self::Parameter { code, pointer }, _) => (4, code, pointer),
        }
    }
}

impl Outlet<'_> {
    /// Tells the sender of a packet what went wrong, unless that could do harm
    /// (RFC 1122 3.2.2, RFC 4443 2.4). `packet` begins with its IP header.
    pub(super) fn report(&mut self, place: &Place, packet: &[u8], trouble: Trouble) {
        let Some(leg) = self.way_back(place, packet) else {
            return;
        };
        if self.stack.icmp_errors.take(self.now, 1).is_err() {
            self.stack.icmp_errors_withheld += 1;
            return;
        }
        let is_ipv6 = leg.source.is_ipv6();
        let (most, header_bytes, number) = match is_ipv6 {
            true => (IPV6_ERROR_BYTES, 40, protocol::ICMPV6),
            false => (IPV4_ERROR_BYTES, 20, protocol::ICMP),
        };
        let room = most
            .min(leg.mtu)
            .saturating_sub(header_bytes + ICMP_HEADER_BYTES);
        let quoted = &packet[..packet.len().min(room)];
        let (kind, code, rest) = trouble.code(is_ipv6);
        let content = Content {
            protocol: number,
            hop_limit: HOP_LIMIT,
            congestion: 0,
            bytes: ICMP_HEADER_BYTES + quoted.len(),
        };
        self.send_if_possible(&leg, content, &mut |bytes| {
            let (head, body) = bytes.split_at_mut(ICMP_HEADER_BYTES);
            head[..4].copy_from_slice(&[kind, code, 0, 0]);
            head[4..].copy_from_slice(&rest.to_be_bytes());
            body.copy_from_slice(quoted);
        });
    }

    /// The way of an error about a packet; `None` when there must be none.
    fn way_back(&mut self, place: &Place, packet: &[u8]) -> Option<Leg> {
        let header = IpHeader::parse(packet).ok();
        let quoted = transport::quote(packet)?;
        let is_later_piece = header
            .and_then(|header| header.fragment)
            .is_some_and(|fragment| fragment.offset > 0);
        let is_about_error = header.is_some_and(|header| {
            let payload = packet.get(header.payload_start..).unwrap_or_default();
            is_icmp_error(header.protocol, payload)
        });
        let is_local = place.interface == super::interface::LOOPBACK;
        let is_to_one = !place.is_group && !quoted.destination.is_multicast();
        let comes_from_one = is_local || is_valid_source(quoted.source);
        if is_later_piece || is_about_error || !is_to_one || !comes_from_one {
            return None;
        }
        self.leg_from(place, quoted.destination, quoted.source)
    }

    /// The way back to who sent something to an address of ours.
    pub(super) fn leg_from(&self, place: &Place, own: IpAddr, to: IpAddr) -> Option<Leg> {
        let on = (place.interface != super::interface::LOOPBACK).then_some(place.interface);
        if let Some(leg) = self.leg(place.tenant, Some(own), to, on) {
            return Some(leg);
        }
        // Without a route the neighbour that it came from is the way back.
        let interface = self.stack.interfaces.get(place.interface)?;
        let is_known = interface.has_address(own) && place.from.0 != [0; 6];
        is_known.then_some(Leg {
            interface: place.interface,
            tenant: place.tenant,
            source: own,
            destination: to,
            hop: Hop::Direct(place.from),
            mtu: interface.mtu,
        })
    }

    /// Sends one echo request of a ping.
    pub(super) fn send_echo(&mut self, due: &EchoDue) -> Result<(), SendError> {
        let leg = self.leg(due.tenant, None, due.target, None);
        let leg = leg.ok_or(SendError::Unreachable)?;
        let (number, kind) = match due.target {
            IpAddr::V4(_) => (protocol::ICMP, u8::from(Icmpv4Message::EchoRequest)),
            IpAddr::V6(_) => (protocol::ICMPV6, u8::from(Icmpv6Message::EchoRequest)),
        };
        let content = Content {
            protocol: number,
            hop_limit: HOP_LIMIT,
            congestion: 0,
            bytes: ICMP_HEADER_BYTES + due.size,
        };
        let (identifier, sequence) = (due.identifier.to_be_bytes(), due.sequence.to_be_bytes());
        self.send_packet(&leg, content, &mut |bytes| {
            let (head, body) = bytes.split_at_mut(ICMP_HEADER_BYTES);
            head[..4].copy_from_slice(&[kind, 0, 0, 0]);
            head[4..6].copy_from_slice(&identifier);
            head[6..].copy_from_slice(&sequence);
            for (index, byte) in body.iter_mut().enumerate() {
                *byte = index as u8;
            }
        })
    }
}

fn is_icmp_error(number: u8, payload: &[u8]) -> bool {
    let Some(kind) = payload.first() else {
        return false;
    };
    match number {
        protocol::ICMP => !matches!(
            Icmpv4Message::from(*kind),
            Icmpv4Message::EchoRequest | Icmpv4Message::EchoReply
        ),
        protocol::ICMPV6 => Icmpv6Message::from(*kind).is_error(),
        _ => false,
    }
}

impl Inlet<'_> {
    /// An ICMP message, whole and with a right checksum.
    pub(super) fn on_icmp(&mut self, place: &Place, header: &IpHeader, bytes: &[u8]) {
        let [kind, code, ..] = *bytes else {
            return;
        };
        match header.protocol {
            protocol::ICMP => match Icmpv4Message::from(kind) {
                // A question to all is answered by none, or all would answer (RFC 1122 3.2.2.6).
                Icmpv4Message::EchoRequest if !place.is_group => {
                    self.answer_echo(place, header, bytes, Icmpv4Message::EchoReply.into());
                }
                Icmpv4Message::EchoReply => self.on_echo_reply(header, bytes),
                Icmpv4Message::DstUnreachable if code == IPV4_NEEDS_FRAGMENTS => {
                    let mtu = word(bytes, 6);
                    self.on_too_big(place, bytes, mtu.map_or(0, usize::from));
                }
                Icmpv4Message::DstUnreachable => {
                    self.on_unreachable(place, bytes, IPV4_HARD_CODES.contains(&code));
                }
                Icmpv4Message::TimeExceeded => self.on_unreachable(place, bytes, false),
                _ => {}
            },
            _ => self.on_icmpv6(place, header, bytes),
        }
    }

    fn on_icmpv6(&mut self, place: &Place, header: &IpHeader, bytes: &[u8]) {
        let Ok(packet) = Icmpv6Packet::new_checked(bytes) else {
            self.out.stack.protocols.icmpv6.errors += 1;
            return;
        };
        match packet.msg_type() {
            Icmpv6Message::EchoRequest => {
                self.answer_echo(place, header, bytes, Icmpv6Message::EchoReply.into());
            }
            Icmpv6Message::EchoReply => self.on_echo_reply(header, bytes),
            Icmpv6Message::PktTooBig => {
                let mtu = packet.pkt_too_big_mtu() as usize;
                self.on_too_big(place, bytes, mtu);
            }
            Icmpv6Message::DstUnreachable => {
                let is_hard = IPV6_HARD_CODES.contains(&packet.msg_code());
                self.on_unreachable(place, bytes, is_hard);
            }
            Icmpv6Message::TimeExceeded => self.on_unreachable(place, bytes, false),
            kind if kind.is_ndisc() => self.on_discovery(place, header, &packet),
            _ => {}
        }
    }

    fn answer_echo(&mut self, place: &Place, header: &IpHeader, bytes: &[u8], kind: u8) {
        let own = match header.destination.is_multicast() {
            false => Some(header.destination),
            true => {
                let interface = self.out.stack.interfaces.get(place.interface);
                interface.and_then(|interface| interface.source_for(header.source))
            }
        };
        let leg = own.and_then(|own| self.out.leg_from(place, own, header.source));
        let Some(leg) = leg else {
            return;
        };
        let content = Content {
            protocol: header.protocol,
            hop_limit: HOP_LIMIT,
            congestion: 0,
            bytes: bytes.len(),
        };
        self.out.send_if_possible(&leg, content, &mut |reply| {
            reply.copy_from_slice(bytes);
            reply[..4].copy_from_slice(&[kind, 0, 0, 0]);
        });
    }

    fn on_echo_reply(&mut self, header: &IpHeader, bytes: &[u8]) {
        if let (Some(identifier), Some(sequence)) = (word(bytes, 4), word(bytes, 6)) {
            let pings = &mut self.out.stack.pings;
            pings.on_reply(self.out.now, header.source, identifier, sequence);
        }
    }

    /// What an error quotes, if it is about a packet that came from us.
    fn quoted_by(&self, place: &Place, bytes: &[u8]) -> Option<(Quoted, u32)> {
        let inner = bytes.get(ICMP_HEADER_BYTES..)?;
        let quoted = transport::quote(inner)?;
        self.out
            .stack
            .interfaces
            .owner(place.tenant, quoted.source)?;
        let start = match inner.first()? >> 4 {
            4 => usize::from(inner.first()? & 0xf) * 4,
            _ => 40,
        };
        let sequence = inner.get(start + 4..start + 8).unwrap_or_default();
        let sequence = <[u8; 4]>::try_from(sequence).unwrap_or_default();
        Some((quoted, u32::from_be_bytes(sequence)))
    }

    fn on_unreachable(&mut self, place: &Place, bytes: &[u8], is_hard: bool) {
        let Some((quoted, sequence)) = self.quoted_by(place, bytes) else {
            return;
        };
        match quoted.protocol {
            protocol::TCP => {
                let (local, remote) = ends(&quoted);
                let now = self.out.now;
                self.tcp
                    .on_unreachable(now, place.tenant, local, remote, sequence, is_hard);
            }
            protocol::ICMP | protocol::ICMPV6 => {
                let pings = &mut self.out.stack.pings;
                pings.on_unreachable(quoted.destination, quoted.source_port);
            }
            _ => {}
        }
    }

    fn on_too_big(&mut self, place: &Place, bytes: &[u8], mtu: usize) {
        let Some((quoted, sequence)) = self.quoted_by(place, bytes) else {
            return;
        };
        let now = self.out.now;
        let paths = &mut self.out.stack.paths;
        let mtu = paths.on_too_big(now, quoted.destination, mtu);
        if quoted.protocol == protocol::TCP {
            let (local, remote) = ends(&quoted);
            self.tcp
                .on_path_mtu(now, place.tenant, local, remote, sequence, mtu);
        }
    }
}

fn ends(quoted: &Quoted) -> (Endpoint, Endpoint) {
    let local = Endpoint {
        address: quoted.source,
        port: quoted.source_port,
    };
    let remote = Endpoint {
        address: quoted.destination,
        port: quoted.destination_port,
    };
    (local, remote)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}
