//! Datagrams by the ids of their sockets: UDP, or memory in a test.

use super::packet::Endpoint;
use crate::base::fixed::Handle;

/// Names one life of one socket.
pub type SocketId = Handle;

pub trait Datagrams {
    /// A socket with a port that is hard to guess; `None` when all are in use.
    fn open(&mut self) -> Option<SocketId>;

    /// Says whether the datagram is on its way; if not, another one may be later.
    fn send(&mut self, socket: SocketId, to: Endpoint, payload: &[u8]) -> bool;

    /// Shows the oldest datagram that has arrived and forgets it; says whether there was one.
    fn receive(&mut self, socket: SocketId, take: &mut dyn FnMut(Endpoint, &[u8])) -> bool;

    fn close(&mut self, socket: SocketId);
}
