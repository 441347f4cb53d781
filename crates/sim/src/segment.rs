//! A simulated Ethernet segment: ports on one wire, and what happens to frames on it.

use crate::frames;
use crate::offload;
use rayos_kernel::base::network_port::{
    Checksums, Frame, NetworkPort, Offload, PortCounters, PortFacts,
};
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::{Duration, Instant};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Frames that a port holds for a kernel that does not fetch them, as a device's ring.
const RING_FRAMES: usize = 256;
/// Frames that a kernel may hold or build in at the same time.
const OUT_FRAMES: usize = 512;

/// What goes wrong on the wire; 0 is never, n once in n frames.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    pub loss_one_in: u64,
    pub duplicate_one_in: u64,
    pub corrupt_one_in: u64,
    /// A frame that is held up lets later ones pass.
    pub reorder_one_in: u64,
    pub delay: Duration,
    /// Up to so much more, anew for each frame that is held up.
    pub reorder_by: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            loss_one_in: 0,
            duplicate_one_in: 0,
            corrupt_one_in: 0,
            reorder_one_in: 0,
            delay: Duration::from_micros(20),
            reorder_by: Duration::from_millis(2),
        }
    }
}

/// What the devices on the segment can do.
#[derive(Clone, Copy, Debug)]
pub struct DeviceShape {
    pub mtu: usize,
    pub completes_checksums: bool,
    pub segments_bytes_max: usize,
    /// Does the device look at the checksums of what it receives?
    pub is_trusted: bool,
}

impl Default for DeviceShape {
    fn default() -> Self {
        Self {
            mtu: 1500,
            completes_checksums: true,
            segments_bytes_max: 65_550,
            is_trusted: false,
        }
    }
}

/// What went over the wire.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct SegmentCounters {
    pub frames: u64,
    pub lost: u64,
    pub duplicated: u64,
    pub corrupted: u64,
    pub held_up: u64,
}

struct Arrival {
    at: Instant,
    bytes: Vec<u8>,
}

struct Station {
    is_up: bool,
    is_plugged: bool,
    arrivals: VecDeque<Arrival>,
}

struct Wire {
    now: Instant,
    prng: Prng,
    faults: Faults,
    stations: Vec<Station>,
    counters: SegmentCounters,
}

/// A handle to a segment; machines and tests hold it together.
#[derive(Clone)]
pub struct Segment {
    wire: Arc<Mutex<Wire>>,
    shape: DeviceShape,
}

impl Segment {
    pub fn new(seed: u64) -> Self {
        Self::with_shape(seed, DeviceShape::default())
    }

    pub fn with_shape(seed: u64, shape: DeviceShape) -> Self {
        let wire = Wire {
            now: Instant::ZERO,
            prng: Prng::new(seed),
            faults: Faults::default(),
            stations: Vec::new(),
            counters: SegmentCounters::default(),
        };
        Self {
            wire: Arc::new(Mutex::new(wire)),
            shape,
        }
    }

    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    pub fn counters(&self) -> SegmentCounters {
        self.lock().counters
    }

    /// Cuts or joins the link of a port.
    pub fn set_link(&self, station: usize, is_up: bool) {
        let mut wire = self.lock();
        wire.stations[station].is_up = is_up;
        wire.stations[station].arrivals.clear();
    }

    /// Takes a port's device away, or puts it back.
    pub fn set_plugged(&self, station: usize, is_plugged: bool) {
        let mut wire = self.lock();
        wire.stations[station].is_plugged = is_plugged;
        wire.stations[station].arrivals.clear();
    }

    /// A new port on the segment, under the name that its machine gives it.
    pub fn join(&self, name: &'static str) -> SegmentPort {
        let mut wire = self.lock();
        let station = wire.stations.len();
        wire.stations.push(Station {
            is_up: true,
            is_plugged: true,
            arrivals: VecDeque::new(),
        });
        drop(wire);
        SegmentPort {
            segment: self.clone(),
            name,
            station,
            outside: 0,
            counters: PortCounters::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wire {
    fn is_hit(&mut self, one_in: u64) -> bool {
        one_in > 0 && self.prng.one_in(one_in)
    }

    /// Carries a frame to every other station, to each with luck of its own.
    fn carry(&mut self, from: usize, bytes: &[u8]) {
        self.counters.frames += 1;
        if !self.stations[from].is_up {
            return;
        }
        for to in 0..self.stations.len() {
            let station = &self.stations[to];
            if to == from || !station.is_up || !station.is_plugged {
                continue;
            }
            let faults = self.faults;
            if self.is_hit(faults.loss_one_in) {
                self.counters.lost += 1;
                continue;
            }
            let copies = 1 + usize::from(self.is_hit(faults.duplicate_one_in));
            self.counters.duplicated += copies as u64 - 1;
            for _ in 0..copies {
                self.deliver(to, bytes.to_vec());
            }
        }
    }

    fn deliver(&mut self, to: usize, mut bytes: Vec<u8>) {
        let faults = self.faults;
        if self.is_hit(faults.corrupt_one_in) {
            self.counters.corrupted += 1;
            let bit = self.prng.below(bytes.len() as u64 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let mut at = self.now + faults.delay;
        if self.is_hit(faults.reorder_one_in) {
            self.counters.held_up += 1;
            at = at + Duration::from_nanos(self.prng.below(faults.reorder_by.as_nanos()));
        }
        let arrivals = &mut self.stations[to].arrivals;
        if arrivals.len() < RING_FRAMES {
            let place = arrivals.partition_point(|other| other.at <= at);
            arrivals.insert(place, Arrival { at, bytes });
        }
    }
}

/// One port on a segment, as a kernel's device.
pub struct SegmentPort {
    segment: Segment,
    name: &'static str,
    station: usize,
    /// Frames in the kernel's hands.
    outside: usize,
    counters: PortCounters,
}

impl SegmentPort {
    pub const fn station(&self) -> usize {
        self.station
    }

    /// Frames that the kernel has taken or received and not given back.
    pub const fn outside(&self) -> usize {
        self.outside
    }

    pub fn is_plugged(&self) -> bool {
        self.segment.lock().stations[self.station].is_plugged
    }

    pub fn advance(&mut self, now: Instant) {
        let mut wire = self.segment.lock();
        wire.now = wire.now.max(now);
    }

    /// When a frame arrives.
    pub fn next_event(&self) -> Option<Instant> {
        let wire = self.segment.lock();
        let station = &wire.stations[self.station];
        station.arrivals.front().map(|arrival| arrival.at)
    }

    pub const fn hardware_address(&self) -> [u8; 6] {
        [0x52, 0x54, 0x00, 0x77, 0x00, self.station as u8 + 1]
    }
}

impl NetworkPort for SegmentPort {
    fn facts(&self) -> PortFacts {
        let shape = self.segment.shape;
        PortFacts {
            name: self.name,
            hardware_address: self.hardware_address(),
            is_link_up: self.segment.lock().stations[self.station].is_up,
            mtu: shape.mtu,
            completes_checksums: shape.completes_checksums,
            segments_bytes_max: shape.segments_bytes_max,
        }
    }

    fn receive(&mut self) -> Option<Frame> {
        let mut wire = self.segment.lock();
        let now = wire.now;
        let arrivals = &mut wire.stations[self.station].arrivals;
        arrivals.front().filter(|arrival| arrival.at <= now)?;
        let bytes = arrivals.pop_front()?.bytes;
        drop(wire);
        let mut frame = frames::take(bytes.len())?;
        frame.bytes_mut().copy_from_slice(&bytes);
        if self.segment.shape.is_trusted {
            frame.checksums = Checksums::Trusted;
        }
        self.outside += 1;
        self.counters.received_frames += 1;
        self.counters.received_bytes += bytes.len() as u64;
        Some(frame)
    }

    fn recycle(&mut self, frame: Frame) {
        self.outside -= 1;
        frames::give_back(frame);
    }

    fn take_frame(&mut self, bytes: usize) -> Option<Frame> {
        if self.outside >= OUT_FRAMES {
            return None;
        }
        let frame = frames::take(bytes)?;
        self.outside += 1;
        Some(frame)
    }

    fn transmit(&mut self, mut frame: Frame, offload: Offload) {
        self.outside -= 1;
        self.counters.sent_frames += 1;
        self.counters.sent_bytes += frame.len() as u64;
        let mut wire = self.segment.lock();
        offload::perform(frame.bytes_mut(), offload, &mut |bytes| {
            wire.carry(self.station, bytes);
        });
        drop(wire);
        frames::give_back(frame);
    }

    fn flush(&mut self) {}

    fn counters(&self) -> PortCounters {
        self.counters
    }
}
