//! A hundred thousand frames that are nearly right.

use super::rig::{OWN, PEER, PEER_IP, Rig, TENANT, arp, echo, ethernet, ipv4, udp};
use crate::base::prng::Prng;
use crate::base::time::Duration;
use crate::net::checksum::{Sum, checksum};
use core::net::{IpAddr, Ipv6Addr};
use std::vec::Vec;

const FRAMES: usize = 100_000;

fn peer_ipv6() -> Ipv6Addr {
    "fe80::5054:ff:fe00:2".parse().unwrap()
}

fn own_ipv6() -> Ipv6Addr {
    "fe80::5054:ff:fe00:1".parse().unwrap()
}

/// An IPv6 packet with extension headers `chain`, each of 8 bytes.
fn ipv6(protocol: u8, hop_limit: u8, chain: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut packet = std::vec![0x60, 0, 0, 0];
    let length = (chain.len() * 8 + payload.len()) as u16;
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[*chain.first().unwrap_or(&protocol), hop_limit]);
    packet.extend_from_slice(&peer_ipv6().octets());
    packet.extend_from_slice(&own_ipv6().octets());
    for index in 0..chain.len() {
        let next = *chain.get(index + 1).unwrap_or(&protocol);
        packet.extend_from_slice(&[next, 0, 1, 4, 0, 0, 0, 0]);
    }
    packet.extend_from_slice(payload);
    ethernet(OWN, PEER, 0x86dd, &packet)
}

fn icmpv6(mut message: Vec<u8>) -> Vec<u8> {
    let (source, destination) = (IpAddr::V6(peer_ipv6()), IpAddr::V6(own_ipv6()));
    let mut sum = Sum::pseudo_header(source, destination, 58, message.len());
    sum.add(&message);
    message[2..4].copy_from_slice(&sum.checksum().to_be_bytes());
    message
}

fn seeds() -> Vec<Vec<u8>> {
    let whole = (0, 0, false);
    let mut solicitation = std::vec![135, 0, 0, 0, 0, 0, 0, 0];
    solicitation.extend_from_slice(&own_ipv6().octets());
    solicitation.extend_from_slice(&[1, 1]);
    solicitation.extend_from_slice(&PEER);
    let mut advertisement = std::vec![134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    advertisement.extend_from_slice(&[3, 4, 64, 0xc0, 0, 0, 7, 8, 0, 0, 3, 0, 0, 0, 0, 0]);
    advertisement.extend_from_slice(&"2001:db8::".parse::<Ipv6Addr>().unwrap().octets());
    advertisement.extend_from_slice(&[5, 1, 0, 0, 0, 0, 5, 0xdc]);
    advertisement.extend_from_slice(&[25, 3, 0, 0, 0, 0, 0, 9]);
    advertisement.extend_from_slice(&peer_ipv6().octets());
    let mut unreachable = std::vec![3, 3, 0, 0, 0, 0, 5, 0xdc];
    unreachable.extend_from_slice(&ipv4(PEER_IP, 17, whole, &udp(7, 9, b"quoted"))[14..]);
    let mut segment = std::vec![0; 32];
    segment[..4].copy_from_slice(&[0x13, 0x88, 0, 80]);
    segment[12..14].copy_from_slice(&[0x80, 2]);
    segment[20..24].copy_from_slice(&[2, 4, 5, 0xb4]);
    std::vec![
        arp(1, PEER, PEER_IP, super::rig::OWN_IP),
        arp(2, PEER, PEER_IP, super::rig::OWN_IP),
        ipv4(PEER_IP, 1, whole, &echo(64)),
        ipv4(PEER_IP, 1, whole, &unreachable),
        ipv4(PEER_IP, 1, (3, 0, true), &echo(24)[..32]),
        ipv4(PEER_IP, 1, (3, 32, false), &echo(24)),
        ipv4(PEER_IP, 17, whole, &udp(5000, 7, b"a datagram")),
        ipv4(PEER_IP, 17, whole, &udp(67, 68, &[2; 300])),
        ipv4(PEER_IP, 6, whole, &segment),
        ipv4(PEER_IP, 132, whole, b"another protocol"),
        ipv6(58, 255, &[], &icmpv6(solicitation)),
        ipv6(58, 255, &[], &icmpv6(advertisement)),
        ipv6(
            58,
            64,
            &[0, 60],
            &icmpv6(std::vec![128, 0, 0, 0, 1, 2, 3, 4, 5])
        ),
        ipv6(17, 64, &[0, 60, 43, 44], &udp(5000, 7, b"a datagram")),
        ipv6(6, 64, &[44], &segment),
    ]
}

/// Changes one thing: a length, a few bits, the end, a piece of another frame.
fn mutate(frame: &mut Vec<u8>, others: &[Vec<u8>], prng: &mut Prng) {
    let length = frame.len() as u64;
    match prng.below(8) {
        0 => frame.truncate(prng.below(length + 1) as usize),
        1 => frame.extend((0..prng.below(64)).map(|byte| byte as u8)),
        2 | 3 => {
            let place = prng.below(length) as usize;
            frame[place] = prng.next_u64() as u8;
        }
        4 => {
            let place = prng.below(length) as usize;
            let extremes = [0, 1, 0x7f, 0x80, 0xff];
            frame[place] = extremes[prng.below(5) as usize];
        }
        5 => {
            let place = 14 + prng.below(8) as usize;
            if let Some(byte) = frame.get_mut(place) {
                *byte = prng.next_u64() as u8;
            }
        }
        6 => {
            let other = &others[prng.below(others.len() as u64) as usize];
            let start = (14 + prng.below(40) as usize).min(frame.len());
            frame.truncate(start);
            frame.extend_from_slice(&other[14.min(other.len())..]);
        }
        _ => {
            let place = prng.below(length) as usize;
            frame[place] ^= 1 << prng.below(8);
        }
    }
}

/// Makes the checksums right again, so that the mutation gets past them.
fn repair(frame: &mut [u8]) {
    if frame.len() < 34 || frame[12..14] != [8, 0] {
        return;
    }
    let header_bytes = usize::from(frame[14] & 0xf) * 4;
    let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    if header_bytes < 20 || 14 + header_bytes > frame.len() {
        return;
    }
    frame[24..26].fill(0);
    let sum = checksum(&frame[14..14 + header_bytes]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
    let (start, end) = (14 + header_bytes, (14 + total).min(frame.len()));
    let place = start + if frame[23] == 6 { 16 } else { 2 };
    if !matches!(frame[23], 1 | 6) || place + 2 > end || start >= end {
        return;
    }
    frame[place..place + 2].fill(0);
    let mut sum = match frame[23] {
        6 => {
            let source: [u8; 4] = frame[26..30].try_into().unwrap();
            let destination: [u8; 4] = frame[30..34].try_into().unwrap();
            Sum::pseudo_header(source.into(), destination.into(), 6, end - start)
        }
        _ => Sum::new(),
    };
    sum.add(&frame[start..end]);
    frame[place..place + 2].copy_from_slice(&sum.checksum().to_be_bytes());
}

/// What arrives without a look at checksums reaches deepest; both ways are gone.
#[test]
fn a_hundred_thousand_malformed_frames_reach_no_invariant_and_keep_no_memory() {
    let seeds = seeds();
    let mut prng = Prng::new(2);
    let mut rig = Rig::new();
    rig.introduce_peer();
    let socket = rig.outlet().bind_udp(TENANT, None, 7).unwrap();
    for round in 0..FRAMES {
        let mut frame = seeds[prng.below(seeds.len() as u64) as usize].clone();
        for _ in 0..1 + prng.below(4) {
            if !frame.is_empty() {
                mutate(&mut frame, &seeds, &mut prng);
            }
        }
        if !prng.one_in(4) {
            repair(&mut frame);
        }
        rig.port.are_checksums_trusted = prng.one_in(2);
        rig.give(&frame);
        while let Some(datagram) = rig.outlet().take_udp(socket) {
            rig.outlet().release_udp(datagram);
        }
        if round % 512 == 0 {
            rig.run_for(Duration::from_millis(700));
        }
    }
    rig.outlet().close_udp(socket);
    rig.run_for(Duration::from_secs(200));
    assert!(
        rig.in_use().iter().all(|(_, used)| *used == 0),
        "{:?}",
        rig.in_use()
    );
    rig.port.are_checksums_trusted = false;
    rig.take_sent();
    rig.introduce_peer();
    let sent = rig.give(&ipv4(PEER_IP, 1, (0, 0, false), &echo(56)));
    assert!(sent.iter().any(|frame| frame[34] == 0), "it still answers");
}
