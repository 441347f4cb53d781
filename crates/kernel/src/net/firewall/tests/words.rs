//! Rules are read as they are typed, and errors name the word.

use super::rig::any_rule;
use crate::base::prng::Prng;
use crate::net::firewall::words::{Form, offer_next, parse_packet, parse_rule};
use std::string::{String, ToString};
use std::vec::Vec;

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn error(line: &str) -> String {
    parse_rule(&words(line)).unwrap_err().to_string()
}

#[test]
fn a_rule_is_shown_as_it_is_typed() {
    let cases = [
        (
            "deny tcp from any to any port 23",
            "deny tcp from any to any port 23",
        ),
        (
            "allow udp from 10.0.0.0/8 port 1000-2000 to any port 53 in tenant 2",
            "allow in udp from 10.0.0.0/8 port 1000-2000 to any port 53 tenant 2",
        ),
        ("reject any", "reject any from any to any"),
        ("deny in", "deny in any from any to any"),
        ("deny from fd00::/8", "deny any from fd00::/8 to any"),
        (
            "allow protocol 50 out interface 3 to ::1/128",
            "allow out protocol 50 from any to ::1 interface 3",
        ),
    ];
    for (typed, shown) in cases {
        assert_eq!(parse_rule(&words(typed)).unwrap().rule.to_string(), shown);
    }
}

#[test]
fn what_is_shown_can_be_typed_again() {
    let mut prng = Prng::new(11);
    let mut read = 0;
    for _ in 0..2_000 {
        let rule = any_rule(&mut prng);
        // Rules that no packet can match are not taken from a person.
        if let Ok(wish) = parse_rule(&words(&rule.to_string())) {
            assert_eq!(wish.rule, rule);
            read += 1;
        }
    }
    assert!(read > 800, "{read}");
}

#[test]
fn a_number_says_where_the_rule_goes() {
    let wish = parse_rule(&words("deny tcp at 7 from any")).unwrap();
    assert_eq!(wish.number, Some(7));
}

#[test]
fn what_is_wrong_is_said_with_its_word_and_a_way_out() {
    let cases = [
        (
            "",
            "a rule is missing; write one like deny tcp from any to any port 23",
        ),
        (
            "drop tcp",
            "\"drop\" is nothing to do with a packet; a rule begins with allow, deny or reject",
        ),
        (
            "deny",
            "which packets is missing; write any for all, or something like tcp from any to any",
        ),
        (
            "deny tpc",
            "\"tpc\" says nothing here; write in, out, a protocol, from, to, tenant, interface or at",
        ),
        (
            "deny tcp udp",
            "\"udp\" says a second time what was said before; leave one out",
        ),
        (
            "deny from 1.2.3",
            "\"1.2.3\" is no address; write one like 10.0.2.15 or fd00::1, with /LENGTH for a network, or any",
        ),
        (
            "deny from 1.2.3.4/33",
            "\"1.2.3.4/33\" is no address; write one like 10.0.2.15 or fd00::1, with /LENGTH for a network, or any",
        ),
        (
            "deny from 10.1.2.3/8",
            "\"10.1.2.3/8\" has bits behind its prefix; write 10.0.0.0/8",
        ),
        (
            "deny from",
            "an address is missing at the end; write one, or any",
        ),
        (
            "deny from any port 99999",
            "\"99999\" is no port; write one from 0 to 65535, or two like 1000-2000",
        ),
        (
            "deny from any port 20-10",
            "\"20-10\" is no port; write one from 0 to 65535, or two like 1000-2000",
        ),
        (
            "deny tcp port 23",
            "\"port\" stands behind an address; write from any port N or to any port N",
        ),
        (
            "deny to any port",
            "a port is missing behind \"port\"; write one, or two like 1000-2000",
        ),
        (
            "deny tcp tenant 8",
            "\"8\" is no tenant; write one from 0 to 7",
        ),
        (
            "deny tcp at 0",
            "\"0\" is no number of a rule; write one from 1 to 256",
        ),
        (
            "deny icmp to any port 1",
            "only tcp and udp have ports; leave the ports out or name one of these two",
        ),
        (
            "deny from 10.0.0.1 to fd00::1",
            "no packet goes between an IPv4 and an IPv6 address; write both ends in one family",
        ),
        (
            "deny icmp from fd00::1",
            "icmp goes between IPv4 addresses and icmpv6 between IPv6 addresses; write the other one",
        ),
        (
            "deny protocol 256",
            "\"256\" is no number of a protocol; write one from 0 to 255",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(error(line), expected, "{line}");
    }
}

#[test]
fn a_packet_to_test_says_all_that_matters() {
    let line = "in tcp from 1.2.3.4 port 5 to 10.0.2.15 port 23";
    let facts = parse_packet(&words(line)).unwrap();
    assert_eq!((facts.source_port, facts.destination_port), (5, 23));
    assert_eq!((facts.protocol, facts.tcp_flags), (6, 2));
    let cases = [
        (
            "tcp from 1.2.3.4 to 1.2.3.5",
            "the direction is missing; write in or out",
        ),
        (
            "in from 1.2.3.4 to 1.2.3.5",
            "the protocol is missing; write tcp, udp, icmp, icmpv6 or protocol NUMBER",
        ),
        (
            "in tcp to 1.2.3.5",
            "the sender is missing; write from ADDRESS",
        ),
        (
            "in tcp from 1.2.3.5",
            "the receiver is missing; write to ADDRESS",
        ),
        (
            "in tcp from any to 1.2.3.4",
            "\"any\" is no address; write one like 10.0.2.15 or fd00::1, with /LENGTH for a network, or any",
        ),
        (
            "in any from 1.2.3.4 to 1.2.3.4",
            "\"any\" says nothing here; write in, out, a protocol, from, to, tenant, interface or at",
        ),
    ];
    for (line, expected) in cases {
        let error = parse_packet(&words(line)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{line}");
    }
}

#[test]
fn completion_knows_what_may_follow() {
    let offered = |form, line| {
        let mut all = Vec::new();
        offer_next(form, &words(line), &mut |word| all.push(word));
        all.join(" ")
    };
    assert_eq!(offered(Form::Rule, ""), "allow deny reject");
    assert_eq!(
        offered(Form::Rule, "deny tcp from any"),
        "port in out to tenant interface at"
    );
    assert_eq!(offered(Form::Rule, "deny tcp from"), "any");
    assert_eq!(offered(Form::Packet, "in tcp from"), "");
    assert_eq!(
        offered(Form::Packet, ""),
        "in out tcp udp icmp icmpv6 protocol from to tenant interface"
    );
    assert_eq!(offered(Form::Rule, "deny nonsense"), "");
}

#[test]
fn no_words_whatever_are_too_much_for_the_parser() {
    let mut prng = Prng::new(5);
    let known = words(
        "allow deny reject in out tcp udp icmp icmpv6 any from to port tenant interface at \
         protocol 10.0.0.0/8 ::/0 1.2.3.4 23 1-2 - / :: 4294967296 é 0 /8 10.0.0.1/ -1",
    );
    let mut read = 0;
    for _ in 0..200_000 {
        let count = prng.below(12);
        let line: Vec<_> = (0..count)
            .map(|_| known[prng.below(known.len() as u64) as usize])
            .collect();
        read += u32::from(parse_rule(&line).is_ok());
        let _ = parse_packet(&line);
        offer_next(Form::Rule, &line, &mut |word| assert!(!word.is_empty()));
    }
    assert!(read > 100, "{read}");
}
