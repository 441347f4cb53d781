//! TCP (RFC 9293): connections as machines between segments and byte streams.
//!
//! Limits: `TCP_CONNECTIONS_MAX` and its neighbours; memory is what `new` was given.
//! Nothing is allocated after `new`. Segments come in by `on_segment`; whatever is due
//! goes out by `transmit`, which the loop calls at the end of each tick.

mod arrive;
mod chunks;
mod confirm;
mod connection;
mod context;
mod cubic;
mod depart;
mod expire;
mod flights;
mod flow;
mod gaps;
mod half_open;
mod header;
mod input;
mod listeners;
mod output;
mod rack;
mod ready;
mod receiver;
mod replies;
mod ring;
mod round_trip;
mod secret;
mod sender;
mod sequence;
mod service;
mod slow_start;
mod table;
#[cfg(test)]
mod tests;
mod time_wait;
mod timers;
mod types;
mod view;

pub use types::{ConnectionId, End, Event, ListenerId, Options, StateName, Status, TcpError};
pub use view::{ConnectionView, ListenerView, TcpCounters, TcpView};

use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::{TCP_CONNECTIONS_MAX, TCP_HALF_OPEN_MAX, TCP_LISTENERS_MAX, TCP_TIME_WAIT_MAX};
use chunks::Chunks;
use connection::{Connection, State};
use context::Context;
use flow::{FlowTable, Place};
use half_open::HalfOpens;
use listeners::Listeners;
use ready::Ready;
use replies::Replies;
use ring::Ring;
use secret::Secret;
use table::Table;
use time_wait::{TimeWait, TimeWaits};
use timers::Timers;

/// All connections and listeners of the machine.
pub struct Tcp {
    secret: Secret,
    pool: Chunks,
    counters: TcpCounters,
    table: Table,
    flows: FlowTable,
    timers: Timers,
    listeners: Listeners,
    half_opens: HalfOpens,
    time_waits: TimeWaits,
    replies: Replies,
    /// Who has something to send, and whose user has something to be told.
    to_send: Ready,
    to_answer: Ready,
    to_tell: Ready,
    /// Moves on with each port that is chosen (RFC 6056).
    port_step: u64,
    /// When the network took nothing last, and was not tried since.
    busy_since: Option<Instant>,
}

impl Tcp {
    /// `secret` is random and never leaves the machine; `buffer_bytes` is what the buffers
    /// of all connections may take together.
    pub fn new(secret: [u8; 16], buffer_bytes: usize) -> Self {
        let pool = Chunks::new(buffer_bytes);
        let connections = (pool.count() / 2).clamp(1, TCP_CONNECTIONS_MAX);
        let flows = connections + TCP_HALF_OPEN_MAX + TCP_TIME_WAIT_MAX;
        let key = u128::from_le_bytes(secret);
        Self {
            secret: Secret::new(secret),
            counters: TcpCounters::default(),
            table: Table::new(connections),
            flows: FlowTable::new(flows, (key as u64).rotate_left(32) ^ (key >> 64) as u64),
            timers: Timers::new(connections),
            listeners: Listeners::new(),
            half_opens: HalfOpens::new(),
            time_waits: TimeWaits::new(),
            replies: Replies::new(),
            to_send: Ready::new(connections),
            to_answer: Ready::new(TCP_HALF_OPEN_MAX),
            to_tell: Ready::new(connections),
            pool,
            port_step: 0,
            busy_since: None,
        }
    }

    pub fn view(&self) -> TcpView {
        let usage = |name, capacity, used: usize, most: usize, refused| {
            Usage::of(name, capacity)
                .used(used as u64)
                .high_water(most as u64)
                .refused(refused)
        };
        let counters = TcpCounters {
            replies_dropped: self.replies.dropped,
            ..self.counters
        };
        let (table, half_opens) = (&self.table, &self.half_opens);
        let (time_waits, listening) = (&self.time_waits, self.listeners.used());
        TcpView {
            connections: usage(
                "TCP_CONNECTIONS_MAX",
                table.capacity(),
                table.used(),
                table.most(),
                table.refused(),
            ),
            half_open: usage(
                "TCP_HALF_OPEN_MAX",
                TCP_HALF_OPEN_MAX,
                half_opens.count(),
                half_opens.most(),
                counters.half_open_dropped,
            )
            .ring(),
            time_wait: usage(
                "TCP_TIME_WAIT_MAX",
                TCP_TIME_WAIT_MAX,
                time_waits.count(),
                time_waits.most(),
                counters.time_wait_dropped,
            )
            .ring(),
            listeners: Usage::of("TCP_LISTENERS_MAX", TCP_LISTENERS_MAX)
                .used(listening as u64)
                .refused(self.listeners.refused()),
            chunks: self.pool.usage(),
            counters,
        }
    }

    /// An id is there while the connection has a user.
    pub fn connections(&self) -> impl Iterator<Item = (Option<ConnectionId>, ConnectionView)> {
        self.table.iter().map(|(index, connection)| {
            let id = (!connection.is_released).then(|| self.table.id(index));
            (id, connection.view())
        })
    }

    pub fn listeners(&self) -> impl Iterator<Item = ListenerView> {
        self.listeners.views()
    }

    /// Memory for a connection's two directions.
    fn rings(&mut self) -> Option<(Ring, Ring)> {
        let mut out = Ring::new(&mut self.pool)?;
        match Ring::new(&mut self.pool) {
            Some(into) => Some((out, into)),
            None => {
                out.free(&mut self.pool);
                None
            }
        }
    }

    /// Is there room for one more connection, counted when not?
    fn has_room(&mut self) -> bool {
        let has_room = !self.table.is_full() && self.pool.used() + 2 <= self.pool.count();
        if !has_room {
            self.table.count_refusal();
        }
        has_room
    }

    /// The window that a SYN of ours tells: what memory allows, without a scale.
    fn first_window(&self) -> u16 {
        let bytes = crate::limits::TCP_CHUNK_BYTES + self.pool.growth_bytes();
        u16::try_from(bytes).unwrap_or(u16::MAX)
    }

    /// Lets a connection do something and sees to what follows from it.
    fn with<T>(
        &mut self,
        now: Instant,
        index: u16,
        act: impl FnOnce(&mut Connection, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let connection = self.table.get_mut(index)?;
        let mut context = Context {
            now,
            pool: &mut self.pool,
            counters: &mut self.counters,
        };
        let result = act(connection, &mut context);
        self.settle(now, index);
        Some(result)
    }

    /// Enters a connection in the lists that its new state asks for.
    fn settle(&mut self, now: Instant, index: u16) {
        let Some(connection) = self.table.get(index) else {
            return;
        };
        if connection.state.is_over() {
            self.settle_ended(now, index);
            return;
        }
        if connection.wants_to_send(&self.pool) {
            self.to_send.push(index);
        }
        if let Some(deadline) = connection.deadline() {
            self.timers.arm(index, deadline);
        }
        if connection.events != 0 && connection.waits_at.is_none() && !connection.is_released {
            self.to_tell.push(index);
        }
    }

    fn settle_ended(&mut self, now: Instant, index: u16) {
        let Some(connection) = self.table.get_mut(index) else {
            return;
        };
        if core::mem::replace(&mut connection.is_listed, false) {
            let hash = connection.hash;
            let remembered = (connection.state == State::TimeWait).then(|| {
                let receiver = &connection.receiver;
                let segment = connection.segment_received();
                TimeWait {
                    flow: connection.flow,
                    hash,
                    next_send: connection.sender.next,
                    next_receive: receiver.next,
                    window: receiver.window(&self.pool, segment),
                    clock: connection
                        .has_timestamps
                        .then(|| (connection.clock_offset, receiver.timestamp_echo())),
                    until: now,
                }
            });
            self.flows.remove(hash, Place::Connection(index));
            self.timers.disarm(index);
            if let Some(time_wait) = remembered {
                self.remember(now, time_wait);
            }
        }
        let Some(connection) = self.table.get_mut(index) else {
            return;
        };
        if let Some(listener) = connection.waits_at.take() {
            // Whoever would have accepted it never hears of it.
            connection.is_released = true;
            if let Some(listener) = self.listeners.get_mut(listener) {
                listener.waiting.retain(|other| *other != index);
            }
        }
        if connection.is_released {
            self.free(index);
        } else if connection.events != 0 {
            self.to_tell.push(index);
        }
    }

    /// A connection is over in good order: its end is remembered, and confirmed.
    fn remember(&mut self, now: Instant, time_wait: TimeWait) {
        if let Some(oldest) = self.time_waits.in_the_way() {
            self.counters.time_wait_dropped += 1;
            self.forget(oldest);
        }
        let answer = time_wait.answer(now);
        self.replies.push(time_wait.flow, answer);
        if let Some(index) = self.time_waits.insert(now, time_wait) {
            self.flows.insert(time_wait.hash, Place::TimeWait(index));
        }
    }

    fn forget(&mut self, time_wait: u16) {
        if let Some(entry) = self.time_waits.remove(time_wait) {
            self.flows.remove(entry.hash, Place::TimeWait(time_wait));
        }
    }

    fn free(&mut self, index: u16) {
        if let Some(mut connection) = self.table.remove(index) {
            connection.sender.ring.free(&mut self.pool);
            connection.receiver.ring.free(&mut self.pool);
        }
    }

    #[cfg(test)]
    fn assert_consistent(&self) {
        let mut owned = 0;
        for (index, connection) in self.table.iter() {
            connection.assert_consistent();
            owned += connection.sender.ring.owned() + connection.receiver.ring.owned();
            let place = self.place_of(connection.hash, &connection.flow);
            let is_found = place == Some(Place::Connection(index));
            assert_eq!(is_found, connection.is_listed);
        }
        assert_eq!(self.pool.used(), owned, "pieces of memory are lost");
        let listed = self.table.iter().filter(|(_, it)| it.is_listed).count();
        let known = listed + self.half_opens.count() + self.time_waits.count();
        assert_eq!(self.flows.count(), known, "flows are lost");
    }
}
