//! Replies of people who were not asked, and of servers that lie.

use super::super::message;
use super::super::{Kind, Name};
use super::rig::{FIRST, OK, Rig, SECOND, a, cname, reply};
use crate::base::prng::Prng;

const X: &str = "x.example";

#[test]
fn forged_replies_are_counted_and_change_nothing() {
    let mut rig = Rig::new();
    let id = rig.ask(X, Kind::A);
    let (socket, server, question) = rig.question();
    let good = reply(&question, OK, &[a(X, 60, 1)], &[]);
    rig.wire.reply(socket, SECOND, &good);
    let mut other_id = good.clone();
    other_id[1] ^= 1;
    rig.wire.reply(socket, server, &other_id);
    let mut other_name = good.clone();
    other_name[13] = b'y';
    rig.wire.reply(socket, server, &other_name);
    let mut no_reply = good.clone();
    no_reply[2] &= 0x7f;
    rig.wire.reply(socket, server, &no_reply);
    rig.wire.reply(socket, server, &good[..good.len() - 1]);
    rig.wire.reply(socket, server, &[]);
    rig.step();
    assert_eq!(rig.result(id), None);
    let counters = rig.resolver.view(rig.now).counters;
    assert_eq!((counters.wrong_sender, counters.wrong_id), (1, 1));
    assert_eq!((counters.wrong_question, counters.malformed), (2, 2));
    rig.wire.reply(socket, FIRST, &good);
    rig.step();
    assert!(rig.result(id).unwrap().is_ok());
}

#[test]
fn names_that_run_in_circles_and_counts_without_records_end() {
    let asked = Name::parse(X).unwrap();
    let question = message::query(7, &asked, Kind::A);
    let good = reply(&question, OK, &[], &[]);
    for tail in [
        // A pointer to itself, to what follows, and out of the message.
        &[0xc0, good.len() as u8][..],
        &[0xc0, good.len() as u8 + 2, 0xc0, good.len() as u8],
        &[0xff, 0xff],
        &[0x40, 0],
        &[0x80],
    ] {
        let mut bytes = good.clone();
        bytes[6..8].copy_from_slice(&1u16.to_be_bytes());
        bytes.extend_from_slice(tail);
        bytes.extend_from_slice(&[0; 20]);
        assert_eq!(
            message::parse(&bytes, 7, &asked, Kind::A),
            Err(message::BadReply::Malformed)
        );
    }
    let mut huge = good;
    huge[6..12].fill(0xff);
    assert_eq!(
        message::parse(&huge, 7, &asked, Kind::A),
        Err(message::BadReply::Malformed)
    );
}

#[test]
fn a_hundred_thousand_spoilt_replies_end_in_an_answer_or_an_error() {
    let asked = Name::parse(X).unwrap();
    let question = message::query(7, &asked, Kind::A);
    let records = [
        cname(X, 60, "b.example"),
        a("b.example", 60, 1),
        a("b.example", 60, 2),
    ];
    let good = reply(&question, OK, &records, &[]);
    let mut prng = Prng::new(3);
    let mut read = 0;
    for _ in 0..100_000 {
        let mut bytes = good.clone();
        for _ in 0..=prng.below(4) {
            let at = prng.below(bytes.len() as u64) as usize;
            match prng.below(4) {
                0 => bytes[at] = prng.next_u64() as u8,
                1 => bytes[at] = 0xc0 | (prng.next_u64() as u8 & 1),
                2 => bytes.truncate(at.max(12)),
                _ => bytes.insert(at, prng.next_u64() as u8),
            }
        }
        read += usize::from(message::parse(&bytes, 7, &asked, Kind::A).is_ok());
    }
    assert!(read > 1_000);
}
