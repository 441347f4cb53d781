//! Known bytes in, known bytes out.

use super::rig::{OWN, OWN_IP, PEER, PEER_IP, Rig, TENANT, arp, echo, ethernet, ipv4, udp};
use crate::base::network_port::Offload;
use crate::base::time::Duration;
use crate::net::checksum::checksum;
use crate::net::packet::Endpoint;
use crate::net::ping::PingRequest;
use crate::net::segment::{Departure, SegmentSink, SendError};
use core::net::IpAddr;
use std::vec::Vec;

const WHOLE: (u16, u16, bool) = (0, 0, false);

#[test]
fn a_question_for_our_address_is_answered_to_who_asked() {
    let mut rig = Rig::new();
    let sent = rig.give(&arp(1, PEER, PEER_IP, OWN_IP));
    let mut expected = std::vec![0, 1, 8, 0, 6, 4, 0, 2];
    expected.extend_from_slice(&OWN);
    expected.extend_from_slice(&OWN_IP);
    expected.extend_from_slice(&PEER);
    expected.extend_from_slice(&PEER_IP);
    assert_eq!(sent, [ethernet(PEER, OWN, 0x0806, &expected)]);
    assert!(rig.give(&arp(1, PEER, PEER_IP, [10, 0, 0, 9])).is_empty());
}

#[test]
fn an_echo_request_comes_back_with_the_same_data() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let sent = rig.give(&ipv4(PEER_IP, 1, WHOLE, &echo(56)));
    assert_eq!(sent.len(), 1);
    let reply = &sent[0];
    assert_eq!((&reply[..6], &reply[6..12]), (&PEER[..], &OWN[..]));
    assert_eq!(checksum(&reply[14..34]), 0);
    assert_eq!(
        (&reply[26..30], &reply[30..34]),
        (&OWN_IP[..], &PEER_IP[..])
    );
    assert_eq!((reply[34], checksum(&reply[34..])), (0, 0));
    assert_eq!(reply[38..], echo(56)[4..]);
}

#[test]
fn a_large_echo_is_put_together_and_answered_in_fragments() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let request = echo(4000);
    let mut pieces: Vec<_> = (0..3)
        .map(|index| {
            let start = index * 1480;
            let end = (start + 1480).min(request.len());
            let fragment = (77, start as u16, end < request.len());
            ipv4(PEER_IP, 1, fragment, &request[start..end])
        })
        .collect();
    pieces.swap(0, 2);
    assert!(rig.give(&pieces[0]).is_empty() && rig.give(&pieces[1]).is_empty());
    // A copy made on the way spoils nothing.
    assert!(rig.give(&pieces[1]).is_empty());
    let sent = rig.give(&pieces[2]);
    assert_eq!(sent.len(), 3);
    let mut reply = Vec::new();
    for (index, frame) in sent.iter().enumerate() {
        assert_eq!(checksum(&frame[14..34]), 0);
        let flags = u16::from_be_bytes([frame[20], frame[21]]);
        assert_eq!((flags & 0x1fff) as usize * 8, index * 1480);
        assert_eq!(flags & 0x2000 != 0, index < 2);
        reply.extend_from_slice(&frame[34..]);
    }
    assert_eq!((reply[0], checksum(&reply)), (0, 0));
    assert_eq!(reply[4..], request[4..]);
    assert!(
        rig.in_use().iter().all(|(_, used)| *used == 0),
        "{:?}",
        rig.in_use()
    );
}

#[test]
fn a_datagram_for_nobody_is_answered_with_what_it_was() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let frame = ipv4(PEER_IP, 17, WHOLE, &udp(5000, 9, b"hello"));
    let sent = rig.give(&frame);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0][34..36], [3, 3]);
    assert_eq!(sent[0][42..], frame[14..]);
    // Never about what was meant for all.
    let mut to_all = frame;
    to_all[..6].fill(0xff);
    assert!(rig.give(&to_all).is_empty());
}

#[test]
fn errors_are_sent_at_a_bounded_rate() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let mut count = 0;
    for _ in 0..1000 {
        count += rig
            .give(&ipv4(PEER_IP, 17, WHOLE, &udp(5000, 9, b"x")))
            .len();
    }
    assert_eq!(count, crate::limits::ICMP_ERRORS_PER_S);
    rig.run_for(Duration::from_secs(1));
    assert_eq!(
        rig.give(&ipv4(PEER_IP, 17, WHOLE, &udp(1, 9, b"x"))).len(),
        1
    );
}

#[test]
fn a_socket_gets_its_datagram_in_the_frame_in_which_it_came() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let socket = rig.outlet().bind_udp(TENANT, None, 7).unwrap();
    assert!(
        rig.give(&ipv4(PEER_IP, 17, WHOLE, &udp(5000, 7, b"hello")))
            .is_empty()
    );
    assert_eq!(rig.in_use()[0], ("FRAMES", 1));
    let datagram = rig.outlet().take_udp(socket).unwrap();
    assert_eq!(datagram.payload(), b"hello");
    let remote = datagram.remote;
    assert_eq!((remote.address, remote.port), (IpAddr::from(PEER_IP), 5000));
    rig.outlet()
        .send_udp(socket, remote, datagram.payload())
        .unwrap();
    rig.outlet().release_udp(datagram);
    assert_eq!(rig.in_use()[0], ("FRAMES", 0));
    let sent = rig.take_sent();
    assert_eq!(sent[0][34..38], [0, 7, 0x13, 0x88]);
    assert_eq!(sent[0][42..], *b"hello");
    rig.outlet().close_udp(socket);
}

#[test]
fn a_full_queue_drops_and_a_closed_socket_gives_all_frames_back() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let socket = rig.outlet().bind_udp(TENANT, None, 7).unwrap();
    for _ in 0..200 {
        rig.give(&ipv4(PEER_IP, 17, WHOLE, &udp(5000, 7, b"hello")));
    }
    assert_eq!(rig.in_use()[0].1, crate::limits::UDP_QUEUE_MAX as u64);
    rig.outlet().close_udp(socket);
    assert_eq!(rig.in_use()[0].1, 0);
}

#[test]
fn a_packet_waits_for_its_neighbour_and_the_silent_one_is_given_up() {
    let mut rig = Rig::new();
    let id = rig
        .network
        .start_ping(rig.now, PingRequest::new(PEER_IP.into()))
        .unwrap();
    rig.tick();
    let sent = rig.take_sent();
    assert_eq!(
        (sent.len(), sent[0][12], sent[0][13]),
        (1, 8, 6),
        "asked by ARP"
    );
    assert_eq!(rig.in_use()[0].1, 1, "the request waits");
    let mut reply = arp(2, PEER, PEER_IP, OWN_IP);
    reply[..6].copy_from_slice(&OWN);
    let sent = rig.give(&reply);
    assert_eq!((sent.len(), sent[0][34]), (1, 8), "the request went out");
    assert_eq!(sent[0][..6], PEER);
    rig.network.stop_ping(id);
    let silent = PingRequest::new([10, 0, 0, 77].into());
    let id = rig.network.start_ping(rig.now, silent).unwrap();
    rig.run_for(Duration::from_secs(9));
    assert!(rig.network.ping(id).unwrap().unreachable > 0);
    rig.network.stop_ping(id);
    assert_eq!(rig.in_use()[0].1, 0, "nothing waits any more");
}

fn departure<'a>(payload: &'a [&'a [u8]], header: &'a [u8]) -> Departure<'a> {
    let end = |address: [u8; 4], port| Endpoint {
        address: address.into(),
        port,
    };
    Departure {
        tenant: TENANT,
        local: end(OWN_IP, 80),
        remote: end(PEER_IP, 5000),
        header,
        payload,
        segment_bytes: 100,
        is_congestion_capable: false,
    }
}

/// Ports 80 and 5000, sequence 1000, ACK, PSH and FIN.
fn tcp_header() -> Vec<u8> {
    let mut header = std::vec![0; 20];
    header[..4].copy_from_slice(&[0, 80, 0x13, 0x88]);
    header[4..8].copy_from_slice(&1000_u32.to_be_bytes());
    header[12..14].copy_from_slice(&[0x50, 0b0001_1001]);
    header
}

#[test]
fn a_row_of_segments_is_cut_here_when_the_device_cannot() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let data: Vec<u8> = (0..=249).collect();
    let header = tcp_header();
    let pieces = [&data[..30], &data[30..30], &data[30..]];
    rig.outlet().send(&departure(&pieces, &header)).unwrap();
    let sent = rig.take_sent();
    assert_eq!(sent.len(), 3);
    let mut joined = Vec::new();
    for (index, frame) in sent.iter().enumerate() {
        let sequence = u32::from_be_bytes(frame[38..42].try_into().unwrap());
        assert_eq!(sequence as usize, 1000 + index * 100);
        assert_eq!(
            frame[47] & 0b1001 != 0,
            index == 2,
            "FIN and PSH at the end"
        );
        let mut sum = crate::net::checksum::Sum::pseudo_header(
            OWN_IP.into(),
            PEER_IP.into(),
            6,
            frame.len() - 34,
        );
        sum.add(&frame[34..]);
        assert_eq!(sum.checksum(), 0);
        joined.extend_from_slice(&frame[54..]);
    }
    assert_eq!(joined, data);
}

#[test]
fn a_device_that_cuts_gets_the_whole_row() {
    let mut rig = Rig::with(|facts| {
        facts.completes_checksums = true;
        facts.segments_bytes_max = 2000;
    });
    rig.introduce_peer();
    let route = rig.outlet().route(TENANT, None, PEER_IP.into()).unwrap();
    assert_eq!(route.source, IpAddr::from(OWN_IP));
    assert_eq!(route.departure_bytes_max, 2000 - 14 - 20 - 60);
    let (data, header) = ([9; 250], tcp_header());
    rig.outlet().send(&departure(&[&data], &header)).unwrap();
    let sent = core::mem::take(&mut rig.port.sent);
    assert_eq!((sent.len(), sent[0].0.len()), (1, 54 + 250));
    let expected = Offload::Segments {
        start: 34,
        offset: 16,
        headers_bytes: 54,
        segment_bytes: 100,
        is_ipv6: false,
    };
    assert_eq!(sent[0].1, expected);
    let pseudo = crate::net::checksum::Sum::pseudo_header(OWN_IP.into(), PEER_IP.into(), 6, 270);
    assert_eq!(sent[0].0[50..52], pseudo.partial().to_be_bytes());
}

#[test]
fn without_a_way_or_a_frame_the_sender_is_told() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let header = tcp_header();
    let mut nowhere = departure(&[], &header);
    nowhere.remote.address = "2001:db8::1".parse().unwrap();
    assert_eq!(rig.outlet().send(&nowhere), Err(SendError::Unreachable));
    rig.port.drain_frames();
    let result = rig.outlet().send(&departure(&[], &header));
    assert_eq!(result, Err(SendError::Busy));
}
