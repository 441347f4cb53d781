//! Which rule decides, with as many of them as there can be.

use super::rig::*;
use crate::limits::{POLICY_NAME_MAX, POLICY_RULES_MAX};
use crate::security::policy::*;
use std::format;
use std::string::String;

#[test]
fn the_first_rule_that_means_it_decides_and_its_number_is_said() {
    let mut policy = Policy::default();
    let shipped = policy.rules().len();
    for number in shipped..POLICY_RULES_MAX {
        add_rule(
            &mut policy,
            &format!("allow tenant-1 read device:d{number}"),
            None,
        )
        .unwrap();
    }
    for place in shipped..POLICY_RULES_MAX {
        let name = format!("d{place}");
        let decision = policy.check(subject("tenant-1"), Verb::Read, &Object::device(&name));
        // The shipped rule about all devices comes first.
        assert_eq!(decision.rule, Some(4), "{name}");
    }
    policy
        .apply(Change::MoveRule { number: 5, to: 256 })
        .unwrap();
    for place in shipped..POLICY_RULES_MAX {
        let name = format!("d{place}");
        let decision = policy.check(subject("tenant-1"), Verb::Read, &Object::device(&name));
        assert_eq!(decision.reason, Reason::Rule(place - 1), "{name}");
        let decision = policy.check(subject("tenant-2"), Verb::Read, &Object::device(&name));
        assert_eq!(decision.reason, Reason::Rule(POLICY_RULES_MAX - 1));
    }
}

#[test]
fn a_star_stands_for_any_end_and_names_without_one_for_themselves() {
    let mut policy = Policy::default();
    add_rule(&mut policy, "allow level>=private read file:ab*", None).unwrap();
    add_rule(&mut policy, "allow level>=private write file:ab", None).unwrap();
    set_label(
        &mut policy,
        "file:ab",
        Level::Private,
        "1001:0",
        "rwx------",
    )
    .unwrap();
    set_label(
        &mut policy,
        "file:abc",
        Level::Private,
        "1001:0",
        "rwx------",
    )
    .unwrap();
    let allows = |verb, name| {
        let object = Object::new(Class::File, name);
        policy
            .check(subject("tenant-1"), verb, &object)
            .is_allowed()
    };
    assert!(allows(Verb::Read, "ab") && allows(Verb::Read, "abc"));
    assert!(!allows(Verb::Read, "a") && !allows(Verb::Read, "b"));
    assert!(allows(Verb::Write, "ab") && !allows(Verb::Write, "abc"));
}

#[test]
fn a_name_longer_than_tables_keep_is_meant_by_its_beginning_only() {
    let mut policy = Policy::default();
    let longest: String = "n".repeat(POLICY_NAME_MAX);
    add_rule(
        &mut policy,
        &format!("deny api read file:{longest}"),
        Some(1),
    )
    .unwrap();
    add_rule(
        &mut policy,
        &format!("deny api write file:{longest}*"),
        Some(1),
    )
    .unwrap();
    let decide = |verb, name: &str| {
        let object = Object::new(Class::File, name);
        policy.check(subject("api"), verb, &object).is_allowed()
    };
    let longer = format!("{longest}n");
    assert!(!decide(Verb::Read, &longest) && decide(Verb::Read, &longer));
    assert!(!decide(Verb::Write, &longest) && !decide(Verb::Write, &longer));
    assert!(decide(Verb::Write, &longest[1..]) && decide(Verb::Write, ""));
}

#[test]
fn what_is_counted_is_found_under_its_effect_its_stage_and_its_rule() {
    let mut policy = Policy::default();
    let cases = [
        ("api", Verb::Read, "file:a"),
        ("tenant-1", Verb::Write, "network:a"),
        ("visitor", Verb::Execute, "command:a"),
        ("visitor", Verb::Look, "command:a"),
    ];
    for (who, verb, name) in cases {
        let decision = policy.check(subject(who), verb, &object(name).as_object());
        policy.count(&decision);
    }
    let counts = *policy.counts();
    assert_eq!(counts.checks(), 4);
    assert_eq!(counts.by_effect, [2, 2, 0]);
    assert_eq!(counts.denied_by_stage, [1, 1, 0]);
    let hits = policy.rules().iter().map(|entry| entry.hits);
    assert!(hits.eq([0, 0, 1, 1, 0, 0, 0]));
}
