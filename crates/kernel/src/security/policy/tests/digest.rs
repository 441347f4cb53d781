//! Equal policies have equal digests, and any change gives another one.

use super::rig::*;
use crate::base::digest::Digest;
use crate::base::prng::Prng;
use crate::security::policy::*;
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

#[test]
fn two_policies_have_the_same_digest_exactly_when_they_decide_by_the_same() {
    let mut prng = Prng::new(99);
    let mut by_dump: BTreeMap<Vec<String>, Digest> = BTreeMap::new();
    let mut by_digest: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    let (mut met_again, mut states) = (0, 0);
    for _ in 0..150 {
        let mut policy = Policy::default();
        for _ in 0..30 {
            let change = any_change(&mut prng, &policy);
            let _ = policy.apply(change);
            let (dump, digest) = (dump(&policy), *policy.digest());
            states += 1;
            if let Some(known) = by_dump.insert(dump.clone(), digest) {
                assert_eq!(known, digest, "{dump:#?}");
                met_again += 1;
            }
            if let Some(known) = by_digest.insert(digest, dump.clone()) {
                assert_eq!(known, dump);
            }
        }
    }
    assert!(
        met_again > 100 && by_digest.len() > states / 4,
        "{met_again} {states}"
    );
}

#[test]
fn the_order_of_rules_decides_and_that_of_everything_else_does_not() {
    let build = |names: [&str; 2], is_turned: bool| {
        let mut policy = Policy::default();
        for name in names {
            create(&mut policy, wish(name, Level::Private, 7, 1)).unwrap();
        }
        for name in names {
            let file = std::format!("file:{name}");
            set_label(&mut policy, &file, Level::Public, "1:2", "644").unwrap();
            policy
                .apply(Change::AddTransition {
                    from: Name::cut_from("tenant-1"),
                    object: object(&file),
                    to: Name::cut_from(name),
                })
                .unwrap();
        }
        let mut lines = ["deny api read key:a", "audit api read key:*"];
        if is_turned {
            lines.reverse();
        }
        for line in lines {
            add_rule(&mut policy, line, Some(3)).unwrap();
        }
        *policy.digest()
    };
    assert_eq!(build(["x", "y"], false), build(["y", "x"], false));
    assert_ne!(build(["x", "y"], false), build(["x", "y"], true));
}

#[test]
fn every_bit_of_a_context_counts_the_reserved_capabilities_included() {
    let build = |wish: ContextWish| {
        let mut policy = Policy::default();
        let id = create(&mut policy, wish.clone()).unwrap();
        assert_eq!(policy.context(id).unwrap().capabilities, wish.capabilities);
        *policy.digest()
    };
    let plain = || wish("made", Level::Private, 7, 1);
    let mut digests = std::vec![build(plain())];
    assert_eq!(build(plain()), digests[0]);
    for bit in 1..64 {
        digests.push(build(wish("made", Level::Private, 7, 1 | 1 << bit)));
    }
    digests.push(build(wish("made", Level::Internal, 7, 1)));
    digests.push(build(wish("made", Level::Private, 8, 1)));
    digests.push(build(wish("made2", Level::Private, 7, 1)));
    let mut other_group = plain();
    other_group.owner.gid = 8;
    digests.push(build(other_group));
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
}

#[test]
fn the_version_grows_with_changes_and_only_with_these() {
    let mut policy = Policy::default();
    let version = policy.version();
    let decision = policy.check(subject("api"), Verb::Read, &Object::device("disk"));
    policy.count(&decision);
    assert_eq!(policy.version(), version);
    let digest = *policy.digest();
    add_rule(&mut policy, "deny visitor read key:a", None).unwrap();
    assert_eq!(policy.version(), version + 1);
    assert_ne!(*policy.digest(), digest);
    assert!(add_rule(&mut policy, "deny * * *", Some(1)).is_err());
    assert_eq!(policy.version(), version + 1);
    policy.apply(Change::RemoveRule { number: 8 }).unwrap();
    assert_eq!((policy.version(), *policy.digest()), (version + 2, digest));
}
