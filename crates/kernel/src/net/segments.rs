//! TCP segments on their way out; rows are cut by the device, or here.

use super::counters::DropReason;
use super::ip::{HOP_LIMIT, NewHeader};
use super::outlet::{Content, Leg, Outlet};
use super::packet::protocol;
use super::segment::{Departure, Route, SegmentSink, SendError};
use super::stack::ETHERNET_HEADER_BYTES;
use super::transport;
use crate::base::network_port::{Offload, PortFacts};
use crate::base::tenant::Tenant;
use core::net::IpAddr;

/// Bytes of a TCP header without options; with all of them.
const TCP_HEADER_BYTES: usize = 20;
const TCP_HEADER_BYTES_MAX: usize = 60;
/// The codepoint of a packet whose ends can be told of congestion (RFC 3168).
const CONGESTION_CAPABLE: u8 = 0b10;
/// Places in the TCP header.
const SEQUENCE: core::ops::Range<usize> = 4..8;
const FLAGS: usize = 13;
const CHECKSUM_PLACE: u16 = 16;
/// Flags that only the last segment of a row carries, and the one for the first.
const FIN_AND_PUSH: u8 = 0b0000_1001;
const WINDOW_REDUCED: u8 = 0b1000_0000;
/// An IP packet's length has 16 bits, also where the device cuts it.
const PACKET_BYTES_MAX: usize = u16::MAX as usize;

impl SegmentSink for Outlet<'_> {
    fn route(&mut self, tenant: Tenant, source: Option<IpAddr>, to: IpAddr) -> Option<Route> {
        let leg = self.leg(tenant, source, to, None)?;
        let facts = self.port_facts(leg.interface);
        let headers = ip_header_bytes(&leg) + TCP_HEADER_BYTES_MAX;
        let one = leg
            .mtu
            .saturating_sub(ip_header_bytes(&leg) + TCP_HEADER_BYTES);
        let cut = facts.filter(PortFacts::cuts_segments).map_or(0, |facts| {
            let most = facts
                .segments_bytes_max
                .saturating_sub(ETHERNET_HEADER_BYTES);
            most.min(PACKET_BYTES_MAX).saturating_sub(headers)
        });
        Some(Route {
            source: leg.source,
            mtu: leg.mtu,
            departure_bytes_max: one.max(cut),
        })
    }

    fn send(&mut self, departure: &Departure<'_>) -> Result<(), SendError> {
        let source = Some(departure.local.address);
        let to = departure.remote.address;
        let leg = self.leg(departure.tenant, source, to, None);
        let leg = leg.ok_or(SendError::Unreachable)?;
        let total: usize = departure.payload.iter().map(|piece| piece.len()).sum();
        let segment_bytes = departure.segment_bytes.max(1);
        if total <= segment_bytes {
            return self.send_segment(&leg, departure, 0..total, total);
        }
        let facts = self
            .port_facts(leg.interface)
            .filter(PortFacts::cuts_segments);
        let whole = ip_header_bytes(&leg) + departure.header.len() + total;
        if let Some(facts) = facts
            && ETHERNET_HEADER_BYTES + whole <= facts.segments_bytes_max
            && whole <= PACKET_BYTES_MAX
        {
            return self.send_row(&leg, departure, total);
        }
        let mut start = 0;
        while start < total {
            let end = (start + segment_bytes).min(total);
            let result = self.send_segment(&leg, departure, start..end, total);
            if start == 0 {
                result?;
            } else if result.is_err() {
                // What is gone is gone: the rest counts as lost on the way.
                return Ok(());
            }
            start = end;
        }
        Ok(())
    }
}

impl PortFacts {
    const fn cuts_segments(&self) -> bool {
        self.segments_bytes_max > 0 && self.completes_checksums
    }
}

const fn ip_header_bytes(leg: &Leg) -> usize {
    match leg.destination {
        IpAddr::V4(_) => super::ip::IPV4_HEADER_BYTES,
        IpAddr::V6(_) => super::ip::IPV6_HEADER_BYTES,
    }
}

impl Outlet<'_> {
    /// One segment of a row; `range` is its part of the payload.
    fn send_segment(
        &mut self,
        leg: &Leg,
        departure: &Departure<'_>,
        range: core::ops::Range<usize>,
        total: usize,
    ) -> Result<(), SendError> {
        let header_bytes = departure.header.len();
        let content = content(departure, header_bytes + range.len());
        self.send_packet(leg, content, &mut |bytes| {
            let (header, payload) = bytes.split_at_mut(header_bytes);
            header.copy_from_slice(departure.header);
            adapt(header, range.start, range.end == total);
            copy_pieces(departure.payload, range.start, payload);
        })
    }

    /// The whole row in one frame, for the device to cut.
    fn send_row(
        &mut self,
        leg: &Leg,
        departure: &Departure<'_>,
        total: usize,
    ) -> Result<(), SendError> {
        let header_bytes = departure.header.len();
        let content = content(departure, header_bytes + total);
        let ip: NewHeader = self.header(leg, &content);
        let start = ETHERNET_HEADER_BYTES + ip.bytes();
        let mut carrier = self.take(leg.interface, start + content.bytes)?;
        let (head, packet) = carrier.bytes_mut().split_at_mut(start);
        ip.emit(&mut head[ETHERNET_HEADER_BYTES..]);
        let (header, payload) = packet.split_at_mut(header_bytes);
        header.copy_from_slice(departure.header);
        copy_pieces(departure.payload, 0, payload);
        let addresses = (leg.source, leg.destination);
        transport::seal(addresses, protocol::TCP, packet, start, true);
        if let Err(error) = self.ask_firewall(leg, protocol::TCP, packet) {
            self.recycle(carrier);
            return Err(error);
        }
        let (Ok(start), Ok(headers_bytes), Ok(segment_bytes)) = (
            u16::try_from(start),
            u16::try_from(start + header_bytes),
            u16::try_from(departure.segment_bytes),
        ) else {
            self.recycle(carrier);
            return Err(self.refuse(leg.interface, DropReason::TooLarge, SendError::TooLarge));
        };
        self.count_sent(leg, protocol::TCP);
        let offload = Offload::Segments {
            start,
            offset: CHECKSUM_PLACE,
            headers_bytes,
            segment_bytes,
            is_ipv6: leg.destination.is_ipv6(),
        };
        self.address(leg, carrier, offload)
    }
}

const fn content(departure: &Departure<'_>, bytes: usize) -> Content {
    Content {
        protocol: protocol::TCP,
        hop_limit: HOP_LIMIT,
        congestion: match departure.is_congestion_capable {
            true => CONGESTION_CAPABLE,
            false => 0,
        },
        bytes,
    }
}

/// Makes the header of a row that of one of its segments.
fn adapt(header: &mut [u8], start: usize, is_last: bool) {
    if let Some(place) = header.get_mut(SEQUENCE)
        && let Ok(bytes) = <[u8; 4]>::try_from(&*place)
    {
        let sequence = u32::from_be_bytes(bytes).wrapping_add(start as u32);
        place.copy_from_slice(&sequence.to_be_bytes());
    }
    if let Some(flags) = header.get_mut(FLAGS) {
        if !is_last {
            *flags &= !FIN_AND_PUSH;
        }
        if start > 0 {
            *flags &= !WINDOW_REDUCED;
        }
    }
}

/// Copies the part of the pieces that begins at `start` and fills `place`.
fn copy_pieces(pieces: &[&[u8]], start: usize, mut place: &mut [u8]) {
    let mut skip = start;
    for piece in pieces {
        let Some(rest) = piece.get(skip..) else {
            skip -= piece.len();
            continue;
        };
        skip = 0;
        let count = rest.len().min(place.len());
        let (now, later) = place.split_at_mut(count);
        now.copy_from_slice(&rest[..count]);
        place = later;
    }
}
