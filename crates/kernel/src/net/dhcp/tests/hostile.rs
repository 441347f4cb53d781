//! Bytes that nobody means well with, in every state of a client.

use crate::base::prng::Prng;
use crate::base::time::{Duration, Instant};
use crate::net::dhcp::*;
use std::vec::Vec;

const PACKETS: usize = 100_000;
const SENDER: Sender = Sender {
    hardware_address: [2, 0, 0, 0, 0, 9],
    address: Ipv4Addr::new(10, 0, 0, 1),
};

/// What a server would say to the client's newest message, more or less.
fn answer(asked: &Repr, prng: &mut Prng) -> Repr {
    let kinds = [
        MessageType::Offer,
        MessageType::Ack,
        MessageType::Ack,
        MessageType::Nak,
    ];
    let kind = match asked.kind {
        MessageType::Discover => MessageType::Offer,
        _ => kinds[prng.below(4) as usize],
    };
    let mut repr = Repr::new(kind, asked.transaction, asked.hardware_address);
    repr.your_address = Ipv4Addr::new(10, 0, 0, 2 + prng.below(3) as u8);
    repr.server = Some(SENDER.address);
    repr.lease_seconds = Some(5 + prng.below(100) as u32);
    repr.parameters.subnet_mask = Some(Ipv4Addr::new(255, 255, 255, 0));
    for list in [
        &mut repr.parameters.routers,
        &mut repr.parameters.name_servers,
    ] {
        list.push(SENDER.address).unwrap();
    }
    repr.parameters.domain_name.push_cut("lan.test");
    repr.parameters
        .search_domains
        .push(Name::cut_from("lan.test"))
        .unwrap();
    repr
}

fn mutate(bytes: &mut Vec<u8>, prng: &mut Prng) {
    for _ in 0..prng.below(6) {
        let place = prng.below(bytes.len() as u64) as usize;
        // Most of the meaning stands in the options.
        let place = if prng.one_in(4) {
            place
        } else {
            place.max(HEADER_BYTES - 4).min(bytes.len() - 1)
        };
        match prng.below(5) {
            0 => bytes[place] = prng.next_u64() as u8,
            1 => bytes[place] ^= 1 << prng.below(8),
            2 => bytes[place] = [0, 1, 52, 119, 121, 254, 255][prng.below(7) as usize],
            3 => bytes.truncate(place.max(1)),
            _ => bytes.insert(place, prng.next_u64() as u8),
        }
    }
}

#[test]
fn mutated_messages_break_no_promise() {
    let mut prng = Prng::new(0xd4c9);
    let own = [2, 0, 0, 0, 0, 1];
    let mut client = Client::new(Identity::new(own, own, 0, "fuzz"), 1);
    let mut now = Instant::from_nanos(1);
    let mut asked = Repr::new(MessageType::Discover, 0, own);
    let mut states = std::collections::BTreeSet::new();
    for packet in 0..PACKETS {
        let mut bytes = std::vec![0; 1024];
        let length = answer(&asked, &mut prng).emit(&mut bytes).unwrap();
        bytes.truncate(length);
        mutate(&mut bytes, &mut prng);
        now = now + Duration::from_millis(prng.below(2_000));
        let input = match packet % 4 {
            _ if packet == 0 => Input::Start { remembered: None },
            _ if packet == 1 => Input::LinkUp,
            0 | 1 => Input::Timer,
            _ => Input::Datagram {
                bytes: &bytes,
                sender: SENDER,
            },
        };
        let mut out = Outputs::new();
        client.step(now, input, &mut out);
        states.insert(client.view().state);
        assert_eq!(out.refused(), 0);
        while let Some(output) = out.pop() {
            if let Output::SendDatagram { repr, .. } = output {
                let mut frame = [0; CLIENT_MESSAGE_BYTES_MAX];
                assert!(repr.emit(&mut frame).is_ok());
                asked = repr;
            }
        }
        let lease = client.view().lease;
        assert!(lease.is_none_or(|lease| !lease.times.is_over(now)));
    }
    // It got about: the packets were not all refused at the door.
    for state in [
        "selecting",
        "requesting",
        "probing",
        "bound",
        "renewing",
        "init",
    ] {
        assert!(
            states.contains(state),
            "{state} was not reached: {states:?}"
        );
    }
    assert!(client.view().flaws.met().count() >= 12);
}

#[test]
fn random_inputs_in_any_order_break_no_promise() {
    for seed in 0..200 {
        let mut prng = Prng::new(seed);
        let own = [2, 0, 0, 0, 0, 1];
        let mut client = Client::new(Identity::new(own, own, 0, ""), seed);
        let mut now = Instant::from_nanos(1);
        let mut asked = Repr::new(MessageType::Discover, 0, own);
        for _ in 0..300 {
            let mut bytes = std::vec![0; 1024];
            let length = answer(&asked, &mut prng).emit(&mut bytes).unwrap();
            now = now + Duration::from_millis(prng.below(3_000));
            let address = Ipv4Addr::new(10, 0, 0, 2 + prng.below(3) as u8);
            let input = match prng.below(30) {
                0 => Input::Start {
                    remembered: Some(address),
                },
                1..=3 => Input::LinkUp,
                4 => Input::LinkDown,
                5 => Input::Renew,
                6 => Input::Release,
                7 => Input::Inform {
                    address: Some(address),
                },
                8 => Input::ArpSeen {
                    sender_mac: [9; 6],
                    sender_ip: address,
                    target_ip: Ipv4Addr::UNSPECIFIED,
                },
                9..=20 => Input::Datagram {
                    bytes: &bytes[..length],
                    sender: SENDER,
                },
                _ => Input::Timer,
            };
            let mut out = Outputs::new();
            client.step(now, input, &mut out);
            assert_eq!(out.refused(), 0);
            while let Some(output) = out.pop() {
                if let Output::SendDatagram { repr, .. } = output {
                    asked = repr;
                }
            }
            let lease = client.view().lease;
            assert!(lease.is_none_or(|lease| !lease.times.is_over(now)));
        }
    }
}
