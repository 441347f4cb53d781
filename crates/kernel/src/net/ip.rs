//! IP headers of both versions, read into one form and written from one.

use super::checksum::checksum;
use crate::limits::EXTENSION_HEADERS_MAX;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use smoltcp::wire::{
    IpProtocol, Ipv4Packet, Ipv6ExtHeader, Ipv6FragmentHeader, Ipv6OptionFailureType,
    Ipv6OptionsIterator, Ipv6Packet,
};

pub const IPV4_HEADER_BYTES: usize = 20;
pub const IPV6_HEADER_BYTES: usize = 40;
pub const FRAGMENT_HEADER_BYTES: usize = 8;
/// The codepoint of congestion that routers set (RFC 3168).
pub const CONGESTION_MARKED: u8 = 0b11;
/// Hops that packets of ours may take.
pub const HOP_LIMIT: u8 = 64;

/// Numbers of IPv6 extension headers.
pub const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
pub const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// A packet's headers, the payload's place included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IpHeader {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    pub hop_limit: u8,
    /// The two bits of explicit congestion notification.
    pub congestion: u8,
    /// Where the payload begins, and where the packet ends.
    pub payload_start: usize,
    pub end: usize,
    pub fragment: Option<Fragment>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment {
    pub identification: u32,
    /// Bytes in front of this piece.
    pub offset: usize,
    pub has_more: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IpError {
    /// It contradicts itself or the frame's length.
    Malformed,
    Checksum,
    /// The sender wants to hear that we do not understand a header (RFC 8200 4).
    Parameter {
        code: u8,
        pointer: u32,
    },
    /// It wants to be handled in a way that we refuse: source routes.
    Refused,
}

impl IpHeader {
    /// Reads the header by its version; padding of the link behind the packet is left out.
    pub fn parse(bytes: &[u8]) -> Result<Self, IpError> {
        match bytes.first().map(|first| first >> 4) {
            Some(4) => parse_ipv4(bytes),
            Some(6) => parse_ipv6(bytes),
            _ => Err(IpError::Malformed),
        }
    }

    pub const fn is_ipv6(&self) -> bool {
        self.source.is_ipv6()
    }
}

fn parse_ipv4(bytes: &[u8]) -> Result<IpHeader, IpError> {
    let packet = Ipv4Packet::new_checked(bytes).map_err(|_| IpError::Malformed)?;
    let header_bytes = usize::from(packet.header_len());
    let end = usize::from(packet.total_len());
    if packet.version() != 4 || header_bytes < IPV4_HEADER_BYTES || end < header_bytes {
        return Err(IpError::Malformed);
    }
    let header = bytes.get(..header_bytes).ok_or(IpError::Malformed)?;
    if checksum(header) != 0 {
        return Err(IpError::Checksum);
    }
    if has_source_route(header.get(IPV4_HEADER_BYTES..).unwrap_or_default())? {
        return Err(IpError::Refused);
    }
    let (offset, has_more) = (usize::from(packet.frag_offset()), packet.more_frags());
    let fragment = (offset > 0 || has_more).then_some(Fragment {
        identification: u32::from(packet.ident()),
        offset,
        has_more,
    });
    Ok(IpHeader {
        source: IpAddr::V4(packet.src_addr()),
        destination: IpAddr::V4(packet.dst_addr()),
        protocol: packet.next_header().into(),
        hop_limit: packet.hop_limit(),
        congestion: packet.ecn(),
        payload_start: header_bytes,
        end,
        fragment,
    })
}

/// Looks through IPv4 options for a route that the sender wants (RFC 7126 4.3).
fn has_source_route(mut options: &[u8]) -> Result<bool, IpError> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const LOOSE_ROUTE: u8 = 131;
    const STRICT_ROUTE: u8 = 137;
    while let Some((kind, rest)) = options.split_first() {
        match *kind {
            END => return Ok(false),
            NOTHING => options = rest,
            LOOSE_ROUTE | STRICT_ROUTE => return Ok(true),
            _ => {
                let length = rest.first().map_or(0, |length| usize::from(*length));
                let behind = options.get(length..).filter(|_| length >= 2);
                options = behind.ok_or(IpError::Malformed)?;
            }
        }
    }
    Ok(false)
}

fn parse_ipv6(bytes: &[u8]) -> Result<IpHeader, IpError> {
    let packet = Ipv6Packet::new_checked(bytes).map_err(|_| IpError::Malformed)?;
    if packet.version() != 6 {
        return Err(IpError::Malformed);
    }
    let end = IPV6_HEADER_BYTES + usize::from(packet.payload_len());
    let mut header = IpHeader {
        source: IpAddr::V6(packet.src_addr()),
        destination: IpAddr::V6(packet.dst_addr()),
        protocol: packet.next_header().into(),
        hop_limit: packet.hop_limit(),
        congestion: packet.traffic_class() & 0b11,
        payload_start: IPV6_HEADER_BYTES,
        end,
        fragment: None,
    };
    let whole = bytes.get(..end).ok_or(IpError::Malformed)?;
    for position in 0..EXTENSION_HEADERS_MAX {
        if !header.step_over(whole, position)? {
            return Ok(header);
        }
    }
    Err(IpError::Malformed)
}

impl IpHeader {
    /// Goes behind one extension header; false when there is none, or none that we may pass.
    fn step_over(&mut self, whole: &[u8], position: usize) -> Result<bool, IpError> {
        let rest = whole.get(self.payload_start..).ok_or(IpError::Malformed)?;
        match self.protocol {
            HOP_BY_HOP if position > 0 => Err(IpError::Parameter {
                code: 1,
                pointer: self.payload_start as u32,
            }),
            HOP_BY_HOP | DESTINATION_OPTIONS => {
                let (next, data) = extension(rest)?;
                self.check_options(data)?;
                self.advance(next, data.len() + 2);
                Ok(true)
            }
            ROUTING => {
                let (next, data) = extension(rest)?;
                // A route with hops left is not for us to follow (RFC 5095).
                match data.get(1) {
                    Some(0) => self.advance(next, data.len() + 2),
                    _ => return Err(IpError::Refused),
                }
                Ok(true)
            }
            FRAGMENT => self.step_over_fragment(rest),
            _ => Ok(false),
        }
    }

    fn step_over_fragment(&mut self, rest: &[u8]) -> Result<bool, IpError> {
        let (head, body) = rest
            .split_at_checked(FRAGMENT_HEADER_BYTES)
            .ok_or(IpError::Malformed)?;
        let [next, _, header @ ..] = head else {
            return Err(IpError::Malformed);
        };
        let header = Ipv6FragmentHeader::new_checked(header).map_err(|_| IpError::Malformed)?;
        let (units, has_more) = (usize::from(header.frag_offset()), header.more_frags());
        self.advance(*next, FRAGMENT_HEADER_BYTES);
        if units == 0 && !has_more {
            // A whole packet in one piece (RFC 6946).
            return Ok(true);
        }
        if body.is_empty() {
            return Err(IpError::Malformed);
        }
        self.fragment = Some(Fragment {
            identification: header.ident(),
            offset: units * 8,
            has_more,
        });
        Ok(false)
    }

    const fn advance(&mut self, protocol: u8, bytes: usize) {
        self.protocol = protocol;
        self.payload_start += bytes;
    }

    fn check_options(&self, data: &[u8]) -> Result<(), IpError> {
        for option in Ipv6OptionsIterator::new(data) {
            let option = option.map_err(|_| IpError::Malformed)?;
            let smoltcp::wire::Ipv6OptionRepr::Unknown { type_, .. } = option else {
                continue;
            };
            match Ipv6OptionFailureType::from(type_) {
                Ipv6OptionFailureType::Skip => {}
                Ipv6OptionFailureType::Discard => return Err(IpError::Refused),
                Ipv6OptionFailureType::DiscardSendUnicast if self.destination.is_multicast() => {
                    return Err(IpError::Refused);
                }
                _ => {
                    return Err(IpError::Parameter {
                        code: 2,
                        pointer: self.payload_start as u32,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Number of the header behind, and the data of this one.
fn extension(bytes: &[u8]) -> Result<(u8, &[u8]), IpError> {
    let header = Ipv6ExtHeader::new_checked(bytes).map_err(|_| IpError::Malformed)?;
    Ok((header.next_header().into(), header.payload()))
}

/// What is written in front of a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewHeader {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    pub hop_limit: u8,
    pub congestion: u8,
    pub payload_bytes: usize,
    pub may_fragment: bool,
    pub fragment: Option<Fragment>,
}

impl NewHeader {
    pub const fn bytes(&self) -> usize {
        match self.destination {
            IpAddr::V4(_) => IPV4_HEADER_BYTES,
            IpAddr::V6(_) if self.fragment.is_some() => IPV6_HEADER_BYTES + FRAGMENT_HEADER_BYTES,
            IpAddr::V6(_) => IPV6_HEADER_BYTES,
        }
    }

    /// Writes the header; `buffer` begins with it and is large enough.
    pub fn emit(&self, buffer: &mut [u8]) {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.emit_ipv4(source, destination, buffer);
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                self.emit_ipv6(source, destination, buffer);
            }
            _ => crate::invariant!(false, "a packet with addresses of two families"),
        }
    }

    fn emit_ipv4(&self, source: Ipv4Addr, destination: Ipv4Addr, buffer: &mut [u8]) {
        let mut packet = Ipv4Packet::new_unchecked(&mut buffer[..IPV4_HEADER_BYTES]);
        packet.set_version(4);
        packet.set_header_len(IPV4_HEADER_BYTES as u8);
        packet.set_dscp(0);
        packet.set_ecn(self.congestion);
        packet.set_total_len((IPV4_HEADER_BYTES + self.payload_bytes) as u16);
        packet.clear_flags();
        packet.set_dont_frag(!self.may_fragment);
        let fragment = self.fragment.unwrap_or(Fragment {
            identification: 0,
            offset: 0,
            has_more: false,
        });
        packet.set_ident(fragment.identification as u16);
        packet.set_more_frags(fragment.has_more);
        packet.set_frag_offset(fragment.offset as u16);
        packet.set_hop_limit(self.hop_limit);
        packet.set_next_header(IpProtocol::from(self.protocol));
        packet.set_src_addr(source);
        packet.set_dst_addr(destination);
        packet.set_checksum(0);
        let sum = checksum(packet.into_inner());
        Ipv4Packet::new_unchecked(buffer).set_checksum(sum);
    }

    fn emit_ipv6(&self, source: Ipv6Addr, destination: Ipv6Addr, buffer: &mut [u8]) {
        let mut packet = Ipv6Packet::new_unchecked(&mut *buffer);
        packet.set_version(6);
        packet.set_traffic_class(self.congestion);
        packet.set_flow_label(0);
        let behind = self.bytes() - IPV6_HEADER_BYTES + self.payload_bytes;
        packet.set_payload_len(behind as u16);
        packet.set_hop_limit(self.hop_limit);
        packet.set_src_addr(source);
        packet.set_dst_addr(destination);
        let Some(fragment) = self.fragment else {
            packet.set_next_header(IpProtocol::from(self.protocol));
            return;
        };
        packet.set_next_header(IpProtocol::from(FRAGMENT));
        let header = &mut buffer[IPV6_HEADER_BYTES..IPV6_HEADER_BYTES + FRAGMENT_HEADER_BYTES];
        header[..2].copy_from_slice(&[self.protocol, 0]);
        let mut header = Ipv6FragmentHeader::new_unchecked(&mut header[2..]);
        header.clear_reserved();
        header.set_frag_offset((fragment.offset / 8) as u16);
        header.set_more_frags(fragment.has_more);
        header.set_ident(fragment.identification);
    }
}
