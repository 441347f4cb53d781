//! One rule of the firewall: which packets it means, and what becomes of them.

use super::tuple::Tuple;
use crate::base::tenant::Tenant;
use crate::net::packet::{Direction, protocol};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Allow,
    /// Dropped without a word.
    Deny,
    /// Dropped, and its sender is told: a reset for TCP, an ICMP error for others.
    Reject,
}

impl Verdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Reject => "reject",
        }
    }
}

/// Conditions that all must hold, and a verdict; a condition that is not given always holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    pub verdict: Verdict,
    pub direction: Option<Direction>,
    pub protocol: Option<u8>,
    pub source: Side,
    pub destination: Side,
    pub tenant: Option<Tenant>,
    /// The interface's place in the table of interfaces.
    pub interface: Option<usize>,
}

/// One end of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Side {
    pub prefix: Option<Prefix>,
    pub ports: Option<PortRange>,
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    /// Its bits behind `length` are 0.
    address: IpAddr,
    length: u8,
}

/// From one port to another, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl Rule {
    /// Means every packet.
    pub const fn any(verdict: Verdict) -> Self {
        const ANY: Side = Side {
            prefix: None,
            ports: None,
        };
        Self {
            verdict,
            direction: None,
            protocol: None,
            source: ANY,
            destination: ANY,
            tenant: None,
            interface: None,
        }
    }

    pub fn matches(&self, tuple: &Tuple) -> bool {
        self.direction.is_none_or(|own| own == tuple.direction)
            && self.protocol.is_none_or(|own| own == tuple.protocol)
            && self.tenant.is_none_or(|own| own == tuple.tenant)
            && self.interface.is_none_or(|own| own == tuple.interface)
            && self.source.matches(tuple.source, tuple.source_port)
            && self
                .destination
                .matches(tuple.destination, tuple.destination_port)
            && (!self.has_ports() || matches!(tuple.protocol, protocol::TCP | protocol::UDP))
    }

    pub const fn has_ports(&self) -> bool {
        self.source.ports.is_some() || self.destination.ports.is_some()
    }
}

impl Side {
    fn matches(&self, address: IpAddr, port: u16) -> bool {
        self.prefix.is_none_or(|prefix| prefix.contains(address))
            && self.ports.is_none_or(|ports| ports.contains(port))
    }
}

impl Prefix {
    /// `None` when the address is shorter than the prefix or has bits behind it.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let prefix = Self::around(address, length)?;
        (prefix.address == address).then_some(prefix)
    }

    /// The prefix of that length in which the address lies.
    pub fn around(address: IpAddr, length: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(address) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
            _ => return None,
        };
        Some(Self { address, length })
    }

    /// One address.
    pub const fn host(address: IpAddr) -> Self {
        let length = if address.is_ipv4() { 32 } else { 128 };
        Self { address, length }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Self::around(address, self.length) == Some(*self)
    }

    pub const fn address(&self) -> IpAddr {
        self.address
    }

    pub const fn length(&self) -> u8 {
        self.length
    }

    pub const fn is_host(&self) -> bool {
        self.length == if self.address.is_ipv4() { 32 } else { 128 }
    }
}

impl PortRange {
    /// `None` when it ends before it begins.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first <= last {
            Some(Self { first, last })
        } else {
            None
        }
    }

    pub const fn contains(&self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    pub const fn first(&self) -> u16 {
        self.first
    }

    pub const fn last(&self) -> u16 {
        self.last
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        match self.is_host() {
            true => Ok(()),
            false => write!(f, "/{}", self.length),
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            Some(prefix) => write!(f, "{prefix}")?,
            None => f.write_str("any")?,
        }
        match self.ports {
            Some(ports) => write!(f, " port {ports}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Rule {
    /// As it is typed behind `firewall add`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verdict.name())?;
        if let Some(direction) = self.direction {
            write!(f, " {}", direction.name())?;
        }
        match self.protocol {
            Some(number) => match protocol_name(number) {
                Some(name) => write!(f, " {name}")?,
                None => write!(f, " protocol {number}")?,
            },
            None => f.write_str(" any")?,
        }
        write!(f, " from {} to {}", self.source, self.destination)?;
        if let Some(tenant) = self.tenant {
            write!(f, " tenant {tenant}")?;
        }
        if let Some(interface) = self.interface {
            write!(f, " interface {interface}")?;
        }
        Ok(())
    }
}

/// The protocols that have a name in rules.
pub const PROTOCOLS: [(&str, u8); 4] = [
    ("tcp", protocol::TCP),
    ("udp", protocol::UDP),
    ("icmp", protocol::ICMP),
    ("icmpv6", protocol::ICMPV6),
];

pub fn protocol_name(number: u8) -> Option<&'static str> {
    let mut known = PROTOCOLS.into_iter();
    Some(known.find(|(_, own)| *own == number)?.0)
}
