//! All of a packet that rules look at: what a verdict may be remembered by.

use crate::base::tenant::Tenant;
use crate::net::packet::{Direction, PacketFacts};
use core::net::IpAddr;

/// Two packets with the same tuple are decided by the same rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tuple {
    pub direction: Direction,
    pub interface: usize,
    pub tenant: Tenant,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    pub source_port: u16,
    pub destination_port: u16,
}

impl Tuple {
    pub const fn of(facts: &PacketFacts) -> Self {
        Self {
            direction: facts.direction,
            interface: facts.interface,
            tenant: facts.tenant,
            source: facts.source,
            destination: facts.destination,
            protocol: facts.protocol,
            source_port: facts.source_port,
            destination_port: facts.destination_port,
        }
    }
}

/// Any address as 128 bits; families are told apart elsewhere.
pub const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits() as u128,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Mixes numbers into a hash; the seed keeps strangers from choosing collisions.
#[derive(Clone, Copy)]
pub struct Hash(u64);

impl Hash {
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A folded multiplication: every bit of `word` reaches the upper and lower half.
    pub const fn word(self, word: u64) -> Self {
        let product = (self.0 ^ word) as u128 * 0xa076_1d64_78bd_642f_u128;
        Self((product >> 64) as u64 ^ product as u64)
    }

    pub const fn address(self, address: IpAddr) -> Self {
        let bits = bits(address);
        self.word(bits as u64)
            .word((bits >> 64) as u64 ^ address.is_ipv6() as u64)
    }

    pub const fn tuple(self, tuple: &Tuple) -> Self {
        let ports = (tuple.source_port as u64) << 16 | tuple.destination_port as u64;
        let rest = (tuple.protocol as u64) << 32
            | (tuple.direction as u64) << 40
            | (tuple.tenant.index() as u64) << 48
            | (tuple.interface as u64) << 56;
        self.address(tuple.source)
            .address(tuple.destination)
            .word(ports | rest)
    }

    /// A place in a table of `size`.
    pub const fn place(self, size: usize) -> usize {
        (self.word(self.0).0 % size as u64) as usize
    }
}
