//! How long decisions take and how many need no search: figures only.
//!
//! The workload: 64 connections with 12 packets each way in turn make nine tenths of the
//! packets; half of the rest are a denied host that tries one port after another, the
//! other half are strangers that come once. 100 rules, the first one for that host.

use super::rig::*;
use crate::base::time::Instant;
use crate::net::firewall::flow::{ACK, SYN};
use crate::net::firewall::rules::Rules;
use crate::net::firewall::{Firewall, Tuple};
use crate::net::packet::Direction::{In, Out};
use crate::net::packet::PacketFacts;
use std::format;
use std::time::Instant as HostInstant;

const CHECKS: u32 = 200_000;

#[test]
fn two_thirds_of_a_busy_node_s_packets_need_no_search() {
    let mut firewall = Firewall::new(1);
    for port in 0..99 {
        add(
            &mut firewall,
            &format!("deny in tcp from any to any port {}", 1_000 + port),
        );
    }
    add(&mut firewall, "deny any from 203.0.113.9 at 1");
    let scanner = "203.0.113.9".parse().unwrap();
    let mut stranger = 0;
    for round in 0..200 {
        for connection in 0..64_u16 {
            let port = 40_000 + connection + 64 * (round / 12 % 8);
            let flags = if round % 12 == 0 { SYN } else { ACK };
            firewall.check(at(0), &tcp(Out, 80, port, flags));
            firewall.check(at(0), &tcp(In, 80, port, ACK));
            if connection % 10 < 2 {
                let scan = tcp(In, 7, round * 64 + connection, SYN);
                let scan = PacketFacts {
                    source: scanner,
                    ..scan
                };
                firewall.check(at(0), &scan);
                stranger += 1;
                firewall.check(at(0), &with_remote(tcp(In, 9, 22, SYN), stranger));
            }
        }
    }
    let (fast, checks) = firewall.fast_path();
    std::println!(
        "fast path: {fast} of {checks} checks, {} %",
        fast * 100 / checks
    );
    assert!(fast * 3 >= checks * 2, "{fast} of {checks}");
    assert!(firewall.paths().deny_list > 2_000);
}

/// Prints a table; run with `--nocapture`.
#[test]
fn the_time_of_a_decision_is_measured() {
    std::println!("rules  meets  search ns  table ns");
    for count in [1, 10, 100, 256] {
        let mut rules = Rules::new(1);
        let mut firewall = Firewall::new(1);
        for port in 0..count {
            let line = format!("deny in tcp from any to any port {}", 1_000 + port);
            add(&mut firewall, &line);
            rules
                .add(firewall.rules()[usize::from(port)].rule, None)
                .unwrap();
        }
        for (name, port) in [("first", 1_000), ("last", 999 + count), ("none", 1)] {
            let facts = |number| with_remote(tcp(In, number as u16, port, SYN), number);
            let expected = (port >= 1_000).then(|| usize::from(port - 1_000));
            let search = nanos(|number| {
                assert_eq!(rules.find(&Tuple::of(&facts(number))), expected);
            });
            let table = nanos(|_| assert_eq!(rules.decide(&Tuple::of(&facts(5))), expected));
            std::println!("{count:>5}  {name:<5}  {search:>9}  {table:>8}");
        }
    }
    let mut firewall = Firewall::new(1);
    firewall.check(Instant::ZERO, &tcp(Out, 80, 50_000, SYN));
    let answer = tcp(In, 80, 50_000, ACK);
    let flow = nanos(|_| {
        firewall.check(Instant::ZERO, &answer);
    });
    std::println!("a packet of a flow: {flow} ns");
}

fn nanos(mut decide: impl FnMut(u32)) -> u128 {
    let start = HostInstant::now();
    for number in 0..CHECKS {
        decide(number);
    }
    start.elapsed().as_nanos() / u128::from(CHECKS)
}
