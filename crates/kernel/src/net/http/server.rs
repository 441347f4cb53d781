//! The server: takes connections, steps them in turn, turns others away.
//!
//! Limits: `HTTP_CONNECTIONS_MAX` connections; one that waits between two requests makes
//! room for a new one, and when all are busy the new one is told to come back.

use super::connection::{Around, Connection, Left};
use super::response::{ConnectionLine, Delimiting, Header, HeaderBytes, Response};
use super::service::Service;
use super::status::Status;
use super::view::{RequestRecord, ServerCounters, ServerView};
use crate::base::fixed::Ring;
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::{HTTP_CONNECTIONS_MAX, HTTP_REQUESTS_SHOWN};
use crate::net::stream::{StreamId, StreamState, Streams};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// New connections of one step, so that the old ones are heard as well.
const ACCEPTS_A_STEP: usize = HTTP_CONNECTIONS_MAX;

pub struct Server {
    port: u16,
    /// Those that are in use; the others keep their memory for the next.
    connections: Vec<Box<Connection>>,
    spare: Vec<Box<Connection>>,
    high_water: usize,
    has_more: bool,
    counters: ServerCounters,
    records: Box<Ring<RequestRecord, HTTP_REQUESTS_SHOWN>>,
}

impl Server {
    /// Takes all the memory that it will ever use.
    pub fn new(port: u16) -> Self {
        let mut spare = Vec::with_capacity(HTTP_CONNECTIONS_MAX);
        spare.resize_with(HTTP_CONNECTIONS_MAX, Connection::spare);
        Self {
            port,
            connections: Vec::with_capacity(HTTP_CONNECTIONS_MAX),
            spare,
            high_water: 0,
            has_more: false,
            counters: ServerCounters::default(),
            records: Box::default(),
        }
    }

    /// Goes on with every connection as far as it goes without waiting.
    pub fn step(&mut self, now: Instant, streams: &mut dyn Streams, service: &mut dyn Service) {
        self.accept(now, streams, service);
        let mut around = Around {
            now,
            streams,
            service,
            counters: &mut self.counters,
            records: &mut self.records,
        };
        self.has_more = false;
        let count = self.connections.len();
        // Another one is the first each time.
        self.connections.rotate_left(count.min(1));
        // From the last to the first, for one that is over is replaced by the last.
        for index in (0..count).rev() {
            match self.connections[index].step(&mut around) {
                Left::Nothing => {}
                Left::More => self.has_more = true,
                Left::Over => self.spare.push(self.connections.swap_remove(index)),
            }
        }
    }

    /// `now` when there is more to do at once.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        if self.has_more {
            return Some(now);
        }
        let deadlines = self.connections.iter();
        deadlines
            .filter_map(|connection| connection.next_deadline())
            .min()
    }

    pub fn view(&self) -> ServerView {
        ServerView {
            port: self.port,
            connections: self.connections.len(),
            connections_high_water: self.high_water,
            counters: self.counters,
        }
    }

    /// The last requests, oldest first.
    pub fn records(&self) -> impl Iterator<Item = &RequestRecord> {
        self.records.iter()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("HTTP_CONNECTIONS_MAX", HTTP_CONNECTIONS_MAX)
            .used(self.connections.len() as u64)
            .high_water(self.high_water as u64)
            .refused(self.counters.refused)
    }

    fn accept(&mut self, now: Instant, streams: &mut dyn Streams, service: &mut dyn Service) {
        for _ in 0..ACCEPTS_A_STEP {
            let Some(stream) = streams.accept(self.port) else {
                return;
            };
            let Some(remote) = streams.remote(stream) else {
                streams.release(stream);
                continue;
            };
            if self.spare.is_empty() {
                self.make_room(now, streams, service);
            }
            let Some(mut connection) = self.spare.pop() else {
                self.turn_away(stream, streams);
                continue;
            };
            connection.begin(stream, remote.address, now);
            self.connections.push(connection);
            self.counters.accepted += 1;
            self.high_water = self.high_water.max(self.connections.len());
        }
    }

    /// Closes the connection that has been between two requests for the longest time.
    fn make_room(&mut self, now: Instant, streams: &mut dyn Streams, service: &mut dyn Service) {
        let idle = self.connections.iter().enumerate();
        let longest = idle
            .filter(|(_, connection)| {
                let id = connection.stream();
                streams.state(id) != StreamState::Open || streams.readable(id).is_empty()
            })
            .filter_map(|(index, connection)| Some((connection.idle_since()?, index)))
            .min();
        if let Some((_, index)) = longest {
            let mut around = Around {
                now,
                streams,
                service,
                counters: &mut self.counters,
                records: &mut self.records,
            };
            let mut connection = self.connections.swap_remove(index);
            connection.close(&mut around);
            self.counters.made_room += 1;
            self.spare.push(connection);
        }
    }

    /// Says that all places are taken, as far as that fits at once.
    fn turn_away(&mut self, stream: StreamId, streams: &mut dyn Streams) {
        self.counters.refused += 1;
        let response = Response::error(
            Status::UNAVAILABLE,
            "all HTTP connections are in use; try again",
        );
        let mut header = HeaderBytes::new();
        Header {
            status: response.status,
            content_type: response.content_type,
            headers: response.headers,
            mark: response.mark,
            retry_after_secs: Some(1),
            delimiting: Delimiting::Length(response.length()),
            connection: ConnectionLine::Close,
        }
        .write(&mut header);
        streams.write(stream, &header);
        for piece in response.body {
            streams.write(stream, piece);
        }
        streams.finish(stream);
        streams.release(stream);
    }
}
