//! Echo, discard, character generator (RFC 862, 863, 864) for measuring.
//!
//! Off until somebody asks: they answer everyone. Datagrams from well-known ports are not
//! answered, or two such services would talk to each other for ever.
//! Limits: `SERVICE_CONNECTIONS_MAX` connections of all services together.

mod host;
mod pattern;
mod sum;
#[cfg(test)]
mod tests;
mod view;

pub use host::ServiceHost;
pub use pattern::Pattern;
pub use sum::StreamSum;
pub use view::{ServiceCounters, ServiceView};

use super::packet::Endpoint;
use super::stream::{StreamId, StreamState, Streams};
use crate::base::fixed::{Full, Vec};
use crate::base::metric::Usage;
use crate::base::service::{Service, ServiceSet};
use crate::limits::SERVICE_CONNECTIONS_MAX;

/// Bytes that one connection moves in one step, so that others get their turn.
const STEP_BYTES: usize = 256 * 1024;
/// Datagrams that one service takes in one step.
const STEP_DATAGRAMS: usize = 256;
/// Echoed bytes are held here between reading and writing.
const BOUNCE_BYTES: usize = 4096;
/// Payload of an answer of the character generator (RFC 864 allows so many).
pub const CHARGEN_DATAGRAM_BYTES: usize = 512;
/// Services of others listen below; an answer to one may be answered again.
const WELL_KNOWN_PORTS_END: u16 = 1024;

/// What the services need of the network to be heard.
pub trait Doors {
    /// Opens the port for connections and datagrams; says why when it cannot.
    fn open(&mut self, port: u16) -> Result<(), &'static str>;
    fn close(&mut self, port: u16);
}

/// Datagrams that have come to open ports.
pub trait Datagrams {
    /// Shows `judge` the oldest datagram for the port, and sends what it decides, if
    /// anything: the datagram itself, or `generated`. False when none waits.
    fn answer(
        &mut self,
        port: u16,
        generated: &[u8],
        judge: &mut dyn FnMut(Endpoint, &[u8]) -> Reply,
    ) -> bool;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    Nothing,
    Same,
    Generated,
}

struct Served {
    id: StreamId,
    service: Service,
    received: StreamSum,
    sent_bytes: u64,
}

pub struct Services {
    offered: ServiceSet,
    connections: Vec<Served, SERVICE_CONNECTIONS_MAX>,
    connections_most: usize,
    counters: [ServiceCounters; Service::ALL.len()],
    last: [Option<(u64, u64)>; Service::ALL.len()],
    pattern: Pattern,
}

impl Services {
    pub fn new() -> Self {
        Self {
            offered: ServiceSet::NONE,
            connections: Vec::new(),
            connections_most: 0,
            counters: Default::default(),
            last: [None; Service::ALL.len()],
            pattern: Pattern::new(),
        }
    }

    /// Offers what is wanted and nothing else. Connections of a service that ends go on.
    pub fn offer(&mut self, wanted: ServiceSet, doors: &mut dyn Doors) -> Result<(), &'static str> {
        let mut result = Ok(());
        for service in Service::ALL {
            let (is_offered, is_wanted) = (self.offered.has(service), wanted.has(service));
            if is_offered && !is_wanted {
                doors.close(service.port());
            }
            let mut is_open = is_wanted;
            if is_wanted
                && !is_offered
                && let Err(reason) = doors.open(service.port())
            {
                (is_open, result) = (false, Err(reason));
            }
            self.offered = self.offered.with(service, is_open);
        }
        result
    }

    /// Nothing is offered and nobody is served.
    pub fn is_idle(&self) -> bool {
        self.offered == ServiceSet::NONE && self.connections.is_empty()
    }

    pub const fn offered(&self) -> ServiceSet {
        self.offered
    }

    /// Serves what has arrived. Is there more to do at once?
    pub fn step(&mut self, streams: &mut dyn Streams, datagrams: &mut dyn Datagrams) -> bool {
        let mut has_more = false;
        for service in Service::ALL {
            if self.offered.has(service) {
                self.accept(service, streams);
                has_more |= self.answer_datagrams(service, datagrams);
            }
        }
        let mut index = 0;
        while index < self.connections.len() {
            let is_over = {
                let served = &mut self.connections[index];
                let counters = &mut self.counters[served.service as usize];
                let moved = served.move_bytes(streams, &self.pattern, counters);
                has_more |= moved >= STEP_BYTES;
                served.is_over(streams)
            };
            if is_over {
                self.end(index, streams);
            } else {
                index += 1;
            }
        }
        has_more
    }

    fn accept(&mut self, service: Service, streams: &mut dyn Streams) {
        while let Some(id) = streams.accept(service.port()) {
            let counters = &mut self.counters[service as usize];
            let served = Served {
                id,
                service,
                received: StreamSum::new(),
                sent_bytes: 0,
            };
            match self.connections.push(served) {
                Ok(()) => counters.connections += 1,
                Err(Full) => {
                    counters.connections_refused += 1;
                    streams.abort(id);
                    streams.release(id);
                }
            }
        }
        self.connections_most = self.connections_most.max(self.connections.len());
    }

    fn end(&mut self, index: usize, streams: &mut dyn Streams) {
        let Some(served) = self.connections.remove(index) else {
            return;
        };
        streams.finish(served.id);
        streams.release(served.id);
        self.last[served.service as usize] =
            Some((served.received.bytes(), served.received.value()));
    }

    fn answer_datagrams(&mut self, service: Service, datagrams: &mut dyn Datagrams) -> bool {
        let counters = &mut self.counters[service as usize];
        let generated = &self.pattern.piece(0)[..CHARGEN_DATAGRAM_BYTES];
        let mut judge = |from: Endpoint, bytes: &[u8]| {
            counters.datagrams += 1;
            counters.received_bytes += bytes.len() as u64;
            let (reply, sent_bytes) = match service {
                Service::Discard => (Reply::Nothing, 0),
                _ if from.port < WELL_KNOWN_PORTS_END => {
                    counters.datagrams_ignored += 1;
                    (Reply::Nothing, 0)
                }
                Service::Echo => (Reply::Same, bytes.len()),
                Service::Chargen => (Reply::Generated, CHARGEN_DATAGRAM_BYTES),
            };
            counters.sent_bytes += sent_bytes as u64;
            reply
        };
        (0..STEP_DATAGRAMS).all(|_| datagrams.answer(service.port(), generated, &mut judge))
    }

    pub fn visit(&self, visit: &mut dyn FnMut(&ServiceView)) {
        for service in Service::ALL {
            let of_it = |served: &&Served| served.service == service;
            visit(&ServiceView {
                service,
                is_offered: self.offered.has(service),
                open: self.connections.iter().filter(of_it).count(),
                counters: self.counters[service as usize],
                last: self.last[service as usize],
            });
        }
    }

    pub fn usage(&self) -> Usage {
        let refused = self.counters.iter().map(|it| it.connections_refused).sum();
        Usage::of("SERVICE_CONNECTIONS_MAX", SERVICE_CONNECTIONS_MAX)
            .used(self.connections.len() as u64)
            .high_water(self.connections_most as u64)
            .refused(refused)
    }
}

impl Default for Services {
    fn default() -> Self {
        Self::new()
    }
}

impl Served {
    /// Moves what can be moved and says how many bytes that were.
    fn move_bytes(
        &mut self,
        streams: &mut dyn Streams,
        pattern: &Pattern,
        counters: &mut ServiceCounters,
    ) -> usize {
        let (sent_before, received_before) = (self.sent_bytes, self.received.bytes());
        let mut moved = 0;
        while moved < STEP_BYTES {
            let count = match self.service {
                Service::Echo => self.echo(streams),
                Service::Discard => self.discard(streams),
                Service::Chargen => self.discard(streams) + self.generate(streams, pattern),
            };
            if count == 0 {
                break;
            }
            moved += count;
        }
        counters.sent_bytes += self.sent_bytes - sent_before;
        counters.received_bytes += self.received.bytes() - received_before;
        moved
    }

    fn discard(&mut self, streams: &mut dyn Streams) -> usize {
        let bytes = streams.readable(self.id);
        let count = bytes.len();
        if count > 0 {
            self.received.add(bytes);
            streams.consume(self.id, count);
        }
        count
    }

    fn echo(&mut self, streams: &mut dyn Streams) -> usize {
        let mut bounce = [0; BOUNCE_BYTES];
        let room = streams.write_space(self.id).min(BOUNCE_BYTES);
        let bytes = streams.readable(self.id);
        let count = bytes.len().min(room);
        bounce[..count].copy_from_slice(&bytes[..count]);
        let written = streams.write(self.id, &bounce[..count]);
        self.received.add(&bounce[..written]);
        self.sent_bytes += written as u64;
        streams.consume(self.id, written);
        written
    }

    fn generate(&mut self, streams: &mut dyn Streams, pattern: &Pattern) -> usize {
        let written = streams.write(self.id, pattern.piece(self.sent_bytes));
        self.sent_bytes += written as u64;
        written
    }

    /// Has the other side said all, and was all of it served?
    fn is_over(&self, streams: &dyn Streams) -> bool {
        match streams.state(self.id) {
            StreamState::Connecting | StreamState::Open => false,
            StreamState::Ended => streams.readable(self.id).is_empty(),
            StreamState::Gone => true,
        }
    }
}
