//! One load while it runs, and what it counts.

use super::order::{DATAGRAM_BYTES, GPU_BYTES, LINE_BYTES, Order, READ_BYTES, Work};
use super::{Disks, LoadView, Loads, TAGS};
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskDone, DiskOperation, DiskRequest, SECTOR_BYTES};
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::base::token_bucket::TokenBucket;
use crate::drivers::handlers::{Device, InputKind, Operation};
use crate::limits::LOAD_BUFFERS_MAX;
use crate::net::outlet::Outlet;
use crate::net::udp::UdpSocket;

const READ_SECTORS: u64 = (READ_BYTES / SECTOR_BYTES) as u64;
/// How much a load that was late makes up for at once: a 50th of a second.
const BURSTS_PER_S: u64 = 50;

pub struct Run {
    order: Order,
    /// When operations are due.
    pace: TokenBucket,
    started_at: Instant,
    ended_at: Option<Instant>,
    socket: Option<UdpSocket>,
    /// Operations that hold something until the end.
    held: u64,
    /// Reads that the disk has not answered.
    in_flight: u64,
    next_sector: u64,
    done: u64,
    bytes: u64,
    denied: u64,
    failed: u64,
}

impl Run {
    pub fn start(
        now: Instant,
        order: Order,
        outlet: &mut Outlet<'_>,
    ) -> Result<Self, &'static str> {
        let socket = match order.work {
            Work::Network { .. } => {
                let socket = outlet.bind_udp(order.tenant, None, 0);
                Some(socket.map_err(|_| Loads::NO_SOCKET)?)
            }
            _ => None,
        };
        let cost = order.work.cost();
        let mut pace = TokenBucket::new(order.per_s, (order.per_s / BURSTS_PER_S).max(cost));
        // The first operation is due at once, and no burst in front of the others.
        let _ = pace.take(now, (order.per_s / BURSTS_PER_S).saturating_sub(cost));
        Ok(Self {
            order,
            pace,
            started_at: now,
            ended_at: None,
            socket,
            held: 0,
            in_flight: 0,
            next_sector: 0,
            done: 0,
            bytes: 0,
            denied: 0,
            failed: 0,
        })
    }

    pub const fn order(&self) -> &Order {
        &self.order
    }

    pub const fn is_running(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Does it run, or is a disk still at work for it?
    pub const fn is_busy(&self) -> bool {
        self.is_running() || self.in_flight > 0
    }

    pub fn is_over(&self, now: Instant) -> bool {
        now.since(self.started_at) >= self.order.duration
    }

    /// Is it time for one more operation?
    pub fn is_due(&mut self, now: Instant) -> bool {
        self.pace.take(now, self.order.work.cost()).is_ok()
    }

    /// Tries one operation.
    pub fn operate(
        &mut self,
        now: Instant,
        outlet: &mut Outlet<'_>,
        disks: &mut dyn Disks,
        buffers: &mut Vec<Buffer, LOAD_BUFFERS_MAX>,
    ) {
        match self.order.work {
            Work::Network { .. } => self.send(outlet),
            Work::Block { disk } => self.read(now, disk, outlet, disks, buffers),
            Work::Gpu | Work::Input | Work::Console => self.ask(now, outlet),
        }
    }

    fn send(&mut self, outlet: &mut Outlet<'_>) {
        const PAYLOAD: [u8; DATAGRAM_BYTES] = [0x6c; DATAGRAM_BYTES];
        let (Work::Network { to }, Some(socket)) = (self.order.work, self.socket) else {
            return;
        };
        let tenant = self.order.tenant;
        let denied_before = outlet.handlers.counts(tenant, Device::Network).denied;
        let result = outlet.send_udp(socket, to, &PAYLOAD);
        let denied = outlet.handlers.counts(tenant, Device::Network).denied - denied_before;
        match result {
            Ok(()) => {
                self.done += 1;
                self.bytes += DATAGRAM_BYTES as u64;
            }
            Err(_) if denied > 0 => self.denied += 1,
            Err(_) => self.failed += 1,
        }
    }

    fn read(
        &mut self,
        now: Instant,
        index: usize,
        outlet: &mut Outlet<'_>,
        disks: &mut dyn Disks,
        buffers: &mut Vec<Buffer, LOAD_BUFFERS_MAX>,
    ) {
        let Some(disk) = disks.disk(index) else {
            self.failed += 1;
            return;
        };
        let sector = match self.next_sector + READ_SECTORS > disk.facts().sectors {
            true => 0,
            false => self.next_sector,
        };
        let operation = Operation::BlockRead {
            sector,
            sectors: READ_SECTORS,
        };
        let tenant = self.order.tenant;
        if outlet.handlers.admit(now, tenant, operation).is_err() {
            self.denied += 1;
            return;
        }
        let Some(buffer) = buffers.pop() else {
            outlet.handlers.release(tenant, operation);
            self.failed += 1;
            return;
        };
        let request = DiskRequest {
            tag: TAGS + tenant.index() as u64,
            operation: DiskOperation::Read,
            sector,
            sectors: READ_SECTORS,
            data: Some(buffer),
        };
        match disk.submit(request) {
            Ok(()) => {
                self.in_flight += 1;
                self.next_sector = sector + READ_SECTORS;
            }
            Err((_, request)) => {
                outlet.handlers.release(tenant, operation);
                self.failed += 1;
                let kept = request.data.map_or(Ok(()), |buffer| buffers.push(buffer));
                crate::invariant!(
                    kept.is_ok(),
                    "a buffer that was taken has no place any more"
                );
            }
        }
    }

    /// The disk has answered a read.
    pub fn on_read(&mut self, done: &DiskDone, outlet: &mut Outlet<'_>) {
        let operation = Operation::BlockRead {
            sector: done.request.sector,
            sectors: READ_SECTORS,
        };
        outlet.handlers.release(self.order.tenant, operation);
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

    /// An operation whose device is the handler itself.
    fn ask(&mut self, now: Instant, outlet: &mut Outlet<'_>) {
        let operation = self.operation();
        match outlet.handlers.admit(now, self.order.tenant, operation) {
            Ok(()) => {
                self.done += 1;
                self.bytes += match operation {
                    Operation::GpuAllocate { bytes } => bytes,
                    Operation::ConsoleWrite { bytes } => bytes as u64,
                    _ => 0,
                };
                self.held += 1;
            }
            Err(_) => self.denied += 1,
        }
    }

    const fn operation(&self) -> Operation {
        match self.order.work {
            Work::Gpu => Operation::GpuAllocate { bytes: GPU_BYTES },
            Work::Input => Operation::Input(InputKind::Key),
            Work::Console | Work::Network { .. } | Work::Block { .. } => {
                Operation::ConsoleWrite { bytes: LINE_BYTES }
            }
        }
    }

    /// Gives back what it holds; what it counted stays.
    pub fn end(&mut self, now: Instant, outlet: &mut Outlet<'_>) {
        self.ended_at = Some(now);
        if let Some(socket) = self.socket.take() {
            outlet.close_udp(socket);
        }
        for _ in 0..core::mem::take(&mut self.held) {
            outlet.handlers.release(self.order.tenant, self.operation());
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
