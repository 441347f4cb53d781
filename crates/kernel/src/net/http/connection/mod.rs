//! One connection of the server: a request, its answer, and the next request.
//!
//! Invariants: at most one request is being answered, so answers keep the order of the
//! requests; what belongs to the next request stays in the stream until then.

mod answer;
mod receive;

use super::chunked::Chunked;
use super::request::{Framing, Method};
use super::response::{Body, Delimiting, HeaderBytes};
use super::service::{Job, Service};
use super::status::Status;
use super::view::{RequestRecord, ServerCounters};
use crate::base::fixed::{Ring, Text, Vec};
use crate::base::time::{Duration, Instant};
use crate::limits::*;
use crate::net::stream::{StreamId, StreamState, Streams};
use alloc::boxed::Box;
use core::net::{IpAddr, Ipv4Addr};

/// From a request's first byte to the end of its head, however slowly it drips.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// A body gets this much, and a second more for every `BODY_BYTES_A_SECOND` that have come.
const BODY_TIME: Duration = Duration::from_secs(5);
const BODY_BYTES_A_SECOND: usize = 256;
/// Between two requests.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Until somebody can answer.
const WAIT_TIME: Duration = Duration::from_secs(5);
/// In which a client must take something of its answer.
const STALL_TIME: Duration = Duration::from_secs(20);
/// What the client still sends is read and dropped so long, lest the answer be lost with it.
const LINGER_TIME: Duration = Duration::from_secs(2);
/// Changes of phase in one step, so that no client holds up the others.
const TURNS_A_STEP: usize = 48;

type RequestBytes = Vec<u8, { HTTP_HEADER_BYTES_MAX + HTTP_BODY_BYTES_MAX }>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Between two requests.
    Idle,
    Head,
    Body(Framing),
    /// The request is whole, and nobody can answer it yet.
    Waiting,
    /// A job answers; how its end is found stands there once its header was written.
    Working(Job, Option<Delimiting>),
    Sending,
    Lingering,
}

/// What a step needs from around the connection.
pub struct Around<'a> {
    pub now: Instant,
    pub streams: &'a mut dyn Streams,
    pub service: &'a mut dyn Service,
    pub counters: &'a mut ServerCounters,
    pub records: &'a mut Ring<RequestRecord, HTTP_REQUESTS_SHOWN>,
}

/// The request that is being answered, as far as its answer depends on it.
struct Exchange {
    began: Instant,
    method: Option<Method>,
    path: Text<HTTP_PATH_SHOWN>,
    keeps_alive: bool,
    is_version_1_1: bool,
    status: Status,
    sent_bytes: u64,
}

pub struct Connection {
    stream: StreamId,
    peer: IpAddr,
    phase: Phase,
    /// The last progress that the clock of the phase counts from.
    since: Instant,
    /// A request that did not come in one piece: its head, then its body without marks.
    request: RequestBytes,
    /// Bytes of `request` in which the head does not end.
    looked_at: usize,
    head_length: usize,
    chunked: Chunked,
    exchange: Exchange,
    header: HeaderBytes,
    header_sent: usize,
    body: Body,
    body_sent: usize,
}

/// What a turn has come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// There may be more to do now.
    Again,
    /// Nothing to do before something arrives or time passes.
    Rest,
    Over,
}

/// What is left to do after a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    Nothing,
    /// It could go on at once.
    More,
    /// The connection is over and its place free.
    Over,
}

impl Connection {
    /// Memory for a connection that `begin` begins.
    pub fn spare() -> Box<Self> {
        Box::new(Self {
            stream: StreamId::NOTHING,
            peer: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            phase: Phase::Lingering,
            since: Instant::ZERO,
            request: Vec::new(),
            looked_at: 0,
            head_length: 0,
            chunked: Chunked::new(),
            exchange: Exchange::none(Instant::ZERO),
            header: Vec::new(),
            header_sent: 0,
            body: Body::default(),
            body_sent: 0,
        })
    }

    /// Makes it the connection of a stream.
    pub fn begin(&mut self, stream: StreamId, peer: IpAddr, now: Instant) {
        self.stream = stream;
        self.peer = peer;
        // The first request must come as soon as one that has begun.
        self.become_phase(Phase::Head, now);
        self.clear_request();
    }

    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// Since when it has been between two requests; `None` when it is not.
    pub fn idle_since(&self) -> Option<Instant> {
        (self.phase == Phase::Idle).then_some(self.since)
    }

    pub fn step(&mut self, around: &mut Around<'_>) -> Left {
        for _ in 0..TURNS_A_STEP {
            match self.turn(around) {
                Turn::Again => {}
                Turn::Rest => return Left::Nothing,
                Turn::Over => {
                    self.close(around);
                    return Left::Over;
                }
            }
        }
        Left::More
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let span = match self.phase {
            Phase::Idle => IDLE_TIME,
            Phase::Head => HEAD_TIME,
            Phase::Body(_) => {
                let seconds = self.body_length() / BODY_BYTES_A_SECOND;
                return Some(self.since + BODY_TIME + Duration::from_secs(seconds as u64));
            }
            Phase::Waiting => WAIT_TIME,
            // As long as the job has said nothing, the client is not the one who is late.
            Phase::Working(_, None) => return None,
            Phase::Working(_, Some(_)) | Phase::Sending => STALL_TIME,
            Phase::Lingering => LINGER_TIME,
        };
        Some(self.since + span)
    }

    /// Ends it to make room for another.
    pub fn close(&mut self, around: &mut Around<'_>) {
        if let Phase::Working(job, _) = self.phase {
            around.service.release(around.now, job);
            self.phase = Phase::Lingering;
        }
        around.streams.finish(self.stream);
        around.streams.release(self.stream);
    }

    fn turn(&mut self, around: &mut Around<'_>) -> Turn {
        if around.streams.state(self.stream) == StreamState::Gone {
            let is_in_the_middle = match self.phase {
                Phase::Idle | Phase::Lingering => false,
                Phase::Head => !self.request.is_empty(),
                _ => true,
            };
            around.counters.broken_off += u64::from(is_in_the_middle);
            return Turn::Over;
        }
        let turn = match self.phase {
            Phase::Idle | Phase::Head => self.receive_head(around),
            Phase::Body(framing) => self.receive_body(framing, around),
            Phase::Waiting if around.service.has_room() => self.offer(around),
            Phase::Waiting => Turn::Rest,
            Phase::Working(job, delimiting) => self.work(job, delimiting, around),
            Phase::Sending => self.send(around),
            Phase::Lingering => self.linger(around),
        };
        let is_late = self
            .next_deadline()
            .is_some_and(|deadline| deadline <= around.now);
        match turn == Turn::Rest && is_late {
            true => self.on_late(around),
            false => turn,
        }
    }

    /// The time of the phase is up.
    fn on_late(&mut self, around: &mut Around<'_>) -> Turn {
        match self.phase {
            Phase::Idle => around.counters.idle_timeouts += 1,
            Phase::Head if self.request.is_empty() => around.counters.idle_timeouts += 1,
            Phase::Head => {
                around.counters.head_timeouts += 1;
                return self.refuse(receive::HEAD_TOO_SLOW, around);
            }
            Phase::Body(_) => {
                around.counters.body_timeouts += 1;
                return self.refuse(receive::BODY_TOO_SLOW, around);
            }
            Phase::Waiting => {
                around.counters.wait_timeouts += 1;
                return self.turn_away(around);
            }
            Phase::Working(..) | Phase::Sending => {
                around.counters.stalled += 1;
                around.streams.abort(self.stream);
            }
            Phase::Lingering => {}
        }
        Turn::Over
    }

    fn linger(&mut self, around: &mut Around<'_>) -> Turn {
        let count = around.streams.readable(self.stream).len();
        around.streams.consume(self.stream, count);
        match (count, around.streams.state(self.stream)) {
            (1.., _) => Turn::Again,
            (0, StreamState::Ended | StreamState::Gone) => Turn::Over,
            (0, _) => Turn::Rest,
        }
    }

    fn become_phase(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.since = now;
    }

    fn body_length(&self) -> usize {
        self.request.len() - self.head_length.min(self.request.len())
    }

    fn clear_request(&mut self) {
        self.request.clear();
        self.looked_at = 0;
        self.head_length = 0;
    }
}

impl Exchange {
    fn none(now: Instant) -> Self {
        Self {
            began: now,
            method: None,
            path: Text::new(),
            keeps_alive: false,
            is_version_1_1: true,
            status: Status::BAD_REQUEST,
            sent_bytes: 0,
        }
    }
}
