//! UDP sockets: who listens where, and what has arrived for them.
//!
//! A datagram stays in the frame in which it came until its consumer releases it.
//! Limits: `UDP_SOCKETS_MAX`, `UDP_QUEUE_MAX` a socket, `UDP_HELD_MAX` together, so
//! that slow consumers cannot keep all the frames of a port.

use super::carrier::Carrier;
use super::packet::Endpoint;
use crate::base::fixed::{Full, Handle, Pool};
use crate::base::metric::Usage;
use crate::base::prng::Prng;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::{UDP_HELD_MAX, UDP_QUEUE_MAX, UDP_SOCKETS_MAX};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::ops::Range;

/// The first port that is given to those who do not ask for one (RFC 6335).
const EPHEMERAL_FIRST: u16 = 49_152;
/// Ports that are tried before it counts as full: many times the number of sockets.
const EPHEMERAL_TRIES: usize = 16 * UDP_SOCKETS_MAX;

pub type UdpSocket = Handle;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UdpError {
    Full,
    PortInUse { port: u16 },
}

impl fmt::Display for UdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("all UDP sockets are in use; see net sockets"),
            Self::PortInUse { port } => {
                write!(f, "UDP port {port} is in use; choose another one")
            }
        }
    }
}

/// A datagram that has arrived, in the memory in which it came.
#[derive(Debug)]
pub struct Datagram {
    pub local: Endpoint,
    pub remote: Endpoint,
    /// The interface's place in the table of interfaces.
    pub interface: usize,
    pub at: Instant,
    carrier: Carrier,
    window: Range<usize>,
}

impl Datagram {
    /// `window` is where the payload lies in the carrier's bytes.
    pub const fn new(
        (local, remote): (Endpoint, Endpoint),
        interface: usize,
        at: Instant,
        carrier: Carrier,
        window: Range<usize>,
    ) -> Self {
        Self {
            local,
            remote,
            interface,
            at,
            carrier,
            window,
        }
    }

    pub fn payload(&self) -> &[u8] {
        self.carrier
            .bytes()
            .get(self.window.clone())
            .unwrap_or_default()
    }

    pub fn into_carrier(self) -> Carrier {
        self.carrier
    }
}

#[derive(Debug)]
struct Socket {
    tenant: Tenant,
    /// `None` listens on every address of the tenant.
    address: Option<IpAddr>,
    port: u16,
    queue: VecDeque<Datagram>,
    counters: UdpCounters,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UdpCounters {
    pub received: u64,
    pub received_bytes: u64,
    pub sent: u64,
    pub sent_bytes: u64,
    /// Datagrams that came faster than they were taken.
    pub dropped: u64,
}

/// A socket as tables show it.
#[derive(Clone, Copy, Debug)]
pub struct UdpView {
    pub tenant: Tenant,
    pub address: Option<IpAddr>,
    pub port: u16,
    pub queued: usize,
    pub counters: UdpCounters,
}

#[derive(Debug)]
pub struct Udp {
    sockets: Pool<Socket, UDP_SOCKETS_MAX>,
    /// Queues that no socket has.
    queues: Vec<VecDeque<Datagram>>,
    refused_sockets: u64,
    held: usize,
    held_most: usize,
    refused: u64,
}

impl Udp {
    /// Takes all the memory that it will ever use.
    pub fn new() -> Self {
        let queue = |_| VecDeque::with_capacity(UDP_QUEUE_MAX);
        Self {
            sockets: Pool::new(),
            queues: (0..UDP_SOCKETS_MAX).map(queue).collect(),
            refused_sockets: 0,
            held: 0,
            held_most: 0,
            refused: 0,
        }
    }

    /// Listens on a port; port 0 asks for a free one that is hard to guess.
    pub fn bind(
        &mut self,
        tenant: Tenant,
        address: Option<IpAddr>,
        port: u16,
        prng: &mut Prng,
    ) -> Result<UdpSocket, UdpError> {
        let port = match port {
            0 => self.free_port(tenant, prng).ok_or(UdpError::Full)?,
            port => port,
        };
        let collides = |(_, socket): (Handle, &Socket)| socket.collides(tenant, address, port);
        if self.sockets.iter().any(collides) {
            return Err(UdpError::PortInUse { port });
        }
        if self.queues.is_empty() {
            self.refused_sockets += 1;
            return Err(UdpError::Full);
        }
        let socket = Socket {
            tenant,
            address,
            port,
            queue: self.queues.pop().unwrap_or_default(),
            counters: UdpCounters::default(),
        };
        self.sockets.insert(socket).map_err(|Full| UdpError::Full)
    }

    fn free_port(&self, tenant: Tenant, prng: &mut Prng) -> Option<u16> {
        let span = u64::from(u16::MAX - EPHEMERAL_FIRST) + 1;
        (0..EPHEMERAL_TRIES).find_map(|_| {
            let port = EPHEMERAL_FIRST + prng.below(span) as u16;
            let mut sockets = self.sockets.iter();
            let is_taken = sockets.any(|(_, socket)| socket.collides(tenant, None, port));
            (!is_taken).then_some(port)
        })
    }

    /// Forgets the socket. What it holds must be taken and released before.
    pub fn close(&mut self, socket: UdpSocket) {
        if let Some(socket) = self.sockets.remove(socket) {
            self.queues.push(socket.queue);
        }
    }

    pub fn port(&self, socket: UdpSocket) -> Option<u16> {
        self.sockets.get(socket).map(|socket| socket.port)
    }

    /// Tenant, address and port that the socket sends from.
    pub fn local(&self, socket: UdpSocket) -> Option<(Tenant, Option<IpAddr>, u16)> {
        let socket = self.sockets.get(socket)?;
        Some((socket.tenant, socket.address, socket.port))
    }

    /// Who takes what arrives there; one that named the address goes before one that did not.
    pub fn listener(&self, tenant: Tenant, local: Endpoint) -> Option<UdpSocket> {
        let mut found = None;
        for (handle, socket) in self.sockets.iter() {
            if socket.tenant != tenant || socket.port != local.port {
                continue;
            }
            match socket.address {
                Some(address) if address == local.address => return Some(handle),
                Some(_) => {}
                None => found = Some(handle),
            }
        }
        found
    }

    /// Hands a datagram to its socket, or back when there is no room.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the datagram itself, which its owner has to release"
    )]
    pub fn deliver(&mut self, socket: UdpSocket, datagram: Datagram) -> Result<(), Datagram> {
        let Some(socket) = self.sockets.get_mut(socket) else {
            return Err(datagram);
        };
        if socket.queue.len() >= UDP_QUEUE_MAX || self.held >= UDP_HELD_MAX {
            socket.counters.dropped += 1;
            self.refused += 1;
            return Err(datagram);
        }
        socket.counters.received += 1;
        socket.counters.received_bytes += datagram.window.len() as u64;
        socket.queue.push_back(datagram);
        self.held += 1;
        self.held_most = self.held_most.max(self.held);
        Ok(())
    }

    /// The oldest datagram of a socket; whoever takes it releases its memory.
    pub fn take(&mut self, socket: UdpSocket) -> Option<Datagram> {
        self.sockets.get_mut(socket)?.queue.pop_front()
    }

    /// Counts that a datagram's memory has gone back.
    pub fn on_released(&mut self) {
        crate::invariant!(self.held > 0, "a datagram was released twice");
        self.held -= 1;
    }

    pub fn on_sent(&mut self, socket: UdpSocket, bytes: usize) {
        if let Some(socket) = self.sockets.get_mut(socket) {
            socket.counters.sent += 1;
            socket.counters.sent_bytes += bytes as u64;
        }
    }

    pub fn visit(&self, visit: &mut dyn FnMut(&UdpView)) {
        for (_, socket) in self.sockets.iter() {
            visit(&UdpView {
                tenant: socket.tenant,
                address: socket.address,
                port: socket.port,
                queued: socket.queue.len(),
                counters: socket.counters,
            });
        }
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("UDP_SOCKETS_MAX", UDP_SOCKETS_MAX)
                .used(self.sockets.used() as u64)
                .high_water(self.sockets.high_water() as u64)
                .refused(self.refused_sockets),
        );
        visit(
            &Usage::of("UDP_HELD_MAX", UDP_HELD_MAX)
                .used(self.held as u64)
                .high_water(self.held_most as u64)
                .refused(self.refused),
        );
        let queues = self.sockets.iter().map(|(_, socket)| socket.queue.len());
        visit(&Usage::of("UDP_QUEUE_MAX", UDP_QUEUE_MAX).used(queues.max().unwrap_or(0) as u64));
    }
}

impl Default for Udp {
    fn default() -> Self {
        Self::new()
    }
}

impl Socket {
    /// Would a socket of that kind receive what this one receives?
    fn collides(&self, tenant: Tenant, address: Option<IpAddr>, port: u16) -> bool {
        let is_same_address = match (self.address, address) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.tenant == tenant && self.port == port && is_same_address
    }
}
