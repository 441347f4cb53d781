//! Two instances and a wire that loses, delays, reorders and repeats, all from one seed.

use crate::base::prng::Prng;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::net::packet::Endpoint;
use crate::net::segment::{Arrival, Departure, Route, SegmentSink, SendError};
use crate::net::tcp::{ConnectionId, ListenerId, Tcp};
use core::net::{IpAddr, Ipv4Addr};
use std::collections::BinaryHeap;
use std::vec::Vec;

pub const PORT: u16 = 80;

pub fn address(side: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, side as u8 + 1))
}

/// What happens to a segment on its way.
#[derive(Clone, Debug)]
pub struct Weather {
    pub delay: Duration,
    /// Each segment takes up to that much longer, and so some overtake others.
    pub jitter: Duration,
    /// Of a thousand segments.
    pub lost: u64,
    pub repeated: u64,
    /// Of a thousand departures that the network has no room for.
    pub refused: u64,
    pub mtu: usize,
    pub departure_bytes_max: usize,
    /// Rows of segments arrive whole, as from a device that joins them.
    pub is_joined: bool,
    /// Bytes a second; what waits longer than `queue` is dropped.
    pub rate: Option<u64>,
    pub queue: Duration,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(5),
            jitter: Duration::ZERO,
            lost: 0,
            repeated: 0,
            refused: 0,
            mtu: 1500,
            departure_bytes_max: 65_000,
            is_joined: false,
            rate: None,
            queue: Duration::from_millis(50),
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    arrives: Instant,
    number: u64,
    to: usize,
    local: Endpoint,
    remote: Endpoint,
    pub header: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (other.arrives, other.number).cmp(&(self.arrives, self.number))
    }
}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

pub struct Wire {
    pub weather: Weather,
    pub prng: Prng,
    parcels: BinaryHeap<Parcel>,
    sent: u64,
    pub segments: u64,
    pub dropped: u64,
    free_at: [Instant; 2],
    /// Nothing gets through.
    pub is_cut: bool,
}

/// One side's view of the wire.
struct Socket<'a> {
    wire: &'a mut Wire,
    now: Instant,
    side: usize,
}

impl SegmentSink for Socket<'_> {
    fn route(&mut self, _: Tenant, _: Option<IpAddr>, _: IpAddr) -> Option<Route> {
        Some(Route {
            source: address(self.side),
            mtu: self.wire.weather.mtu,
            departure_bytes_max: self.wire.weather.departure_bytes_max,
        })
    }

    fn send(&mut self, departure: &Departure<'_>) -> Result<(), SendError> {
        let refused = self.wire.weather.refused;
        if self.wire.prng.below(1000) < refused {
            return Err(SendError::Busy);
        }
        let payload = departure.payload.concat();
        let size = departure.segment_bytes;
        let headers = departure.header.len() + 20;
        assert!(
            payload.len() <= size || size + headers <= self.wire.weather.mtu,
            "a segment of {size} with {headers} is too large for the path"
        );
        assert!(payload.len() <= self.wire.weather.departure_bytes_max.max(size));
        let size = if self.wire.weather.is_joined {
            payload.len().max(1)
        } else {
            size
        };
        let count = payload.len().div_ceil(size).max(1);
        for index in 0..count {
            let start = index * size;
            let end = payload.len().min(start + size);
            let mut header = departure.header.to_vec();
            let sequence = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
            let sequence = sequence.wrapping_add(start as u32);
            header[4..8].copy_from_slice(&sequence.to_be_bytes());
            if index + 1 < count {
                // FIN and PSH belong to the last of the row.
                header[13] &= !0x09;
            }
            let parcel = Parcel {
                arrives: self.now,
                number: 0,
                to: 1 - self.side,
                local: departure.remote,
                remote: departure.local,
                header,
                payload: payload[start..end].to_vec(),
            };
            self.wire.carry(self.now, parcel);
        }
        Ok(())
    }
}

impl Wire {
    fn carry(&mut self, now: Instant, mut parcel: Parcel) {
        self.segments += 1;
        if self.is_cut || self.prng.below(1000) < self.weather.lost {
            self.dropped += 1;
            return;
        }
        let mut leaves = now;
        if let Some(rate) = self.weather.rate {
            let bytes = (parcel.header.len() + parcel.payload.len() + 34) as u64;
            let free_at = &mut self.free_at[parcel.to];
            leaves = (*free_at).max(now);
            if leaves.since(now) > self.weather.queue {
                self.dropped += 1;
                return;
            }
            leaves = leaves + Duration::from_nanos(bytes * 1_000_000_000 / rate);
            *free_at = leaves;
        }
        let copies = 1 + u64::from(self.prng.below(1000) < self.weather.repeated);
        for _ in 0..copies {
            let jitter = self.prng.below(self.weather.jitter.as_nanos() + 1);
            parcel.arrives = leaves + self.weather.delay + Duration::from_nanos(jitter);
            self.sent += 1;
            parcel.number = self.sent;
            self.parcels.push(parcel.clone());
        }
    }
}

pub struct World {
    pub now: Instant,
    pub sides: [Tcp; 2],
    pub wire: Wire,
    pub listener: ListenerId,
    pub is_checked: bool,
}

impl World {
    /// Side 1 listens.
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self::with_memory(seed, weather, [16 << 20; 2])
    }

    pub fn with_memory(seed: u64, weather: Weather, memory: [usize; 2]) -> Self {
        let [one, two] = memory;
        let mut sides = [Tcp::new([1; 16], one), Tcp::new([2; 16], two)];
        let listener = sides[1].listen(Tenant::KERNEL, None, PORT, 128).unwrap();
        Self {
            now: Instant::from_nanos(1_000_000_000),
            sides,
            wire: Wire {
                weather,
                prng: Prng::new(seed),
                parcels: BinaryHeap::new(),
                sent: 0,
                segments: 0,
                dropped: 0,
                free_at: [Instant::ZERO; 2],
                is_cut: false,
            },
            listener,
            is_checked: true,
        }
    }

    pub fn connect(&mut self) -> ConnectionId {
        let remote = Endpoint {
            address: address(1),
            port: PORT,
        };
        self.sides[0]
            .connect(self.now, Tenant::KERNEL, address(0), remote)
            .unwrap()
    }

    /// Both ends of a connection that is open.
    pub fn open(&mut self) -> (ConnectionId, ConnectionId) {
        let client = self.connect();
        let deadline = self.now + Duration::from_secs(100);
        loop {
            assert!(self.step(deadline), "no connection");
            if let Some(server) = self.sides[1].accept(self.listener) {
                return (client, server);
            }
        }
    }

    pub fn transmit(&mut self) {
        for side in 0..2 {
            let mut socket = Socket {
                wire: &mut self.wire,
                now: self.now,
                side,
            };
            self.sides[side].transmit(self.now, &mut socket);
        }
        if self.is_checked {
            self.sides.iter().for_each(Tcp::assert_consistent);
        }
    }

    /// Lets the next thing happen; false when nothing does until `deadline`.
    pub fn step(&mut self, deadline: Instant) -> bool {
        self.transmit();
        let timers = self.sides.iter().filter_map(Tcp::next_deadline);
        let arrival = self.wire.parcels.peek().map(|parcel| parcel.arrives);
        let Some(next) = timers.chain(arrival).min() else {
            self.now = deadline;
            return false;
        };
        if next > deadline {
            self.now = deadline;
            return false;
        }
        self.now = self.now.max(next);
        while let Some(parcel) = self.wire.parcels.peek()
            && parcel.arrives <= self.now
        {
            if let Some(parcel) = self.wire.parcels.pop() {
                self.deliver(&parcel);
            }
        }
        true
    }

    fn deliver(&mut self, parcel: &Parcel) {
        self.sides[parcel.to].on_segment(
            self.now,
            &Arrival {
                tenant: Tenant::KERNEL,
                local: parcel.local,
                remote: parcel.remote,
                header: &parcel.header,
                payload: &parcel.payload,
                is_congestion_marked: false,
            },
        );
        if self.is_checked {
            self.sides[parcel.to].assert_consistent();
        }
    }

    pub fn run_for(&mut self, span: Duration) {
        let deadline = self.now + span;
        while self.step(deadline) {}
    }
}
