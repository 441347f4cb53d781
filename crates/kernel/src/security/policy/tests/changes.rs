//! What is refused, and that it leaves no trace.

use super::rig::*;
use crate::base::prng::Prng;
use crate::limits::*;
use crate::security::policy::*;
use std::format;

#[test]
fn after_every_change_the_serial_console_can_still_change_the_policy() {
    let mut prng = Prng::new(5);
    let mut lock_outs = 0;
    for _ in 0..200 {
        let mut policy = Policy::default();
        for _ in 0..40 {
            let (before, digest) = (dump(&policy), *policy.digest());
            let (version, epoch) = (policy.version(), policy.epoch());
            let change = any_change(&mut prng, &policy);
            let result = policy.apply(change);
            lock_outs += u64::from(result == Err(PolicyError::LocksOut));
            if result.is_err() {
                assert_eq!(dump(&policy), before);
                assert_eq!(*policy.digest(), digest);
                assert_eq!((policy.version(), policy.epoch()), (version, epoch));
            }
            for name in [
                "security.rule.add",
                "security.rule.remove",
                "security.label.set",
            ] {
                let object = Object::command(name);
                let decision = policy.check(subject("serial"), Verb::Administer, &object);
                assert!(decision.is_allowed(), "{name}");
            }
        }
    }
    assert!(lock_outs > 30, "{lock_outs}");
}

#[test]
fn each_way_to_lock_everybody_out_is_refused_and_undone() {
    let mut policy = Policy::default();
    let before = dump(&policy);
    let mut refused = 0;
    let mut refuse = |policy: &mut Policy, result: Result<(), PolicyError>| {
        assert_eq!(result, Err(PolicyError::LocksOut));
        refused += 1;
        assert_eq!(policy.counts().refused_lock_outs, refused);
    };
    for line in [
        "deny * * *",
        "deny operator administer command:security*",
        "deny uid=1 execute command:*",
        "deny level>=isolated look command:security.rule.remove",
    ] {
        let result = add_rule(&mut policy, line, Some(2));
        refuse(&mut policy, result);
    }
    let result = policy.apply(Change::RemoveRule { number: 2 });
    refuse(&mut policy, result);
    let result = set_label(
        &mut policy,
        "command:security",
        Level::Internal,
        "7:7",
        "rwx------",
    );
    refuse(&mut policy, result);
    add_rule(
        &mut policy,
        "deny operator administer command:security.label.set",
        None,
    )
    .unwrap();
    let result = policy.apply(Change::MoveRule { number: 8, to: 1 });
    refuse(&mut policy, result);
    policy.apply(Change::RemoveRule { number: 8 }).unwrap();
    assert_eq!(dump(&policy), before);
    // The same rule behind the operators' own does no harm.
    add_rule(&mut policy, "deny * * *", Some(4)).unwrap();
}

#[test]
fn every_table_is_full_at_its_limit_counts_it_and_takes_more_after_a_removal() {
    let mut policy = Policy::default();
    let change = |table: Table, number: usize| match table {
        Table::Rules => Change::AddRule {
            rule: rule(&format!("allow tenant-1 read file:f{number}")),
            number: None,
        },
        Table::Contexts => {
            Change::CreateContext(wish(&format!("made-{number}"), Level::Private, 7, 0))
        }
        Table::Labels => Change::SetLabel {
            object: object(&format!("file:f{number}")),
            label: Label::of_class(Class::File),
        },
        Table::Transitions => Change::AddTransition {
            from: Name::cut_from("tenant-1"),
            object: object(&format!("file:f{number}")),
            to: Name::cut_from("load"),
        },
    };
    let removal = |table: Table, number: usize| match table {
        Table::Rules => Change::RemoveRule { number },
        Table::Contexts => Change::RemoveContext {
            name: Name::cut_from(&format!("made-{number}")),
        },
        Table::Labels => Change::RemoveLabel {
            object: object(&format!("file:f{number}")),
        },
        Table::Transitions => Change::RemoveTransition {
            from: Name::cut_from("tenant-1"),
            object: object(&format!("file:f{number}")),
        },
    };
    let limits = [
        ("POLICY_RULES_MAX", POLICY_RULES_MAX),
        ("POLICY_CONTEXTS_MAX", POLICY_CONTEXTS_MAX),
        ("POLICY_LABELS_MAX", POLICY_LABELS_MAX),
        ("POLICY_TRANSITIONS_MAX", POLICY_TRANSITIONS_MAX),
    ];
    for (table, (name, limit)) in Table::ALL.into_iter().zip(limits) {
        let used = |policy: &Policy| policy.usages()[table as usize].used.unwrap() as usize;
        let shipped = used(&policy);
        for number in shipped..limit {
            policy.apply(change(table, number)).unwrap();
        }
        let refused = policy.apply(change(table, limit));
        assert_eq!(refused, Err(PolicyError::Full(table)));
        let usage = policy.usages()[table as usize];
        assert_eq!((usage.name, usage.capacity), (name, limit as u64));
        assert_eq!((used(&policy), usage.refused), (limit, Some(1)));
        // One that is there is labelled anew though there is no more room.
        if table == Table::Labels {
            policy.apply(change(table, limit - 1)).unwrap();
        }
        policy.apply(removal(table, limit - 1)).unwrap();
        policy.apply(change(table, limit)).unwrap();
    }
}

#[test]
fn what_cannot_be_done_is_said_by_its_name() {
    let mut policy = Policy::default();
    let shipped = policy.rules().len();
    for number in [0, shipped + 1, usize::MAX] {
        for change in [
            Change::RemoveRule { number },
            Change::MoveRule { number, to: 1 },
            Change::MoveRule {
                number: 1,
                to: number,
            },
        ] {
            assert_eq!(policy.apply(change), Err(PolicyError::NoSuchRule));
        }
    }
    let cases = [
        ("", PolicyError::NotAContextName),
        ("1st", PolicyError::NotAContextName),
        ("Upper", PolicyError::NotAContextName),
        ("load", PolicyError::ContextExists),
        ("tenant-1", PolicyError::ContextExists),
        ("screen", PolicyError::ContextExists),
        ("api", PolicyError::ContextExists),
    ];
    for (name, expected) in cases {
        let change = Change::CreateContext(wish(name, Level::Public, 7, 0));
        assert_eq!(policy.apply(change), Err(expected), "{name}");
    }
    let name = Name::cut_from("nobody");
    let change = Change::RemoveContext { name };
    assert_eq!(policy.apply(change), Err(PolicyError::NoSuchContext));
    let object = object("file:none");
    let change = Change::RemoveLabel { object };
    assert_eq!(policy.apply(change), Err(PolicyError::NoSuchLabel));
}

#[test]
fn what_was_counted_stays_with_its_rule_when_that_moves() {
    let mut policy = Policy::default();
    let decision = policy.check(subject("visitor"), Verb::Look, &Object::command("a"));
    policy.count(&decision);
    policy.apply(Change::MoveRule { number: 4, to: 7 }).unwrap();
    assert_eq!(policy.rules()[6].hits, 1);
    let refused = policy.apply(Change::RemoveRule { number: 2 });
    assert_eq!(refused, Err(PolicyError::LocksOut));
    assert_eq!(policy.rules()[6].hits, 1);
}
