//! Questions about addresses: who is meant, and what is derived.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use smoltcp::wire::EthernetAddress;

/// All hosts on a link.
pub const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// Addresses that begin alike: a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    pub address: IpAddr,
    pub length: u8,
}

impl Prefix {
    /// A length that the family does not have is cut to the longest.
    pub const fn new(address: IpAddr, length: u8) -> Self {
        let longest = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let length = if length > longest { longest } else { length };
        Self { address, length }
    }

    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= u32::from(self.length)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= u32::from(self.length)
            }
            _ => false,
        }
    }

    /// The same network, its host bits zero.
    pub fn network(&self) -> Self {
        let address = match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length));
                IpAddr::V4((address.to_bits() & mask.unwrap_or(0)).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length));
                IpAddr::V6((address.to_bits() & mask.unwrap_or(0)).into())
            }
        };
        Self { address, ..*self }
    }

    /// The address of all hosts of an IPv4 network that has more than two.
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(address) if self.length < 31 => {
                Some((address.to_bits() | u32::MAX >> self.length).into())
            }
            _ => None,
        }
    }
}

impl core::fmt::Display for Prefix {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// Can a packet come from there? Neither groups nor nobody nor this host itself send.
pub fn is_valid_source(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let first = address.octets()[0];
            !(address.is_multicast() || address.is_loopback() || first == 0 || first >= 240)
        }
        IpAddr::V6(address) => {
            !(address.is_multicast() || address.is_unspecified() || address.is_loopback())
        }
    }
}

/// The group in which the owner of an address is asked for (RFC 4291, 2.7.1).
pub const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let bits = address.to_bits() & 0x00ff_ffff;
    Ipv6Addr::from_bits(0xff02_0000_0000_0000_0000_0001_ff00_0000 | bits)
}

/// Where a group lives on Ethernet (RFC 1112, RFC 2464).
pub const fn group_hardware(group: IpAddr) -> EthernetAddress {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            EthernetAddress([0x01, 0x00, 0x5e, b & 0x7f, c, d])
        }
        IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            EthernetAddress([0x33, 0x33, a, b, c, d])
        }
    }
}

/// An address of the prefix that stays the same for the hardware address (RFC 4291, appendix A).
pub const fn stable_address(prefix: Ipv6Addr, hardware: EthernetAddress) -> Ipv6Addr {
    let [a, b, c, d, e, f] = hardware.0;
    let identifier = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    let network = prefix.to_bits() & !(u64::MAX as u128);
    Ipv6Addr::from_bits(network | identifier as u128)
}

pub const fn is_link_local(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_contains_what_begins_alike() {
        let prefix = Prefix::new("10.1.2.3".parse().unwrap(), 9);
        assert!(prefix.contains("10.127.0.1".parse().unwrap()));
        assert!(!prefix.contains("10.128.0.1".parse().unwrap()));
        assert!(!prefix.contains("::1".parse().unwrap()));
        assert_eq!(std::format!("{}", prefix.network()), "10.0.0.0/9");
        assert_eq!(prefix.broadcast(), Some(Ipv4Addr::new(10, 127, 255, 255)));
        let all = Prefix::new("::9".parse().unwrap(), 0);
        assert!(all.contains("2001::1".parse().unwrap()));
        assert_eq!(std::format!("{}", all.network()), "::/0");
        let host = Prefix::new("10.1.2.3".parse().unwrap(), 99);
        assert_eq!((host.length, host.broadcast()), (32, None));
        assert_eq!(host.network(), host);
    }

    #[test]
    fn derived_addresses_are_those_of_the_standards() {
        let address: Ipv6Addr = "4037::01:800:200e:8c6c".parse().unwrap();
        let group = solicited_node(address);
        assert_eq!(std::format!("{group}"), "ff02::1:ff0e:8c6c");
        let hardware = group_hardware(IpAddr::V6(group));
        assert_eq!(hardware.0, [0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c]);
        let hardware = EthernetAddress([0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde]);
        let stable = stable_address("fe80::".parse().unwrap(), hardware);
        assert_eq!(std::format!("{stable}"), "fe80::3656:78ff:fe9a:bcde");
    }
}
