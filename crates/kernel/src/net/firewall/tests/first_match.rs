//! The first rule that means a packet decides, whichever way it is found.

use super::rig::*;
use crate::base::prng::Prng;
use crate::limits::FIREWALL_RULES_MAX;
use crate::net::firewall::rules::Rules;
use crate::net::firewall::{Firewall, Prefix, Rule, Side, Tuple, Verdict};
use crate::net::packet::{Direction, PacketFacts};
use std::vec::Vec;

/// What the list means, written down without any thought of speed.
fn naive(rules: &[Rule], facts: &PacketFacts) -> Option<usize> {
    rules.iter().position(|rule| {
        let prefix_fits = |side: &Side, address: core::net::IpAddr| match side.prefix {
            None => true,
            Some(prefix) => match (prefix.address(), address) {
                (core::net::IpAddr::V4(own), core::net::IpAddr::V4(other)) => (0..prefix.length())
                    .all(|bit| {
                        own.to_bits() >> (31 - bit) & 1 == other.to_bits() >> (31 - bit) & 1
                    }),
                (core::net::IpAddr::V6(own), core::net::IpAddr::V6(other)) => (0..prefix.length())
                    .all(|bit| {
                        own.to_bits() >> (127 - bit) & 1 == other.to_bits() >> (127 - bit) & 1
                    }),
                _ => false,
            },
        };
        let port_fits = |side: &Side, port: u16| match side.ports {
            None => true,
            Some(ports) => {
                [6, 17].contains(&facts.protocol) && (ports.first()..=ports.last()).contains(&port)
            }
        };
        [None, Some(facts.direction)].contains(&rule.direction)
            && [None, Some(facts.protocol)].contains(&rule.protocol)
            && [None, Some(facts.tenant)].contains(&rule.tenant)
            && [None, Some(facts.interface)].contains(&rule.interface)
            && prefix_fits(&rule.source, facts.source)
            && prefix_fits(&rule.destination, facts.destination)
            && port_fits(&rule.source, facts.source_port)
            && port_fits(&rule.destination, facts.destination_port)
    })
}

#[test]
fn a_million_packets_meet_the_rule_that_a_plain_reading_of_the_list_finds() {
    let mut checks = 0;
    let mut decided = [0_u64; 2];
    let mut paths = [0; 3];
    for seed in 0..170 {
        let mut prng = Prng::new(seed);
        let count = any_of(&mut prng, &[1, 3, 10, 40, 120, FIREWALL_RULES_MAX]);
        let mut rules = Rules::new(seed);
        let mut list = Vec::new();
        for _ in 0..count {
            let rule = any_rule(&mut prng);
            let place = prng.below(list.len() as u64 + 1) as usize;
            assert_eq!(rules.add(rule, Some(place)), Ok(place));
            list.insert(place, rule);
        }
        // Half of the packets come again and again, as those of a flow do.
        let known: Vec<_> = (0..150).map(|_| any_packet(&mut prng)).collect();
        for round in 0..6_200 {
            if round % 1_500 == 1_499 && !list.is_empty() {
                let place = prng.below(list.len() as u64) as usize;
                assert_eq!(rules.remove(place).unwrap().rule, list.remove(place));
            }
            let facts = match prng.one_in(2) {
                true => any_of(&mut prng, &known),
                false => any_packet(&mut prng),
            };
            let expected = naive(&list, &facts);
            let found = rules.decide(&Tuple::of(&facts));
            assert_eq!(found, expected, "seed {seed}, round {round}: {facts:?}");
            checks += 1;
            decided[usize::from(found.is_some())] += 1;
        }
        let own = rules.paths();
        for (sum, own) in paths.iter_mut().zip([own.deny_list, own.table, own.search]) {
            *sum += own;
        }
    }
    assert!(checks > 1_000_000, "{checks}");
    // All ways and both answers were taken often enough to mean something.
    assert!(decided.iter().all(|count| *count > 100_000), "{decided:?}");
    assert!(paths.iter().all(|count| *count > 5_000), "{paths:?}");
}

#[test]
fn a_host_is_denied_at_once_only_where_no_earlier_rule_lets_it_in() {
    let mut firewall = Firewall::new(1);
    add(
        &mut firewall,
        "allow tcp from 192.0.2.0/24 to any port 80 in",
    );
    add(&mut firewall, "deny any from 192.0.2.7");
    add(&mut firewall, "reject any from 198.51.100.9");
    let allowed = tcp(Direction::In, 5, 80, 2);
    let denied = tcp(Direction::In, 5, 81, 2);
    assert_eq!(firewall.check(at(0), &allowed), Verdict::Allow);
    assert_eq!(firewall.check(at(0), &denied), Verdict::Deny);
    assert_eq!(firewall.paths().deny_list, 0);
    let host = "198.51.100.9".parse().unwrap();
    for port in 0..10 {
        let facts = PacketFacts {
            source: host,
            ..tcp(Direction::In, 5, port, 2)
        };
        assert_eq!(firewall.check(at(0), &facts), Verdict::Reject);
    }
    assert_eq!(firewall.paths().deny_list, 10);
    assert_eq!(firewall.rules()[2].hits.packets, 10);
    // Without the rule before it, the second host goes the short way, too.
    assert!(firewall.remove(1).is_some());
    assert_eq!(firewall.check(at(0), &denied), Verdict::Deny);
    assert_eq!(firewall.paths().deny_list, 11);
}

#[test]
fn a_full_list_refuses_and_keeps_what_it_has() {
    let mut firewall = Firewall::new(1);
    for number in 0..FIREWALL_RULES_MAX {
        let source = core::net::Ipv4Addr::from_bits(number as u32).into();
        let rule = Rule {
            source: Side {
                prefix: Some(Prefix::host(source)),
                ports: None,
            },
            ..Rule::any(Verdict::Deny)
        };
        assert_eq!(firewall.add(rule, None), Ok(number + 1));
    }
    assert!(firewall.add(Rule::any(Verdict::Deny), Some(1)).is_err());
    assert_eq!(firewall.rules().len(), FIREWALL_RULES_MAX);
    assert!(firewall.remove(0).is_none());
    assert!(firewall.remove(FIREWALL_RULES_MAX + 1).is_none());
    assert!(firewall.remove(FIREWALL_RULES_MAX).is_some());
}
