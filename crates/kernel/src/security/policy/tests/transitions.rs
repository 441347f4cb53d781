//! Which ways from context to context there may be, and who may take them.

use super::rig::*;
use crate::base::capability::{Capability, CapabilitySet};
use crate::security::policy::*;
use std::vec::Vec;

const DEVICES: u64 = 0b0111_1111;

fn add(policy: &mut Policy, from: &str, name: &str, to: &str) -> Result<(), PolicyError> {
    policy.apply(Change::AddTransition {
        from: Name::cut_from(from),
        object: object(name),
        to: Name::cut_from(to),
    })
}

#[test]
fn no_transition_gains_anything() {
    let mut policy = Policy::default();
    for (name, level, bits) in [
        ("same", Level::Private, DEVICES),
        ("less", Level::Private, 1),
        ("more", Level::Private, DEVICES | 1 << 7),
        ("reserved", Level::Private, DEVICES | 1 << 40),
        ("lower", Level::Internal, DEVICES),
        ("higher", Level::Isolated, DEVICES),
        ("public", Level::Public, 0),
    ] {
        create(&mut policy, wish(name, level, 7, bits)).unwrap();
    }
    let cases = [
        ("tenant-1", "same", Ok(())),
        ("tenant-1", "less", Ok(())),
        (
            "tenant-1",
            "more",
            Err(PolicyError::TransitionGainsCapabilities),
        ),
        (
            "tenant-1",
            "reserved",
            Err(PolicyError::TransitionGainsCapabilities),
        ),
        (
            "tenant-1",
            "lower",
            Err(PolicyError::TransitionChangesLevel),
        ),
        (
            "tenant-1",
            "higher",
            Err(PolicyError::TransitionChangesLevel),
        ),
        (
            "tenant-1",
            "operator",
            Err(PolicyError::TransitionGainsTrust),
        ),
        (
            "less",
            "same",
            Err(PolicyError::TransitionGainsCapabilities),
        ),
        (
            "visitor",
            "public",
            Err(PolicyError::TransitionChangesLevel),
        ),
        ("operator", "same", Ok(())),
        ("operator", "public", Ok(())),
        ("operator", "higher", Ok(())),
        (
            "operator",
            "reserved",
            Err(PolicyError::TransitionGainsCapabilities),
        ),
        ("operator", "api", Ok(())),
        ("tenant-1", "nobody", Err(PolicyError::NoSuchContext)),
        ("nobody", "same", Err(PolicyError::NoSuchContext)),
    ];
    for (number, (from, to, expected)) in cases.into_iter().enumerate() {
        let name = std::format!("file:f{number}");
        assert_eq!(add(&mut policy, from, &name, to), expected, "{from} {to}");
    }
}

#[test]
fn a_transition_is_taken_only_where_it_is_listed_and_may_be_executed() {
    let mut policy = Policy::default();
    let load = policy.find_context("load").unwrap();
    let program = Object::new(Class::File, LOAD_PROGRAM);
    let tenant = subject("tenant-1");
    let home = policy.context_of(tenant);
    assert_eq!(policy.transition(home, &program), Some(load));
    let other = Object::new(Class::File, "other");
    assert_eq!(policy.transition(home, &other), None);
    assert_eq!(
        policy.transition(policy.context_of(subject("visitor")), &program),
        None
    );
    // Executable by its name, but not listed from the kernel's context.
    assert_eq!(policy.execute(subject("kernel"), &program), None);
    for denial in [
        "deny tenant-1 execute file:*",
        "deny level>=public execute file:load",
    ] {
        add_rule(&mut policy, denial, Some(4)).unwrap();
        assert_eq!(policy.transition(home, &program), None, "{denial}");
        assert_eq!(policy.execute(tenant, &program), None);
        assert_eq!(policy.enter(tenant, load), Err(PolicyError::NoTransition));
        policy.apply(Change::RemoveRule { number: 4 }).unwrap();
    }
    set_label(
        &mut policy,
        "file:load",
        Level::Internal,
        "0:0",
        "rwxrwx---",
    )
    .unwrap();
    assert_eq!(policy.transition(home, &program), None);
}

#[test]
fn whoever_enters_a_context_has_its_rights_until_he_leaves() {
    let mut policy = Policy::default();
    add_rule(&mut policy, "deny load write device:disk", Some(1)).unwrap();
    let (tenant, load) = (subject("tenant-1"), policy.find_context("load").unwrap());
    let operator = policy.find_context("operator").unwrap();
    let (version, digest, epoch) = (policy.version(), *policy.digest(), policy.epoch());
    let before = policy.mandatory_mask(tenant);
    assert!(before.contains(Capability::DiskWrite));
    assert_eq!(
        policy.enter(tenant, operator),
        Err(PolicyError::NoTransition)
    );
    assert_eq!(policy.epoch(), epoch);
    policy.enter(tenant, load).unwrap();
    assert_eq!(policy.context_of(tenant), load);
    let without_write = before.without(CapabilitySet::of(Capability::DiskWrite));
    assert_eq!(policy.mandatory_mask(tenant), without_write);
    assert!(
        policy
            .mandatory_mask(subject("tenant-2"))
            .contains(Capability::DiskWrite)
    );
    assert!(policy.leave(tenant) && !policy.leave(tenant));
    assert_eq!(policy.mandatory_mask(tenant), before);
    // The policy is the same; what checks say has changed twice.
    assert_eq!((policy.version(), *policy.digest()), (version, digest));
    assert_eq!(policy.epoch(), epoch + 2);
}

#[test]
fn a_context_stays_while_somebody_is_in_it_or_a_transition_names_it() {
    let mut policy = Policy::default();
    let made = create(&mut policy, wish("made", Level::Private, 7, 0)).unwrap();
    add(&mut policy, "tenant-1", "file:made", "made").unwrap();
    add_rule(&mut policy, "allow tenant-1 execute file:made", None).unwrap();
    set_label(
        &mut policy,
        "file:made",
        Level::Private,
        "1001:1001",
        "rwx------",
    )
    .unwrap();
    let remove = || Change::RemoveContext {
        name: Name::cut_from("made"),
    };
    assert_eq!(policy.apply(remove()), Err(PolicyError::ContextIsNamed));
    policy.enter(subject("tenant-1"), made).unwrap();
    let way = Change::RemoveTransition {
        from: Name::cut_from("tenant-1"),
        object: object("file:made"),
    };
    policy.apply(way).unwrap();
    assert_eq!(policy.apply(remove()), Err(PolicyError::ContextIsEntered));
    policy.leave(subject("tenant-1"));
    assert_eq!(policy.apply(remove()), Ok(()));
    // What asks with the number of a context that is gone is denied everything.
    let decision = policy.check_in(made, Verb::Look, &Object::command("a"));
    assert_eq!(decision.reason, Reason::Default);
    let shipped: Vec<Name> = policy.contexts().map(|(_, own)| own.name.clone()).collect();
    for name in shipped {
        let change = Change::RemoveContext { name };
        assert_eq!(policy.apply(change), Err(PolicyError::ContextIsShipped));
    }
}
