//! What users of TCP see of it: names of connections, states, errors, events.

use crate::base::fixed::Handle;
use crate::base::time::Duration;
use core::fmt;

/// Names one life of one connection.
pub type ConnectionId = Handle;

/// Names one life of one port that takes connections.
pub type ListenerId = Handle;

/// Where in its life a connection is (RFC 9293, section 3.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StateName {
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
    Closed,
}

impl StateName {
    pub const fn name(self) -> &'static str {
        match self {
            Self::SynSent => "syn-sent",
            Self::SynReceived => "syn-received",
            Self::Established => "established",
            Self::FinWait1 => "fin-wait-1",
            Self::FinWait2 => "fin-wait-2",
            Self::CloseWait => "close-wait",
            Self::Closing => "closing",
            Self::LastAck => "last-ack",
            Self::TimeWait => "time-wait",
            Self::Closed => "closed",
        }
    }
}

/// Why a connection is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Both sides have said that they are done.
    Finished,
    /// The other side broke it off.
    Reset,
    /// Nobody listens there.
    Refused,
    /// The other side has not answered for too long.
    TimedOut,
    /// There is no way to it.
    Unreachable,
    /// The firewall does not let it out.
    Forbidden,
    /// We broke it off.
    Aborted,
}

impl End {
    /// A sentence for a user; what is not an error has none.
    pub const fn error(self) -> Option<&'static str> {
        match self {
            Self::Finished | Self::Aborted => None,
            Self::Reset => Some("the other side broke the connection off"),
            Self::Refused => Some("connection refused: nothing listens on that port"),
            Self::TimedOut => Some("the other side does not answer; check its address with ping"),
            Self::Unreachable => Some("there is no way to that address; see the routes"),
            Self::Forbidden => Some("the firewall does not let the connection out"),
        }
    }
}

/// What is to be known of a connection by who uses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    pub state: StateName,
    /// The other side sends nothing more, and everything it sent was consumed.
    pub is_end_of_stream: bool,
    /// Everything that was written has been confirmed.
    pub is_flushed: bool,
    /// Set once the connection is over.
    pub end: Option<End>,
}

/// What has happened to a connection since its last event was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// `connect` has succeeded.
    Opened,
    /// There is something new to read, or the end of the stream.
    Readable,
    /// A quarter of the buffer for sending is free again.
    Writable,
    /// The connection is over; `status` says why. What was received can still be read.
    Closed,
}

/// What a user may choose for a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Short segments wait until the one before them is confirmed (Nagle, as Minshall wrote it).
    pub delays_short_segments: bool,
    /// Asks a silent peer whether it is still there after so long.
    pub keep_alive: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delays_short_segments: true,
            keep_alive: None,
        }
    }
}

/// Why something was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TcpError {
    /// Somebody listens there already.
    PortInUse,
    /// `TCP_LISTENERS_MAX` ports listen.
    ListenersFull,
    /// All connections, or the memory of their least buffers, are in use.
    ConnectionsFull,
    /// All of our ports have a connection to that endpoint.
    PortsFull,
    /// Port 0, or an address that is nobody's.
    BadEndpoint,
}

impl fmt::Display for TcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PortInUse => "something listens on that port already; choose another",
            Self::ListenersFull => "too many ports listen; stop a service",
            Self::ConnectionsFull => "too many connections; close one or wait",
            Self::PortsFull => "too many connections to that endpoint; close one or wait",
            Self::BadEndpoint => "not an address and port that one can connect to",
        })
    }
}
