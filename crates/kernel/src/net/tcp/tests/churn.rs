//! Connections come and go, and leave nothing behind.

use super::world::{Weather, World, address};
use crate::base::tenant::Tenant;
use crate::base::time::Duration;
use crate::limits::{TCP_HALF_OPEN_MAX, TCP_TIME_WAIT_MAX};
use crate::net::packet::Endpoint;
use crate::net::segment::Arrival;
use crate::net::tcp::header::{HEADER_BYTES_MAX, Header, flags};
use crate::net::tcp::sequence::Sequence;
use crate::net::tcp::{Event, Tcp, TcpError};
use std::vec::Vec;

fn used(tcp: &Tcp) -> [Option<u64>; 2] {
    let view = tcp.view();
    [view.connections.used, view.chunks.used]
}

/// One request, one answer, closed by one side or the other, or broken off.
fn serve_one(world: &mut World, round: usize) {
    let (client, server) = world.open();
    assert_eq!(world.sides[0].write(client, b"ping"), 4);
    world.run_for(Duration::from_millis(15));
    assert_eq!(world.sides[1].readable(server), b"ping");
    world.sides[1].consume(server, 4);
    assert_eq!(world.sides[1].write(server, b"pong"), 4);
    match round % 4 {
        0 => world.sides[1].release(server),
        1 => world.sides[0].shutdown(client),
        2 => world.sides[0].abort(client),
        _ => {}
    }
    world.run_for(Duration::from_millis(15));
    world.sides[0].release(client);
    world.sides[1].release(server);
    assert_eq!(world.sides[0].status(client), None);
    world.run_for(Duration::from_millis(40));
}

#[test]
fn a_thousand_connections_leave_every_pool_as_it_was() {
    let is_long = std::env::var_os("RAYOS_LONG").is_some();
    let rounds = if is_long { 100_000 } else { 1_000 };
    if !is_long {
        std::println!("shortened to 1,000; RAYOS_LONG=1 opens and closes 100,000");
    }
    let mut world = World::new(1, Weather::default());
    world.is_checked = false;
    for round in 0..rounds {
        serve_one(&mut world, round);
        while world.sides[0].next_event().is_some() {}
        if round % 100 == 0 {
            world.sides.iter().for_each(Tcp::assert_consistent);
        }
    }
    world.run_for(Duration::from_secs(300));
    for tcp in &world.sides {
        assert_eq!(used(tcp), [Some(0); 2]);
        let view = tcp.view();
        assert_eq!(
            (view.time_wait.used, view.half_open.used),
            (Some(0), Some(0))
        );
        assert!(view.time_wait.high_water <= Some(TCP_TIME_WAIT_MAX as u64));
    }
    assert_eq!(
        world.sides[1].view().counters.connections_accepted,
        rounds as u64
    );
}

#[test]
fn a_full_table_refuses_and_what_runs_goes_on() {
    // Memory for eight connections.
    let mut world = World::with_memory(2, Weather::default(), [16 << 20, 16 * 8192]);
    let pairs: Vec<_> = (0..8).map(|_| world.open()).collect();
    let late = world.connect();
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.sides[1].accept(world.listener), None);
    assert!(world.sides[1].view().counters.backlog_full > 0);
    let (client, server) = pairs[3];
    assert_eq!(world.sides[0].write(client, &[5; 3000]), 3000);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.sides[1].readable(server).len(), 3000);
    // A place becomes free, and the late one gets it.
    world.sides[1].abort(pairs[0].1);
    world.sides[1].release(pairs[0].1);
    world.run_for(Duration::from_secs(30));
    assert!(world.sides[1].accept(world.listener).is_some());
    assert_eq!(world.sides[0].status(late).and_then(|it| it.end), None);
    let mut tcp = Tcp::new([0; 16], 2 * 8192);
    let remote = Endpoint {
        address: address(0),
        port: 9,
    };
    assert!(
        tcp.connect(world.now, Tenant::KERNEL, address(1), remote)
            .is_ok()
    );
    assert_eq!(
        tcp.connect(world.now, Tenant::KERNEL, address(1), remote),
        Err(TcpError::ConnectionsFull)
    );
}

#[test]
fn a_flood_of_requests_breaks_nothing_that_is_open() {
    let mut world = World::new(3, Weather::default());
    let (client, server) = world.open();
    for index in 0..4 * TCP_HALF_OPEN_MAX as u32 {
        let header = Header {
            sequence: Sequence::new(index),
            flags: flags::SYN,
            window: 1000,
            ..Header::default()
        };
        let mut buffer = [0; HEADER_BYTES_MAX];
        let remote = Endpoint {
            address: core::net::IpAddr::V4(core::net::Ipv4Addr::from_bits(0x0b00_0000 + index)),
            port: 1 + index as u16,
        };
        let arrival = Arrival {
            tenant: Tenant::KERNEL,
            local: Endpoint {
                address: address(1),
                port: 80,
            },
            remote,
            header: header.emit(remote.port, 80, &mut buffer),
            payload: &[],
            is_congestion_marked: false,
        };
        world.sides[1].on_segment(world.now, &arrival);
    }
    world.sides[1].assert_consistent();
    let counters = world.sides[1].view().counters;
    assert_eq!(counters.half_open_dropped, 3 * TCP_HALF_OPEN_MAX as u64);
    assert_eq!(world.sides[0].write(client, b"still here"), 10);
    world.run_for(Duration::from_millis(100));
    assert_eq!(world.sides[1].readable(server), b"still here");
    // The flood never answers, and after a while a new connection is as good as ever.
    world.open();
    world.run_for(Duration::from_secs(100));
    assert_eq!(world.sides[1].view().half_open.used, Some(0));
}

#[test]
fn events_are_told_once_and_in_order() {
    let mut world = World::new(4, Weather::default());
    let (client, server) = world.open();
    let mut block = 0;
    loop {
        let count = world.sides[0].write(client, &[1; 50_000]);
        block += count;
        if count == 0 {
            break;
        }
    }
    assert!(block >= 256 * 1024 && world.sides[0].writable(client) == 0);
    world.run_for(Duration::from_millis(500));
    let told = core::iter::from_fn(|| world.sides[1].next_event()).collect::<Vec<_>>();
    assert_eq!(told, [(server, Event::Readable)]);
    while !world.sides[1].readable(server).is_empty() {
        let count = world.sides[1].readable(server).len();
        world.sides[1].consume(server, count);
    }
    world.run_for(Duration::from_millis(500));
    world.sides[1].abort(server);
    world.run_for(Duration::from_millis(500));
    let told = core::iter::from_fn(|| world.sides[0].next_event()).collect::<Vec<_>>();
    let expected = [Event::Opened, Event::Writable, Event::Closed].map(|event| (client, event));
    assert_eq!(told, expected);
    world.sides[0].release(client);
    world.sides[1].release(server);
    assert_eq!(world.sides[0].readable(client), b"");
    assert_eq!(world.sides[0].write(client, b"x"), 0);
}

#[test]
fn a_listener_that_closes_takes_those_along_that_wait() {
    let mut world = World::new(5, Weather::default());
    let client = world.connect();
    world.run_for(Duration::from_millis(50));
    world.connect();
    world.run_for(Duration::from_millis(6));
    let listener = world.listener;
    world.sides[1].unlisten(listener);
    world.run_for(Duration::from_millis(50));
    assert!(world.sides[0].status(client).unwrap().end.is_some());
    assert_eq!(used(&world.sides[1]), [Some(0); 2]);
    assert_eq!(world.sides[1].accept(listener), None);
    assert!(world.sides[1].listen(Tenant::KERNEL, None, 80, 1).is_ok());
    assert_eq!(
        world.sides[1].listen(Tenant::KERNEL, None, 80, 1),
        Err(TcpError::PortInUse)
    );
}
