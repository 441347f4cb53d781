//! Segments of somebody who means no good, against connections in every state.

use super::world::{PORT, address};
use crate::base::prng::Prng;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::net::packet::Endpoint;
use crate::net::segment::{Arrival, Departure, Route, SegmentSink, SendError};
use crate::net::tcp::header::{HEADER_BYTES_MAX, Header, Timestamps};
use crate::net::tcp::sequence::Sequence;
use crate::net::tcp::{ConnectionId, Tcp};
use core::net::IpAddr;
use std::collections::BTreeMap;
use std::vec::Vec;

/// What the attacker has seen of a connection: he sits on the path.
#[derive(Clone, Copy, Default)]
struct Seen {
    sequence: u32,
    acknowledgement: u32,
    clock: u32,
}

struct Sniffer {
    seen: BTreeMap<(u16, u16), Seen>,
    prng: Prng,
}

impl SegmentSink for Sniffer {
    fn route(&mut self, _: Tenant, _: Option<IpAddr>, _: IpAddr) -> Option<Route> {
        let mtus = [68, 576, 1280, 1500, 9000];
        (!self.prng.one_in(50)).then(|| Route {
            source: address(1),
            mtu: mtus[self.prng.below(5) as usize],
            departure_bytes_max: self.prng.below(80_000) as usize,
        })
    }

    fn send(&mut self, departure: &Departure<'_>) -> Result<(), SendError> {
        let header = Header::parse(departure.header).unwrap();
        let bytes: usize = departure.payload.iter().map(|piece| piece.len()).sum();
        assert!(departure.header.len() + bytes <= usize::from(u16::MAX) - 40);
        assert!(departure.segment_bytes > 0);
        let seen = Seen {
            sequence: header.sequence.number().wrapping_add(bytes as u32),
            acknowledgement: header.acknowledgement.number(),
            clock: header.timestamps.map_or(0, |it| it.value),
        };
        let key = (departure.local.port, departure.remote.port);
        self.seen.insert(key, seen);
        match self.prng.below(20) {
            0 => Err(SendError::Busy),
            1 => Err(SendError::Forbidden),
            2 => Err(SendError::Unreachable),
            _ => Ok(()),
        }
    }
}

struct Attack {
    tcp: Tcp,
    sniffer: Sniffer,
    prng: Prng,
    now: Instant,
    ids: Vec<ConnectionId>,
}

impl Attack {
    fn near(&mut self, number: u32) -> u32 {
        match self.prng.below(8) {
            0..4 => number,
            4 => number.wrapping_add(1),
            5 => number.wrapping_add(self.prng.below(3000) as u32),
            6 => number.wrapping_sub(self.prng.below(3000) as u32),
            _ => self.prng.next_u64() as u32,
        }
    }

    fn segment(&mut self) {
        let keys: Vec<_> = self.sniffer.seen.keys().copied().collect();
        let key = match keys.is_empty() || self.prng.one_in(6) {
            true => (PORT, 1000 + self.prng.below(8) as u16),
            false => keys[self.prng.below(keys.len() as u64) as usize],
        };
        let seen = self.sniffer.seen.get(&key).copied().unwrap_or_default();
        let likely = [0x10, 0x10, 0x18, 0x11, 0x02, 0x12, 0x04, 0x14];
        let mut header = Header {
            sequence: Sequence::new(self.near(seen.acknowledgement)),
            acknowledgement: Sequence::new(self.near(seen.sequence)),
            flags: match self.prng.one_in(8) {
                true => self.prng.next_u64() as u8,
                false => likely[self.prng.below(8) as usize],
            },
            window: self.prng.next_u64() as u16 >> self.prng.below(16),
            ..Header::default()
        };
        if self.prng.one_in(2) {
            header.timestamps = Some(Timestamps {
                value: self.prng.below(100_000) as u32,
                echo: self.near(seen.clock),
            });
        }
        for _ in 0..self.prng.below(4) {
            let start = self.near(seen.sequence.wrapping_sub(2000));
            let length = self.prng.below(4000) as usize;
            header
                .sack
                .push((Sequence::new(start), Sequence::new(start) + length));
        }
        if self.prng.one_in(3) {
            header.segment_bytes_max = Some(self.prng.next_u64() as u16 >> self.prng.below(16));
            header.is_sack_permitted = self.prng.one_in(2);
            header.window_shift = Some(self.prng.below(20) as u8);
            // Not all of it fits; the options that we write stay as they are.
            header.sack = Default::default();
        }
        let mut buffer = [0; HEADER_BYTES_MAX];
        let mut bytes = header.emit(key.1, key.0, &mut buffer).to_vec();
        if self.prng.one_in(10) {
            let at = 12 + self.prng.below(bytes.len() as u64 - 12) as usize;
            bytes[at] = self.prng.next_u64() as u8;
        }
        let length = self.prng.below(60_000) as usize >> self.prng.below(16);
        let payload = std::vec![0x5a; if self.prng.one_in(2) { 0 } else { length }];
        let arrival = Arrival {
            tenant: Tenant::KERNEL,
            local: Endpoint {
                address: address(1),
                port: key.0,
            },
            remote: Endpoint {
                address: address(0),
                port: key.1,
            },
            header: &bytes,
            payload: &payload,
            is_congestion_marked: self.prng.one_in(10),
        };
        self.tcp.on_segment(self.now, &arrival);
    }

    fn user(&mut self) {
        let remote = Endpoint {
            address: address(0),
            port: 2000 + self.prng.below(4) as u16,
        };
        if self.ids.len() < 12
            && let Ok(id) = self
                .tcp
                .connect(self.now, Tenant::KERNEL, address(1), remote)
        {
            self.ids.push(id);
        }
        if self.ids.is_empty() {
            return;
        }
        let at = self.prng.below(self.ids.len() as u64) as usize;
        let id = self.ids[at];
        match self.prng.below(12) {
            0..5 => {
                let length = self.prng.below(100_000) as usize;
                self.tcp.write(id, &std::vec![1; length]);
            }
            5..8 => {
                let length = self.tcp.readable(id).len() as u64;
                let count = self.prng.below(length + 2) as usize;
                self.tcp.consume(id, count);
            }
            8 => self.tcp.shutdown(id),
            9 if self.prng.one_in(4) => self.tcp.abort(id),
            10 if self.prng.one_in(3) => {
                self.tcp.release(id);
                self.ids.swap_remove(at);
            }
            11 => {
                let seen = self
                    .sniffer
                    .seen
                    .values()
                    .next()
                    .copied()
                    .unwrap_or_default();
                let (local, remote) = self.tcp.endpoints(id).unwrap();
                let (now, sequence) = (self.now, seen.sequence.wrapping_sub(1));
                let mtu = self.prng.below(2000) as usize;
                self.tcp
                    .on_path_mtu(now, Tenant::KERNEL, local, remote, sequence, mtu);
                let is_hard = self.prng.one_in(2);
                self.tcp
                    .on_unreachable(now, Tenant::KERNEL, local, remote, sequence, is_hard);
            }
            _ => {}
        }
    }
}

#[test]
fn hostile_segments_break_no_promise() {
    let is_long = std::env::var_os("RAYOS_LONG").is_some();
    let (seeds, steps) = if is_long { (200, 20_000) } else { (12, 1_500) };
    if !is_long {
        std::println!("shortened to {seeds} x {steps} steps; RAYOS_LONG=1 runs 200 x 20,000");
    }
    let mut states = BTreeMap::new();
    for seed in 0..seeds {
        // Sometimes hardly any memory.
        let memory = [2 << 20, 20 * 8192][seed as usize % 2];
        let mut attack = Attack {
            tcp: Tcp::new([3; 16], memory),
            sniffer: Sniffer {
                seen: BTreeMap::new(),
                prng: Prng::new(seed ^ 0xff),
            },
            prng: Prng::new(seed),
            now: Instant::from_nanos(1 << 33),
            ids: Vec::new(),
        };
        let listener = attack.tcp.listen(Tenant::KERNEL, None, PORT, 4).unwrap();
        for _ in 0..steps {
            match attack.prng.below(10) {
                0..6 => attack.segment(),
                6..8 => attack.user(),
                8 => {
                    let millis = attack.prng.below(300);
                    attack.now = attack.now + Duration::from_millis(millis);
                }
                _ => {}
            }
            attack.tcp.transmit(attack.now, &mut attack.sniffer);
            attack.ids.extend(attack.tcp.accept(listener));
            while attack.tcp.next_event().is_some() {}
            attack.tcp.assert_consistent();
            for (_, view) in attack.tcp.connections() {
                *states.entry(view.state.name()).or_insert(0) += 1;
            }
        }
        for id in attack.ids {
            attack.tcp.abort(id);
            attack.tcp.release(id);
        }
        attack.tcp.unlisten(listener);
        for _ in 0..20_000 {
            attack.tcp.transmit(attack.now, &mut attack.sniffer);
            let next = attack.tcp.next_deadline();
            attack.now = next.map_or(attack.now, |next| next.max(attack.now));
            if attack.tcp.view().connections.used == Some(0) {
                break;
            }
        }
        let view = attack.tcp.view();
        let left: Vec<_> = attack.tcp.connections().collect();
        assert!(
            left.is_empty(),
            "{left:?}, next {:?} at {:?}",
            attack.tcp.next_deadline(),
            attack.now
        );
        assert_eq!(
            (view.chunks.used, view.connections.used),
            (Some(0), Some(0))
        );
    }
    assert!(states.len() >= 8, "not every state was met: {states:?}");
}
