//! Rules are read as they are typed, and errors name the word.

use super::rig::*;
use crate::base::prng::Prng;
use crate::security::policy::words::{offer_next, parse_rule};
use crate::security::policy::*;
use std::string::{String, ToString};
use std::vec::Vec;

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn a_rule_is_shown_as_it_is_typed() {
    for line in [
        "allow tenant-* read,write device:*",
        "deny * * *",
        "audit level>=private look,execute command:device.*",
        "allow uid=4294967295 administer key:a",
        "deny a.b_c-1 delete volume:x/y:z@0",
    ] {
        assert_eq!(rule(line).to_string(), line);
    }
    let turned = rule("allow api write,read file:a").to_string();
    assert_eq!(turned, "allow api read,write file:a");
    let all = "allow api look,read,write,create,delete,execute,connect,administer *";
    assert_eq!(rule(all).to_string(), "allow api * *");
}

#[test]
fn what_is_shown_can_be_typed_again() {
    let mut prng = Prng::new(1);
    for _ in 0..5_000 {
        let any = any_rule(&mut prng);
        assert_eq!(rule(&any.to_string()), any);
    }
}

#[test]
fn a_number_in_front_says_where_the_rule_goes() {
    let wish = parse_rule(&words("at 3 deny visitor read file:a")).unwrap();
    assert_eq!(wish.number, Some(3));
    assert_eq!(wish.rule, rule("deny visitor read file:a"));
}

#[test]
fn what_is_wrong_is_said_with_its_word() {
    let long = "deny a read file:".to_string() + &"n".repeat(49);
    let cases = [
        (
            "at",
            "a number is missing behind \"at\"; security policies shows them",
        ),
        (
            "at 257 deny",
            "\"257\" is no number of a rule; write one from 1 to 256",
        ),
        (
            "at 1 at",
            "\"at\" is no effect; a rule begins with allow, deny or audit",
        ),
        (
            "deny",
            "who is missing; write a context such as tenant-1, level>=LEVEL, uid=NUMBER, or *",
        ),
        (
            "deny a",
            "what may be done is missing; write verbs such as read,write, or *",
        ),
        (
            "deny a read",
            "the object is missing; write one such as device:disk, file:*, or *",
        ),
        (
            "deny uid=-1",
            "\"-1\" is no user; write a whole number from 0 to 4294967295",
        ),
        (
            "deny uid=+1",
            "\"+1\" is no user; write a whole number from 0 to 4294967295",
        ),
        ("deny a read,read", "\"read\" is said twice; leave one out"),
    ];
    for (line, expected) in cases {
        assert_eq!(
            parse_rule(&words(line)).unwrap_err().to_string(),
            expected,
            "{line}"
        );
    }
    for line in [
        "deny A",
        "deny **",
        "deny a*b",
        "deny level>=",
        "deny a *,read",
        "deny a read,",
        "deny a read file:",
        "deny a read :a",
        "deny a read *:a",
        "deny a read file:a*b",
        "deny a read file:ä",
        "deny a read file:a b",
        &long,
    ] {
        assert!(parse_rule(&words(line)).is_err(), "{line}");
    }
}

#[test]
fn random_lines_are_read_or_refused_and_what_is_read_can_be_shown() {
    const PIECES: [&str; 30] = [
        "allow",
        "deny",
        "audit",
        "at",
        "1",
        "0",
        "256",
        "tenant-*",
        "*",
        "**",
        "level>=",
        "private",
        "uid=",
        "7",
        "read",
        "write",
        ",",
        "read,write",
        "file:",
        "device:*",
        ":",
        "a",
        "ä",
        "\u{0}",
        "-",
        "key:a",
        "visitor",
        "administer",
        "99999999999999999999",
        "=",
    ];
    let mut prng = Prng::new(42);
    let mut read = 0;
    for _ in 0..200_000 {
        let typed = any_rule(&mut prng).to_string();
        let mut line = String::new();
        for word in typed.split(' ') {
            line.push_str(match prng.below(6) {
                0 => pick(&mut prng, &PIECES),
                _ => word,
            });
            if !prng.one_in(20) {
                line.push(' ');
            }
        }
        let words = words(&line);
        offer_next(&words, &mut |_| {});
        match parse_rule(&words) {
            Ok(wish) => {
                assert_eq!(rule(&wish.rule.to_string()), wish.rule, "{line}");
                read += 1;
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    assert!((10_000..190_000).contains(&read), "{read}");
}

#[test]
fn random_words_are_objects_owners_and_modes_or_none() {
    let mut prng = Prng::new(43);
    for _ in 0..100_000 {
        let mut bytes = [0; 12];
        let length = prng.below(13) as usize;
        prng.fill(&mut bytes[..length]);
        for byte in &mut bytes {
            *byte = pick(
                &mut prng,
                &[*byte, b':', b'r', b'w', b'x', b'-', b'7', b'0'],
            );
        }
        let word = String::from_utf8_lossy(&bytes[..length]);
        if let Some(object) = ObjectName::parse(&word) {
            assert_eq!(ObjectName::parse(&object.to_string()), Some(object));
        }
        if let Some(owner) = Owner::parse(&word) {
            assert_eq!(Owner::parse(&owner.to_string()), Some(owner));
        }
        if let Some(mode) = Mode::parse(&word) {
            assert_eq!(Mode::parse(&mode.to_string()), Some(mode));
        }
    }
    for bits in 0..=0o777 {
        let mode = Mode::from_bits(bits);
        assert_eq!(Mode::parse(&mode.to_string()), Some(mode));
        assert_eq!(Mode::parse(&std::format!("{bits:03o}")), Some(mode));
    }
}

#[test]
fn every_word_that_is_offered_is_taken() {
    let mut lines = std::vec![String::new()];
    for _ in 0..4 {
        let mut longer = Vec::new();
        for line in &lines {
            let words = words(line);
            let mut count = 0;
            offer_next(&words, &mut |word| {
                count += 1;
                // These two want a number behind them.
                if word != "at" && word != "uid=" {
                    longer.push(std::format!("{line} {word}"));
                }
            });
            assert!(count > 0, "{line}");
        }
        lines = longer;
    }
    assert!(lines.len() > 1_000);
    for line in lines {
        assert!(parse_rule(&words(&line)).is_ok(), "{line}");
    }
}

#[test]
fn a_command_s_name_has_dots_between_its_words() {
    assert_eq!(
        command_name("device quota set").to_string(),
        "device.quota.set"
    );
    assert_eq!(command_name("status").to_string(), "status");
}
