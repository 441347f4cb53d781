//! What stands behind an IP header: ports, flags, types, the checksum.

use super::checksum::Sum;
use super::ip::IpHeader;
use super::packet::{Direction, PacketFacts, Quoted, protocol};
use crate::base::network_port::Offload;
use crate::base::tenant::Tenant;
use core::net::IpAddr;
use smoltcp::wire::{Icmpv4Message, Icmpv6Message, Ipv4Packet, Ipv6Packet, TcpPacket, UdpPacket};

/// Bytes of a quoted packet that are always there: its ports (RFC 792).
const QUOTED_BYTES: usize = 4;
const UDP_HEADER_BYTES: usize = 8;
const ICMP_HEADER_BYTES: usize = 8;

/// The headers of a transport protocol, read once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Transport {
    pub source_port: u16,
    pub destination_port: u16,
    pub tcp_flags: u8,
    pub icmp_type: u8,
    pub quoted: Option<Quoted>,
    /// Bytes of the header, and of header and data together.
    pub header_bytes: usize,
    pub bytes: usize,
}

impl Transport {
    /// `None` when the header contradicts the length; protocols that are not known have none.
    pub fn parse(number: u8, bytes: &[u8]) -> Option<Self> {
        let all = Self {
            bytes: bytes.len(),
            ..Self::default()
        };
        match number {
            protocol::TCP => {
                let packet = TcpPacket::new_checked(bytes).ok()?;
                Some(Self {
                    source_port: packet.src_port(),
                    destination_port: packet.dst_port(),
                    tcp_flags: bytes.get(13).copied()?,
                    header_bytes: usize::from(packet.header_len()),
                    ..all
                })
            }
            protocol::UDP => {
                let packet = UdpPacket::new_checked(bytes).ok()?;
                Some(Self {
                    source_port: packet.src_port(),
                    destination_port: packet.dst_port(),
                    header_bytes: UDP_HEADER_BYTES,
                    bytes: usize::from(packet.len()),
                    ..all
                })
            }
            protocol::ICMP | protocol::ICMPV6 => Self::parse_icmp(number, bytes),
            _ => Some(all),
        }
    }

    fn parse_icmp(number: u8, bytes: &[u8]) -> Option<Self> {
        let (head, quoted) = bytes.split_at_checked(ICMP_HEADER_BYTES)?;
        let (kind, identifier) = match *head {
            [kind, _, _, _, high, low, ..] => (kind, u16::from_be_bytes([high, low])),
            _ => return None,
        };
        let (is_echo, is_error) = match number {
            protocol::ICMP => {
                let kind = Icmpv4Message::from(kind);
                let is_echo = matches!(kind, Icmpv4Message::EchoRequest | Icmpv4Message::EchoReply);
                let is_error = matches!(
                    kind,
                    Icmpv4Message::DstUnreachable
                        | Icmpv4Message::TimeExceeded
                        | Icmpv4Message::ParamProblem
                );
                (is_echo, is_error)
            }
            _ => {
                let kind = Icmpv6Message::from(kind);
                let is_echo = matches!(kind, Icmpv6Message::EchoRequest | Icmpv6Message::EchoReply);
                (is_echo, kind.is_error())
            }
        };
        let identifier = if is_echo { identifier } else { 0 };
        Some(Self {
            source_port: identifier,
            destination_port: identifier,
            icmp_type: kind,
            quoted: is_error.then(|| quote(quoted)).flatten(),
            header_bytes: ICMP_HEADER_BYTES,
            bytes: bytes.len(),
            ..Self::default()
        })
    }

    pub fn facts(
        &self,
        direction: Direction,
        (interface, tenant): (usize, Tenant),
        (source, destination): (IpAddr, IpAddr),
        protocol: u8,
        bytes: usize,
    ) -> PacketFacts {
        PacketFacts {
            direction,
            interface,
            tenant,
            source,
            destination,
            protocol,
            source_port: self.source_port,
            destination_port: self.destination_port,
            tcp_flags: self.tcp_flags,
            icmp_type: self.icmp_type,
            quoted: self.quoted,
            bytes,
        }
    }
}

/// Whose packet an error repeats; what is repeated is mostly cut off.
pub fn quote(bytes: &[u8]) -> Option<Quoted> {
    let (source, destination, number, start) = match bytes.first()? >> 4 {
        4 => {
            let packet = Ipv4Packet::new_unchecked(bytes.get(..20).map(|_| bytes)?);
            let source = IpAddr::V4(packet.src_addr());
            let start = usize::from(packet.header_len());
            let number = u8::from(packet.next_header());
            (source, IpAddr::V4(packet.dst_addr()), number, start)
        }
        6 => {
            let packet = Ipv6Packet::new_unchecked(bytes.get(..40).map(|_| bytes)?);
            let source = IpAddr::V6(packet.src_addr());
            let number = u8::from(packet.next_header());
            (source, IpAddr::V6(packet.dst_addr()), number, 40)
        }
        _ => return None,
    };
    let transport = bytes.get(start..)?;
    let (first, second) = match number {
        protocol::TCP | protocol::UDP => match *transport.get(..QUOTED_BYTES)? {
            [a, b, c, d] => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
            _ => return None,
        },
        protocol::ICMP | protocol::ICMPV6 => match *transport.get(..6)? {
            [_, _, _, _, a, b] => {
                let identifier = u16::from_be_bytes([a, b]);
                (identifier, identifier)
            }
            _ => return None,
        },
        _ => (0, 0),
    };
    Some(Quoted {
        source,
        destination,
        protocol: number,
        source_port: first,
        destination_port: second,
    })
}

/// Is the checksum of a transport packet right? `bytes` is the packet, padding left out.
pub fn is_sound(header: &IpHeader, bytes: &[u8]) -> bool {
    let mut sum = match header.protocol {
        protocol::ICMP => Sum::new(),
        protocol::UDP if !header.is_ipv6() && bytes.get(6..8) == Some(&[0, 0]) => return true,
        protocol::TCP | protocol::UDP | protocol::ICMPV6 => {
            let (source, destination) = (header.source, header.destination);
            Sum::pseudo_header(source, destination, header.protocol, bytes.len())
        }
        _ => return true,
    };
    sum.add(bytes);
    sum.checksum() == 0
}

/// Where the checksum of a protocol stands in its header.
const fn checksum_place(number: u8) -> Option<usize> {
    match number {
        protocol::ICMP | protocol::ICMPV6 => Some(2),
        protocol::UDP => Some(6),
        protocol::TCP => Some(16),
        _ => None,
    }
}

/// Fills the checksum of a packet that is to be sent, or leaves it to the device.
///
/// `start` is where `bytes` lie in the frame, `completes` says what the device can do.
pub fn seal(
    (source, destination): (IpAddr, IpAddr),
    number: u8,
    bytes: &mut [u8],
    start: usize,
    completes: bool,
) -> Offload {
    let Some(place) = checksum_place(number) else {
        return Offload::Nothing;
    };
    let Some(field) = bytes.get_mut(place..place + 2) else {
        return Offload::Nothing;
    };
    field.fill(0);
    let can_offload = completes && matches!(number, protocol::TCP | protocol::UDP);
    let mut sum = match number {
        protocol::ICMP => Sum::new(),
        _ => Sum::pseudo_header(source, destination, number, bytes.len()),
    };
    if can_offload {
        let (start, offset) = (start as u16, place as u16);
        set(bytes, place, sum.partial());
        return Offload::Checksum { start, offset };
    }
    sum.add(bytes);
    let value = match (number, sum.checksum()) {
        // Zero says that there is none.
        (protocol::UDP, 0) => u16::MAX,
        (_, value) => value,
    };
    set(bytes, place, value);
    Offload::Nothing
}

fn set(bytes: &mut [u8], place: usize, value: u16) {
    if let Some(field) = bytes.get_mut(place..place + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}
