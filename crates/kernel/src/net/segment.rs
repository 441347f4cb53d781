//! Between TCP and IP: a segment that has arrived, and one that is to be sent.

use super::packet::Endpoint;
use crate::base::tenant::Tenant;
use core::net::IpAddr;

/// A segment whose checksum was right. `header` and `payload` are the frame's own bytes.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub tenant: Tenant,
    pub local: Endpoint,
    pub remote: Endpoint,
    /// The TCP header with its options.
    pub header: &'a [u8],
    pub payload: &'a [u8],
    /// Did a router on the way mark congestion in the IP header (RFC 3168)?
    pub is_congestion_marked: bool,
}

/// A segment to be sent; or a row of them, which the sink or the device cuts apart.
#[derive(Clone, Copy, Debug)]
pub struct Departure<'a> {
    pub tenant: Tenant,
    pub local: Endpoint,
    pub remote: Endpoint,
    /// The TCP header with its options; its checksum is the sink's affair.
    pub header: &'a [u8],
    /// The payload in pieces, in order; pieces may be empty.
    pub payload: &'a [&'a [u8]],
    /// Payload bytes of one segment on the wire; a longer payload is a row of segments.
    pub segment_bytes: usize,
    pub is_congestion_capable: bool,
}

/// What is known of the way to an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// The address of ours that packets to there come from.
    pub source: IpAddr,
    /// Bytes of the largest IP packet.
    pub mtu: usize,
    /// Payload bytes that one `Departure` may carry: one segment, or more where the
    /// device cuts them apart.
    pub departure_bytes_max: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// No frame is free or the neighbour is being asked for; try again when told.
    Busy,
    /// There is no way to that address.
    Unreachable,
    /// The firewall does not let it out.
    Forbidden,
    /// It is larger than anything that can be sent there.
    TooLarge,
}

/// Where segments go: the IP layer, or a simulated wire in a test.
pub trait SegmentSink {
    fn route(&mut self, tenant: Tenant, source: Option<IpAddr>, to: IpAddr) -> Option<Route>;
    fn send(&mut self, departure: &Departure<'_>) -> Result<(), SendError>;
}
