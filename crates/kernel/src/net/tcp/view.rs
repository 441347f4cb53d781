//! What TCP tells of itself: counters, its tables, its connections.

use super::types::StateName;
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::Duration;
use crate::net::packet::Endpoint;

/// What has happened since boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TcpCounters {
    pub segments_received: u64,
    pub bytes_received: u64,
    /// Hand-overs to the network; one may be a row of segments.
    pub departures: u64,
    pub segments_sent: u64,
    pub bytes_sent: u64,
    pub segments_retransmitted: u64,
    /// Times that nothing was heard until the retransmission timer ran out.
    pub timeouts: u64,
    /// Losses that were found by what arrived behind them.
    pub fast_recoveries: u64,
    pub tail_probes: u64,
    /// Losses that turned out to be none, and whose consequences were taken back.
    pub spurious_recoveries: u64,
    pub window_probes: u64,
    /// Received payload that was there already.
    pub duplicates: u64,
    pub out_of_order: u64,
    /// Payload that the window had no room for, or that no memory was left for.
    pub beyond_window: u64,
    pub resets_received: u64,
    pub resets_sent: u64,
    pub challenges_sent: u64,
    /// Segments whose timestamp was older than one seen before (RFC 7323, PAWS).
    pub old_timestamps: u64,
    /// Segments whose header or options make no sense.
    pub malformed: u64,
    /// Acknowledgements of what was never sent, and the like.
    pub unacceptable: u64,
    pub connections_opened: u64,
    pub connections_accepted: u64,
    /// Requests for a connection to a port whose backlog was full.
    pub backlog_full: u64,
    /// Half-open connections that a newer one pushed out.
    pub half_open_dropped: u64,
    /// Ended connections that were forgotten early.
    pub time_wait_dropped: u64,
    /// Answers without a connection that were not sent because there were too many.
    pub replies_dropped: u64,
    /// Segments that the firewall did not let out, or that had no way.
    pub sends_refused: u64,
}

pub struct TcpView {
    pub counters: TcpCounters,
    pub connections: Usage,
    pub half_open: Usage,
    pub time_wait: Usage,
    pub listeners: Usage,
    pub chunks: Usage,
}

/// A row of the table of connections; bytes and times as they are now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionView {
    pub tenant: Tenant,
    pub local: Endpoint,
    pub remote: Endpoint,
    pub state: StateName,
    pub congestion_window_bytes: usize,
    /// `None` until something was lost.
    pub slow_start_threshold_bytes: Option<usize>,
    /// `None` until measured.
    pub smoothed_round_trip: Option<Duration>,
    pub retransmit_after: Duration,
    /// What the other side lets us send, and what we let it.
    pub send_window_bytes: usize,
    pub receive_window_bytes: usize,
    pub segment_bytes: usize,
    pub bytes_in_flight: usize,
    pub send_queue_bytes: usize,
    pub receive_queue_bytes: usize,
    pub retransmitted_bytes: u64,
}

/// A port that takes connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListenerView {
    pub tenant: Tenant,
    pub address: Option<core::net::IpAddr>,
    pub port: u16,
    /// Connections that wait to be accepted.
    pub waiting: usize,
    pub backlog: usize,
}
