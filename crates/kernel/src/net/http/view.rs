//! What a server says about itself: plain data for tables and metrics.

use super::request::Method;
use super::status::Status;
use crate::base::fixed::Text;
use crate::base::time::{Duration, Instant};
use crate::limits::HTTP_PATH_SHOWN;
use core::net::IpAddr;

/// Counted since the server was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ServerCounters {
    pub accepted: u64,
    /// Connections that were turned away because all places were taken.
    pub refused: u64,
    /// Idle connections that were closed to make room for new ones.
    pub made_room: u64,
    pub requests: u64,
    /// Answers by the hundreds of their status.
    pub answers: [u64; 6],
    /// Requests that were refused before anybody could answer them.
    pub malformed: u64,
    pub head_timeouts: u64,
    pub body_timeouts: u64,
    pub idle_timeouts: u64,
    /// Clients that did not take their answer.
    pub stalled: u64,
    /// Connections that ended in the middle of a request or an answer.
    pub broken_off: u64,
    /// Requests that waited in vain for somebody to answer them.
    pub wait_timeouts: u64,
    pub received_bytes: u64,
    pub sent_bytes: u64,
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    pub at: Instant,
    pub peer: IpAddr,
    /// `None` when it was not understood.
    pub method: Option<Method>,
    /// Without what stands behind a question mark.
    pub path: Text<HTTP_PATH_SHOWN>,
    pub status: Status,
    /// From the request's last byte to the answer's last byte.
    pub took: Duration,
    pub sent_bytes: u64,
}

/// What a service that runs commands for requests has counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ApiCounters {
    /// Commands that were given to a worker.
    pub commands: u64,
    /// Commands that nobody waited for any more.
    pub abandoned: u64,
    /// Commands that ran too long.
    pub timed_out: u64,
    /// Requests that would have needed a token and showed none.
    pub without_token: u64,
    pub wrong_token: u64,
    /// Requests from where too many wrong tokens had come.
    pub shut_out: u64,
    /// Requests that a page of another site had made.
    pub foreign: u64,
}

/// The service beside its server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ApiView {
    pub server: ServerView,
    pub counters: ApiCounters,
    pub workers_busy: usize,
    /// Was a token set?
    pub has_token: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ServerView {
    pub port: u16,
    pub connections: usize,
    pub connections_high_water: usize,
    pub counters: ServerCounters,
}
