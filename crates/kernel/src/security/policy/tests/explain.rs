//! Every stage is shown, and the one that decides is the one that decided.

use super::rig::*;
use crate::base::prng::Prng;
use crate::security::policy::*;
use std::vec::Vec;

#[test]
fn the_first_stage_that_denies_is_the_one_of_the_decision() {
    let mut prng = Prng::new(3);
    let mut stages = [0_u64; 3];
    for _ in 0..400 {
        let policy = any_policy(&mut prng, 30);
        let contexts: Vec<ContextId> = policy.contexts().map(|(id, _)| id).collect();
        for _ in 0..50 {
            let id = pick(&mut prng, &contexts);
            let verb = pick(&mut prng, &Verb::ALL);
            let object = any_object(&mut prng);
            let why = policy.explain(id, verb, &object.as_object()).unwrap();
            let decision = policy.check_in(id, verb, &object.as_object());
            assert_eq!(why.decision, decision);
            let effect = why.rule.map(|place| policy.rules()[place].rule.effect);
            let expected = match (why.levels, effect) {
                (Err(reason), _) => Some(reason),
                (_, None) => Some(Reason::Default),
                (_, Some(Effect::Deny)) => why.rule.map(Reason::Rule),
                _ if !why.is_mode_open => Some(Reason::Mode(why.party)),
                _ if !why.holds => why.needs.map(Reason::Capability),
                _ => None,
            };
            assert_eq!(decision.is_allowed(), expected.is_none());
            if let Some(reason) = expected {
                assert_eq!(decision.reason, reason);
                stages[decision.stage().index()] += 1;
            } else {
                assert_eq!(Some(decision.effect), effect);
                assert_eq!(decision.reason, Reason::Rule(why.rule.unwrap()));
            }
        }
    }
    assert!(stages.iter().all(|count| *count > 100), "{stages:?}");
}

#[test]
fn a_subject_reads_down_and_tells_up_but_not_the_other_way() {
    let mut policy = Policy::default();
    add_rule(&mut policy, "allow * * file:*", Some(1)).unwrap();
    let levels = [Level::Public, Level::Internal, Level::Private];
    for own in levels {
        let name = std::format!("of-{own}");
        let id = create(&mut policy, wish(&name, own, 7, u64::MAX)).unwrap();
        for its in levels {
            set_label(&mut policy, "file:a", its, "7:7", "rwxrwxrwx").unwrap();
            for verb in Verb::ALL {
                let decision = policy.check_in(id, verb, &object("file:a").as_object());
                let expected = match verb.observes() {
                    true => own >= its,
                    false => own <= its,
                };
                assert_eq!(decision.is_allowed(), expected, "{own} {verb} {its}");
            }
        }
    }
}

#[test]
fn what_is_isolated_is_its_owner_s_and_of_those_who_are_trusted() {
    let mut policy = Policy::default();
    add_rule(&mut policy, "allow * * key:*", Some(1)).unwrap();
    set_label(
        &mut policy,
        "key:a",
        Level::Isolated,
        "1001:1001",
        "rwxrwxrwx",
    )
    .unwrap();
    let key = object("key:a");
    for (who, expected) in [
        ("tenant-1", true),
        ("tenant-2", false),
        ("visitor", false),
        ("serial", true),
        ("kernel", true),
    ] {
        let decision = policy.check(subject(who), Verb::Read, &key.as_object());
        assert_eq!(decision.is_allowed(), expected, "{who}");
        let is_of_levels = decision.reason == Reason::Isolated;
        assert_eq!(is_of_levels, !expected, "{who}");
    }
    // A high level is not enough.
    let id = create(&mut policy, wish("high", Level::Isolated, 7, u64::MAX)).unwrap();
    let decision = policy.check_in(id, Verb::Read, &key.as_object());
    assert_eq!(decision.reason, Reason::Isolated);
}

#[test]
fn nobody_is_above_the_mode_of_what_somebody_else_owns() {
    let mut policy = Policy::default();
    set_label(
        &mut policy,
        "file:a",
        Level::Private,
        "1001:1001",
        "rwx------",
    )
    .unwrap();
    for who in ["kernel", "serial", "api"] {
        let decision = policy.check(subject(who), Verb::Read, &object("file:a").as_object());
        assert_eq!(decision.reason, Reason::Mode(Party::Others), "{who}");
        // It matched a rule, and that is said as well.
        assert!(decision.rule.is_some());
    }
}
