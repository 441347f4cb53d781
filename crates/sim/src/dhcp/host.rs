//! A DHCP server as a host on a segment: its frames, its ARP, and stations in the way.

use super::server::{Answer, DhcpServer};
use crate::segment::{Segment, SegmentPort};
use crate::world::World;
use rayos_kernel::base::network_port::{NetworkPort, Offload};
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::net::dhcp::{CLIENT_PORT, SERVER_PORT};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const BROADCAST: [u8; 6] = [0xff; 6];
const IPV4: [u8; 2] = [8, 0];
const ARP: [u8; 2] = [8, 6];
const UDP: u8 = 17;
/// Ethernet, IP without options, UDP.
const HEADERS_BYTES: usize = 14 + 20 + 8;

pub struct DhcpHost {
    pub server: DhcpServer,
    port: SegmentPort,
    /// Addresses of stations that nobody gave them; the host answers for them.
    pub squatted: Vec<Ipv4Addr>,
    /// Answers that are not due yet; the number keeps those of one moment in order.
    waiting: BTreeMap<(Instant, u64), Answer>,
    answers: u64,
}

impl DhcpHost {
    pub fn new(segment: &Segment, mut server: DhcpServer) -> Self {
        let port = segment.join("server");
        server.hardware_address = port.hardware_address();
        Self {
            server,
            port,
            squatted: Vec::new(),
            waiting: BTreeMap::new(),
            answers: 0,
        }
    }

    /// Lets the world and the host live for a span.
    pub fn run_for(&mut self, world: &mut World, span: Duration) {
        self.run_until(world, span, |_, _| false);
    }

    /// Lets both live until `is_reached` or the span has passed; says which.
    pub fn run_until(
        &mut self,
        world: &mut World,
        span: Duration,
        mut is_reached: impl FnMut(&mut World, &Self) -> bool,
    ) -> bool {
        let end = world.now() + span;
        loop {
            self.poll(world.now());
            if is_reached(world, self) {
                return true;
            }
            if world.now() >= end {
                return false;
            }
            let next = self.next_event().unwrap_or(end).min(end);
            let left = next.since(world.now());
            // Whatever the kernels send may be for us.
            world.run_until(left, |_| self.next_event().is_some_and(|at| at < next));
        }
    }

    fn next_event(&self) -> Option<Instant> {
        let waiting = self.waiting.keys().next().map(|(at, _)| *at);
        waiting.into_iter().chain(self.port.next_event()).min()
    }

    fn poll(&mut self, now: Instant) {
        self.port.advance(now);
        while let Some(frame) = self.port.receive() {
            let bytes = frame.bytes().to_vec();
            self.port.recycle(frame);
            self.on_frame(now, &bytes);
        }
        while let Some(entry) = self.waiting.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let answer = entry.remove();
            self.send_answer(&answer);
        }
    }

    fn on_frame(&mut self, now: Instant, bytes: &[u8]) {
        match bytes.get(12..14) {
            Some(kind) if kind == ARP && bytes.len() >= 42 => self.on_arp(bytes),
            Some(kind) if kind == IPV4 && bytes.len() > HEADERS_BYTES => {
                self.on_packet(now, bytes);
            }
            _ => {}
        }
    }

    /// Answers requests for the addresses that are ours or a station's.
    fn on_arp(&mut self, bytes: &[u8]) {
        let is_request = bytes[20..22] == [0, 1];
        let target = address_at(bytes, 38);
        let is_here = target == self.server.address || self.squatted.contains(&target);
        if is_request && is_here && address_at(bytes, 28) != target {
            let asker = hardware_at(bytes, 22);
            self.send_arp(2, target, asker, address_at(bytes, 28));
        }
    }

    /// The stations that sit on the address say so to all.
    pub fn claim(&mut self, address: Ipv4Addr) {
        self.send_arp(1, address, BROADCAST, address);
    }

    fn send_arp(&mut self, operation: u8, from: Ipv4Addr, to: [u8; 6], target: Ipv4Addr) {
        let own = self.port.hardware_address();
        let mut frame = ethernet(to, own, ARP);
        frame.extend([0, 1, 8, 0, 6, 4, 0, operation]);
        frame.extend(own);
        frame.extend(from.octets());
        frame.extend(to);
        frame.extend(target.octets());
        frame.resize(60, 0);
        self.send(&frame);
    }

    fn on_packet(&mut self, now: Instant, bytes: &[u8]) {
        let is_udp = bytes[14] == 0x45 && bytes[23] == UDP;
        let to_port = u16::from_be_bytes([bytes[36], bytes[37]]);
        let destination = address_at(bytes, 30);
        let is_for_us = destination.is_broadcast() || destination == self.server.address;
        if !is_udp || to_port != SERVER_PORT || !is_for_us {
            return;
        }
        // What a bad wire has changed, a real host would see in the checksum.
        let length = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
        let Some(packet) = bytes.get(14..14 + length.max(28)) else {
            return;
        };
        if sum(0, &packet[..20]) != 0 || udp_sum(packet) != 0 {
            return;
        }
        let is_broadcast = destination.is_broadcast();
        if let Some(answer) = self.server.receive(now, &packet[28..], is_broadcast) {
            self.answers += 1;
            self.waiting
                .insert((now + answer.after, self.answers), answer);
        }
    }

    /// To the client's hardware address, which it has before its IP address.
    fn send_answer(&mut self, answer: &Answer) {
        let (to, destination) = match answer.to {
            Some(to) => (to, address_at(&answer.message, 16)),
            None => (BROADCAST, Ipv4Addr::BROADCAST),
        };
        let destination = match destination.is_unspecified() {
            true => address_at(&answer.message, 12),
            false => destination,
        };
        let udp_bytes = (8 + answer.message.len()) as u16;
        let mut packet = vec![0x45, 0];
        packet.extend((20 + udp_bytes).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, UDP, 0, 0]);
        packet.extend(self.server.address.octets());
        packet.extend(destination.octets());
        let checksum = sum(0, &packet);
        packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        packet.extend(SERVER_PORT.to_be_bytes());
        packet.extend(CLIENT_PORT.to_be_bytes());
        packet.extend(udp_bytes.to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(&answer.message);
        let checksum = udp_sum(&packet);
        packet[26..28].copy_from_slice(&checksum.to_be_bytes());
        let mut frame = ethernet(to, self.port.hardware_address(), IPV4);
        frame.extend(packet);
        self.send(&frame);
    }

    fn send(&mut self, bytes: &[u8]) {
        if let Some(mut frame) = self.port.take_frame(bytes.len()) {
            frame.truncate(bytes.len());
            frame.bytes_mut().copy_from_slice(bytes);
            self.port.transmit(frame, Offload::Nothing);
        }
    }
}

fn ethernet(to: [u8; 6], from: [u8; 6], kind: [u8; 2]) -> Vec<u8> {
    [&to[..], &from, &kind].concat()
}

fn address_at(bytes: &[u8], at: usize) -> Ipv4Addr {
    match bytes.get(at..at + 4) {
        Some(&[a, b, c, d]) => Ipv4Addr::new(a, b, c, d),
        _ => Ipv4Addr::UNSPECIFIED,
    }
}

fn hardware_at(bytes: &[u8], at: usize) -> [u8; 6] {
    let mut address = [0; 6];
    address.copy_from_slice(&bytes[at..at + 6]);
    address
}

/// The internet checksum; 0 over bytes that hold their own.
fn sum(start: u32, bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| {
        let low = pair.get(1).copied().unwrap_or_default();
        u32::from(u16::from_be_bytes([pair[0], low]))
    });
    let mut total = start + words.sum::<u32>();
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    !(total as u16)
}

/// The checksum of UDP in an IP packet, its pseudo header included.
fn udp_sum(packet: &[u8]) -> u16 {
    let payload = &packet[20..];
    let pseudo = u32::from(UDP) + payload.len() as u32;
    let addresses = u32::from(!sum(0, &packet[12..20]));
    sum(pseudo + addresses, payload)
}
