//! How fast two instances talk to each other; a figure for people.

use super::world::{Weather, World};
use crate::base::time::Duration;
use std::time::Instant as Clock;

/// Two instances joined directly: 64 KiB segments both ways through memory.
#[test]
fn bytes_a_second_on_this_machine() {
    let weather = Weather {
        delay: Duration::from_micros(50),
        is_joined: true,
        mtu: 1500,
        ..Weather::default()
    };
    let mut world = World::new(1, weather);
    world.is_checked = false;
    let (client, server) = world.open();
    let block = std::vec![1; 256 * 1024];
    let total = 64 << 20;
    let (mut read, start) = (0, Clock::now());
    let deadline = world.now + Duration::from_secs(1000);
    while read < total {
        while world.sides[0].write(client, &block) > 0 {}
        assert!(world.step(deadline));
        loop {
            let count = world.sides[1].readable(server).len();
            if count == 0 {
                break;
            }
            world.sides[1].consume(server, count);
            read += count;
        }
    }
    let rate = read as f64 / start.elapsed().as_secs_f64() / 1e9;
    let counters = world.sides[0].view().counters;
    std::println!(
        "{rate:.2} GB/s here, {} departures, {} confirmations, {} simulated",
        counters.departures,
        world.sides[1].view().counters.departures,
        world.now,
    );
    assert_eq!(counters.segments_retransmitted, 0);
}
