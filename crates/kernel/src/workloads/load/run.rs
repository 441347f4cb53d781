//! One load while it runs, and what it counts.

use super::LoadView;
use super::order::{DATAGRAM_BYTES, GPU_BYTES, LINE_BYTES, Order, READ_BYTES, Work};
use crate::base::buffer::Buffer;
use crate::base::capability::Ticket;
use crate::base::disk::{DiskOperation, SECTOR_BYTES};
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::base::token_bucket::TokenBucket;
use crate::drivers::handlers::{Device, DeviceHandlers, InputKind, Operation};
use crate::limits::{LOAD_BUFFERS_MAX, LOAD_TICKETS_MAX};
use crate::net::outlet::Outlet;
use crate::net::udp::UdpSocket;
use crate::storage::io::{IoDone, IoRequest, IoTag, Owner, Priority, Submit};

const READ_SECTORS: u64 = (READ_BYTES / SECTOR_BYTES) as u64;
/// How much a load that was late makes up for at once: a 50th of a second.
const BURSTS_PER_S: u64 = 50;

pub struct Run {
    order: Order,
    /// When operations are due.
    pace: TokenBucket,
    started_at: Instant,
    ended_at: Option<Instant>,
    is_stopped: bool,
    socket: Option<UdpSocket>,
    /// Operations that hold something until the end.
    held: u64,
    /// Of those that somebody counts.
    tickets: alloc::vec::Vec<Ticket>,
    /// The same of reads, with their sectors.
    read_tickets: Vec<(u64, Ticket), LOAD_BUFFERS_MAX>,
    /// Reads that the disk has not answered.
    in_flight: u64,
    next_sector: u64,
    done: u64,
    bytes: u64,
    denied: u64,
    failed: u64,
}

impl Run {
    pub fn new(now: Instant, order: Order) -> Self {
        let cost = order.work.cost();
        let burst = order.per_s / BURSTS_PER_S;
        let mut pace = TokenBucket::new(order.per_s, burst.max(cost));
        // The first operation is due at once, and no burst in front of the others.
        let _ = pace.take(now, burst.saturating_sub(cost));
        Self {
            order,
            pace,
            started_at: now,
            ended_at: None,
            is_stopped: false,
            socket: None,
            held: 0,
            tickets: alloc::vec::Vec::with_capacity(LOAD_TICKETS_MAX),
            read_tickets: Vec::new(),
            in_flight: 0,
            next_sector: 0,
            done: 0,
            bytes: 0,
            denied: 0,
            failed: 0,
        }
    }

    pub const fn is_of_disk(&self) -> bool {
        matches!(self.order.work, Work::Block { .. })
    }

    pub const fn is_running(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Does it run, or is a disk still at work for it?
    pub const fn is_busy(&self) -> bool {
        self.is_running() || self.in_flight > 0
    }

    /// Ends at the next step.
    pub const fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Gives back what it holds when its time is over; what it counted stays.
    pub fn maybe_end(&mut self, now: Instant, outlet: &mut Outlet<'_>) {
        let is_over = self.is_stopped || now.since(self.started_at) >= self.order.duration;
        if !self.is_running() || !is_over {
            return;
        }
        self.ended_at = Some(now);
        if let Some(socket) = self.socket.take() {
            outlet.close_udp(socket);
        }
        if let Some(operation) = self.operation() {
            for _ in 0..core::mem::take(&mut self.held) {
                let ticket = self.tickets.pop();
                outlet
                    .handlers
                    .release(self.order.tenant, operation, ticket);
            }
        }
    }

    /// Is it time for one more operation?
    fn is_due(&mut self, now: Instant) -> bool {
        self.pace.take(now, self.order.work.cost()).is_ok()
    }

    /// Tries one operation if it is time for one; says whether it was.
    pub fn maybe_operate(&mut self, now: Instant, outlet: &mut Outlet<'_>) -> bool {
        if !self.is_due(now) {
            return false;
        }
        match self.operation() {
            Some(operation) => self.ask(now, operation, outlet),
            None => self.send(outlet),
        }
        true
    }

    fn send(&mut self, outlet: &mut Outlet<'_>) {
        const PAYLOAD: [u8; DATAGRAM_BYTES] = [0x6c; DATAGRAM_BYTES];
        let Work::Network { to } = self.order.work else {
            return;
        };
        let tenant = self.order.tenant;
        if self.socket.is_none() {
            self.socket = outlet.bind_udp(tenant, None, 0).ok();
        }
        let Some(socket) = self.socket else {
            self.failed += 1;
            return;
        };
        let denied = |outlet: &Outlet<'_>| outlet.handlers.counts(tenant, Device::Network).denied;
        let denied_before = denied(outlet);
        match outlet.send_udp(socket, to, &PAYLOAD) {
            Ok(()) => {
                self.done += 1;
                self.bytes += DATAGRAM_BYTES as u64;
            }
            Err(_) if denied(outlet) > denied_before => self.denied += 1,
            Err(_) => self.failed += 1,
        }
    }

    /// Asks for an operation whose device is the handler itself.
    fn ask(&mut self, now: Instant, operation: Operation, outlet: &mut Outlet<'_>) {
        match outlet.handlers.admit(now, self.order.tenant, operation) {
            Ok(Some(ticket)) if self.tickets.len() == LOAD_TICKETS_MAX => {
                let tenant = self.order.tenant;
                outlet.handlers.release(tenant, operation, Some(ticket));
                self.failed += 1;
            }
            Ok(ticket) => {
                self.tickets.extend(ticket);
                self.done += 1;
                self.held += 1;
                self.bytes += match operation {
                    Operation::GpuAllocate { bytes } => bytes,
                    Operation::ConsoleWrite { bytes } => bytes as u64,
                    _ => 0,
                };
            }
            Err(_) => self.denied += 1,
        }
    }

    const fn operation(&self) -> Option<Operation> {
        match self.order.work {
            Work::Gpu => Some(Operation::GpuAllocate { bytes: GPU_BYTES }),
            Work::Input => Some(Operation::Input(InputKind::Key)),
            Work::Console => Some(Operation::ConsoleWrite { bytes: LINE_BYTES }),
            Work::Network { .. } | Work::Block { .. } => None,
        }
    }

    /// Hands one read to the disk if it is time for one; says whether it was.
    pub fn maybe_read(
        &mut self,
        now: Instant,
        handlers: &mut DeviceHandlers,
        io: &mut dyn Submit,
        buffers: &mut Vec<Buffer, LOAD_BUFFERS_MAX>,
    ) -> bool {
        if !self.is_due(now) {
            return false;
        }
        match self.read(now, handlers, io, buffers) {
            Ok(()) => self.in_flight += 1,
            Err(ReadError::Denied) => self.denied += 1,
            Err(ReadError::Failed) => self.failed += 1,
        }
        true
    }

    fn read(
        &mut self,
        now: Instant,
        handlers: &mut DeviceHandlers,
        io: &mut dyn Submit,
        buffers: &mut Vec<Buffer, LOAD_BUFFERS_MAX>,
    ) -> Result<(), ReadError> {
        let Work::Block { disk } = self.order.work else {
            return Err(ReadError::Failed);
        };
        let facts = io.facts(disk).ok_or(ReadError::Failed)?;
        let sector = match self.next_sector + READ_SECTORS > facts.sectors {
            true => 0,
            false => self.next_sector,
        };
        let tenant = self.order.tenant;
        let operation = read_at(sector);
        let admitted = handlers.admit(now, tenant, operation);
        let ticket = admitted.map_err(|_| ReadError::Denied)?;
        let Some(buffer) = buffers.pop() else {
            handlers.release(tenant, operation, ticket);
            return Err(ReadError::Failed);
        };
        let request = IoRequest {
            disk,
            tag: IoTag {
                owner: Owner::Load,
                number: tenant.index() as u64,
            },
            operation: DiskOperation::Read,
            sector,
            sectors: READ_SECTORS,
            data: Some(buffer),
            priority: Priority::USUAL,
            deadline: None,
            tenant,
        };
        if let Err((_, request)) = io.submit(now, request) {
            handlers.release(tenant, operation, ticket);
            let kept = request.data.map_or(Ok(()), |buffer| buffers.push(buffer));
            crate::invariant!(
                kept.is_ok(),
                "a buffer that was taken has no place any more"
            );
            return Err(ReadError::Failed);
        }
        if let Some(ticket) = ticket {
            let kept = self.read_tickets.push((sector, ticket));
            crate::invariant!(kept.is_ok(), "more reads than buffers are under way");
        }
        self.next_sector = sector + READ_SECTORS;
        Ok(())
    }

    /// The disk has answered a read.
    pub fn on_read(&mut self, done: &IoDone, handlers: &mut DeviceHandlers) {
        let sector = done.request.sector;
        let mut tickets = self.read_tickets.iter();
        let place = tickets.position(|(of, _)| *of == sector);
        let ticket = place.and_then(|place| self.read_tickets.remove(place));
        let ticket = ticket.map(|(_, ticket)| ticket);
        handlers.release(self.order.tenant, read_at(sector), ticket);
        self.in_flight = self.in_flight.saturating_sub(1);
        // What comes behind the end was not done in the time.
        match &done.result {
            Ok(()) if self.is_running() => {
                self.done += 1;
                self.bytes += READ_BYTES as u64;
            }
            Ok(()) => {}
            Err(_) => self.failed += 1,
        }
    }

    pub fn view(&self, now: Instant) -> LoadView {
        LoadView {
            order: self.order,
            is_running: self.is_running(),
            elapsed: self.ended_at.unwrap_or(now).since(self.started_at),
            done: self.done,
            bytes: self.bytes,
            denied: self.denied,
            failed: self.failed,
        }
    }
}

enum ReadError {
    /// A capability that is missing, or a quota.
    Denied,
    /// No disk, no memory, or the disk takes no more.
    Failed,
}

const fn read_at(sector: u64) -> Operation {
    Operation::BlockRead {
        sector,
        sectors: READ_SECTORS,
    }
}
