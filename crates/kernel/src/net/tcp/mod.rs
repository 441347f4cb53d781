//! TCP (RFC 9293): connections as machines between segments and byte streams.
//!
//! Limits: `TCP_CONNECTIONS_MAX` and its neighbours; memory is what `new` was given.
//! Nothing is allocated after `new`. Segments come in by `on_segment`; whatever is due
//! goes out by `transmit`, which the loop calls at the end of each tick.

mod types;
mod view;

pub use types::{ConnectionId, End, Event, ListenerId, Options, StateName, Status, TcpError};
pub use view::{ConnectionView, ListenerView, TcpCounters, TcpView};

use super::packet::Endpoint;
use super::segment::{Arrival, SegmentSink};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use core::net::IpAddr;

/// All connections and listeners of the machine.
pub struct Tcp {
    counters: TcpCounters,
}

impl Tcp {
    /// `secret` is random and never leaves the machine; `buffer_bytes` is what the buffers
    /// of all connections may take together.
    pub fn new(_secret: [u8; 16], _buffer_bytes: usize) -> Self {
        Self {
            counters: TcpCounters::default(),
        }
    }

    /// Takes connections to a port, at one address or at all of the tenant's.
    pub fn listen(
        &mut self,
        _tenant: Tenant,
        _local: Option<IpAddr>,
        _port: u16,
        _backlog: usize,
    ) -> Result<ListenerId, TcpError> {
        Err(TcpError::ListenersFull)
    }

    /// Stops listening; connections that nobody has accepted are broken off.
    pub fn unlisten(&mut self, _listener: ListenerId) {}

    /// The oldest connection that was opened and not taken yet.
    pub fn accept(&mut self, _listener: ListenerId) -> Option<ConnectionId> {
        None
    }

    pub fn connect(
        &mut self,
        _now: Instant,
        _tenant: Tenant,
        _source: IpAddr,
        _remote: Endpoint,
    ) -> Result<ConnectionId, TcpError> {
        Err(TcpError::ConnectionsFull)
    }

    pub fn set_options(&mut self, _id: ConnectionId, _options: Options) {}

    /// The oldest received bytes that lie in one run; there may be more behind them.
    pub fn readable(&self, _id: ConnectionId) -> &[u8] {
        &[]
    }

    pub fn consume(&mut self, _id: ConnectionId, _count: usize) {}

    /// Bytes that `write` would take now.
    pub fn writable(&self, _id: ConnectionId) -> usize {
        0
    }

    /// Takes as many bytes as fit and says how many.
    pub fn write(&mut self, _id: ConnectionId, _bytes: &[u8]) -> usize {
        0
    }

    /// Lets `fill` write in place, at most `count` bytes and only those that lie in one
    /// run, and say how many it wrote.
    pub fn write_with(
        &mut self,
        _id: ConnectionId,
        _count: usize,
        _fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> usize {
        0
    }

    /// Nothing more is written; what was written goes out, then the end of the stream.
    pub fn shutdown(&mut self, _id: ConnectionId) {}

    /// Breaks the connection off; the id stays until it is released.
    pub fn abort(&mut self, _id: ConnectionId) {}

    /// Nobody will use the id again. What was written still goes out.
    pub fn release(&mut self, _id: ConnectionId) {}

    /// `None` when the id names nothing (any more).
    pub fn status(&self, _id: ConnectionId) -> Option<Status> {
        None
    }

    /// Ours first.
    pub fn endpoints(&self, _id: ConnectionId) -> Option<(Endpoint, Endpoint)> {
        None
    }

    pub fn on_segment(&mut self, _now: Instant, _arrival: &Arrival<'_>) {}

    /// A router says that packets larger than `mtu` do not get to `remote`. `sequence` is
    /// that of the segment it quotes; a message about none of ours is ignored.
    pub fn on_path_mtu(
        &mut self,
        _now: Instant,
        _tenant: Tenant,
        _local: Endpoint,
        _remote: Endpoint,
        _sequence: u32,
        _mtu: usize,
    ) {
    }

    /// A router or the host says that `remote` cannot be reached; `is_hard` for what will
    /// not change by waiting (a closed port, a prohibition).
    pub fn on_unreachable(
        &mut self,
        _now: Instant,
        _tenant: Tenant,
        _local: Endpoint,
        _remote: Endpoint,
        _sequence: u32,
        _is_hard: bool,
    ) {
    }

    /// Sends whatever is due, a connection at a time in turn; stops when the sink is busy.
    pub fn transmit(&mut self, _now: Instant, _sink: &mut dyn SegmentSink) {}

    /// When `transmit` is to be called though nothing happens.
    pub fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// The next thing that happened to a connection; each is told once.
    pub fn next_event(&mut self) -> Option<(ConnectionId, Event)> {
        None
    }

    pub fn view(&self) -> TcpView {
        use crate::base::metric::Usage;
        use crate::limits;
        TcpView {
            counters: self.counters,
            connections: Usage::of("TCP_CONNECTIONS_MAX", limits::TCP_CONNECTIONS_MAX),
            half_open: Usage::of("TCP_HALF_OPEN_MAX", limits::TCP_HALF_OPEN_MAX),
            time_wait: Usage::of("TCP_TIME_WAIT_MAX", limits::TCP_TIME_WAIT_MAX),
            listeners: Usage::of("TCP_LISTENERS_MAX", limits::TCP_LISTENERS_MAX),
            chunks: Usage::of("TCP_CHUNKS_MAX", limits::TCP_CHUNKS_MAX),
        }
    }

    pub fn connections(&self) -> impl Iterator<Item = (Option<ConnectionId>, ConnectionView)> {
        core::iter::empty()
    }

    pub fn listeners(&self) -> impl Iterator<Item = ListenerView> {
        core::iter::empty()
    }
}
