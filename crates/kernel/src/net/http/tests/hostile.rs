//! Requests that nobody means well with, a hundred thousand of them.

use super::rig::Rig;
use crate::base::prng::Prng;
use crate::net::stream::{StreamId, Streams};
use std::vec::Vec;

const SEEDS: [&[u8]; 8] = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    b"HEAD http://x/job/300 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nExpect: 100-continue\r\n\r\n",
    b"GET /job/3000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"\r\n\n\r\n: ;,%00 HTTP/9.9\r\n\r\n",
    b"Content-Length: 18446744073709551616\r\n\r\n",
];

/// A few requests, joined and spoilt.
fn spoil(prng: &mut Prng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=prng.below(3) {
        bytes.extend_from_slice(SEEDS[prng.below(SEEDS.len() as u64) as usize]);
    }
    for _ in 0..prng.below(6) {
        let at = prng.below(bytes.len() as u64) as usize;
        let other = prng.below(bytes.len() as u64) as usize;
        match prng.below(6) {
            0 => bytes[at] = prng.next_u64() as u8,
            1 => bytes[at] ^= 1 << prng.below(8),
            2 => bytes.truncate(at.max(1)),
            3 => bytes.insert(at, b"\r\n:; \0"[prng.below(6) as usize]),
            4 => bytes.swap(at, other),
            _ => {
                let part = bytes[at.min(other)..at.max(other)].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes.truncate(60_000);
    bytes
}

fn is_answers(bytes: &[u8]) -> bool {
    bytes.is_empty() || bytes.starts_with(b"HTTP/1.1 ")
}

#[test]
fn a_hundred_thousand_spoilt_requests_leave_the_server_as_it_was() {
    let mut rig = Rig::new();
    let mut prng = Prng::new(7);
    let mut silent: Vec<StreamId> = Vec::new();
    for _ in 0..100_000 {
        let client = rig.dial();
        let bytes = spoil(&mut prng);
        rig.streams.run = 1 + prng.below(200) as usize;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(1 + prng.below(rest.len() as u64) as usize);
            rig.streams.write(client, piece);
            rig.server.step(rig.now, &mut rig.streams, &mut rig.service);
            rest = later;
        }
        rig.step();
        assert!(is_answers(&rig.streams.take(client)));
        // Some stay in the middle of what they said.
        silent.push(client);
        if silent.len() > 20 || !prng.one_in(10) {
            let index = prng.below(silent.len() as u64) as usize;
            rig.streams.release(silent.swap_remove(index));
        }
    }
    for client in silent {
        rig.streams.release(client);
    }
    let counters = rig.server.view().counters;
    assert!(counters.malformed > 20_000 && counters.answers[2] > 20_000);
    rig.assert_nothing_left();
    let answer = rig.ask(SEEDS[0]);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
