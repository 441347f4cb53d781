//! Streams arrive whole and in order, whatever the wire does to them.

use super::world::{Weather, World};
use crate::base::prng::Prng;
use crate::base::time::Duration;
use crate::net::tcp::{ConnectionId, Tcp};
use std::vec::Vec;

/// Writes a stream of its own and reads the other side's.
struct Peer {
    id: ConnectionId,
    sending: Prng,
    receiving: Prng,
    block: Vec<u8>,
    written: usize,
    to_write: usize,
    read: usize,
    expected: Vec<u8>,
    is_done: bool,
}

const BLOCK: usize = 4096;

impl Peer {
    fn new(id: ConnectionId, seeds: (u64, u64), to_write: usize) -> Self {
        Self {
            id,
            sending: Prng::new(seeds.0),
            receiving: Prng::new(seeds.1),
            block: Vec::new(),
            written: 0,
            to_write,
            read: 0,
            expected: Vec::new(),
            is_done: false,
        }
    }

    fn act(&mut self, tcp: &mut Tcp) {
        while self.written < self.to_write {
            if self.block.is_empty() {
                self.block
                    .resize(BLOCK.min(self.to_write - self.written), 0);
                self.sending.fill(&mut self.block);
            }
            let count = tcp.write(self.id, &self.block);
            self.block.drain(..count);
            self.written += count;
            if count == 0 {
                break;
            }
            if self.written == self.to_write {
                tcp.shutdown(self.id);
            }
        }
        if self.to_write == 0 && !self.is_done {
            tcp.shutdown(self.id);
        }
        loop {
            let bytes = tcp.readable(self.id);
            if bytes.is_empty() {
                break;
            }
            while self.expected.len() < bytes.len() {
                let mut block = [0; BLOCK];
                self.receiving.fill(&mut block);
                self.expected.extend_from_slice(&block);
            }
            let count = bytes.len();
            assert!(self.expected[..count] == *bytes, "bytes were changed");
            self.expected.drain(..count);
            self.read += count;
            tcp.consume(self.id, count);
        }
        let status = tcp.status(self.id).unwrap();
        assert_eq!(status.end.and_then(|end| end.error()), None);
        self.is_done = status.is_end_of_stream && status.is_flushed;
    }
}

/// Sends `bytes` each way and returns the simulated time that it took.
fn transfer(world: &mut World, bytes: [usize; 2]) -> Duration {
    let before = usages(world);
    let (client, server) = world.open();
    let start = world.now;
    let mut peers = [
        Peer::new(client, (11, 22), bytes[0]),
        Peer::new(server, (22, 11), bytes[1]),
    ];
    let deadline = world.now + Duration::from_secs(20_000);
    while !peers.iter().all(|peer| peer.is_done) {
        for (peer, tcp) in peers.iter_mut().zip(&mut world.sides) {
            peer.act(tcp);
        }
        assert!(world.step(deadline), "the transfer stands still");
    }
    let took = world.now.since(start);
    assert_eq!((peers[0].read, peers[1].read), (bytes[1], bytes[0]));
    for (peer, tcp) in peers.iter().zip(&mut world.sides) {
        tcp.release(peer.id);
    }
    world.run_for(Duration::from_secs(200));
    assert_eq!(usages(world), before, "something was not given back");
    took
}

fn usages(world: &World) -> Vec<Option<u64>> {
    let views = world.sides.iter().map(Tcp::view);
    views
        .flat_map(|view| {
            [
                view.connections.used,
                view.chunks.used,
                view.half_open.used,
                view.time_wait.used,
            ]
        })
        .collect()
}

/// 10 MB, or the promised 100 MB where time is not short.
fn promised_bytes() -> usize {
    if std::env::var_os("RAYOS_LONG").is_some() {
        100 << 20
    } else {
        std::println!("shortened to a tenth; RAYOS_LONG=1 runs all of it");
        10 << 20
    }
}

fn report(name: &str, world: &World, took: Duration, bytes: usize) {
    let rate = bytes as u64 * 1_000 / took.as_millis().max(1);
    let counters = world.sides[0].view().counters;
    std::println!(
        "{name}: {took}, {rate} bytes/s, {} of {} segments sent again, {} time-outs, {} recoveries, {} undone, {} probes",
        counters.segments_retransmitted,
        counters.segments_sent,
        counters.timeouts,
        counters.fast_recoveries,
        counters.spurious_recoveries,
        counters.tail_probes,
    );
}

fn rough(lost: u64) -> Weather {
    Weather {
        jitter: Duration::from_millis(2),
        lost,
        repeated: 5,
        ..Weather::default()
    }
}

#[test]
fn much_arrives_unchanged_without_loss() {
    let bytes = promised_bytes();
    let mut world = World::new(1, Weather::default());
    world.is_checked = false;
    let took = transfer(&mut world, [bytes, bytes]);
    report("0 %", &world, took, bytes);
    assert_eq!(world.sides[0].view().counters.segments_retransmitted, 0);
}

#[test]
fn much_arrives_unchanged_at_five_percent_loss_with_reordering() {
    let bytes = promised_bytes();
    let mut world = World::new(2, rough(50));
    world.is_checked = false;
    let took = transfer(&mut world, [bytes, bytes]);
    report("5 %", &world, took, bytes);
}

#[test]
fn every_step_is_consistent_under_all_that_a_wire_does() {
    for seed in 0..6 {
        let weather = Weather {
            refused: 50,
            departure_bytes_max: [1460, 65_000][seed as usize % 2],
            is_joined: seed % 3 == 2,
            ..rough([0, 50, 200][seed as usize % 3])
        };
        let mut world = World::new(seed, weather);
        let took = transfer(&mut world, [300_000, 100_000]);
        report("rough", &world, took, 300_000);
    }
}

#[test]
fn a_fifth_lost_is_still_a_stream() {
    let mut world = World::new(4, rough(200));
    world.is_checked = false;
    let took = transfer(&mut world, [1 << 20, 1 << 20]);
    report("20 %", &world, took, 1 << 20);
}

#[test]
fn reordering_alone_is_not_taken_for_loss() {
    let weather = Weather {
        jitter: Duration::from_millis(3),
        ..Weather::default()
    };
    let mut world = World::new(5, weather);
    world.is_checked = false;
    let took = transfer(&mut world, [4 << 20, 0]);
    report("reordered", &world, took, 4 << 20);
    let counters = world.sides[0].view().counters;
    assert!(counters.segments_retransmitted * 50 < counters.segments_sent);
}

/// Go-back-N sends a whole window again for each loss: with p = 5 % and a window of W
/// segments it needs 1 / (1 - p + W p) of the time at best, and one time-out a loss.
#[test]
fn losses_cost_little_more_than_what_was_lost() {
    let bytes = 4 << 20;
    let mut world = World::new(
        6,
        Weather {
            lost: 50,
            ..Weather::default()
        },
    );
    world.is_checked = false;
    let took = transfer(&mut world, [bytes, 0]);
    report("selective", &world, took, bytes);
    let counters = world.sides[0].view().counters;
    let again = counters.segments_retransmitted as f64 / counters.segments_sent as f64;
    assert!(again < 0.07, "{again} of all segments were sent again");
    assert!(counters.timeouts < 12, "{} time-outs", counters.timeouts);
}

#[test]
fn little_memory_makes_it_slow_and_not_wrong() {
    let mut world = World::with_memory(7, rough(20), [4 * 8192, 2 * 8192]);
    let took = transfer(&mut world, [400_000, 50_000]);
    report("little memory", &world, took, 400_000);
}

#[test]
fn a_wire_that_comes_back_goes_on() {
    let mut world = World::new(8, Weather::default());
    let (client, server) = world.open();
    let sent = world.sides[0].write(client, &[7; 100_000]);
    world.run_for(Duration::from_millis(12));
    world.wire.is_cut = true;
    world.run_for(Duration::from_secs(20));
    world.wire.is_cut = false;
    let deadline = world.now + Duration::from_secs(60);
    let mut read = 0;
    while read < sent {
        assert!(world.step(deadline));
        loop {
            let count = world.sides[1].readable(server).len();
            world.sides[1].consume(server, count);
            read += count;
            if count == 0 {
                break;
            }
        }
    }
    assert!(world.sides[0].view().counters.timeouts >= 3);
}

/// Two streams share a slow line and its queue.
#[test]
fn two_streams_share_a_line() {
    let weather = Weather {
        rate: Some(2_500_000),
        delay: Duration::from_millis(10),
        jitter: Duration::from_nanos(50_000),
        ..Weather::default()
    };
    let mut world = World::new(9, weather);
    world.is_checked = false;
    let pairs = [world.open(), world.open()];
    let block = [1; 16_384];
    let (mut read, mut counted) = ([0_u64; 2], [0_u64; 2]);
    let (begin, end) = (
        world.now + Duration::from_secs(5),
        world.now + Duration::from_secs(65),
    );
    while world.step(end) {
        for (index, (client, server)) in pairs.iter().enumerate() {
            while world.sides[0].write(*client, &block) > 0 {}
            let count = world.sides[1].readable(*server).len();
            world.sides[1].consume(*server, count);
            read[index] += count as u64;
            if world.now >= begin {
                counted[index] += count as u64;
            }
        }
    }
    let total = counted[0] + counted[1];
    let fairness =
        (total * total) as f64 / (2.0 * (counted[0].pow(2) as f64 + counted[1].pow(2) as f64));
    std::println!("shares {counted:?}, Jain's index {fairness:.3}");
    assert!(fairness > 0.9, "one takes all: {counted:?}");
    assert!(total > 60 * 2_500_000 * 85 / 100, "the line is not full");
}
