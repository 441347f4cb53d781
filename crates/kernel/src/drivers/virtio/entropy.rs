//! Virtio entropy devices (virtio 1.2, 5.4): random bytes, asked for ahead.
//!
//! Invariants: a byte is given once; what was given is no longer in memory here.

use super::features::EVENT_INDEX;
use super::lie::DeviceLie;
use super::negotiation;
use super::queue::{Piece, Queue, QueueView};
use super::transport::{StartError, Transport};
use crate::base::entropy::{EntropySource, EntropyView};
use crate::base::time::Instant;
use crate::drivers::devices::driver::{Driver, Event};
use crate::limits::ENTROPY_BYTES;
use crate::memory::SharedMemory;
use alloc::boxed::Box;

pub const KIND: u16 = 4;

const QUEUE_ENTRIES: u16 = 2;
/// Bytes at an answer's beginning that are compared with the one before; by chance
/// they are the same once in 2^128.
const COMPARED_BYTES: usize = 16;

pub struct EntropyDriver {
    session: Option<Session>,
    ready: [u8; ENTROPY_BYTES],
    /// Of `ready`, from its beginning.
    ready_bytes: usize,
    last: [u8; COMPARED_BYTES],
    view: EntropyView,
}

struct Session {
    transport: Box<dyn Transport>,
    queue: Queue,
    memory: SharedMemory,
    is_stopped: bool,
}

impl EntropyDriver {
    pub const fn new() -> Self {
        Self {
            session: None,
            ready: [0; ENTROPY_BYTES],
            ready_bytes: 0,
            last: [0; COMPARED_BYTES],
            view: EntropyView {
                ready_bytes: 0,
                received_bytes: 0,
                given_bytes: 0,
                refused: 0,
            },
        }
    }

    fn running(&mut self) -> Option<&mut Session> {
        self.session.as_mut().filter(|session| !session.is_stopped)
    }

    /// Asks for as much as is missing, once half is gone.
    fn maybe_refill(&mut self) {
        let missing = ENTROPY_BYTES - self.ready_bytes;
        if missing < ENTROPY_BYTES / 2 {
            return;
        }
        if let Some(session) = self.running()
            && session.queue.in_flight() == 0
        {
            let place = Piece {
                device_address: session.memory.device_address(),
                bytes: missing as u32,
            };
            // Nothing is in flight, so there is room.
            let _ = session.queue.add(&[], &[place], 0);
            session.queue.flush(session.transport.as_mut());
        }
    }

    fn on_answer(&mut self, bytes: usize) -> Result<(), DeviceLie> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        let lie = |name, value| Err(DeviceLie::Field { name, value });
        if bytes == 0 {
            return lie("entropy length", 0);
        }
        let start = self.ready_bytes;
        // The queue has checked that it is no more than was asked for.
        let end = (start + bytes).min(ENTROPY_BYTES);
        let fresh = &mut self.ready[start..end];
        session.memory.read_bytes(0, fresh);
        session.memory.fill_with_zeroes();
        if let Some(first) = fresh.first_chunk::<COMPARED_BYTES>() {
            let (is_constant, is_again) =
                (first == &[first[0]; COMPARED_BYTES], first == &self.last);
            self.last = *first;
            if is_constant || is_again {
                fresh.fill(0);
                return lie("entropy that repeats", u64::from(self.last[0]));
            }
        }
        self.ready_bytes = end;
        self.view.received_bytes += (end - start) as u64;
        Ok(())
    }
}

impl Default for EntropyDriver {
    fn default() -> Self {
        Self::new()
    }
}

impl Driver for EntropyDriver {
    fn name(&self) -> &'static str {
        "virtio-rng"
    }

    fn attach(&mut self, mut transport: Box<dyn Transport>, _: Instant) -> Result<(), StartError> {
        let features = negotiation::negotiate(transport.as_mut(), EVENT_INDEX, &[])?;
        let memory = SharedMemory::allocate(ENTROPY_BYTES)?;
        let has_event_index = features & EVENT_INDEX != 0;
        let queue = Queue::start(transport.as_mut(), 0, QUEUE_ENTRIES, has_event_index)?;
        negotiation::finish(transport.as_mut());
        self.session = Some(Session {
            transport,
            queue,
            memory,
            is_stopped: false,
        });
        self.maybe_refill();
        Ok(())
    }

    fn poll(&mut self, _: Instant, _: Event) -> Result<(), DeviceLie> {
        while let Some(session) = self.running() {
            match session.queue.pop()? {
                Some(used) => self.on_answer(used.bytes as usize)?,
                None if session.queue.want_interrupt()? => {}
                None => break,
            }
        }
        self.maybe_refill();
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(session) = &mut self.session {
            session.is_stopped = true;
        }
    }

    fn reclaim(&mut self) {
        self.session = None;
    }

    fn visit_queues(&self, visit: &mut dyn FnMut(&QueueView)) {
        if let Some(session) = &self.session {
            visit(&session.queue.view());
        }
    }

    fn entropy(&mut self) -> Option<&mut dyn EntropySource> {
        let is_there = self.session.is_some();
        is_there.then_some(self)
    }
}

impl EntropySource for EntropyDriver {
    fn take(&mut self, bytes: &mut [u8]) -> bool {
        let Some(rest) = self.ready_bytes.checked_sub(bytes.len()) else {
            self.view.refused += 1;
            self.maybe_refill();
            return false;
        };
        let given = &mut self.ready[rest..self.ready_bytes];
        bytes.copy_from_slice(given);
        given.fill(0);
        self.ready_bytes = rest;
        self.view.given_bytes += bytes.len() as u64;
        self.maybe_refill();
        true
    }

    fn view(&self) -> EntropyView {
        EntropyView {
            ready_bytes: self.ready_bytes,
            ..self.view
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::virtio::fake::FakeDevice;

    fn rig() -> (FakeDevice, EntropyDriver) {
        let device = FakeDevice::new(4, 0, &[], &[8]);
        let mut driver = EntropyDriver::new();
        driver.attach(device.transport(), Instant::ZERO).unwrap();
        (device, driver)
    }

    fn poll(driver: &mut EntropyDriver) -> Result<(), DeviceLie> {
        driver.poll(Instant::ZERO, Event::default())
    }

    fn noise(from: u8) -> [u8; ENTROPY_BYTES] {
        core::array::from_fn(|index| (index as u8).wrapping_mul(31).wrapping_add(from))
    }

    fn answer(device: &FakeDevice, bytes: &[u8]) {
        let request = device.take(0).expect("a request");
        device.answer(0, &request, bytes);
    }

    #[test]
    fn a_byte_is_given_once_and_then_asked_for_anew() {
        let (device, mut driver) = rig();
        let mut bytes = [0; 32];
        assert!(!driver.take(&mut bytes));
        answer(&device, &noise(1));
        poll(&mut driver).unwrap();
        assert!(driver.take(&mut bytes));
        assert_eq!(bytes, noise(1)[ENTROPY_BYTES - 32..]);
        assert!(device.take(0).is_none());
        for _ in 0..3 {
            assert!(driver.take(&mut bytes));
        }
        answer(&device, &noise(2)[..100]);
        poll(&mut driver).unwrap();
        assert_eq!(driver.view().ready_bytes, 128 + 100);
        assert_eq!(driver.view().received_bytes, 356);
    }

    #[test]
    fn an_answer_without_a_byte_or_one_that_repeats_is_a_lie() {
        let field = |answers: &[&[u8]]| {
            let (device, mut driver) = rig();
            for (index, bytes) in answers.iter().enumerate() {
                answer(&device, bytes);
                match poll(&mut driver) {
                    Err(lie) => return (index, lie.field()),
                    Ok(()) => drop(driver.take(&mut [0; ENTROPY_BYTES])),
                }
            }
            panic!("no lie was found");
        };
        assert_eq!(field(&[&[]]), (0, "entropy length"));
        assert_eq!(field(&[&[7; 256]]), (0, "entropy that repeats"));
        assert_eq!(
            field(&[&noise(1), &noise(2), &noise(2)]),
            (2, "entropy that repeats")
        );
    }

    #[test]
    fn a_device_that_is_gone_leaves_what_it_gave() {
        let (device, mut driver) = rig();
        answer(&device, &noise(1));
        poll(&mut driver).unwrap();
        driver.stop();
        driver.reclaim();
        assert!(driver.entropy().is_none());
        assert!(driver.take(&mut [0; ENTROPY_BYTES]));
        assert!(!driver.take(&mut [0]));
        device.reset();
        driver.attach(device.transport(), Instant::ZERO).unwrap();
        assert!(driver.entropy().is_some());
    }
}
