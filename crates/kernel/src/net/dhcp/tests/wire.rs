//! Messages as they stand on the wire, read and written.

use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::net::dhcp::*;
use std::vec;
use std::vec::Vec;

/// A client's first message; the fields that are zero are left out here.
const DISCOVER_HEAD: [u8; 16] = [
    1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 7, 0x80, 0, 0, 0, 0, 0,
];
const HARDWARE_ADDRESS: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const DISCOVER_OPTIONS: &[u8] = &[
    53, 1, 1, // DISCOVER
    61, 15, 255, 0, 0, 0, 3, 0, 3, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, // IAID 3, DUID-LL
    50, 4, 10, 0, 2, 15, // wanted
    57, 2, 5, 220, // 1500 bytes
    60, 5, b'R', b'a', b'y', b'O', b'S', //
    55, 12, 1, 121, 3, 6, 12, 15, 26, 28, 42, 58, 59, 119, //
    12, 4, b'n', b'o', b'd', b'e', //
    255,
];

/// What QEMU's server acknowledges, with everything else that a server may say.
const ACK_HEAD: [u8; 34] = [
    2, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2, 0, 0, 0,
    0, 0x52, 0x54, 0, 0x12, 0x34, 0x56,
];
const ACK_OPTIONS: &[u8] = &[
    53, 1, 5, // ACK
    51, 4, 0, 1, 81, 128, // a day
    54, 4, 10, 0, 2, 2, //
    58, 4, 0, 0, 168, 192, //
    59, 4, 0, 1, 39, 80, //
    1, 4, 255, 255, 255, 0, //
    121, 11, 8, 10, 10, 0, 2, 3, 0, 0, 0, 0, 0, // 10.0.0.0/8 and 0.0.0.0/0 on the link
    3, 8, 10, 0, 2, 2, 10, 0, 2, 4, //
    6, 4, 10, 0, 2, 3, //
    12, 4, b'h', b'o', b's', b't', //
    15, 8, b'l', b'a', b'n', b'.', b't', b'e', b's', b't', //
    26, 2, 5, 220, //
    28, 4, 10, 0, 2, 255, //
    42, 4, 10, 0, 2, 5, //
    119, 10, 3, b'l', b'a', b'n', 4, b't', b'e', b's', b't', 0, //
    255,
];

fn message(head: &[u8], options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes[..head.len()].copy_from_slice(head);
    bytes[28..34].copy_from_slice(&HARDWARE_ADDRESS);
    bytes[236..].copy_from_slice(&COOKIE);
    bytes.extend(options);
    bytes.resize(bytes.len().max(MESSAGE_BYTES_LEAST), 0);
    bytes
}

fn emitted(repr: &Repr) -> Vec<u8> {
    // What was in the frame before must not shine through.
    let mut bytes = vec![0xa5; 1024];
    let length = repr.emit(&mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

fn parsed(bytes: &[u8]) -> Repr {
    let mut flaws = Flaws::default();
    let repr = Repr::parse(bytes, &mut flaws).unwrap();
    assert_eq!(flaws, Flaws::default());
    repr
}

fn discover() -> Repr {
    let identity = Identity::new(HARDWARE_ADDRESS, HARDWARE_ADDRESS, 3, "node");
    let exchange = state::Exchange {
        transaction: 0xdead_beef,
        seconds: 7,
        sent: 1,
        ..state::Exchange::begin(Instant::ZERO, &mut Prng::new(1))
    };
    identity.discover(&exchange, Some(Ipv4Addr::new(10, 0, 2, 15)))
}

#[test]
fn a_discover_is_these_bytes_both_ways() {
    let golden = message(&DISCOVER_HEAD, DISCOVER_OPTIONS);
    assert_eq!(emitted(&discover()), golden);
    assert_eq!(parsed(&golden), discover());
}

#[test]
fn an_acknowledgement_is_these_bytes_both_ways() {
    let golden = message(&ACK_HEAD, ACK_OPTIONS);
    let repr = parsed(&golden);
    assert_eq!(emitted(&repr), golden);
    let parameters = &repr.parameters;
    assert_eq!(repr.kind, MessageType::Ack);
    assert_eq!(repr.lease_seconds, Some(86_400));
    assert_eq!(
        (repr.renew_seconds, repr.rebind_seconds),
        (Some(43_200), Some(75_600))
    );
    assert_eq!(
        parameters.routers[..],
        [[10, 0, 2, 2], [10, 0, 2, 4]].map(Ipv4Addr::from)
    );
    assert_eq!(parameters.routes[0].destination, Ipv4Addr::new(10, 0, 0, 0));
    assert_eq!(
        (parameters.routes[1].prefix, parameters.mtu),
        (0, Some(1500))
    );
    assert_eq!(&parameters.search_domains[0][..], "lan.test");
}

#[test]
fn every_kind_of_message_survives_the_wire() {
    for kind in MessageType::ALL {
        let mut repr = Repr::new(kind, 0x0102_0304, HARDWARE_ADDRESS);
        repr.is_rapid_commit = true;
        repr.message.push_cut("why not");
        assert_eq!(parsed(&emitted(&repr)), repr);
    }
}

#[test]
fn a_message_from_the_wrong_side_is_none() {
    let mut bytes = message(&ACK_HEAD, ACK_OPTIONS);
    bytes[0] = 1;
    let result = Repr::parse(&bytes, &mut Flaws::default());
    assert_eq!(result.err(), Some(Flaw::MessageType));
}

#[test]
fn headers_of_other_protocols_are_refused() {
    let good = message(&ACK_HEAD, ACK_OPTIONS);
    for (place, value) in [(0, 3), (1, 6), (2, 16), (236, 0), (239, 0)] {
        let mut bytes = good.clone();
        bytes[place] = value;
        let result = Repr::parse(&bytes, &mut Flaws::default());
        assert_eq!(result.err(), Some(Flaw::NotDhcp), "byte {place}");
    }
    let result = Repr::parse(&good[..HEADER_BYTES - 1], &mut Flaws::default());
    assert_eq!(result.err(), Some(Flaw::TooShort));
}

#[test]
fn a_frame_without_room_is_full_and_not_written_over() {
    for length in [0, 239, 240, 255, 297, 298, 299] {
        let mut bytes = vec![0xa5; length];
        assert!(discover().emit(&mut bytes).is_err(), "{length}");
    }
}

#[test]
fn lists_that_are_too_long_are_cut_and_counted() {
    let mut options = vec![53, 1, 2, 6, 24];
    options.extend((1..=6).flat_map(|last| [10, 0, 0, last]));
    options.extend([
        3, 12, 127, 0, 0, 1, 10, 0, 0, 1, 255, 255, 255, 255, 42, 3, 1, 2, 3,
    ]);
    options.extend([15, 2, b'a', b' ', 26, 2, 0, 68, 1, 3, 255, 255, 255, 255]);
    let mut flaws = Flaws::default();
    let repr = Repr::parse(&message(&ACK_HEAD, &options), &mut flaws).unwrap();
    assert_eq!(repr.parameters.name_servers.len(), 4);
    assert_eq!(repr.parameters.routers[..], [Ipv4Addr::new(10, 0, 0, 1)]);
    for (flaw, times) in [
        (Flaw::OptionCount, 2),
        (Flaw::ServerAddress, 2),
        (Flaw::OptionLength, 2),
        (Flaw::OptionText, 1),
        (Flaw::Mtu, 1),
    ] {
        assert_eq!(flaws.of(flaw), times, "{flaw:?}");
    }
}
