//! How long checks take: figures only; run with `--release` and `--nocapture`.

use super::rig::*;
use crate::limits::{POLICY_CONTEXTS_MAX, POLICY_RULES_MAX};
use crate::security::policy::*;
use std::format;
use std::hint::black_box;
use std::string::String;
use std::time::Instant;

const CHECKS: u32 = if cfg!(debug_assertions) {
    500
} else {
    1_000_000
};

fn nanos(mut check: impl FnMut()) -> u128 {
    let start = Instant::now();
    for _ in 0..CHECKS {
        check();
    }
    start.elapsed().as_nanos() / u128::from(CHECKS)
}

/// As the rules are read from above to below, with nothing worked out before.
fn first_by_reading(policy: &Policy, context: &Context, verb: Verb, object: &Object<'_>) -> usize {
    let mut rules = policy.rules().iter();
    let place = rules.position(|Entry { rule, .. }| {
        rule.subject.matches(context) && rule.verbs.contains(verb) && rule.object.matches(object)
    });
    place.unwrap_or(usize::MAX)
}

/// Rules that differ where nothing can be ruled out early: all for the same tenant, verb
/// and class, with names that begin alike.
fn filled(name: impl Fn(usize) -> String) -> Policy {
    let mut policy = Policy::default();
    let shipped = policy.rules().len();
    policy.apply(Change::RemoveRule { number: 5 }).unwrap();
    for place in shipped - 1..POLICY_RULES_MAX {
        let line = format!("allow tenant-1 read device:{}", name(place));
        add_rule(&mut policy, &line, None).unwrap();
    }
    for number in 0..255 {
        let object = format!("device:label-{number}");
        set_label(&mut policy, &object, Level::Private, "0:0", "777").unwrap();
    }
    policy
}

#[test]
fn the_time_of_a_check_is_measured() {
    let tenant = subject("tenant-1");
    std::println!("rules  names                 meets  check ns  reading ns");
    let long = |place: usize| format!("a-name-that-begins-like-all-of-the-others-{place:03}");
    let cases = [
        (
            "short",
            filled(short_name),
            short_name(POLICY_RULES_MAX - 1),
            "last",
        ),
        (
            "long, alike",
            filled(long),
            long(POLICY_RULES_MAX - 1),
            "last",
        ),
        (
            "long, alike, stars",
            filled(|place| long(place) + "*"),
            long(255) + "x",
            "last",
        ),
        ("long, alike", filled(long), long(999), "none"),
    ];
    for (names, policy, asked, meets) in cases {
        let object = Object::device(&asked);
        let id = policy.context_of(tenant);
        let context = policy.context(id).unwrap();
        let expected = (meets == "last").then_some(POLICY_RULES_MAX - 1);
        assert_eq!(policy.check(tenant, Verb::Read, &object).rule, expected);
        let check = nanos(|| {
            black_box(policy.check(black_box(tenant), Verb::Read, black_box(&object)));
        });
        let reading = nanos(|| {
            black_box(first_by_reading(
                &policy,
                context,
                Verb::Read,
                black_box(&object),
            ));
        });
        std::println!("{POLICY_RULES_MAX:>5}  {names:<20}  {meets:<5}  {check:>8}  {reading:>10}");
    }
    let policy = Policy::default();
    let object = Object::device("network");
    let check = nanos(|| {
        black_box(policy.check(black_box(tenant), Verb::Write, black_box(&object)));
    });
    let mask = nanos(|| {
        black_box(policy.mandatory_mask(black_box(tenant)));
    });
    std::println!("    7  shipped: a check takes {check} ns, a mask {mask} ns");
    let change = time_of_a_change();
    std::println!("  256  a change with every table full takes {change} us");
}

/// In microseconds: all is worked out anew, and the digest is taken.
fn time_of_a_change() -> u128 {
    const CHANGES: usize = 20;
    let mut policy = filled(short_name);
    for number in policy.contexts().count()..POLICY_CONTEXTS_MAX {
        create(
            &mut policy,
            wish(&format!("made-{number}"), Level::Private, 7, 0),
        )
        .unwrap();
    }
    let start = Instant::now();
    for number in 0..CHANGES {
        let to = POLICY_RULES_MAX - number;
        policy.apply(Change::MoveRule { number: 200, to }).unwrap();
    }
    start.elapsed().as_micros() / CHANGES as u128
}

fn short_name(place: usize) -> String {
    format!("d{place}")
}
