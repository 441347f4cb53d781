//! A split virtqueue (virtio 1.2, 2.7): requests to a device, and its answers.
//!
//! Nothing that the device can write to is believed: which descriptors are in flight,
//! how they are chained and how much room they have stands in memory of our own.
//! Invariant: a head is in flight from `add` until `pop` or `drain` names its token.

use super::lie::DeviceLie;
use super::transport::{QueuePlaces, StartError, Transport};
use crate::base::fixed::Full;
use crate::limits::VIRTIO_QUEUE_ENTRIES_MAX;
use crate::memory::{MemoryError, SharedMemory};
use alloc::boxed::Box;
use alloc::vec;
use core::sync::atomic::{Ordering::SeqCst, fence};

const DESCRIPTOR_BYTES: usize = 16;
const USED_BYTES: usize = 8;
const NEXT: u16 = 1;
const WRITABLE: u16 = 2;
/// Of the available ring: the device need not interrupt.
const NO_INTERRUPT: u16 = 1;
/// Of the used ring: the driver need not notify.
const NO_NOTIFY: u16 = 1;

/// A run of memory that takes part in a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    pub device_address: u64,
    pub bytes: u32,
}

/// A request that the device has answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Used {
    /// What `add` was given.
    pub token: u32,
    /// Bytes that the device has written, at most those that were offered.
    pub bytes: u32,
}

/// What we know of a descriptor without asking shared memory.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// Behind it in its chain, or in the list of free ones.
    next: u16,
    /// Descriptors of the chain that begins here; 0 when none does.
    chain: u16,
    token: u32,
    /// Bytes that the device may write to the chain.
    offered: u32,
}

/// What a queue has done since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueueView {
    pub index: u16,
    pub size: u16,
    pub in_flight: u16,
    pub added: u64,
    pub used: u64,
    /// Times that the device was told.
    pub notifications: u64,
    /// Times that a request found no free descriptor.
    pub refused: u64,
}

pub struct Queue {
    index: u16,
    size: u16,
    mask: u16,
    has_event_index: bool,
    memory: SharedMemory,
    available: usize,
    used: usize,
    slots: Box<[Slot]>,
    free_head: u16,
    free: u16,
    in_flight: u16,
    /// Index of the next entry that is put into the available ring.
    next_available: u16,
    /// The index that the device sees.
    published: u16,
    /// Index of the next entry that is taken from the used ring.
    next_used: u16,
    /// The index of the used ring when it was looked at last.
    seen_used: u16,
    wants_interrupts: bool,
    /// Is it a lie when more was written than was offered?
    checks_lengths: bool,
    counts: QueueView,
}

impl Queue {
    /// Makes a queue of `size` entries, a power of two; the device does not know it yet.
    pub fn new(index: u16, size: u16, has_event_index: bool) -> Result<Self, MemoryError> {
        crate::invariant!(
            size.is_power_of_two() && usize::from(size) <= VIRTIO_QUEUE_ENTRIES_MAX,
            "a queue of {size} entries"
        );
        let count = usize::from(size);
        let available = DESCRIPTOR_BYTES * count;
        // Four bytes in, so that an element of the ring is one aligned word.
        let used = (available + 6 + 2 * count).next_multiple_of(64) + 4;
        let memory = SharedMemory::allocate(used + 6 + USED_BYTES * count)?;
        let mut queue = Self {
            index,
            size,
            mask: size - 1,
            has_event_index,
            memory,
            available,
            used,
            slots: vec![Slot::default(); count].into_boxed_slice(),
            free_head: 0,
            free: size,
            in_flight: 0,
            next_available: 0,
            published: 0,
            next_used: 0,
            seen_used: 0,
            wants_interrupts: true,
            checks_lengths: true,
            counts: QueueView {
                index,
                size,
                ..QueueView::default()
            },
        };
        queue.empty();
        Ok(queue)
    }

    /// Makes the device's queue `index`: as large as it offers, at most `size_max`.
    pub fn start(
        transport: &mut dyn Transport,
        index: u16,
        size_max: u16,
        has_event_index: bool,
    ) -> Result<Self, StartError> {
        let size = usable_size(transport, index, size_max)?;
        let mut queue = Self::new(index, size, has_event_index)?;
        queue.restart(transport)?;
        Ok(queue)
    }

    /// For devices that count as written what they have read, and are well otherwise.
    pub fn tolerate_lengths(&mut self) {
        self.checks_lengths = false;
    }

    /// Gives an empty queue to a device that was reset.
    pub fn restart(&mut self, transport: &mut dyn Transport) -> Result<(), StartError> {
        if usable_size(transport, self.index, self.size)? != self.size {
            return Err(StartError::NoQueue(self.index));
        }
        self.empty();
        transport.start_queue(self.index, &self.places())
    }

    pub fn places(&self) -> QueuePlaces {
        let start = self.memory.device_address();
        QueuePlaces {
            size: self.size,
            descriptors: start,
            available: start + self.available as u64,
            used: start + self.used as u64,
        }
    }

    /// The memory that the device sees: for fake devices.
    pub const fn memory(&self) -> &SharedMemory {
        &self.memory
    }

    pub const fn size(&self) -> u16 {
        self.size
    }

    /// Descriptors that are free.
    pub const fn space(&self) -> u16 {
        self.free
    }

    /// Requests that the device has.
    pub const fn in_flight(&self) -> u16 {
        self.in_flight
    }

    pub const fn view(&self) -> QueueView {
        QueueView {
            in_flight: self.in_flight,
            ..self.counts
        }
    }

    /// Puts a request in: first what the device reads, then what it writes. It sees it
    /// after `publish`. The token comes back with the answer.
    pub fn add(&mut self, readable: &[Piece], writable: &[Piece], token: u32) -> Result<(), Full> {
        let count = readable.len() + writable.len();
        if count == 0 || count > usize::from(self.free) {
            self.counts.refused += 1;
            return Err(Full);
        }
        let head = self.free_head;
        let mut place = head;
        for (number, piece) in readable.iter().chain(writable).enumerate() {
            let next = self.slots[usize::from(place)].next;
            let mut flags = 0;
            if number >= readable.len() {
                flags |= WRITABLE;
            }
            if number + 1 < count {
                flags |= NEXT;
            }
            self.describe(place, piece, flags, next);
            place = next;
        }
        let offered = writable.iter().map(|piece| piece.bytes);
        let slot = &mut self.slots[usize::from(head)];
        slot.chain = count as u16;
        slot.token = token;
        slot.offered = offered.fold(0, u32::saturating_add);
        self.free_head = place;
        self.free -= count as u16;
        self.in_flight += 1;
        let entry = usize::from(self.next_available & self.mask);
        self.memory.write_u16(self.available + 4 + 2 * entry, head);
        self.next_available = self.next_available.wrapping_add(1);
        self.counts.added += 1;
        Ok(())
    }

    #[inline]
    fn describe(&self, place: u16, piece: &Piece, flags: u16, next: u16) {
        let at = DESCRIPTOR_BYTES * usize::from(place);
        let length_flags_next =
            u64::from(piece.bytes) | u64::from(flags) << 32 | u64::from(next) << 48;
        self.memory.write_u64(at, piece.device_address);
        self.memory.write_u64(at + 8, length_flags_next);
    }

    /// Shows the device all that was added; true when it wants to be notified.
    pub fn publish(&mut self) -> bool {
        let (old, new) = (self.published, self.next_available);
        if old == new {
            return false;
        }
        self.memory.release_u16(self.available + 2, new);
        self.published = new;
        // The index must be out before the device's wish is read, or both sides wait.
        fence(SeqCst);
        match self.has_event_index {
            true => {
                let event = self
                    .memory
                    .read_u16(self.used + 4 + USED_BYTES * self.entries());
                is_passed(event, old, new)
            }
            false => self.memory.read_u16(self.used) & NO_NOTIFY == 0,
        }
    }

    /// Publishes and, where the device wants it, tells it.
    pub fn flush(&mut self, transport: &mut dyn Transport) {
        if self.publish() {
            self.counts.notifications += 1;
            transport.notify(self.index);
        }
    }

    /// The next answer.
    pub fn pop(&mut self) -> Result<Option<Used>, DeviceLie> {
        if self.next_used == self.seen_used && !self.look()? {
            return Ok(None);
        }
        let at = self.used + 4 + USED_BYTES * usize::from(self.next_used & self.mask);
        let element = self.memory.read_u64(at);
        let (id, bytes) = (element as u32, (element >> 32) as u32);
        if id >= u32::from(self.size) {
            return Err(DeviceLie::UsedId {
                queue: self.index,
                id,
            });
        }
        let slot = self.slots[id as usize];
        if slot.chain == 0 {
            return Err(DeviceLie::UsedIdle {
                queue: self.index,
                id,
            });
        }
        if bytes > slot.offered && self.checks_lengths {
            return Err(DeviceLie::UsedLength {
                queue: self.index,
                bytes,
                offered: slot.offered,
            });
        }
        self.next_used = self.next_used.wrapping_add(1);
        self.release(id as u16);
        self.counts.used += 1;
        Ok(Some(Used {
            token: slot.token,
            bytes: bytes.min(slot.offered),
        }))
    }

    /// Reads how far the device is; true when there is something new.
    fn look(&mut self) -> Result<bool, DeviceLie> {
        let index = self.memory.acquire_u16(self.used + 2);
        let ahead = index.wrapping_sub(self.next_used);
        if ahead > self.in_flight {
            return Err(DeviceLie::UsedIndex {
                queue: self.index,
                index,
                last: self.next_used,
                in_flight: self.in_flight,
            });
        }
        self.seen_used = index;
        Ok(ahead > 0)
    }

    /// Asks for an interrupt at the next answer; true when one has come meanwhile, which
    /// is to be popped first.
    pub fn want_interrupt(&mut self) -> Result<bool, DeviceLie> {
        self.wants_interrupts = true;
        match self.has_event_index {
            true => {
                let at = self.available + 4 + 2 * self.entries();
                self.memory.write_u16(at, self.next_used);
            }
            false => self.memory.write_u16(self.available, 0),
        }
        // The wish must be out before the ring is looked at, or an answer is overslept.
        fence(SeqCst);
        self.look()
    }

    /// No interrupts for now: somebody looks anyway.
    pub fn refuse_interrupts(&mut self) {
        if self.wants_interrupts {
            self.wants_interrupts = false;
            match self.has_event_index {
                // An index that was passed already is reached again after 65,536 answers.
                true => {
                    let at = self.available + 4 + 2 * self.entries();
                    self.memory.write_u16(at, self.next_used.wrapping_sub(1));
                }
                false => self.memory.write_u16(self.available, NO_INTERRUPT),
            }
        }
    }

    /// Asks for an interrupt once `count` answers are there, at least one; true when they
    /// are already. A device that cannot count says each.
    pub fn want_interrupt_after(&mut self, count: u16) -> Result<bool, DeviceLie> {
        if !self.has_event_index || count <= 1 {
            return self.want_interrupt();
        }
        self.wants_interrupts = true;
        let event = self.next_used.wrapping_add(count - 1);
        let at = self.available + 4 + 2 * self.entries();
        self.memory.write_u16(at, event);
        fence(SeqCst);
        self.look()?;
        Ok(self.seen_used.wrapping_sub(self.next_used) >= count)
    }

    const fn entries(&self) -> usize {
        self.size as usize
    }

    /// Puts the chain that begins at `head` among the free ones.
    fn release(&mut self, head: u16) {
        let chain = self.slots[usize::from(head)].chain;
        let mut last = head;
        for _ in 1..chain {
            last = self.slots[usize::from(last)].next;
        }
        self.slots[usize::from(head)].chain = 0;
        self.slots[usize::from(last)].next = self.free_head;
        self.free_head = head;
        self.free += chain;
        self.in_flight -= 1;
    }

    /// Takes back one request that the device never answered, after its reset.
    pub fn drain(&mut self) -> Option<u32> {
        let head = self.slots.iter().position(|slot| slot.chain > 0)?;
        let token = self.slots[head].token;
        self.release(head as u16);
        Some(token)
    }

    /// As new; what was in flight is forgotten, so `drain` comes first.
    fn empty(&mut self) {
        self.memory.fill_with_zeroes();
        for (place, slot) in self.slots.iter_mut().enumerate() {
            *slot = Slot {
                next: (place as u16 + 1) & self.mask,
                ..Slot::default()
            };
        }
        self.free_head = 0;
        self.free = self.size;
        self.in_flight = 0;
        self.next_available = 0;
        self.published = 0;
        self.next_used = 0;
        self.seen_used = 0;
        self.wants_interrupts = true;
    }
}

/// Is `event` among the indices that were passed on the way from `old` to `new`?
const fn is_passed(event: u16, old: u16, new: u16) -> bool {
    new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old)
}

/// The size that a queue gets: what the device offers, cut to a power of two.
fn usable_size(
    transport: &mut dyn Transport,
    index: u16,
    size_max: u16,
) -> Result<u16, StartError> {
    if index >= transport.queues() {
        return Err(StartError::NoQueue(index));
    }
    let offered = transport.queue_size_max(index);
    match offered {
        0 => Err(StartError::NoQueue(index)),
        _ if !offered.is_power_of_two() => Err(StartError::Lie(DeviceLie::Field {
            name: "queue size",
            value: u64::from(offered),
        })),
        _ => Ok(offered.min(size_max).min(VIRTIO_QUEUE_ENTRIES_MAX as u16)),
    }
}
