//! A network on a port whose both ends the test holds.

use crate::base::buffer::Buffer;
use crate::base::config::AddressSource;
use crate::base::metric::Usage;
use crate::base::network_port::{Checksums, Frame, NetworkPort, Offload, PortCounters, PortFacts};
use crate::base::service::ServiceSet;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::drivers::handlers::DeviceHandlers;
use crate::net::network::{Network, Setup};
use crate::net::outlet::Outlet;
use crate::net::ports::Ports;
use core::net::Ipv4Addr;
use std::boxed::Box;
use std::collections::VecDeque;
use std::vec::Vec;

pub const OWN: [u8; 6] = [0x52, 0x54, 0, 0, 0, 1];
pub const PEER: [u8; 6] = [0x52, 0x54, 0, 0, 0, 2];
pub const OWN_IP: [u8; 4] = [10, 0, 0, 1];
pub const PEER_IP: [u8; 4] = [10, 0, 0, 2];

/// Frames of the port; as many as a device has.
const FRAMES: usize = 600;
const FRAME_BYTES: usize = 2048;

pub struct TestPort {
    facts: PortFacts,
    free: Vec<&'static mut [u8]>,
    incoming: VecDeque<Vec<u8>>,
    pub sent: Vec<(Vec<u8>, Offload)>,
    pub are_checksums_trusted: bool,
}

impl TestPort {
    fn new() -> Self {
        let fresh = || &mut *Box::leak(std::vec![0xa5; FRAME_BYTES].into_boxed_slice());
        Self {
            facts: PortFacts {
                name: "eth0",
                hardware_address: OWN,
                is_link_up: true,
                mtu: 1500,
                completes_checksums: false,
                segments_bytes_max: 0,
            },
            free: (0..FRAMES).map(|_| fresh()).collect(),
            incoming: VecDeque::new(),
            sent: Vec::new(),
            are_checksums_trusted: false,
        }
    }

    /// All frames are on their way.
    pub fn drain_frames(&mut self) {
        self.free.clear();
    }

    fn frame(&mut self, bytes: usize) -> Option<Frame> {
        let memory = self.free.pop()?;
        memory.fill(0xa5);
        Some(Frame::new(Buffer::new(memory, 0), 0..bytes))
    }
}

impl NetworkPort for TestPort {
    fn facts(&self) -> PortFacts {
        self.facts
    }

    fn receive(&mut self) -> Option<Frame> {
        let bytes = self.incoming.pop_front()?;
        let mut frame = self.frame(bytes.len())?;
        frame.bytes_mut().copy_from_slice(&bytes);
        if self.are_checksums_trusted {
            frame.checksums = Checksums::Trusted;
        }
        Some(frame)
    }

    fn recycle(&mut self, frame: Frame) {
        self.free.push(frame.into_buffer().into_bytes());
        assert!(self.free.len() <= FRAMES);
    }

    fn take_frame(&mut self, bytes: usize) -> Option<Frame> {
        self.frame(bytes)
    }

    fn transmit(&mut self, frame: Frame, offload: Offload) {
        self.sent.push((frame.bytes().to_vec(), offload));
        self.recycle(frame);
    }

    fn flush(&mut self) {}

    fn counters(&self) -> PortCounters {
        PortCounters::default()
    }
}

impl Ports for TestPort {
    fn port(&mut self, index: usize) -> Option<&mut dyn NetworkPort> {
        (index == 0).then_some(self as &mut dyn NetworkPort)
    }
}

pub struct Rig {
    pub network: Box<Network>,
    pub port: TestPort,
    pub handlers: DeviceHandlers,
    pub now: Instant,
}

impl Rig {
    /// A network at 10.0.0.1 whose IPv6 address has been checked, in front of an open firewall.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut PortFacts)) -> Self {
        let [a, b, c, d] = OWN_IP;
        let setup = Setup {
            secret: [7; 32],
            tcp_buffer_bytes: 1 << 20,
            address: AddressSource::Fixed {
                address: Ipv4Addr::new(a, b, c, d),
                prefix: 24,
            },
            gateway: Some(Ipv4Addr::from(PEER_IP)),
            services: ServiceSet::NONE,
        };
        let mut rig = Self {
            network: Box::new(Network::new(setup)),
            port: TestPort::new(),
            handlers: DeviceHandlers::new(),
            now: Instant::from_nanos(1_000_000_000),
        };
        change(&mut rig.port.facts);
        rig.open_firewall();
        rig.run_for(Duration::from_secs(20));
        rig.port.sent.clear();
        rig
    }

    /// Lets everything in, so that the stack behind the firewall is what is tested.
    fn open_firewall(&mut self) {
        use crate::net::firewall::Rule;
        use crate::net::firewall::{Side, Verdict};
        let rule = Rule {
            verdict: Verdict::Allow,
            direction: None,
            protocol: None,
            source: Side::default(),
            destination: Side::default(),
            tenant: None,
            interface: None,
        };
        let firewall = self.network.firewall_mut();
        firewall.add(rule, None).unwrap();
    }

    pub fn tick(&mut self) {
        let Self {
            network,
            port,
            handlers,
            now,
        } = self;
        network.receive(*now, port, handlers);
        network.step(*now, port, handlers);
        network.transmit(*now, port, handlers);
    }

    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        self.tick();
        while let Some(next) = self.network.next_deadline() {
            let next = next.max(self.now + Duration::from_micros(1));
            if next >= end {
                break;
            }
            self.now = next;
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    /// Gives a frame to the port and hears what comes of it.
    pub fn give(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        self.port.incoming.push_back(frame.to_vec());
        self.tick();
        self.take_sent()
    }

    pub fn take_sent(&mut self) -> Vec<Vec<u8>> {
        let sent = core::mem::take(&mut self.port.sent);
        sent.into_iter().map(|(bytes, _)| bytes).collect()
    }

    pub fn outlet(&mut self) -> Outlet<'_> {
        let now = self.now;
        self.network.outlet(now, &mut self.port, &mut self.handlers)
    }

    /// The peer has said who it is, as a host does before it speaks.
    pub fn introduce_peer(&mut self) {
        let request = arp(1, PEER, PEER_IP, OWN_IP);
        assert_eq!(self.give(&request).len(), 1);
    }

    /// What is in use of the pools that a frame can reach.
    pub fn in_use(&self) -> Vec<(&'static str, u64)> {
        let mut list = std::vec![("FRAMES", (FRAMES - self.port.free.len()) as u64)];
        self.network.visit_usages(&mut |usage: &Usage| {
            if matches!(
                usage.name,
                "REASSEMBLIES_MAX" | "UDP_HELD_MAX" | "LOOPBACK_FRAMES_MAX" | "PINGS_MAX"
            ) {
                list.push((usage.name, usage.used.unwrap_or_default()));
            }
        });
        let long = self.network.stack.own.long.used() as u64;
        list.push(("LONG", long));
        list
    }
}

pub const TENANT: Tenant = Tenant::KERNEL;

pub fn ethernet(to: [u8; 6], from: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = to.to_vec();
    frame.extend_from_slice(&from);
    frame.extend_from_slice(&kind.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

pub fn arp(operation: u8, from: [u8; 6], source: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut packet = std::vec![0, 1, 8, 0, 6, 4, 0, operation];
    packet.extend_from_slice(&from);
    packet.extend_from_slice(&source);
    packet.extend_from_slice(&[0; 6]);
    packet.extend_from_slice(&target);
    ethernet([0xff; 6], from, 0x0806, &packet)
}

/// An IPv4 packet to us; `fragment` is identification, offset in bytes and more-follows.
pub fn ipv4(source: [u8; 4], protocol: u8, fragment: (u16, u16, bool), payload: &[u8]) -> Vec<u8> {
    let (identification, offset, has_more) = fragment;
    let total = (20 + payload.len()) as u16;
    let flags = (offset / 8) | (u16::from(has_more) << 13);
    let mut packet = std::vec![0x45, 0];
    packet.extend_from_slice(&total.to_be_bytes());
    packet.extend_from_slice(&identification.to_be_bytes());
    packet.extend_from_slice(&flags.to_be_bytes());
    packet.extend_from_slice(&[64, protocol, 0, 0]);
    packet.extend_from_slice(&source);
    packet.extend_from_slice(&OWN_IP);
    let sum = crate::net::checksum::checksum(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend_from_slice(payload);
    ethernet(OWN, PEER, 0x0800, &packet)
}

pub fn echo(size: usize) -> Vec<u8> {
    let mut message = std::vec![8, 0, 0, 0, 0x12, 0x34, 0, 1];
    message.extend((0..size).map(|index| index as u8));
    let sum = crate::net::checksum::checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// A UDP datagram without a checksum.
pub fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = from.to_be_bytes().to_vec();
    datagram.extend_from_slice(&to.to_be_bytes());
    datagram.extend_from_slice(&((8 + payload.len()) as u16).to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(payload);
    datagram
}
