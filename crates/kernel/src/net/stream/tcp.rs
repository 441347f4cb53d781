//! TCP connections as byte streams, for those who do not care that it is TCP.

use super::{ConnectError, StreamId, StreamState, Streams};
use crate::base::fixed::Map;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::TCP_LISTENERS_MAX;
use crate::net::packet::Endpoint;
use crate::net::tcp::{ListenerId, StateName, Tcp, TcpError};
use core::net::IpAddr;

/// The ports of the kernel's own services.
#[derive(Clone, Default)]
pub struct ServicePorts {
    listeners: Map<u16, ListenerId, TCP_LISTENERS_MAX>,
}

impl ServicePorts {
    pub fn listen(&mut self, tcp: &mut Tcp, port: u16, backlog: usize) -> Result<(), TcpError> {
        let listener = tcp.listen(Tenant::KERNEL, None, port, backlog)?;
        let kept = self.listeners.insert(port, listener);
        kept.map(|_| ()).map_err(|_| TcpError::ListenersFull)
    }

    /// Connections that nobody has accepted are broken off.
    pub fn unlisten(&mut self, tcp: &mut Tcp, port: u16) {
        if let Some(listener) = self.listeners.remove(&port) {
            tcp.unlisten(listener);
        }
    }
}

/// Lives for one step of those who use streams.
pub struct TcpStreams<'a> {
    pub now: Instant,
    pub tcp: &'a mut Tcp,
    pub ports: &'a ServicePorts,
    /// The address of ours that packets to an address come from.
    pub source_of: &'a mut dyn FnMut(IpAddr) -> Option<IpAddr>,
}

impl Streams for TcpStreams<'_> {
    fn accept(&mut self, port: u16) -> Option<StreamId> {
        self.tcp.accept(*self.ports.listeners.get(&port)?)
    }

    fn connect(&mut self, remote: Endpoint) -> Result<StreamId, ConnectError> {
        let source = (self.source_of)(remote.address).ok_or(ConnectError::Unreachable)?;
        let tcp = &mut self.tcp;
        tcp.connect(self.now, Tenant::KERNEL, source, remote)
            .map_err(|error| match error {
                TcpError::BadEndpoint => ConnectError::Unreachable,
                _ => ConnectError::Full,
            })
    }

    fn state(&self, id: StreamId) -> StreamState {
        let Some(status) = self.tcp.status(id) else {
            return StreamState::Gone;
        };
        match (status.end, status.state) {
            (Some(_), _) => StreamState::Gone,
            (None, StateName::SynSent | StateName::SynReceived) => StreamState::Connecting,
            (None, _) if status.is_end_of_stream => StreamState::Ended,
            (None, _) => StreamState::Open,
        }
    }

    fn failure(&self, id: StreamId) -> Option<&'static str> {
        self.tcp.status(id)?.end?.error()
    }

    fn remote(&self, id: StreamId) -> Option<Endpoint> {
        self.tcp.endpoints(id).map(|(_, remote)| remote)
    }

    fn readable(&self, id: StreamId) -> &[u8] {
        self.tcp.readable(id)
    }

    fn consume(&mut self, id: StreamId, count: usize) {
        self.tcp.consume(id, count);
    }

    fn write_space(&self, id: StreamId) -> usize {
        self.tcp.writable(id)
    }

    fn write(&mut self, id: StreamId, bytes: &[u8]) -> usize {
        self.tcp.write(id, bytes)
    }

    fn finish(&mut self, id: StreamId) {
        self.tcp.shutdown(id);
    }

    fn abort(&mut self, id: StreamId) {
        self.tcp.abort(id);
    }

    fn release(&mut self, id: StreamId) {
        self.tcp.release(id);
    }
}
