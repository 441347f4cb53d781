//! Byte streams: TCP connections, or memory in a test.

#[cfg(test)]
pub mod memory;
mod tcp;

pub use tcp::{ServicePorts, TcpStreams};

use super::packet::Endpoint;
use crate::base::fixed::Handle;

/// Names one life of one connection.
pub type StreamId = Handle;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamState {
    /// We have asked for it and wait for the other side.
    Connecting,
    Open,
    /// The other side sends nothing more; what it sent may still be read, and we may write.
    Ended,
    /// Over, by either side or by time; nothing can be read or written.
    Gone,
}

/// Why there is no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectError {
    /// All connections are in use.
    Full,
    /// There is no way to that address.
    Unreachable,
}

/// Connections by their ids. An id whose connection is gone reads nothing and takes nothing.
pub trait Streams {
    /// The oldest connection that was opened from outside to the port and was not taken yet.
    fn accept(&mut self, port: u16) -> Option<StreamId>;

    fn connect(&mut self, remote: Endpoint) -> Result<StreamId, ConnectError>;

    fn state(&self, id: StreamId) -> StreamState;

    /// A sentence on why the connection is over, where that is an error.
    fn failure(&self, _id: StreamId) -> Option<&'static str> {
        None
    }

    fn remote(&self, id: StreamId) -> Option<Endpoint>;

    /// The oldest received bytes that lie in one run; there may be more behind them once
    /// these are consumed.
    fn readable(&self, id: StreamId) -> &[u8];

    fn consume(&mut self, id: StreamId, count: usize);

    fn write_space(&self, id: StreamId) -> usize;

    /// Takes as many bytes as fit and says how many.
    fn write(&mut self, id: StreamId, bytes: &[u8]) -> usize;

    /// Nothing more is written; what was written goes out.
    fn finish(&mut self, id: StreamId);

    /// Ends the connection without saying why.
    fn abort(&mut self, id: StreamId);

    /// Nobody will use the id again. What was written still goes out.
    fn release(&mut self, id: StreamId);
}
