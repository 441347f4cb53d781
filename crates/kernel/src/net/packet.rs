//! What the firewall and the counters know of a packet: its headers, read once.

use crate::base::tenant::Tenant;
use core::net::IpAddr;

/// Seen from this machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    In,
    Out,
}

impl Direction {
    pub const fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// An address with its port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Endpoint {
    pub address: IpAddr,
    pub port: u16,
}

/// An IP packet's facts, whole and checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketFacts {
    pub direction: Direction,
    /// The interface's place in the table of interfaces.
    pub interface: usize,
    pub tenant: Tenant,
    pub source: IpAddr,
    pub destination: IpAddr,
    /// The number of the protocol in the IP header: 6 is TCP, 17 UDP, 1 and 58 are ICMP.
    pub protocol: u8,
    /// Ports of TCP and UDP; 0 for others.
    pub source_port: u16,
    pub destination_port: u16,
    /// The flags of a TCP segment as in its header; 0 for others.
    pub tcp_flags: u8,
    /// The type of an ICMP message; 0 for others.
    pub icmp_type: u8,
    /// Bytes of the packet, IP header included.
    pub bytes: usize,
}
