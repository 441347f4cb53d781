//! What the stack below TCP remembers.

use super::carrier::{Carrier, OwnFrames, OwnMemory};
use super::counters::{DropReason, Protocols};
use super::firewall::Firewall;
use super::interface::{Interfaces, LOOPBACK};
use super::neighbours::Neighbours;
use super::packet::Direction;
use super::path_mtu::PathMtus;
use super::ping::Pings;
use super::reassembly::Reassembly;
use super::routes::Routes;
use super::udp::Udp;
use crate::base::prng::Prng;
use crate::base::tenant::Tenant;
use crate::base::token_bucket::TokenBucket;
use crate::limits::{
    DATAGRAM_BYTES_MAX, ICMP_ERRORS_PER_S, LOOPBACK_FRAME_BYTES, LOOPBACK_FRAMES_MAX,
    REASSEMBLIES_MAX,
};

use alloc::boxed::Box;
use alloc::collections::VecDeque;

pub const ETHERNET_HEADER_BYTES: usize = 14;
/// Long frames that incoming fragments cannot take: what we send has to be cut, too.
const LONG_FRAMES_FOR_SENDING: usize = 2;

pub struct Stack {
    pub interfaces: Interfaces,
    pub neighbours: Neighbours,
    pub routes: Routes,
    pub paths: PathMtus,
    pub reassembly: Reassembly,
    pub udp: Udp,
    pub pings: Box<Pings>,
    pub firewall: Firewall,
    pub own: OwnMemory,
    /// Frames on their way from the machine to itself.
    pub loopback: VecDeque<(Tenant, Carrier)>,
    pub protocols: Protocols,
    /// Bounds the ICMP errors that we send.
    pub icmp_errors: TokenBucket,
    pub icmp_errors_withheld: u64,
    pub prng: Prng,
    pub next_identification: u32,
}

impl Stack {
    /// Takes all the memory that it will ever use. Nobody else may know the seed.
    pub fn new(seed: u64) -> Self {
        let mut prng = Prng::new(seed);
        let mut firewall = Firewall::new(prng.next_u64());
        firewall.set_inside(LOOPBACK, true);
        let long_frames = REASSEMBLIES_MAX + LONG_FRAMES_FOR_SENDING;
        Self {
            interfaces: Interfaces::new(LOOPBACK_FRAME_BYTES - ETHERNET_HEADER_BYTES),
            neighbours: Neighbours::new(prng.next_u64()),
            routes: Routes::default(),
            paths: PathMtus::default(),
            reassembly: Reassembly::default(),
            udp: Udp::default(),
            pings: Box::default(),
            firewall,
            own: OwnMemory {
                short: OwnFrames::new(LOOPBACK_FRAMES_MAX, LOOPBACK_FRAME_BYTES),
                long: OwnFrames::new(long_frames, DATAGRAM_BYTES_MAX),
            },
            loopback: VecDeque::with_capacity(LOOPBACK_FRAMES_MAX),
            protocols: Protocols::default(),
            icmp_errors: TokenBucket::new(ICMP_ERRORS_PER_S as u64, ICMP_ERRORS_PER_S as u64),
            icmp_errors_withheld: 0,
            next_identification: prng.next_u64() as u32,
            prng,
        }
    }

    pub fn count_drop(&mut self, interface: usize, direction: Direction, reason: DropReason) {
        if let Some(interface) = self.interfaces.get_mut(interface) {
            match direction {
                Direction::In => interface.counters.received_drops.count(reason),
                Direction::Out => interface.counters.sent_drops.count(reason),
            }
        }
    }

    pub const fn identification(&mut self) -> u32 {
        self.next_identification = self.next_identification.wrapping_add(1);
        self.next_identification
    }
}
