//! A virtio device for tests: it does its part, or lies as the test likes.

use super::features::*;
use super::queue::{Piece, Used};
use super::transport::{QueuePlaces, StartError, Transport};
use crate::memory::{read_as_device, write_as_device};
use std::boxed::Box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

/// What the device is and what it has been told; a test may change all of it.
pub struct FakeState {
    pub kind: u16,
    pub offered: u64,
    pub accepted: u64,
    pub status: u8,
    pub config: Vec<u8>,
    pub generation: u8,
    /// Does the configuration change at every look?
    pub is_config_restless: bool,
    /// Does it forget FEATURES_OK?
    pub refuses_features: bool,
    /// Is it unplugged? Then everything reads as ones.
    pub is_gone: bool,
    pub queues: Vec<FakeQueue>,
}

/// A queue as the device sees it.
#[derive(Clone, Copy, Default)]
pub struct FakeQueue {
    pub size_max: u16,
    pub places: Option<QueuePlaces>,
    pub next_available: u16,
    pub used_index: u16,
    pub notifications: usize,
}

/// A request that the device has taken off the ring.
#[derive(Clone, Debug)]
pub struct FakeRequest {
    pub head: u16,
    /// The bytes that the driver lets the device read.
    pub readable: Vec<u8>,
    pub writable: Vec<Piece>,
}

/// A handle; clones are the same device.
#[derive(Clone)]
pub struct FakeDevice(Arc<Mutex<FakeState>>);

impl FakeDevice {
    /// A device that was just reset, with a queue for each size.
    pub fn new(kind: u16, features: u64, config: &[u8], sizes: &[u16]) -> Self {
        let queue = |size: &u16| FakeQueue {
            size_max: *size,
            ..FakeQueue::default()
        };
        Self(Arc::new(Mutex::new(FakeState {
            kind,
            offered: features | VERSION_1,
            accepted: 0,
            status: 0,
            config: config.to_vec(),
            generation: 0,
            is_config_restless: false,
            refuses_features: false,
            is_gone: false,
            queues: sizes.iter().map(queue).collect(),
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, FakeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn transport(&self) -> Box<dyn Transport> {
        Box::new(FakeTransport(self.clone()))
    }

    /// As a reset does: the queues are forgotten.
    pub fn reset(&self) {
        let mut state = self.state();
        state.status = 0;
        state.accepted = 0;
        for queue in &mut state.queues {
            *queue = FakeQueue {
                size_max: queue.size_max,
                ..FakeQueue::default()
            };
        }
    }

    /// Takes the next request off a queue.
    pub fn take(&self, queue: usize) -> Option<FakeRequest> {
        let mut state = self.state();
        let queue = &mut state.queues[queue];
        let places = queue.places?;
        if read_u16(places.available + 2) == queue.next_available {
            return None;
        }
        let entry = u64::from(queue.next_available % places.size);
        let head = read_u16(places.available + 4 + 2 * entry);
        queue.next_available = queue.next_available.wrapping_add(1);
        let mut request = FakeRequest {
            head,
            readable: Vec::new(),
            writable: Vec::new(),
        };
        let mut place = head;
        loop {
            let at = places.descriptors + 16 * u64::from(place);
            let piece = Piece {
                device_address: read_u64(at),
                bytes: read_u64(at + 8) as u32,
            };
            let flags = read_u16(at + 12);
            if flags & 2 == 0 {
                let mut bytes = std::vec![0; piece.bytes as usize];
                assert!(read_as_device(piece.device_address, &mut bytes));
                request.readable.extend(bytes);
            } else {
                request.writable.push(piece);
            }
            if flags & 1 == 0 {
                return Some(request);
            }
            place = read_u16(at + 14);
        }
    }

    /// Writes `bytes` where the request lets it, and answers.
    pub fn answer(&self, queue: usize, request: &FakeRequest, bytes: &[u8]) {
        let mut rest = bytes;
        for piece in &request.writable {
            let (now, later) = rest.split_at(rest.len().min(piece.bytes as usize));
            assert!(write_as_device(piece.device_address, now));
            rest = later;
        }
        let written = (bytes.len() - rest.len()) as u32;
        self.push_used(queue, u32::from(request.head), written);
    }

    /// Puts an element into the used ring, right or wrong.
    pub fn push_used(&self, queue: usize, id: u32, bytes: u32) {
        let index = {
            let mut state = self.state();
            let queue = &mut state.queues[queue];
            let Some(places) = queue.places else {
                return;
            };
            let at = places.used + 4 + 8 * u64::from(queue.used_index % places.size);
            assert!(write_as_device(at, &id.to_le_bytes()));
            assert!(write_as_device(at + 4, &bytes.to_le_bytes()));
            queue.used_index.wrapping_add(1)
        };
        self.set_used_index(queue, index);
    }

    /// Says how far the used ring is, right or wrong.
    pub fn set_used_index(&self, queue: usize, index: u16) {
        let mut state = self.state();
        let queue = &mut state.queues[queue];
        queue.used_index = index;
        if let Some(places) = queue.places {
            assert!(write_as_device(places.used + 2, &index.to_le_bytes()));
        }
    }

    /// The index at which the driver wants to be interrupted.
    pub fn interrupt_wanted_at(&self, queue: usize) -> Option<u16> {
        let places = self.state().queues[queue].places?;
        Some(read_u16(places.available + 4 + 2 * u64::from(places.size)))
    }

    /// Says at which index the device wants to be notified.
    pub fn want_notification_at(&self, queue: usize, index: u16) {
        if let Some(places) = self.state().queues[queue].places {
            let at = places.used + 4 + 8 * u64::from(places.size);
            assert!(write_as_device(at, &index.to_le_bytes()));
        }
    }

    pub fn notifications(&self, queue: usize) -> usize {
        self.state().queues[queue].notifications
    }
}

/// An answer as a test expects it.
pub const fn used(token: u32, bytes: u32) -> Option<Used> {
    Some(Used { token, bytes })
}

fn read_u16(address: u64) -> u16 {
    let mut bytes = [0; 2];
    assert!(read_as_device(address, &mut bytes));
    u16::from_le_bytes(bytes)
}

fn read_u64(address: u64) -> u64 {
    let mut bytes = [0; 8];
    assert!(read_as_device(address, &mut bytes));
    u64::from_le_bytes(bytes)
}

struct FakeTransport(FakeDevice);

impl FakeTransport {
    fn config<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut state = self.0.state();
        if state.is_config_restless {
            state.generation = state.generation.wrapping_add(1);
        }
        let bytes = state
            .config
            .get(offset..offset + N)
            .filter(|_| !state.is_gone);
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or([0xff; N])
    }

    fn write_config(&self, offset: usize, bytes: &[u8]) {
        if let Some(place) = self.0.state().config.get_mut(offset..offset + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

impl Transport for FakeTransport {
    fn kind(&self) -> u16 {
        self.0.state().kind
    }

    fn offered_features(&mut self) -> u64 {
        self.0.state().offered
    }

    fn accept_features(&mut self, features: u64) {
        self.0.state().accepted = features;
    }

    fn status(&mut self) -> u8 {
        let state = self.0.state();
        if state.is_gone {
            STATUS_GONE
        } else {
            state.status
        }
    }

    fn set_status(&mut self, status: u8) {
        if status == 0 {
            return self.0.reset();
        }
        let mut state = self.0.state();
        let hidden = if state.refuses_features {
            STATUS_FEATURES_OK
        } else {
            0
        };
        state.status = status & !hidden;
    }

    fn queues(&mut self) -> u16 {
        self.0.state().queues.len() as u16
    }

    fn queue_size_max(&mut self, queue: u16) -> u16 {
        let state = self.0.state();
        state
            .queues
            .get(usize::from(queue))
            .map_or(0, |queue| queue.size_max)
    }

    fn start_queue(&mut self, queue: u16, places: &QueuePlaces) -> Result<(), StartError> {
        let mut state = self.0.state();
        let found = state.queues.get_mut(usize::from(queue));
        found.ok_or(StartError::NoQueue(queue))?.places = Some(*places);
        Ok(())
    }

    fn notify(&mut self, queue: u16) {
        self.0.state().queues[usize::from(queue)].notifications += 1;
    }

    fn config_bytes(&self) -> usize {
        self.0.state().config.len()
    }

    fn config_u8(&mut self, offset: usize) -> u8 {
        self.config::<1>(offset)[0]
    }

    fn config_u16(&mut self, offset: usize) -> u16 {
        u16::from_le_bytes(self.config(offset))
    }

    fn config_u32(&mut self, offset: usize) -> u32 {
        u32::from_le_bytes(self.config(offset))
    }

    fn write_config_u8(&mut self, offset: usize, value: u8) {
        self.write_config(offset, &[value]);
    }

    fn write_config_u32(&mut self, offset: usize, value: u32) {
        self.write_config(offset, &value.to_le_bytes());
    }

    fn config_generation(&mut self) -> u8 {
        self.0.state().generation
    }
}
