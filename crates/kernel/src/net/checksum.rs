//! The Internet checksum (RFC 1071), eight bytes at a time.

use core::net::IpAddr;

/// A sum that grows piece by piece; pieces may have odd lengths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Ones' complement sum in the machine's own byte order.
    total: u64,
    is_odd: bool,
}

impl Sum {
    pub const fn new() -> Self {
        Self {
            total: 0,
            is_odd: false,
        }
    }

    /// What TCP, UDP and ICMPv6 sum in front of their header.
    pub fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, length: usize) -> Self {
        let mut sum = Self::new();
        for address in [source, destination] {
            match address {
                IpAddr::V4(address) => sum.add(&address.octets()),
                IpAddr::V6(address) => sum.add(&address.octets()),
            }
        }
        sum.add(&(length as u32).to_be_bytes());
        sum.add(&u32::from(protocol).to_be_bytes());
        sum
    }

    pub fn add(&mut self, bytes: &[u8]) {
        let mut sum = sum_of(bytes);
        if self.is_odd {
            // The piece begins in the middle of a word: its bytes stand the other way round.
            sum = u64::from(fold(sum).swap_bytes());
        }
        self.total = add_with_carry(self.total, sum);
        self.is_odd ^= !bytes.len().is_multiple_of(2);
    }

    /// The sum itself, as it stands in front of a device that completes checksums.
    pub const fn partial(self) -> u16 {
        u16::from_be(fold(self.total))
    }

    /// The number that is stored in a header; zero for data that holds a right checksum.
    pub const fn checksum(self) -> u16 {
        !self.partial()
    }
}

/// The checksum of bytes that lie together.
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = Sum::new();
    sum.add(bytes);
    sum.checksum()
}

const fn add_with_carry(one: u64, other: u64) -> u64 {
    let (sum, carry) = one.overflowing_add(other);
    sum + carry as u64
}

const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    sum as u16
}

fn sum_of(bytes: &[u8]) -> u64 {
    let (mut first, mut second) = (0, 0);
    let (pairs, rest) = bytes.as_chunks::<16>();
    for pair in pairs {
        let (low, high) = pair.split_at(8);
        first = add_with_carry(first, word(low));
        second = add_with_carry(second, word(high));
    }
    for piece in rest.chunks(8) {
        first = add_with_carry(first, word(piece));
    }
    add_with_carry(first, second)
}

/// Up to eight bytes, missing ones as zero.
fn word(bytes: &[u8]) -> u64 {
    match bytes.try_into() {
        Ok(whole) => u64::from_ne_bytes(whole),
        Err(_) => {
            let mut padded = [0; 8];
            for (place, byte) in padded.iter_mut().zip(bytes) {
                *place = *byte;
            }
            u64::from_ne_bytes(padded)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use smoltcp::wire::{IpAddress, IpProtocol, checksum as theirs};

    #[test]
    fn any_bytes_give_the_sum_that_smoltcp_computes() {
        let mut prng = Prng::new(1);
        let mut bytes = [0; 4096];
        for _ in 0..3000 {
            prng.fill(&mut bytes);
            if prng.one_in(3) {
                bytes.fill(0xff);
            }
            let start = prng.below(9) as usize;
            let end = start + prng.below(4000) as usize;
            let piece = &bytes[start..end];
            assert_eq!(checksum(piece), !theirs::data(piece));
            let mut sum = Sum::new();
            let mut rest = piece;
            while !rest.is_empty() {
                let cut = (1 + prng.below(700) as usize).min(rest.len());
                sum.add(&rest[..cut]);
                rest = &rest[cut..];
            }
            assert_eq!(sum.checksum(), checksum(piece), "in pieces");
        }
    }

    #[test]
    fn the_pseudo_header_is_that_of_the_standards() {
        let cases = [("10.0.2.15", "10.0.2.2"), ("fe80::1", "2001:db8::9")];
        for (source, destination) in cases {
            let source: IpAddr = source.parse().unwrap();
            let destination: IpAddr = destination.parse().unwrap();
            let sum = Sum::pseudo_header(source, destination, 17, 1234);
            let (from, to) = (IpAddress::from(source), IpAddress::from(destination));
            let expected = theirs::pseudo_header(&from, &to, IpProtocol::Udp, 1234);
            assert_eq!(sum.partial(), expected);
        }
    }
}
