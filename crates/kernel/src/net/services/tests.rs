//! The services over streams and datagrams in memory.

use super::*;
use crate::net::stream::memory::MemoryStreams;
use core::net::{IpAddr, Ipv4Addr};
use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));

#[derive(Default)]
struct FakePorts {
    open: Vec<u16>,
    refused: Option<u16>,
    waiting: VecDeque<(u16, u16, Vec<u8>)>,
    sent: Vec<(u16, Vec<u8>)>,
}

impl Doors for FakePorts {
    fn open(&mut self, port: u16) -> Result<(), &'static str> {
        if self.refused == Some(port) {
            return Err("something listens on that port already");
        }
        self.open.push(port);
        Ok(())
    }

    fn close(&mut self, port: u16) {
        self.open.retain(|open| *open != port);
    }
}

impl Datagrams for FakePorts {
    fn answer(
        &mut self,
        port: u16,
        generated: &[u8],
        judge: &mut dyn FnMut(Endpoint, &[u8]) -> Reply,
    ) -> bool {
        let Some(at) = self.waiting.iter().position(|(to, ..)| *to == port) else {
            return false;
        };
        let (_, from, bytes) = self.waiting.remove(at).unwrap();
        let remote = Endpoint {
            address: PEER,
            port: from,
        };
        match judge(remote, &bytes) {
            Reply::Nothing => {}
            Reply::Same => self.sent.push((from, bytes)),
            Reply::Generated => self.sent.push((from, generated.to_vec())),
        }
        true
    }
}

struct Rig {
    services: Services,
    streams: MemoryStreams,
    ports: FakePorts,
}

impl Rig {
    fn offering(wanted: &[Service]) -> Self {
        let mut rig = Self {
            services: Services::new(),
            streams: MemoryStreams::default(),
            ports: FakePorts::default(),
        };
        let wanted = wanted
            .iter()
            .fold(ServiceSet::NONE, |set, service| set.with(*service, true));
        rig.services.offer(wanted, &mut rig.ports).unwrap();
        rig
    }

    fn step(&mut self) -> bool {
        self.services.step(&mut self.streams, &mut self.ports)
    }

    fn row(&self, service: Service) -> ServiceView {
        let mut found = None;
        self.services
            .visit(&mut |view| found = (view.service == service).then_some(*view).or(found));
        found.unwrap()
    }
}

#[test]
fn nothing_is_offered_until_somebody_asks() {
    let mut rig = Rig::offering(&[]);
    assert!(rig.ports.open.is_empty());
    rig.ports.waiting.push_back((7, 4000, vec![1]));
    rig.step();
    assert_eq!(rig.ports.waiting.len(), 1);
}

#[test]
fn a_service_that_is_no_longer_wanted_closes_its_port() {
    let mut rig = Rig::offering(&[Service::Echo, Service::Chargen]);
    assert_eq!(rig.ports.open, [7, 19]);
    let wanted = ServiceSet::NONE.with(Service::Chargen, true);
    rig.services.offer(wanted, &mut rig.ports).unwrap();
    assert_eq!(rig.ports.open, [19]);
    assert!(!rig.row(Service::Echo).is_offered);
}

#[test]
fn a_port_that_cannot_be_opened_is_not_offered_and_the_others_are() {
    let mut rig = Rig::offering(&[]);
    rig.ports.refused = Some(9);
    let wanted = ServiceSet::parse("echo,discard,chargen").unwrap();
    assert!(rig.services.offer(wanted, &mut rig.ports).is_err());
    assert_eq!(rig.ports.open, [7, 19]);
    assert!(!rig.services.offered().has(Service::Discard));
}

#[test]
fn discard_takes_all_and_tells_its_sum() {
    let mut rig = Rig::offering(&[Service::Discard]);
    let client = rig.streams.dial(9);
    let pattern = Pattern::new();
    let mut sum = StreamSum::new();
    for position in 0..100 {
        let piece = &pattern.piece(position * 1000)[..1000];
        assert_eq!(rig.streams.write(client, piece), piece.len());
        sum.add(piece);
        rig.step();
    }
    rig.streams.finish(client);
    rig.step();
    let row = rig.row(Service::Discard);
    assert_eq!(row.last, Some((100_000, sum.value())));
    assert_eq!((row.open, row.counters.received_bytes), (0, 100_000));
    rig.streams.release(client);
    assert_eq!(rig.streams.in_use(), 0);
}

#[test]
fn echo_gives_back_every_byte_however_little_is_taken_at_once() {
    for (window, run) in [(1, 1), (7, 3), (5000, usize::MAX)] {
        let mut rig = Rig::offering(&[Service::Echo]);
        (rig.streams.window, rig.streams.run) = (window, run);
        let client = rig.streams.dial(7);
        let bytes = Pattern::new().piece(5)[..2000].to_vec();
        let (mut sent, mut heard) = (0, Vec::new());
        while heard.len() < bytes.len() {
            sent += rig.streams.write(client, &bytes[sent..]);
            rig.step();
            heard.extend(rig.streams.take(client));
        }
        assert_eq!(heard, bytes, "window {window}");
    }
}

#[test]
fn the_generator_sends_its_pattern_until_the_client_goes() {
    let mut rig = Rig::offering(&[Service::Chargen]);
    let client = rig.streams.dial(19);
    let pattern = Pattern::new();
    let mut position = 0;
    while position < 300_000 {
        rig.step();
        let heard = rig.streams.take(client);
        for chunk in heard.chunks(1000) {
            assert_eq!(*chunk, pattern.piece(position)[..chunk.len()]);
            position += chunk.len() as u64;
        }
    }
    rig.streams.abort(client);
    rig.step();
    assert_eq!(rig.row(Service::Chargen).open, 0);
}

#[test]
fn one_connection_does_not_keep_a_step_for_itself() {
    let mut rig = Rig::offering(&[Service::Chargen]);
    rig.streams.window = usize::MAX;
    let client = rig.streams.dial(19);
    assert!(rig.step(), "there is more to do");
    let sent = rig.streams.take(client).len();
    assert!(sent < STEP_BYTES + 2 * 16 * 1024, "{sent}");
}

#[test]
fn connections_beyond_the_places_are_refused_and_counted() {
    let mut rig = Rig::offering(&[Service::Discard]);
    let clients: Vec<_> = (0..SERVICE_CONNECTIONS_MAX + 3)
        .map(|_| rig.streams.dial(9))
        .collect();
    rig.step();
    let row = rig.row(Service::Discard);
    assert_eq!(row.open, SERVICE_CONNECTIONS_MAX);
    assert_eq!(row.counters.connections_refused, 3);
    for client in clients {
        rig.streams.abort(client);
        rig.streams.release(client);
    }
    rig.step();
    assert_eq!(rig.streams.in_use(), 0);
}

#[test]
fn datagrams_are_echoed_generated_and_discarded() {
    let mut rig = Rig::offering(&Service::ALL);
    for port in [7, 9, 19] {
        rig.ports.waiting.push_back((port, 4000, vec![5; 64]));
    }
    rig.step();
    assert_eq!(rig.ports.sent.len(), 2);
    assert_eq!(rig.ports.sent[0], (4000, vec![5; 64]));
    assert_eq!(rig.ports.sent[1].1.len(), CHARGEN_DATAGRAM_BYTES);
    assert_eq!(rig.row(Service::Discard).counters.datagrams, 1);
}

#[test]
fn a_datagram_from_another_service_is_not_answered() {
    let mut rig = Rig::offering(&Service::ALL);
    for from in [0, 7, 19, 1023] {
        rig.ports.waiting.push_back((7, from, vec![1]));
        rig.ports.waiting.push_back((19, from, vec![1]));
    }
    rig.step();
    assert!(rig.ports.sent.is_empty());
    assert_eq!(rig.row(Service::Echo).counters.datagrams_ignored, 4);
}

#[test]
fn a_flood_of_datagrams_does_not_keep_a_step_for_itself() {
    let mut rig = Rig::offering(&[Service::Discard]);
    for _ in 0..STEP_DATAGRAMS + 1 {
        rig.ports.waiting.push_back((9, 4000, vec![1]));
    }
    assert!(rig.step());
    assert_eq!(rig.ports.waiting.len(), 1);
    assert!(!rig.step());
}
