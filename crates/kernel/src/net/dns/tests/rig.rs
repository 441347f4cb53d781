//! A resolver and name servers that answer as a test tells them.

use super::super::{Answer, Failure, Kind, LookupId, Name, Resolver};
use crate::base::fixed::Pool;
use crate::base::time::{Duration, Instant};
use crate::net::datagram_sockets::{Datagrams, SocketId};
use crate::net::packet::Endpoint;
use crate::net::stream::memory::MemoryStreams;
use core::net::{IpAddr, Ipv4Addr};
use std::collections::VecDeque;
use std::vec::Vec;

pub const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 3));
pub const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 4));

#[derive(Default)]
pub struct Wire {
    sockets: Pool<VecDeque<(Endpoint, Vec<u8>)>, 16>,
    /// What was sent: from which socket, to whom, what.
    pub sent: VecDeque<(SocketId, Endpoint, Vec<u8>)>,
}

impl Wire {
    pub fn reply(&mut self, socket: SocketId, from: IpAddr, bytes: &[u8]) {
        let from = Endpoint {
            address: from,
            port: 53,
        };
        if let Some(queue) = self.sockets.get_mut(socket) {
            queue.push_back((from, bytes.to_vec()));
        }
    }

    pub fn open_sockets(&self) -> usize {
        self.sockets.used()
    }
}

impl Datagrams for Wire {
    fn open(&mut self) -> Option<SocketId> {
        self.sockets.insert(VecDeque::new()).ok()
    }

    fn send(&mut self, socket: SocketId, to: Endpoint, payload: &[u8]) -> bool {
        self.sent.push_back((socket, to, payload.to_vec()));
        true
    }

    fn receive(&mut self, socket: SocketId, take: &mut dyn FnMut(Endpoint, &[u8])) -> bool {
        let queue = self.sockets.get_mut(socket);
        match queue.and_then(VecDeque::pop_front) {
            Some((from, bytes)) => {
                take(from, &bytes);
                true
            }
            None => false,
        }
    }

    fn close(&mut self, socket: SocketId) {
        self.sockets.remove(socket);
    }
}

pub struct Rig {
    pub now: Instant,
    pub resolver: Resolver,
    pub wire: Wire,
    pub streams: MemoryStreams,
    pub servers: Vec<IpAddr>,
}

impl Rig {
    pub fn new() -> Self {
        Self {
            now: Instant::ZERO,
            resolver: Resolver::new(1),
            wire: Wire::default(),
            streams: MemoryStreams::default(),
            servers: [FIRST, SECOND].into(),
        }
    }

    pub fn ask(&mut self, name: &str, kind: Kind) -> LookupId {
        let name = Name::parse(name).unwrap();
        let id = self.resolver.ask(self.now, &name, kind).unwrap();
        self.step();
        id
    }

    pub fn step(&mut self) {
        self.resolver
            .step(self.now, &self.servers, &mut self.wire, &mut self.streams);
    }

    pub fn wait(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
        self.step();
    }

    /// The next question that went out: the socket, the server, its bytes.
    pub fn question(&mut self) -> (SocketId, IpAddr, Vec<u8>) {
        let (socket, to, bytes) = self.wire.sent.pop_front().expect("no question was sent");
        assert_eq!(to.port, 53);
        (socket, to.address, bytes)
    }

    /// Answers the next question with records.
    pub fn answer_next(&mut self, flags: u16, records: &[Record<'_>]) {
        let (socket, server, question) = self.question();
        let reply = reply(&question, flags, records, &[]);
        self.wire.reply(socket, server, &reply);
        self.step();
    }

    pub fn result(&mut self, id: LookupId) -> Option<Result<Answer, Failure>> {
        let result = self.resolver.answer(id).cloned();
        if result.is_some() {
            self.resolver.release(id, &mut self.wire, &mut self.streams);
        }
        result
    }
}

/// Owner, type, seconds to live, data.
pub type Record<'a> = (&'a str, u16, u32, Vec<u8>);

pub const OK: u16 = 0x8180;
pub const NO_SUCH_NAME: u16 = 0x8183;

pub fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

pub fn a(owner: &str, ttl: u32, last: u8) -> Record<'_> {
    (owner, 1, ttl, [192, 0, 2, last].into())
}

pub fn cname<'a>(owner: &'a str, ttl: u32, target: &str) -> Record<'a> {
    (owner, 5, ttl, name(target))
}

/// A server's reply to a question.
pub fn reply(
    question: &[u8],
    flags: u16,
    answers: &[Record<'_>],
    authority: &[Record<'_>],
) -> Vec<u8> {
    let mut bytes = question.to_vec();
    bytes[2..4].copy_from_slice(&flags.to_be_bytes());
    bytes[6..8].copy_from_slice(&(answers.len() as u16).to_be_bytes());
    bytes[8..10].copy_from_slice(&(authority.len() as u16).to_be_bytes());
    for (owner, number, ttl, data) in answers.iter().chain(authority) {
        bytes.extend(name(owner));
        bytes.extend(number.to_be_bytes());
        bytes.extend(1u16.to_be_bytes());
        bytes.extend(ttl.to_be_bytes());
        bytes.extend((data.len() as u16).to_be_bytes());
        bytes.extend(data);
    }
    bytes
}
