//! Answers pass, strangers do not, and a flood breaks nothing.

use super::rig::*;
use crate::base::prng::Prng;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::limits::{FLOWS_MAX, FLOWS_TENANT_MAX};
use crate::net::firewall::flow::{ACK, FIN, RST, SYN};
use crate::net::firewall::{Firewall, Reason, Stage, Verdict};
use crate::net::packet::Direction::{In, Out};
use crate::net::packet::{PacketFacts, Quoted, protocol};

fn passes(firewall: &mut Firewall, now: Instant, facts: &PacketFacts) -> bool {
    firewall.check(now, facts) == Verdict::Allow
}

fn offered(port: u16) -> Firewall {
    let mut firewall = Firewall::new(9);
    firewall.offer(Tenant::KERNEL, protocol::TCP, port).unwrap();
    firewall
}

/// Both ends shake hands; the connection is established then.
fn connect_out(firewall: &mut Firewall, now: Instant, remote: u32, local: u16) {
    let out = with_remote(tcp(Out, 80, local, SYN), remote);
    assert!(passes(firewall, now, &out));
    let answer = with_remote(tcp(In, 80, local, SYN | ACK), remote);
    assert!(passes(firewall, now, &answer));
    let last = with_remote(tcp(Out, 80, local, ACK), remote);
    assert!(passes(firewall, now, &last));
}

#[test]
fn what_we_ask_is_answered_and_nothing_else_comes_in() {
    let mut firewall = Firewall::new(1);
    assert!(!passes(
        &mut firewall,
        at(0),
        &tcp(In, 80, 50_000, SYN | ACK)
    ));
    assert!(passes(&mut firewall, at(0), &tcp(Out, 80, 50_000, SYN)));
    assert!(passes(
        &mut firewall,
        at(0),
        &tcp(In, 80, 50_000, SYN | ACK)
    ));
    assert!(!passes(
        &mut firewall,
        at(0),
        &tcp(In, 81, 50_000, SYN | ACK)
    ));
    assert!(!passes(
        &mut firewall,
        at(0),
        &tcp(In, 80, 50_001, SYN | ACK)
    ));
    assert!(passes(&mut firewall, at(0), &udp(Out, 53, 40_000)));
    assert!(passes(&mut firewall, at(29), &udp(In, 53, 40_000)));
    assert!(!passes(&mut firewall, at(0), &udp(In, 54, 40_000)));
    assert!(passes(&mut firewall, at(0), &icmp(Out, 8, 77)));
    assert!(passes(&mut firewall, at(1), &icmp(In, 0, 77)));
    assert!(!passes(&mut firewall, at(1), &icmp(In, 0, 78)));
}

#[test]
fn an_answer_to_one_tenant_or_interface_is_none_to_another() {
    let mut firewall = Firewall::new(1);
    let question = udp(Out, 53, 40_000);
    assert!(passes(&mut firewall, at(0), &question));
    let answer = udp(In, 53, 40_000);
    let tenant = Tenant::new(2).unwrap();
    assert!(!passes(
        &mut firewall,
        at(0),
        &PacketFacts { tenant, ..answer }
    ));
    let interface = 1;
    assert!(!passes(
        &mut firewall,
        at(0),
        &PacketFacts {
            interface,
            ..answer
        }
    ));
    assert!(passes(&mut firewall, at(0), &answer));
}

#[test]
fn a_port_is_open_as_long_as_somebody_listens() {
    let mut firewall = Firewall::new(1);
    let syn = tcp(In, 5, 80, SYN);
    let tenant = Tenant::KERNEL;
    assert!(!passes(&mut firewall, at(0), &syn));
    firewall.offer(tenant, protocol::TCP, 80).unwrap();
    firewall.offer(tenant, protocol::TCP, 80).unwrap();
    firewall.withdraw(tenant, protocol::TCP, 80);
    assert!(passes(&mut firewall, at(0), &syn));
    assert!(!passes(&mut firewall, at(0), &udp(In, 5, 80)));
    let stranger = Tenant::new(1).unwrap();
    assert!(!passes(
        &mut firewall,
        at(0),
        &PacketFacts {
            tenant: stranger,
            ..syn
        }
    ));
    firewall.withdraw(tenant, protocol::TCP, 80);
    firewall.withdraw(tenant, protocol::TCP, 80);
    // The connection that began before goes on, a new one does not begin.
    assert!(passes(&mut firewall, at(0), &tcp(In, 5, 80, ACK)));
    assert!(!passes(&mut firewall, at(0), &tcp(In, 6, 80, SYN)));
}

#[test]
fn a_connection_lasts_two_hours_in_silence_and_a_handshake_half_a_minute() {
    let mut firewall = offered(80);
    let (syn, answer, ack) = (
        tcp(In, 5, 80, SYN),
        tcp(Out, 5, 80, SYN | ACK),
        tcp(In, 5, 80, ACK),
    );
    assert!(passes(&mut firewall, at(0), &syn));
    assert!(passes(&mut firewall, at(0), &answer));
    assert_eq!(firewall.flows_in(Stage::OpeningIn), 1);
    assert_eq!(firewall.next_deadline(), Some(at(30)));
    assert!(passes(&mut firewall, at(1), &ack));
    assert_eq!(firewall.flows_in(Stage::Established), 1);
    firewall.withdraw(Tenant::KERNEL, protocol::TCP, 80);
    assert!(passes(&mut firewall, at(7_000), &ack));
    firewall.step(at(7_000 + 7_439));
    assert_eq!(firewall.flows_in(Stage::Established), 1);
    assert!(!passes(&mut firewall, at(7_000 + 7_440), &ack));
    firewall.step(at(7_000 + 7_440));
    assert_eq!(firewall.flows().count(), 0);
    assert_eq!(firewall.flow_counts().expired, 1);
}

#[test]
fn an_end_from_both_sides_or_a_reset_closes_and_a_new_handshake_opens_again() {
    let mut firewall = Firewall::new(1);
    connect_out(&mut firewall, at(0), 1, 50_000);
    let packet = |direction, flags| with_remote(tcp(direction, 80, 50_000, flags), 1);
    assert!(passes(&mut firewall, at(1), &packet(Out, FIN | ACK)));
    assert_eq!(firewall.flows_in(Stage::HalfClosed), 1);
    assert!(passes(&mut firewall, at(2), &packet(In, ACK)));
    assert!(passes(&mut firewall, at(2), &packet(In, FIN | ACK)));
    assert_eq!(firewall.flows_in(Stage::Closing), 1);
    // The last acknowledgement may be asked for again.
    assert!(passes(&mut firewall, at(30), &packet(In, FIN | ACK)));
    assert!(passes(&mut firewall, at(40), &packet(Out, SYN)));
    assert_eq!(firewall.flows_in(Stage::OpeningOut), 1);
    assert!(passes(&mut firewall, at(41), &packet(In, RST | ACK)));
    assert_eq!(firewall.flows_in(Stage::Closing), 1);
    assert!(!passes(&mut firewall, at(41), &packet(In, SYN)));
}

#[test]
fn a_reset_that_we_do_not_believe_ends_nothing() {
    let mut firewall = Firewall::new(1);
    connect_out(&mut firewall, at(0), 1, 50_000);
    let packet = |direction, flags| with_remote(tcp(direction, 80, 50_000, flags), 1);
    assert!(passes(&mut firewall, at(1), &packet(In, RST)));
    assert_eq!(firewall.flows_in(Stage::Closing), 1);
    assert!(passes(&mut firewall, at(1), &packet(Out, ACK)));
    assert_eq!(firewall.flows_in(Stage::Established), 1);
}

#[test]
fn a_conversation_over_udp_lives_longer_than_a_question() {
    let mut firewall = Firewall::new(1);
    assert!(passes(&mut firewall, at(0), &udp(Out, 53, 40_000)));
    assert!(passes(&mut firewall, at(1), &udp(In, 53, 40_000)));
    assert_eq!(firewall.flows_in(Stage::AskingOut), 1);
    assert!(passes(&mut firewall, at(3), &udp(Out, 53, 40_000)));
    assert_eq!(firewall.flows_in(Stage::Talking), 1);
    assert!(passes(&mut firewall, at(182), &udp(In, 53, 40_000)));
    assert!(!passes(&mut firewall, at(182 + 180), &udp(In, 53, 40_000)));
}

#[test]
fn an_error_about_a_packet_of_ours_passes_and_an_invented_one_does_not() {
    let mut firewall = Firewall::new(1);
    assert!(passes(&mut firewall, at(0), &udp(Out, 53, 40_000)));
    let quoted = |local| Quoted {
        source: OURS,
        destination: THEIRS,
        protocol: protocol::UDP,
        source_port: local,
        destination_port: 53,
    };
    // A router on the way says it, not the end.
    let error = |icmp_type, local| PacketFacts {
        source: "203.0.113.1".parse().unwrap(),
        quoted: Some(quoted(local)),
        ..icmp(In, icmp_type, 0)
    };
    assert!(passes(&mut firewall, at(1), &error(3, 40_000)));
    assert!(passes(&mut firewall, at(1), &error(11, 40_000)));
    assert!(!passes(&mut firewall, at(1), &error(5, 40_000)));
    assert!(!passes(&mut firewall, at(1), &error(3, 40_001)));
    assert!(!passes(&mut firewall, at(31), &error(3, 40_000)));
}

#[test]
fn what_ip_itself_needs_comes_in() {
    let mut firewall = Firewall::new(1);
    let neighbour = |icmp_type| PacketFacts {
        source: "fe80::1".parse().unwrap(),
        destination: "ff02::1".parse().unwrap(),
        protocol: protocol::ICMPV6,
        ..icmp(In, icmp_type, 0)
    };
    for icmp_type in [133, 134, 135, 136] {
        assert!(passes(&mut firewall, at(0), &neighbour(icmp_type)));
    }
    assert!(!passes(&mut firewall, at(0), &neighbour(129)));
    let answer = udp(In, 67, 68);
    assert!(!passes(&mut firewall, at(0), &answer));
    firewall.set_dhcp_client(0, true);
    assert!(passes(&mut firewall, at(0), &answer));
    let elsewhere = PacketFacts {
        interface: 1,
        ..answer
    };
    assert!(!passes(&mut firewall, at(0), &elsewhere));
    firewall.set_dhcp_client(0, false);
    firewall.set_dhcp_client(1_000, true);
    assert!(!passes(&mut firewall, at(100), &answer));
    assert_eq!(
        firewall.explain(at(100), &answer).reason,
        Reason::NotOffered
    );
}

#[test]
fn inside_everything_passes_that_no_rule_denies() {
    let mut firewall = Firewall::new(1);
    firewall.set_inside(0, true);
    add(&mut firewall, "deny tcp from any to any port 23");
    assert!(passes(&mut firewall, at(0), &tcp(In, 5, 80, SYN)));
    assert!(!passes(&mut firewall, at(0), &tcp(In, 5, 23, SYN)));
    let outside = PacketFacts {
        interface: 1,
        ..tcp(In, 5, 80, SYN)
    };
    assert!(!passes(&mut firewall, at(0), &outside));
    assert_eq!(firewall.flows().count(), 0);
}

#[test]
fn a_thousand_pings_a_second_are_answered_and_no_more() {
    let mut firewall = Firewall::new(1);
    let mut answered = 0;
    for step in 0..100_000 {
        let now = Instant::ZERO + Duration::from_micros(step * 20);
        // Each from somebody else: none belongs to a flow.
        let ping = with_remote(icmp(In, 8, step as u16), step as u32);
        answered += u64::from(passes(&mut firewall, now, &ping));
    }
    assert!((2_000..=2_100).contains(&answered), "{answered}");
}

#[test]
fn a_flood_of_handshakes_pushes_out_only_its_own_kind() {
    let mut firewall = offered(80);
    for number in 0..200 {
        connect_out(&mut firewall, at(0), number, 50_000);
    }
    // A handshake of ours that is under way.
    assert!(passes(&mut firewall, at(1), &tcp(Out, 80, 60_000, SYN)));
    for number in 0..100_000 {
        let syn = with_remote(tcp(In, 9, 80, SYN), 10_000 + number);
        assert!(passes(&mut firewall, at(1), &syn));
    }
    assert_eq!(firewall.flows().count(), FLOWS_MAX);
    assert_eq!(firewall.flows_in(Stage::Established), 200);
    assert!(passes(
        &mut firewall,
        at(2),
        &tcp(In, 80, 60_000, SYN | ACK)
    ));
    for number in 0..200 {
        let data = with_remote(tcp(In, 80, 50_000, ACK), number);
        assert!(passes(&mut firewall, at(2), &data));
    }
    // An honest handshake whose first packet was pushed out is completed all the same.
    let last = with_remote(tcp(In, 9, 80, ACK), 10_000);
    assert!(passes(&mut firewall, at(2), &last));
    let counts = firewall.flow_counts();
    assert_eq!(counts.refused_full, 0);
    assert!(counts.pushed_out > 99_000);
}

#[test]
fn a_table_full_of_connections_refuses_new_ones_and_breaks_none() {
    let mut firewall = offered(80);
    for number in 0..FLOWS_MAX as u32 {
        connect_out(&mut firewall, at(0), number, 50_000);
    }
    assert!(!passes(&mut firewall, at(1), &tcp(Out, 80, 60_000, SYN)));
    assert!(!passes(&mut firewall, at(1), &tcp(In, 9, 80, SYN)));
    assert_eq!(firewall.flow_counts().refused_full, 2);
    for number in 0..FLOWS_MAX as u32 {
        let data = with_remote(tcp(In, 80, 50_000, ACK), number);
        assert!(passes(&mut firewall, at(2), &data));
    }
    // One that ends makes room.
    let reset = with_remote(tcp(In, 80, 50_000, RST), 3);
    assert!(passes(&mut firewall, at(3), &reset));
    assert!(passes(&mut firewall, at(3), &tcp(Out, 80, 60_000, SYN)));
}

#[test]
fn a_tenant_has_its_share_of_flows_and_leaves_the_others_theirs() {
    let mut firewall = Firewall::new(1);
    let tenant = Tenant::new(1).unwrap();
    let question = |tenant, number| PacketFacts {
        tenant,
        ..with_remote(udp(Out, 53, 40_000), number)
    };
    let passed = |firewall: &mut Firewall, tenant, now| {
        (0..5_000)
            .filter(|number| passes(firewall, now, &question(tenant, *number)))
            .count()
    };
    assert_eq!(passed(&mut firewall, tenant, at(0)), FLOWS_TENANT_MAX);
    let next = Tenant::new(2).unwrap();
    assert_eq!(passed(&mut firewall, next, at(0)), FLOWS_TENANT_MAX);
    assert_eq!(firewall.flow_counts().refused_tenant, 2 * (5_000 - 128));
    // Their questions end, and they may ask again.
    assert_eq!(passed(&mut firewall, tenant, at(31)), FLOWS_TENANT_MAX);
}

#[test]
fn a_new_rule_ends_the_flows_that_it_denies() {
    let mut firewall = Firewall::new(1);
    connect_out(&mut firewall, at(0), 1, 50_000);
    connect_out(&mut firewall, at(0), 2, 50_000);
    let data = |remote| with_remote(tcp(In, 80, 50_000, ACK), remote);
    add(&mut firewall, "deny out tcp from any to 198.51.0.1");
    assert_eq!(firewall.explain(at(1), &data(1)).reason, Reason::NotOffered);
    assert!(!passes(&mut firewall, at(1), &data(1)));
    assert!(passes(&mut firewall, at(1), &data(2)));
    assert_eq!(firewall.flows().count(), 1);
}

#[test]
fn a_flow_that_lived_by_a_rule_ends_with_it_and_counts_for_it() {
    let mut firewall = Firewall::new(1);
    add(&mut firewall, "allow in tcp from any to any port 22");
    assert!(passes(&mut firewall, at(0), &tcp(In, 5, 22, SYN)));
    assert!(passes(&mut firewall, at(0), &tcp(Out, 5, 22, SYN | ACK)));
    assert!(passes(&mut firewall, at(0), &tcp(In, 5, 22, ACK)));
    let hits = firewall.rules()[0].hits;
    assert_eq!((hits.packets, hits.bytes, hits.last), (3, 300, Some(at(0))));
    add(&mut firewall, "deny udp at 1");
    assert!(passes(&mut firewall, at(1), &tcp(In, 5, 22, ACK)));
    assert_eq!(firewall.rules()[1].hits.packets, 4);
    assert!(firewall.remove(2).is_some());
    assert!(!passes(&mut firewall, at(2), &tcp(In, 5, 22, ACK)));
}

#[test]
fn answers_to_what_is_rejected_are_few() {
    let mut firewall = Firewall::new(1);
    add(&mut firewall, "reject in tcp from any to any port 23");
    let verdicts = (0..1_000).map(|port| firewall.check(at(0), &tcp(In, port, 23, SYN)));
    let rejected = verdicts
        .filter(|verdict| *verdict == Verdict::Reject)
        .count();
    assert_eq!(rejected, 20);
    assert_eq!(firewall.counts().rejects_silenced, 980);
    assert_eq!(firewall.rules()[0].hits.packets, 1_000);
}

#[test]
fn noise_never_breaks_the_tables() {
    for seed in 0..6 {
        let mut prng = Prng::new(seed);
        let mut firewall = Firewall::new(seed);
        let mut now = Instant::ZERO;
        for step in 0..60_000_u64 {
            now = now + Duration::from_nanos(prng.below(40_000_000));
            if prng.one_in(500) {
                let number = 1 + prng.below(20) as usize;
                match prng.one_in(2) {
                    true => drop(firewall.add(any_rule(&mut prng), Some(number))),
                    false => drop(firewall.remove(number)),
                }
            }
            if prng.one_in(100) {
                firewall.step(now);
            }
            let mut facts = any_packet(&mut prng);
            facts.source_port = prng.below(300) as u16;
            let quoted = Quoted {
                source: facts.destination,
                destination: facts.source,
                protocol: facts.protocol,
                source_port: facts.destination_port,
                destination_port: facts.source_port,
            };
            facts.quoted = prng.one_in(9).then_some(quoted);
            let expected = firewall.explain(now, &facts);
            let verdict = firewall.check(now, &facts);
            // Only limits of rate and room make a difference to what was explained.
            if verdict != expected.verdict {
                assert_eq!(
                    verdict,
                    Verdict::Deny,
                    "seed {seed}, step {step}: {facts:?}"
                );
            }
            let flows = firewall.flows().count();
            let staged: usize = Stage::ALL
                .map(|stage| firewall.flows_in(stage))
                .iter()
                .sum();
            assert!(step % 100 != 0 || flows == staged);
        }
        let counts = firewall.counts();
        let decided: u64 = counts.by_reason.iter().map(|hits| hits.packets).sum();
        assert_eq!((counts.checks(), decided), (60_000, 60_000));
        firewall.step(Instant::FAR_FUTURE);
        assert_eq!(
            (firewall.flows().count(), firewall.next_deadline()),
            (0, None)
        );
    }
}
