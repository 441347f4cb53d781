//! What firewall and counters know of a packet: its headers, read once.

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

impl core::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}:{}", self.port),
            IpAddr::V6(address) => write!(f, "[{address}]:{}", self.port),
        }
    }
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
    /// Ports of TCP and UDP; in both the identifier of an ICMP echo; 0 for others.
    pub source_port: u16,
    pub destination_port: u16,
    /// The flags of a TCP segment as in its header; 0 for others.
    pub tcp_flags: u8,
    /// The type of an ICMP message; 0 for others.
    pub icmp_type: u8,
    /// The packet that an ICMP error is about, as far as the error repeats it.
    pub quoted: Option<Quoted>,
    /// Bytes of the packet, IP header included.
    pub bytes: usize,
}

/// Whose packet could not go on, as an ICMP error says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quoted {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    /// As in `PacketFacts`.
    pub source_port: u16,
    pub destination_port: u16,
}

/// Numbers of protocols in an IP header.
pub mod protocol {
    pub const ICMP: u8 = 1;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ICMPV6: u8 = 58;
}
