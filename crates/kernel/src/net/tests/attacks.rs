//! Hosts that lie: floods, spoofs and fragments that contradict each other.

use super::rig::{OWN_IP, PEER, PEER_IP, Rig, TENANT, arp, echo, ethernet, ipv4, udp};
use crate::base::prng::Prng;
use crate::base::time::Duration;
use std::vec::Vec;

const LIAR: [u8; 6] = [0x66, 0, 0, 0, 0, 0x66];

/// The hardware address that a packet to the peer goes to.
fn way_to_peer(rig: &mut Rig) -> Vec<u8> {
    let socket = rig.outlet().bind_udp(TENANT, None, 99).unwrap();
    let to = crate::net::packet::Endpoint {
        address: PEER_IP.into(),
        port: 7,
    };
    rig.outlet().send_udp(socket, to, b"x").unwrap();
    rig.outlet().close_udp(socket);
    let sent = rig.take_sent();
    let datagram = sent.iter().find(|frame| frame[12..14] == [8, 0]);
    datagram.map_or(Vec::new(), |frame| frame[..6].to_vec())
}

#[test]
fn a_flood_of_claims_fills_the_table_and_breaks_nobody_in_use() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    assert_eq!(way_to_peer(&mut rig), PEER);
    for host in 0..2000_u16 {
        let [high, low] = host.to_be_bytes();
        let source = [10, 0, 0, low];
        if low > 2 {
            rig.give(&arp(1, [0x66, 0, 0, 0, high, low], source, OWN_IP));
        }
        // And one who says that he is our peer.
        let claimed = rig.give(&arp(1 + (low & 1), LIAR, PEER_IP, OWN_IP));
        assert!(claimed.len() <= 2);
        assert_eq!(way_to_peer(&mut rig), PEER, "host {host}");
    }
    // The peer defends itself as soon as it is asked.
    rig.run_for(Duration::from_secs(1));
    rig.give(&arp(2, PEER, PEER_IP, OWN_IP));
    assert_eq!(way_to_peer(&mut rig), PEER);
    assert_eq!(rig.in_use()[0].1, 0);
}

#[test]
fn a_flood_of_strange_senders_asks_for_a_bounded_number_of_them() {
    let mut rig = Rig::new();
    let mut asked = 0;
    for host in 3..250 {
        let sent = rig.give(&ipv4([10, 0, 0, host], 1, (0, 0, false), &echo(8)));
        asked += sent.len();
    }
    assert_eq!(asked, crate::limits::NEIGHBOURS_ASKED_MAX);
    rig.run_for(Duration::from_secs(10));
    assert!(
        rig.in_use().iter().all(|(_, used)| *used == 0),
        "{:?}",
        rig.in_use()
    );
}

#[test]
fn fragments_that_overlap_are_never_delivered() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let request = echo(24);
    let piece = |start: usize, end: usize, has_more| {
        ipv4(
            PEER_IP,
            1,
            (5, start as u16, has_more),
            &request[start..end],
        )
    };
    rig.give(&piece(0, 16, true));
    let mut other = piece(8, 32, false);
    other[40] ^= 0xff;
    assert!(rig.give(&other).is_empty());
    // Not even when the right ones follow.
    assert!(rig.give(&piece(0, 16, true)).is_empty());
    assert!(rig.give(&piece(16, 32, false)).is_empty());
    rig.run_for(Duration::from_secs(31));
    assert!(
        rig.in_use().iter().all(|(_, used)| *used == 0),
        "{:?}",
        rig.in_use()
    );
    // The same in a new datagram is well.
    rig.give(&piece(0, 16, true));
    assert_eq!(rig.give(&piece(16, 32, false)).len(), 1);
}

#[test]
fn fragments_beyond_all_bounds_take_no_more_than_their_places() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    let mut prng = Prng::new(3);
    for _ in 0..5000 {
        let offset = (prng.below(8192) * 8) as u16;
        let fragment = (prng.below(64) as u16, offset, prng.one_in(2));
        let bytes = std::vec![7; 8 * (1 + prng.below(20) as usize)];
        rig.give(&ipv4(PEER_IP, 17, fragment, &bytes));
    }
    let long = rig
        .in_use()
        .iter()
        .find(|(name, _)| *name == "LONG")
        .map(|(_, used)| *used);
    assert!(long.is_some_and(|used| used <= crate::limits::REASSEMBLIES_MAX as u64));
    rig.run_for(Duration::from_secs(31));
    assert!(
        rig.in_use().iter().all(|(_, used)| *used == 0),
        "{:?}",
        rig.in_use()
    );
}

#[test]
fn a_beginning_whose_rest_does_not_come_is_reported_to_its_sender() {
    let mut rig = Rig::new();
    rig.introduce_peer();
    rig.give(&ipv4(PEER_IP, 17, (9, 0, true), &udp(1, 7, &[0; 16])));
    rig.run_for(Duration::from_secs(31));
    let sent = rig.take_sent();
    assert!(
        sent.iter().any(|frame| frame[34..36] == [11, 1]),
        "{sent:?}"
    );
}

#[test]
fn packets_from_impossible_sources_go_nowhere() {
    let mut rig = Rig::new();
    for source in [
        [127, 0, 0, 1],
        [224, 0, 0, 1],
        [255; 4],
        OWN_IP,
        [0, 0, 0, 5],
    ] {
        assert!(
            rig.give(&ipv4(source, 1, (0, 0, false), &echo(8)))
                .is_empty()
        );
    }
    let from_group = ethernet(super::rig::OWN, [1, 0, 0, 0, 0, 1], 0x0800, &[0x45; 40]);
    assert!(rig.give(&from_group).is_empty());
}
