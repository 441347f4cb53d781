//! One question on its way: from server to server, by TCP when too long.

use super::message::{self, BadReply, Reply};
use super::name::Name;
use super::view::{DnsCounters, Failure, Kind};
use crate::base::fixed::Vec;
use crate::base::prng::Prng;
use crate::base::time::{Duration, Instant};
use crate::limits::DNS_MESSAGE_MAX;
use crate::net::datagram_sockets::{Datagrams, SocketId};
use crate::net::packet::Endpoint;
use crate::net::stream::{StreamId, StreamState, Streams};
use core::net::IpAddr;

const PORT: u16 = 53;
/// How long one server has for one datagram.
const TRY_TIME: Duration = Duration::from_secs(2);
const STREAM_TIME: Duration = Duration::from_secs(4);
/// Rounds over all servers, and at least so many tries.
const ROUNDS: usize = 2;
const TRIES_MIN: usize = 3;
/// Forged replies that are looked at in one step.
const REPLIES_A_STEP: usize = 16;
/// In front of a message that goes by TCP stands its length (RFC 7766, 8).
const LENGTH_BYTES: usize = 2;

enum Way {
    /// The next server is to be asked.
    Next,
    Datagram(SocketId),
    Stream {
        id: StreamId,
        has_asked: bool,
    },
}

/// What an exchange needs from around it.
pub struct Around<'a> {
    pub now: Instant,
    pub servers: &'a [IpAddr],
    pub datagrams: &'a mut dyn Datagrams,
    pub streams: &'a mut dyn Streams,
    pub counters: &'a mut DnsCounters,
    /// Seeded with what nobody can guess: ids of questions are made of it.
    pub prng: &'a mut Prng,
}

pub struct Exchange {
    name: Name,
    kind: Kind,
    id: u16,
    way: Way,
    tries: usize,
    server: Option<IpAddr>,
    deadline: Instant,
    has_refused: bool,
    /// What has come by TCP, its length included.
    message: Vec<u8, { LENGTH_BYTES + DNS_MESSAGE_MAX }>,
}

impl Exchange {
    pub const fn idle() -> Self {
        Self {
            name: Name::root(),
            kind: Kind::A,
            id: 0,
            way: Way::Next,
            tries: 0,
            server: None,
            deadline: Instant::ZERO,
            has_refused: false,
            message: Vec::new(),
        }
    }

    pub fn begin(&mut self, name: &Name, kind: Kind) {
        self.name = name.clone();
        self.kind = kind;
        self.way = Way::Next;
        self.tries = 0;
        self.has_refused = false;
    }

    /// Who was asked last.
    pub const fn server(&self) -> Option<IpAddr> {
        self.server
    }

    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Goes on as far as it goes without waiting.
    pub fn step(&mut self, around: &mut Around<'_>) -> Option<Result<Reply, Failure>> {
        loop {
            let reply = match self.way {
                Way::Next => match self.ask_next(around) {
                    Ok(()) => None,
                    Err(failure) => return Some(Err(failure)),
                },
                Way::Datagram(socket) => self.receive(socket, around),
                Way::Stream { id, has_asked } => self.converse(id, has_asked, around),
            };
            match reply {
                Some(Reply::Truncated) => self.become_stream(around),
                Some(Reply::Refused) => {
                    self.has_refused = true;
                    self.leave(around);
                }
                Some(reply) => {
                    self.leave(around);
                    return Some(Ok(reply));
                }
                None if matches!(self.way, Way::Next) => {}
                None if around.now >= self.deadline => self.leave(around),
                None => return None,
            }
        }
    }

    /// Gives back what it holds; the next step asks the next server.
    pub fn leave(&mut self, around: &mut Around<'_>) {
        match core::mem::replace(&mut self.way, Way::Next) {
            Way::Next => {}
            Way::Datagram(socket) => around.datagrams.close(socket),
            Way::Stream { id, .. } => {
                around.streams.abort(id);
                around.streams.release(id);
            }
        }
    }

    fn ask_next(&mut self, around: &mut Around<'_>) -> Result<(), Failure> {
        let count = around.servers.len();
        if count == 0 {
            return Err(Failure::NoServer);
        }
        if self.tries >= (ROUNDS * count).max(TRIES_MIN) {
            return Err(match self.has_refused {
                true => Failure::ServersFailed,
                false => Failure::TimedOut,
            });
        }
        let server = around.servers[self.tries % count];
        self.server = Some(server);
        self.tries += 1;
        around.counters.retries += u64::from(self.tries > 1);
        // A random id and a random port for every try: both must be guessed to forge a reply.
        self.id = around.prng.next_u64() as u16;
        let socket = around.datagrams.open().ok_or(Failure::Full)?;
        let query = message::query(self.id, &self.name, self.kind);
        let to = endpoint(server);
        // One that is not sent, for its neighbour is being looked for, is one that was lost.
        around.datagrams.send(socket, to, &query);
        around.counters.queries_sent += 1;
        self.way = Way::Datagram(socket);
        self.deadline = around.now + TRY_TIME;
        Ok(())
    }

    fn receive(&mut self, socket: SocketId, around: &mut Around<'_>) -> Option<Reply> {
        for _ in 0..REPLIES_A_STEP {
            let (mut reply, mut from) = (Err(BadReply::Malformed), None);
            let has_come = around.datagrams.receive(socket, &mut |sender, bytes| {
                reply = message::parse(bytes, self.id, &self.name, self.kind);
                from = Some(sender);
            });
            if !has_come {
                return None;
            }
            if from != self.server.map(endpoint) {
                around.counters.wrong_sender += 1;
                continue;
            }
            match reply {
                Ok(reply) => return Some(reply),
                // Perhaps somebody else's work: the right one may still come.
                Err(bad) => count(bad, around.counters),
            }
        }
        None
    }

    fn become_stream(&mut self, around: &mut Around<'_>) {
        self.leave(around);
        let server = self.server.map(endpoint);
        let stream = server.and_then(|server| around.streams.connect(server).ok());
        if let Some(id) = stream {
            around.counters.by_tcp += 1;
            self.message.clear();
            self.deadline = around.now + STREAM_TIME;
            self.way = Way::Stream {
                id,
                has_asked: false,
            };
        }
    }

    fn converse(
        &mut self,
        id: StreamId,
        has_asked: bool,
        around: &mut Around<'_>,
    ) -> Option<Reply> {
        let state = around.streams.state(id);
        if !has_asked && state == StreamState::Open {
            let query = message::query(self.id, &self.name, self.kind);
            if around.streams.write_space(id) < LENGTH_BYTES + query.len() {
                return None;
            }
            // A question is shorter than 64 KiB.
            around
                .streams
                .write(id, &(query.len() as u16).to_be_bytes());
            around.streams.write(id, &query);
            self.way = Way::Stream {
                id,
                has_asked: true,
            };
        }
        let arrived = around.streams.readable(id);
        let room = self.message.capacity() - self.message.len();
        let taken = arrived.len().min(room);
        let kept = self.message.extend_from_slice(&arrived[..taken]);
        crate::invariant!(kept.is_ok(), "a reply outgrew the room that was checked");
        around.streams.consume(id, taken);
        match self.whole_message() {
            Some(Ok(Reply::Truncated) | Err(BadReply::Malformed)) => Some(Reply::Refused),
            Some(Ok(reply)) => Some(reply),
            Some(Err(bad)) => {
                count(bad, around.counters);
                Some(Reply::Refused)
            }
            None if room == 0 => Some(Reply::Refused),
            None if matches!(state, StreamState::Ended | StreamState::Gone) && taken == 0 => {
                Some(Reply::Refused)
            }
            None => None,
        }
    }

    fn whole_message(&self) -> Option<Result<Reply, BadReply>> {
        let (length, rest) = self.message.split_first_chunk::<LENGTH_BYTES>()?;
        let message = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        Some(message::parse(message, self.id, &self.name, self.kind))
    }
}

const fn endpoint(address: IpAddr) -> Endpoint {
    Endpoint {
        address,
        port: PORT,
    }
}

const fn count(bad: BadReply, counters: &mut DnsCounters) {
    match bad {
        BadReply::WrongId => counters.wrong_id += 1,
        BadReply::WrongQuestion => counters.wrong_question += 1,
        BadReply::Malformed => counters.malformed += 1,
    }
}
