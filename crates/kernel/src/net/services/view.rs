//! What the services tell of themselves.

use super::Service;

/// What a service has done since boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ServiceCounters {
    pub connections: u64,
    /// Connections that found all places taken.
    pub connections_refused: u64,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    pub datagrams: u64,
    /// Datagrams that were not answered because the answer could start a storm.
    pub datagrams_ignored: u64,
}

/// A row of `net serve`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServiceView {
    pub service: Service,
    pub is_offered: bool,
    pub open: usize,
    pub counters: ServiceCounters,
    /// Of the connection that ended last: bytes received and their sum.
    pub last: Option<(u64, u64)>,
}
