//! Virtio disks (virtio 1.2, 5.2): many requests in flight, none waited for.
//!
//! Limits: `BLOCK_REQUESTS_MAX` in flight.
//! Invariants: a request is in its slot from `submit` until `completed` gives it
//! back; a device that is reset or gone gives back all of them, as `Gone`.

use super::features::EVENT_INDEX;
use super::lie::DeviceLie;
use super::negotiation;
use super::queue::{Piece, Queue, QueueView, Used};
use super::transport::{StartError, Transport};
use crate::base::disk::{
    Disk, DiskDone, DiskError, DiskFacts, DiskOperation, DiskRequest, DiskView, SECTOR_BYTES,
};
use crate::base::fixed;
use crate::base::time::{Duration, Instant};
use crate::drivers::devices::driver::{Driver, Event};
use crate::limits::{BLOCK_REQUESTS_MAX, DISKS_MAX, IO_PIECES_MAX, VIRTIO_QUEUE_ENTRIES_MAX};
use crate::memory::SharedMemory;
use alloc::boxed::Box;

mod config;
#[cfg(test)]
mod tests;

use config::Config;

pub const KIND: u16 = 2;

const NAMES: [&str; DISKS_MAX] = [
    "disk0", "disk1", "disk2", "disk3", "disk4", "disk5", "disk6", "disk7",
];

/// A request that was not answered in this time never will be.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

const TYPE_READ: u32 = 0;
const TYPE_WRITE: u32 = 1;
const TYPE_FLUSH: u32 = 4;
const TYPE_DISCARD: u32 = 11;
const TYPE_WRITE_ZEROES: u32 = 13;

const STATUS_OK: u8 = 0;
const STATUS_ERROR: u8 = 1;
const STATUS_UNSUPPORTED: u8 = 2;
/// What stands there until the device has written its own.
const STATUS_UNWRITTEN: u8 = 0xff;

/// Shared memory of one request: its header, the segment of a discard, the status.
const SLOT_BYTES: usize = 64;
const HEADER_BYTES: usize = 16;
const SEGMENT_AT: usize = 16;
const SEGMENT_BYTES: usize = 16;
const STATUS_AT: usize = 32;
/// Header, data, status.
const PIECES_MAX: usize = 3;
const _: () = assert!(BLOCK_REQUESTS_MAX * PIECES_MAX <= VIRTIO_QUEUE_ENTRIES_MAX);

pub struct BlockDriver {
    name: &'static str,
    session: Option<Session>,
    /// By the token of the queue.
    slots: Box<[Slot; BLOCK_REQUESTS_MAX]>,
    done: fixed::Queue<DiskDone, BLOCK_REQUESTS_MAX>,
    view: DiskView,
    /// Devices that were attached, and the same ones again after a reset.
    starts: u32,
    /// Had it no device already when its memory was taken back last?
    had_none: bool,
    /// Since when there is another device than before; until the next poll it takes nothing,
    /// so that its queue notices, and asks it for nothing that the one before was to do.
    replaced_at: Option<Instant>,
    now: Instant,
}

/// What there is only while there is a device.
struct Session {
    transport: Box<dyn Transport>,
    queue: Queue,
    memory: SharedMemory,
    config: Config,
    /// Its registers are left alone.
    is_stopped: bool,
}

#[derive(Default)]
struct Slot {
    request: Option<DiskRequest>,
    since: Instant,
}

impl BlockDriver {
    /// `None` when no name is left.
    pub fn new(place: usize) -> Option<Self> {
        Some(Self {
            name: NAMES.get(place)?,
            session: None,
            slots: Box::new(core::array::from_fn(|_| Slot::default())),
            done: fixed::Queue::new(),
            view: DiskView::default(),
            starts: 0,
            had_none: false,
            replaced_at: None,
            now: Instant::ZERO,
        })
    }

    /// Takes the answer to the request in slot `used.token`.
    fn on_used(&mut self, used: Used) -> Result<(), DeviceLie> {
        let index = used.token as usize;
        let Some(session) = &self.session else {
            return Ok(());
        };
        // The queue gives back only tokens that it was given.
        let Some(request) = self.slots[index].request.take() else {
            return Ok(());
        };
        let status = session.memory.read_u8(index * SLOT_BYTES + STATUS_AT);
        match judge(&request, used, status) {
            Ok(result) => {
                self.finish(DiskDone { request, result });
                Ok(())
            }
            Err(lie) => {
                // Given back when its memory is out of the device's reach.
                self.slots[index].request = Some(request);
                Err(lie)
            }
        }
    }

    fn finish(&mut self, done: DiskDone) {
        let bytes = done.request.sectors.saturating_mul(SECTOR_BYTES as u64);
        match (&done.result, done.request.operation) {
            (Err(_), _) => self.view.failed += 1,
            (Ok(()), DiskOperation::Read) => {
                self.view.reads += 1;
                self.view.read_bytes += bytes;
            }
            (Ok(()), DiskOperation::Write) => {
                self.view.writes += 1;
                self.view.written_bytes += bytes;
            }
            (Ok(()), DiskOperation::Flush) => self.view.flushes += 1,
            (Ok(()), DiskOperation::Discard | DiskOperation::WriteZeroes) => self.view.others += 1,
        }
        let kept = self.done.push(done);
        crate::invariant!(kept.is_ok(), "more answers than requests of {}", self.name);
    }

    fn running(&mut self) -> Option<&mut Session> {
        self.session.as_mut().filter(|session| !session.is_stopped)
    }

    fn in_flight(&self) -> usize {
        let slots = self.slots.iter();
        slots.filter(|slot| slot.request.is_some()).count()
    }

    fn oldest(&self) -> Option<Instant> {
        let slots = self.slots.iter().filter(|slot| slot.request.is_some());
        slots.map(|slot| slot.since).min()
    }

    fn requests_max(&self) -> usize {
        match &self.session {
            Some(_) if self.replaced_at.is_some() => 0,
            Some(session) => {
                (usize::from(session.queue.size()) / PIECES_MAX).min(BLOCK_REQUESTS_MAX)
            }
            None => 0,
        }
    }

    /// Why the disk cannot take the request, if it cannot.
    fn refusal(&self, request: &DiskRequest) -> Option<DiskError> {
        let Some(session) = self.session.as_ref().filter(|session| !session.is_stopped) else {
            return Some(DiskError::Gone);
        };
        if let Err(error) = session.config.check(request) {
            return Some(error);
        }
        let waiting = self.in_flight() + self.done.len();
        (waiting >= self.requests_max()).then_some(DiskError::Busy)
    }
}

impl Session {
    /// Lays the request out in its slot and shows it to the device.
    fn send(&mut self, index: usize, request: &DiskRequest) -> Result<(), fixed::Full> {
        let at = index * SLOT_BYTES;
        let (kind, sector) = match request.operation {
            DiskOperation::Read => (TYPE_READ, request.sector),
            DiskOperation::Write => (TYPE_WRITE, request.sector),
            // What these are about stands in their segment, or nowhere.
            DiskOperation::Flush => (TYPE_FLUSH, 0),
            DiskOperation::Discard => (TYPE_DISCARD, 0),
            DiskOperation::WriteZeroes => (TYPE_WRITE_ZEROES, 0),
        };
        self.memory.write_u32(at, kind);
        self.memory.write_u32(at + 4, 0);
        self.memory.write_u64(at + 8, sector);
        self.memory.write_u64(at + SEGMENT_AT, request.sector);
        self.memory
            .write_u32(at + SEGMENT_AT + 8, request.sectors as u32);
        self.memory.write_u32(at + SEGMENT_AT + 12, 0);
        self.memory.write_u8(at + STATUS_AT, STATUS_UNWRITTEN);
        let piece = |offset: usize, bytes: usize| Piece {
            device_address: self.memory.device_address() + (at + offset) as u64,
            bytes: bytes as u32,
        };
        let (header, segment) = (piece(0, HEADER_BYTES), piece(SEGMENT_AT, SEGMENT_BYTES));
        let status = piece(STATUS_AT, 1);
        let total = request.sectors as usize * SECTOR_BYTES;
        let mut data: fixed::Vec<Piece, { IO_PIECES_MAX + 1 }> = fixed::Vec::new();
        let is_write = request.operation == DiskOperation::Write;
        let (queue, token) = (&mut self.queue, index as u32);
        if is_write {
            data.push(header)?;
        }
        let mut result = Ok(());
        request.data.visit(total, &mut |buffer, bytes| {
            let piece = Piece {
                device_address: buffer.device_address(),
                bytes: bytes as u32,
            };
            result = result.and(data.push(piece));
        });
        result?;
        match request.operation {
            DiskOperation::Read => {
                data.push(status)?;
                queue.add(&[header], &data, token)
            }
            DiskOperation::Write => queue.add(&data, &[status], token),
            DiskOperation::Discard | DiskOperation::WriteZeroes => {
                queue.add(&[header, segment], &[status], token)
            }
            DiskOperation::Flush => queue.add(&[header], &[status], token),
        }
    }
}

/// What the device says of a request, and whether that can be.
fn judge(
    request: &DiskRequest,
    used: Used,
    status: u8,
) -> Result<Result<(), DiskError>, DeviceLie> {
    let field = |name, value: u64| Err(DeviceLie::Field { name, value });
    if used.bytes == 0 {
        return field("request length", 0);
    }
    let sector = request.sector;
    match status {
        STATUS_OK => {
            let wanted = match request.operation {
                DiskOperation::Read => request.sectors * SECTOR_BYTES as u64 + 1,
                _ => 1,
            };
            if u64::from(used.bytes) != wanted {
                return field("request length", u64::from(used.bytes));
            }
            Ok(Ok(()))
        }
        STATUS_ERROR => Ok(Err(DiskError::Device { sector })),
        STATUS_UNSUPPORTED => Ok(Err(DiskError::Unsupported)),
        status => field("request status", u64::from(status)),
    }
}

impl Driver for BlockDriver {
    fn name(&self) -> &'static str {
        "virtio-blk"
    }

    fn label(&self) -> &'static str {
        self.name
    }

    fn attach(
        &mut self,
        mut transport: Box<dyn Transport>,
        now: Instant,
    ) -> Result<(), StartError> {
        self.now = now;
        let features =
            negotiation::negotiate(transport.as_mut(), config::WANTED | EVENT_INDEX, &[])?;
        let mut config = Config::read(transport.as_mut(), features)?;
        let memory = SharedMemory::allocate(BLOCK_REQUESTS_MAX * SLOT_BYTES)?;
        let has_event_index = features & EVENT_INDEX != 0;
        let queue = Queue::start(
            transport.as_mut(),
            0,
            VIRTIO_QUEUE_ENTRIES_MAX as u16,
            has_event_index,
        )?;
        if usize::from(queue.size()) < PIECES_MAX {
            return Err(StartError::Lacks("a queue of 4 entries"));
        }
        config.fit(usize::from(queue.size()));
        negotiation::finish(transport.as_mut());
        // After a reset it is the same one, and in use until now.
        self.replaced_at = (self.starts > 0 && self.had_none).then_some(now);
        self.starts = self.starts.wrapping_add(1);
        self.session = Some(Session {
            transport,
            queue,
            memory,
            config,
            is_stopped: false,
        });
        Ok(())
    }

    fn poll(&mut self, now: Instant, event: Event) -> Result<(), DeviceLie> {
        self.now = now;
        self.replaced_at.take_if(|at| *at < now);
        if event.has_config_changed
            && let Some(session) = self.running()
        {
            session.config.reread_capacity(session.transport.as_mut())?;
        }
        while let Some(session) = self.running() {
            match session.queue.pop()? {
                Some(used) => self.on_used(used)?,
                None if session.queue.want_interrupt()? => {}
                None => break,
            }
        }
        match self.oldest() {
            Some(since) if now.since(since) >= ANSWER_LIMIT => Err(DeviceLie::Field {
                name: "request age in seconds",
                value: now.since(since).as_millis() / 1000,
            }),
            _ => Ok(()),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        if !self.done.is_empty() {
            // No interrupt says that it was answered without the device.
            return Some(self.now);
        }
        if self.replaced_at.is_some() {
            return self.replaced_at;
        }
        let is_running = self
            .session
            .as_ref()
            .is_some_and(|session| !session.is_stopped);
        let oldest = self.oldest().filter(|_| is_running);
        oldest.map(|since| since + ANSWER_LIMIT)
    }

    fn stop(&mut self) {
        if let Some(session) = &mut self.session {
            session.is_stopped = true;
        }
    }

    fn reclaim(&mut self) {
        self.had_none = self.session.take().is_none();
        for index in 0..self.slots.len() {
            if let Some(request) = self.slots[index].request.take() {
                let result = Err(DiskError::Gone);
                self.finish(DiskDone { request, result });
            }
        }
    }

    fn visit_queues(&self, visit: &mut dyn FnMut(&QueueView)) {
        if let Some(session) = &self.session {
            visit(&session.queue.view());
        }
    }

    fn disk(&mut self) -> Option<&mut dyn Disk> {
        // Without a device there is a disk as long as answers wait to be taken.
        let is_there = self.session.is_some() || !self.done.is_empty();
        is_there.then_some(self)
    }
}

impl Disk for BlockDriver {
    fn facts(&self) -> DiskFacts {
        let config = self.session.as_ref().map(|session| session.config);
        config
            .unwrap_or_default()
            .facts(self.name, self.requests_max(), self.starts)
    }

    fn submit(&mut self, request: DiskRequest) -> Result<(), (DiskError, DiskRequest)> {
        if let Some(error) = self.refusal(&request) {
            self.view.refused += 1;
            return Err((error, request));
        }
        let Some(session) = &mut self.session else {
            return Err((DiskError::Gone, request));
        };
        // Without a cache that could be flushed, what was answered is safe already.
        if request.operation == DiskOperation::Flush && !session.config.has_flush() {
            let result = Ok(());
            self.finish(DiskDone { request, result });
            return Ok(());
        }
        let free = self.slots.iter().position(|slot| slot.request.is_none());
        let Some(index) = free.filter(|index| session.send(*index, &request).is_ok()) else {
            self.view.refused += 1;
            return Err((DiskError::Busy, request));
        };
        self.slots[index] = Slot {
            request: Some(request),
            since: self.now,
        };
        let high_water = &mut self.view.in_flight_high_water;
        *high_water = (*high_water).max(
            self.slots
                .iter()
                .filter(|slot| slot.request.is_some())
                .count(),
        );
        Ok(())
    }

    fn kick(&mut self) {
        if let Some(session) = self.running() {
            session.queue.flush(session.transport.as_mut());
        }
    }

    fn completed(&mut self) -> Option<DiskDone> {
        self.done.pop()
    }

    fn view(&self) -> DiskView {
        DiskView {
            in_flight: self.in_flight(),
            ..self.view
        }
    }
}
