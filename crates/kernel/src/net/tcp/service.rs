//! What a service does with connections: listen, connect, read, write, end.

use super::connection::{Connection, State};
use super::flow::{Flow, Place};
use super::secret::Purpose;
use super::sequence::Sequence;
use super::types::{ConnectionId, End, Event, ListenerId, Options, Status, TcpError};
use super::{Context, Tcp};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::net::packet::Endpoint;
use core::net::IpAddr;

/// Ports of ours that connections to elsewhere use (as RFC 6056 allows and Linux does).
const PORT_FIRST: u16 = 32_768;
const PORTS: u64 = 28_232;

impl Tcp {
    /// Takes connections to a port, at one address or at all of the tenant's.
    pub fn listen(
        &mut self,
        tenant: Tenant,
        local: Option<IpAddr>,
        port: u16,
        backlog: usize,
    ) -> Result<ListenerId, TcpError> {
        self.listeners.insert(tenant, local, port, backlog)
    }

    /// Stops listening; connections that nobody has accepted are broken off.
    pub fn unlisten(&mut self, listener: ListenerId) {
        let Some(number) = self.listeners.index_of(listener) else {
            return;
        };
        while let Some(half_open) = self.half_opens.of_listener(number) {
            self.drop_half_open(half_open);
        }
        let Some(mut listener) = self.listeners.remove(number) else {
            return;
        };
        while let Some(index) = listener.waiting.pop() {
            if let Some(connection) = self.table.get_mut(index) {
                connection.waits_at = None;
                connection.is_released = true;
            }
            self.break_off(index);
        }
    }

    /// The oldest connection that was opened and not taken yet.
    pub fn accept(&mut self, listener: ListenerId) -> Option<ConnectionId> {
        let number = self.listeners.index_of(listener)?;
        let index = self.listeners.get_mut(number)?.waiting.pop()?;
        let connection = self.table.get_mut(index)?;
        connection.waits_at = None;
        // That it is open is what the caller learns by this very call.
        connection.events &= !(1 << Event::Opened as u8);
        if connection.events != 0 {
            self.to_tell.push(index);
        }
        Some(self.table.id(index))
    }

    pub fn connect(
        &mut self,
        now: Instant,
        tenant: Tenant,
        source: IpAddr,
        remote: Endpoint,
    ) -> Result<ConnectionId, TcpError> {
        let is_bad = remote.port == 0
            || remote.address.is_unspecified()
            || remote.address.is_multicast()
            || source.is_unspecified()
            || source.is_ipv4() != remote.address.is_ipv4();
        if is_bad {
            return Err(TcpError::BadEndpoint);
        }
        if !self.has_room() {
            return Err(TcpError::ConnectionsFull);
        }
        let (flow, hash) = self.free_flow(tenant, source, remote)?;
        let rings = self.rings().ok_or(TcpError::ConnectionsFull)?;
        let connection = Connection::opening(
            now,
            flow,
            hash,
            self.first_sequence(now, &flow),
            self.clock_offset(&flow),
            self.first_window(),
            rings,
        );
        let index = self
            .table
            .insert(connection)
            .ok_or(TcpError::ConnectionsFull)?;
        self.flows.insert(hash, Place::Connection(index));
        self.counters.connections_opened += 1;
        self.to_send.push(index);
        Ok(self.table.id(index))
    }

    /// A port of ours without a connection to there (RFC 6056, section 3.3.4).
    fn free_flow(
        &mut self,
        tenant: Tenant,
        source: IpAddr,
        remote: Endpoint,
    ) -> Result<(Flow, u32), TcpError> {
        let mut flow = Flow {
            tenant,
            local: Endpoint {
                address: source,
                port: 0,
            },
            remote,
        };
        let offset = self.secret.number(Purpose::PortOffset, &flow) >> 1;
        for _ in 0..PORTS {
            self.port_step += 1;
            flow.local.port = PORT_FIRST + ((offset + self.port_step) % PORTS) as u16;
            let hash = self.flows.hash(&flow);
            if self.place_of(hash, &flow).is_none() {
                return Ok((flow, hash));
            }
        }
        Err(TcpError::PortsFull)
    }

    /// RFC 6528: a clock of 4 us and what only we can know.
    pub(super) fn first_sequence(&self, now: Instant, flow: &Flow) -> Sequence {
        let clock = (now.as_nanos() / 4_000) as u32;
        let hash = self.secret.number(Purpose::FirstSequence, flow) as u32;
        Sequence::new(clock.wrapping_add(hash))
    }

    pub(super) fn clock_offset(&self, flow: &Flow) -> u32 {
        self.secret.number(Purpose::Clock, flow) as u32
    }

    pub fn set_options(&mut self, id: ConnectionId, options: Options) {
        let Some(index) = self.table.index_of(id) else {
            return;
        };
        if let Some(connection) = self.table.get_mut(index) {
            connection.options = options;
        }
        self.look_at(index);
    }

    /// The oldest received bytes that lie in one run; there may be more behind them.
    pub fn readable(&self, id: ConnectionId) -> &[u8] {
        match self.table.of(id) {
            Some(connection) => {
                let receiver = &connection.receiver;
                receiver.ring.piece(&self.pool, 0, receiver.readable)
            }
            None => &[],
        }
    }

    pub fn consume(&mut self, id: ConnectionId, count: usize) {
        let Some(index) = self.table.index_of(id) else {
            return;
        };
        if let Some(connection) = self.table.get_mut(index) {
            connection.receiver.consume(&mut self.pool, count);
        }
        self.look_at(index);
    }

    /// Bytes that `write` would take now.
    pub fn writable(&self, id: ConnectionId) -> usize {
        match self.table.of(id) {
            Some(connection) if !connection.state.is_over() => connection.sender.space(&self.pool),
            _ => 0,
        }
    }

    /// Takes as many bytes as fit and says how many.
    pub fn write(&mut self, id: ConnectionId, bytes: &[u8]) -> usize {
        self.fill(id, |connection, context| {
            connection.sender.write(context.pool, bytes)
        })
    }

    /// Lets `fill` write in place, at most `count` bytes and only those that lie in one
    /// run, and say how many it wrote.
    pub fn write_with(
        &mut self,
        id: ConnectionId,
        count: usize,
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> usize {
        self.fill(id, |connection, context| {
            connection.sender.write_with(context.pool, count, fill)
        })
    }

    fn fill(
        &mut self,
        id: ConnectionId,
        act: impl FnOnce(&mut Connection, &mut Context<'_>) -> usize,
    ) -> usize {
        let Some(index) = self.table.index_of(id) else {
            return 0;
        };
        let Some(connection) = self.table.get_mut(index) else {
            return 0;
        };
        if connection.state.is_over() {
            return 0;
        }
        let mut context = Context {
            now: Instant::ZERO,
            pool: &mut self.pool,
            counters: &mut self.counters,
        };
        let written = act(connection, &mut context);
        if written > 0 && !connection.state.is_opening() {
            self.to_send.push(index);
        }
        written
    }

    /// Nothing more is written; what was written goes out, then the end of the stream.
    pub fn shutdown(&mut self, id: ConnectionId) {
        if let Some(index) = self.table.index_of(id) {
            self.finish(index);
        }
    }

    fn finish(&mut self, index: u16) {
        let Some(connection) = self.table.get_mut(index) else {
            return;
        };
        if connection.state.is_over() || connection.sender.is_finished {
            return;
        }
        connection.sender.is_finished = true;
        connection.state = match connection.state {
            State::Established => State::FinWait1,
            State::CloseWait => State::LastAck,
            other => other,
        };
        self.look_at(index);
    }

    /// Breaks the connection off; the id stays until it is released.
    pub fn abort(&mut self, id: ConnectionId) {
        if let Some(index) = self.table.index_of(id) {
            self.break_off(index);
        }
    }

    fn break_off(&mut self, index: u16) {
        let Some(connection) = self.table.get_mut(index) else {
            return;
        };
        if !connection.state.is_over() {
            if !matches!(connection.state, State::SynSent { .. }) {
                self.replies.push(connection.flow, connection.reset());
            }
            connection.end_with(End::Aborted);
        }
        self.settle_ended(Instant::ZERO, index);
    }

    /// Nobody will use the id again. What was written still goes out.
    pub fn release(&mut self, id: ConnectionId) {
        let Some(index) = self.table.index_of(id) else {
            return;
        };
        let Some(connection) = self.table.get_mut(index) else {
            return;
        };
        connection.is_released = true;
        connection.events = 0;
        if connection.state.is_over() || matches!(connection.state, State::SynSent { .. }) {
            self.break_off(index);
            return;
        }
        // Nobody reads what has come in; its room may serve others.
        let unread = connection.receiver.readable;
        connection.receiver.consume(&mut self.pool, unread);
        if let State::FinWait2 { until } = &mut connection.state {
            let from = connection.last_heard;
            *until = Some(from + super::arrive::HALF_CLOSED);
        }
        self.finish(index);
        self.look_at(index);
    }

    /// After something that brings nothing to an end.
    fn look_at(&mut self, index: u16) {
        let Some(connection) = self.table.get(index) else {
            return;
        };
        if connection.state.is_over() {
            return;
        }
        if connection.wants_to_send(&self.pool) {
            self.to_send.push(index);
        }
        if let Some(deadline) = connection.deadline() {
            self.timers.arm(index, deadline);
        }
    }

    /// `None` when the id names nothing (any more).
    pub fn status(&self, id: ConnectionId) -> Option<Status> {
        self.table.of(id).map(Connection::status)
    }

    /// Ours first.
    pub fn endpoints(&self, id: ConnectionId) -> Option<(Endpoint, Endpoint)> {
        let connection = self.table.of(id)?;
        Some((connection.flow.local, connection.flow.remote))
    }

    /// The next thing that happened to a connection; each is told once.
    pub fn next_event(&mut self) -> Option<(ConnectionId, Event)> {
        const ORDER: [Event; 4] = [
            Event::Opened,
            Event::Readable,
            Event::Writable,
            Event::Closed,
        ];
        while let Some(index) = self.to_tell.first() {
            if let Some(connection) = self.table.get_mut(index)
                && !connection.is_released
                && let Some(event) = ORDER
                    .into_iter()
                    .find(|event| connection.events & 1 << *event as u8 != 0)
            {
                connection.events &= !(1 << event as u8);
                return Some((self.table.id(index), event));
            }
            self.to_tell.pop();
        }
        None
    }
}
