//! What who asks may rely on.

use super::super::{Failure, Kind};
use super::rig::{FIRST, NO_SUCH_NAME, OK, Rig, SECOND, a, cname, name, reply};
use crate::limits::{DNS_ADDRESSES_MAX, DNS_CACHE_MAX, DNS_LOOKUPS_MAX};
use crate::net::stream::Streams;
use core::net::{IpAddr, Ipv4Addr};
use std::format;
use std::vec::Vec;

const X: &str = "x.example";

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

#[test]
fn an_answer_says_who_gave_it_and_holds_for_its_time() {
    let mut rig = Rig::new();
    let id = rig.ask(X, Kind::A);
    rig.wait(30);
    assert_eq!(rig.result(id), None);
    rig.answer_next(OK, &[a(X, 60, 1), a(X, 90, 2), a("y.example", 1, 3)]);
    let answer = rig.result(id).unwrap().unwrap();
    assert_eq!(&answer.addresses[..], [address(1), address(2)]);
    assert_eq!(
        (
            answer.server,
            answer.ttl.as_millis(),
            answer.took.as_millis()
        ),
        (Some(FIRST), 60_000, 30)
    );
    rig.wait(59_000);
    let id = rig.ask(X, Kind::A);
    let cached = rig.result(id).unwrap().unwrap();
    assert!(cached.is_cached && cached.ttl.as_millis() == 1_000);
    rig.wait(1_000);
    let id = rig.ask(X, Kind::A);
    assert_eq!(rig.result(id), None);
    assert_eq!((rig.wire.sent.len(), rig.wire.open_sockets()), (1, 1));
}

#[test]
fn servers_take_turns_until_the_time_is_up() {
    let mut rig = Rig::new();
    let id = rig.ask(X, Kind::A);
    let mut asked = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..4 {
        let (_, server, question) = rig.question();
        asked.push(server);
        ids.push([question[0], question[1]]);
        rig.wait(2_000);
    }
    assert_eq!(asked, [FIRST, SECOND, FIRST, SECOND]);
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(rig.result(id), Some(Err(Failure::TimedOut)));
    assert_eq!(rig.wire.open_sockets(), 0);
}

#[test]
fn a_server_that_refuses_is_followed_by_the_next() {
    for code in [1, 2, 4, 5] {
        let mut rig = Rig::new();
        let id = rig.ask(X, Kind::A);
        rig.answer_next(0x8180 | code, &[]);
        rig.answer_next(OK, &[a(X, 60, 1)]);
        assert_eq!(rig.result(id).unwrap().unwrap().server, Some(SECOND));
        rig.servers.truncate(1);
        let id = rig.ask("z.example", Kind::A);
        for _ in 0..3 {
            rig.answer_next(0x8180 | code, &[]);
        }
        assert_eq!(rig.result(id), Some(Err(Failure::ServersFailed)));
    }
}

#[test]
fn aliases_are_followed_inside_of_replies_and_beyond() {
    let mut rig = Rig::new();
    let id = rig.ask(X, Kind::A);
    // In the wrong order on purpose.
    rig.answer_next(
        OK,
        &[
            a("c.example", 50, 1),
            cname("b.example", 40, "c.example"),
            cname(X, 70, "b.example"),
        ],
    );
    let answer = rig.result(id).unwrap().unwrap();
    assert_eq!(
        (answer.name.as_str(), answer.ttl.as_millis()),
        ("c.example", 40_000)
    );
    let id = rig.ask("w.example", Kind::A);
    rig.answer_next(OK, &[cname("w.example", 9, "v.example")]);
    assert_eq!(rig.result(id), None);
    rig.answer_next(OK, &[a("v.example", 50, 2)]);
    let answer = rig.result(id).unwrap().unwrap();
    assert_eq!(
        (answer.addresses[0], answer.ttl.as_millis()),
        (address(2), 9_000)
    );
}

#[test]
fn aliases_without_end_end() {
    let mut rig = Rig::new();
    let id = rig.ask("n0.example", Kind::A);
    for index in 0..9 {
        let (owner, target) = (
            format!("n{index}.example"),
            format!("n{}.example", index + 1),
        );
        rig.answer_next(OK, &[cname(&owner, 60, &target)]);
    }
    assert_eq!(rig.result(id), Some(Err(Failure::TooManyAliases)));
    let id = rig.ask("a.example", Kind::A);
    rig.answer_next(
        OK,
        &[
            cname("a.example", 60, "b.example"),
            cname("b.example", 60, "a.example"),
        ],
    );
    assert_eq!(rig.result(id), None);
    assert_eq!(rig.resolver.view(rig.now).counters.malformed, 1);
}

#[test]
fn that_there_is_nothing_is_remembered_as_long_as_the_zone_says() {
    for (flags, failure) in [
        (NO_SUCH_NAME, Failure::NoSuchName),
        (OK, Failure::NoAddress),
    ] {
        let mut rig = Rig::new();
        let id = rig.ask(X, Kind::A);
        let mut soa = [name("ns.example"), name("root.example")].concat();
        soa.extend_from_slice(&[0; 16]);
        soa.extend_from_slice(&10u32.to_be_bytes());
        let (socket, server, question) = rig.question();
        let bytes = reply(&question, flags, &[], &[("example", 6, 30, soa)]);
        rig.wire.reply(socket, server, &bytes);
        rig.step();
        assert_eq!(rig.result(id), Some(Err(failure)));
        rig.wait(9_999);
        let id = rig.ask(X, Kind::A);
        assert_eq!(rig.result(id), Some(Err(failure)));
        rig.wait(1);
        let id = rig.ask(X, Kind::A);
        assert_eq!(rig.result(id), None);
        // Without a zone's word nothing is remembered.
        rig.answer_next(flags, &[]);
        assert_eq!(rig.result(id), Some(Err(failure)));
        let id = rig.ask(X, Kind::A);
        assert_eq!(rig.result(id), None);
    }
}

#[test]
fn what_does_not_fit_a_datagram_comes_by_tcp() {
    let mut rig = Rig::new();
    let id = rig.ask(X, Kind::A);
    let (socket, server, question) = rig.question();
    rig.wire
        .reply(socket, server, &reply(&question, OK | 0x0200, &[], &[]));
    rig.step();
    rig.step();
    let stream = rig.streams.accept(53).unwrap();
    let asked = rig.streams.take(stream);
    assert_eq!(asked[..2], (question.len() as u16).to_be_bytes());
    assert_eq!(asked[2..], question);
    let records: Vec<_> = (0..20).map(|last| a(X, 60, last)).collect();
    let bytes = reply(&asked[2..], OK, &records, &[]);
    let mut framed = (bytes.len() as u16).to_be_bytes().to_vec();
    framed.extend(bytes);
    for piece in framed.chunks(7) {
        assert_eq!(rig.result(id), None);
        rig.streams.write(stream, piece);
        rig.step();
    }
    let answer = rig.result(id).unwrap().unwrap();
    assert_eq!(answer.addresses.len(), DNS_ADDRESSES_MAX);
    assert_eq!(answer.more, 20 - DNS_ADDRESSES_MAX);
    rig.streams.release(stream);
    assert_eq!((rig.streams.in_use(), rig.wire.open_sockets()), (0, 0));
    assert_eq!(rig.resolver.view(rig.now).counters.by_tcp, 1);
}

#[test]
fn more_lookups_than_places_are_refused_and_released_ones_make_room() {
    let mut rig = Rig::new();
    let ids: Vec<_> = (0..DNS_LOOKUPS_MAX)
        .map(|index| rig.ask(&format!("n{index}"), Kind::A))
        .collect();
    let one = super::super::Name::parse("one").unwrap();
    assert_eq!(rig.resolver.ask(rig.now, &one, Kind::A), Err(Failure::Full));
    for id in &ids {
        rig.resolver.release(*id, &mut rig.wire, &mut rig.streams);
    }
    assert_eq!(
        (rig.wire.open_sockets(), rig.resolver.next_deadline()),
        (0, None)
    );
    let fresh = rig.ask("fresh", Kind::A);
    assert!(!ids.contains(&fresh) && rig.resolver.answer(ids[0]).is_none());
}

#[test]
fn the_cache_forgets_what_ends_first() {
    let mut rig = Rig::new();
    for index in 0..=DNS_CACHE_MAX {
        let host = format!("n{index}");
        let id = rig.ask(&host, Kind::A);
        rig.answer_next(OK, &[a(&host, 1000 + index as u32, 1)]);
        assert!(rig.result(id).unwrap().is_ok());
    }
    assert_eq!(rig.resolver.view(rig.now).cached, DNS_CACHE_MAX);
    let id = rig.ask("n0", Kind::A);
    assert_eq!(rig.result(id), None);
    let id = rig.ask("n1", Kind::A);
    assert!(rig.result(id).is_some());
}

#[test]
fn some_questions_need_no_server() {
    let mut rig = Rig::new();
    let id = rig.ask("localhost", Kind::A);
    assert_eq!(
        rig.result(id).unwrap().unwrap().addresses[0],
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    );
    rig.servers.clear();
    let id = rig.ask(X, Kind::A);
    assert_eq!(rig.result(id), Some(Err(Failure::NoServer)));
}
