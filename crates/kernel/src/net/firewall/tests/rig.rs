//! Packets and rules to test with.

use crate::base::prng::Prng;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::net::firewall::words::parse_rule;
use crate::net::firewall::{Firewall, PortRange, Prefix, Rule, Side, Verdict};
use crate::net::packet::{Direction, PacketFacts, protocol};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 15));
pub const THEIRS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

pub fn at(secs: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(secs)
}

/// A TCP segment with these flags, to or from port `local` of ours.
pub fn tcp(direction: Direction, remote: u16, local: u16, tcp_flags: u8) -> PacketFacts {
    PacketFacts {
        tcp_flags,
        ..packet(direction, protocol::TCP, remote, local)
    }
}

pub fn udp(direction: Direction, remote: u16, local: u16) -> PacketFacts {
    packet(direction, protocol::UDP, remote, local)
}

pub fn icmp(direction: Direction, icmp_type: u8, identifier: u16) -> PacketFacts {
    PacketFacts {
        icmp_type,
        ..packet(direction, protocol::ICMP, identifier, identifier)
    }
}

pub fn packet(direction: Direction, protocol: u8, remote: u16, local: u16) -> PacketFacts {
    let (source, destination) = match direction {
        Direction::In => ((THEIRS, remote), (OURS, local)),
        Direction::Out => ((OURS, local), (THEIRS, remote)),
    };
    PacketFacts {
        direction,
        interface: 0,
        tenant: Tenant::KERNEL,
        source: source.0,
        destination: destination.0,
        protocol,
        source_port: source.1,
        destination_port: destination.1,
        tcp_flags: 0,
        icmp_type: 0,
        quoted: None,
        bytes: 100,
    }
}

/// The same packet to or from a neighbour of the other one.
pub fn with_remote(facts: PacketFacts, number: u32) -> PacketFacts {
    let remote = IpAddr::V4(Ipv4Addr::from_bits(0xc633_0000 + number));
    match facts.direction {
        Direction::In => PacketFacts {
            source: remote,
            ..facts
        },
        Direction::Out => PacketFacts {
            destination: remote,
            ..facts
        },
    }
}

pub fn add(firewall: &mut Firewall, line: &str) {
    let words: std::vec::Vec<_> = line.split_whitespace().collect();
    let wish = parse_rule(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
    firewall.add(wish.rule, wish.number).unwrap();
}

/// Addresses, ports and the rest come from few values, so that rules and packets meet.
pub fn any_rule(prng: &mut Prng) -> Rule {
    let is_version_6 = prng.one_in(3);
    // A fifth are rules for all packets of one host, as on a deny list.
    let is_host_rule = prng.one_in(5);
    let source = any_side(prng, is_version_6, is_host_rule);
    if is_host_rule {
        return Rule {
            source,
            direction: any_of(prng, &[None, Some(Direction::In), Some(Direction::Out)]),
            ..Rule::any(any_of(
                prng,
                &[Verdict::Allow, Verdict::Deny, Verdict::Reject],
            ))
        };
    }
    Rule {
        verdict: any_of(prng, &[Verdict::Allow, Verdict::Deny, Verdict::Reject]),
        direction: any_of(prng, &[None, Some(Direction::In), Some(Direction::Out)]),
        protocol: any_of(
            prng,
            &[None, Some(6), Some(17), Some(1), Some(58), Some(200)],
        ),
        source,
        destination: any_side(prng, is_version_6, false),
        tenant: any_of(prng, &[None, None, Tenant::new(0), Tenant::new(3)]),
        interface: any_of(prng, &[None, None, None, Some(0), Some(2), Some(18)]),
    }
}

fn any_side(prng: &mut Prng, is_version_6: bool, is_host: bool) -> Side {
    let address = any_address(prng, is_version_6);
    let lengths: &[u8] = match is_version_6 {
        true => &[0, 1, 64, 96, 120, 127, 128],
        false => &[0, 1, 8, 16, 24, 30, 31, 32],
    };
    let length = match is_host {
        true => lengths[lengths.len() - 1],
        false => any_of(prng, lengths),
    };
    let first = any_port(prng);
    let ports = PortRange::new(first, first.saturating_add(prng.below(4) as u16));
    let has_ports = !is_host && prng.one_in(3);
    Side {
        prefix: Prefix::around(address, length).filter(|_| is_host || !prng.one_in(4)),
        ports: ports.filter(|_| has_ports),
    }
}

fn any_address(prng: &mut Prng, is_version_6: bool) -> IpAddr {
    let low = any_of(
        prng,
        &[
            0,
            1,
            2,
            3,
            0x0a00_0001,
            0x0a00_0101,
            0x0aff_ffff,
            0xc0a8_0001,
        ],
    );
    let low = low + prng.below(4) as u32;
    match is_version_6 {
        // The first of these is what an IPv4 address would look like in 128 bits.
        true => {
            let high: u128 = any_of(prng, &[0, 0xfd00 << 112, 0xfe80 << 112]);
            Ipv6Addr::from_bits(high | u128::from(low)).into()
        }
        false => Ipv4Addr::from_bits(low).into(),
    }
}

fn any_port(prng: &mut Prng) -> u16 {
    any_of(prng, &[0, 22, 23, 53, 80, 1_000, 65_533, 65_535])
}

pub fn any_packet(prng: &mut Prng) -> PacketFacts {
    let is_version_6 = prng.one_in(3);
    PacketFacts {
        direction: any_of(prng, &[Direction::In, Direction::Out]),
        interface: any_of(prng, &[0, 1, 2, 18]),
        tenant: any_of(prng, &[Tenant::KERNEL, Tenant::new(3).unwrap()]),
        source: any_address(prng, is_version_6),
        destination: any_address(prng, is_version_6),
        protocol: any_of(prng, &[6, 17, 1, 58, 200]),
        source_port: any_port(prng) ^ prng.below(4) as u16,
        destination_port: any_port(prng) ^ prng.below(4) as u16,
        tcp_flags: prng.below(64) as u8,
        icmp_type: any_of(prng, &[0, 3, 8, 128, 129, 135]),
        quoted: None,
        bytes: 20 + prng.below(1_480) as usize,
    }
}

pub fn any_of<T: Copy>(prng: &mut Prng, values: &[T]) -> T {
    values[prng.below(values.len() as u64) as usize]
}
