//! What the machine of rights promises, promise by promise.

use super::super::constraint::{Constraints, PortRange};
use super::super::{
    Asked, Basis, Capability, CapabilitySet, Change, EventKind, GrantError, Grants, Order, Refusal,
};
use crate::base::subject::Subject;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::limits::{CAPABILITY_EVENTS_MAX, CONSTRAINTS_MAX, DELEGATIONS_MAX, GRANTS_MAX};
use core::num::{NonZeroU32, NonZeroU64};
use std::vec::Vec;

const NET: CapabilitySet = CapabilitySet::of(Capability::Net);
const BY: Subject = Subject::KERNEL;

fn tenant(number: usize) -> Subject {
    Subject::Tenant(Tenant::new(number).unwrap())
}

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

fn order(to: usize, seconds: u64) -> Order {
    Order {
        to: tenant(to),
        capabilities: NET,
        time_to_live: Duration::from_secs(seconds),
        constraints: Constraints::NONE,
    }
}

fn ask(grants: &mut Grants, seconds: u64, to: usize) -> Result<Option<Basis>, Refusal> {
    let asked = Asked::of(tenant(to), Capability::Net);
    grants.ask(at(seconds), &asked).map(|passed| passed.basis)
}

#[test]
fn at_boot_people_and_the_kernel_hold_everything_and_all_others_nothing() {
    let grants = Grants::new();
    for subject in Subject::all() {
        let holds_all = match subject {
            Subject::Tenant(tenant) => tenant == Tenant::KERNEL,
            Subject::Console(_) | Subject::Api => true,
            Subject::Visitor => false,
        };
        for capability in Capability::ALL {
            let found = grants.explain(at(0), &Asked::of(subject, capability));
            assert_eq!(found.is_ok(), holds_all, "{subject} {capability:?}");
            let is_fast = grants.allows(subject, capability.into());
            let is_cached = capability != Capability::Administer;
            assert_eq!(is_fast, holds_all && is_cached, "{subject} {capability:?}");
        }
    }
}

#[test]
fn a_right_ends_at_its_moment_whether_or_not_anybody_tells_the_time() {
    let mut grants = Grants::new();
    grants.grant(at(0), BY, &order(1, 10)).unwrap();
    assert_eq!(grants.next_deadline(), Some(at(10)));
    let last = Instant::from_nanos(at(10).as_nanos() - 1);
    assert!(grants.pass(last, tenant(1), Capability::Net));
    assert!(!grants.pass(at(10), tenant(1), Capability::Net));
    assert_eq!(ask(&mut grants, 10, 1), Err(Refusal::NotHeld));
    assert_eq!(grants.next_deadline(), None);
    let expired = grants
        .events()
        .filter(|event| event.kind == EventKind::Expire);
    assert_eq!(expired.count(), 1);
    // The tick in which it ends asks nobody in the loop but the loop itself.
    grants.grant(at(20), BY, &order(1, 10)).unwrap();
    grants.on_time(at(30));
    assert!(!grants.allows(tenant(1), NET));
}

#[test]
fn revoking_a_grant_ends_the_whole_tree_that_hangs_on_it_and_nothing_else() {
    let mut grants = Grants::new();
    let root = grants.grant(at(0), BY, &order(1, 100)).unwrap();
    let other = grants.grant(at(0), BY, &order(5, 100)).unwrap();
    let second = grants.delegate(at(0), tenant(1), root, &order(2, 90));
    let third = grants.delegate(at(0), tenant(2), second.unwrap(), &order(3, 80));
    let fourth = grants.delegate(at(0), tenant(3), third.unwrap(), &order(4, 70));
    let hops = grants.delegate(at(0), tenant(4), fourth.unwrap(), &order(6, 60));
    assert_eq!(hops, Err(GrantError::TooManyHops));
    let aside = grants.delegate(at(0), tenant(5), other, &order(4, 50));
    assert_eq!(grants.heirs(root), 3);
    grants.revoke(at(1), BY, second.unwrap()).unwrap();
    assert!(grants.allows(tenant(1), NET) && !grants.allows(tenant(2), NET));
    assert!(!grants.allows(tenant(3), NET));
    // Held by another way still.
    assert!(grants.allows(tenant(4), NET));
    grants.revoke(at(1), BY, other).unwrap();
    assert!(!grants.allows(tenant(4), NET) && grants.find(aside.unwrap()).is_none());
    let ended = grants
        .events()
        .filter(|event| event.kind == EventKind::Revoke);
    let ended: Vec<u64> = ended.filter_map(|event| event.right).collect();
    assert_eq!(ended, [3, 4, 5, 2, 6]);
}

#[test]
fn nobody_hands_on_more_than_he_has_longer_than_he_has_it_or_to_those_before_him() {
    let mut grants = Grants::new();
    let web = Constraints {
        ports: PortRange::new(80, 443),
        bandwidth_bytes_per_s: NonZeroU64::new(1_000),
        concurrency: NonZeroU32::new(4),
    };
    let first = Order {
        constraints: web,
        ..order(1, 100)
    };
    let root = grants.grant(at(0), BY, &first).unwrap();
    let second = grants.delegate(at(0), tenant(1), root, &order(2, 50));
    let second = second.unwrap();
    let with = |constraints| Order {
        constraints,
        ..order(3, 10)
    };
    let looser = [
        Constraints {
            ports: PortRange::new(79, 100),
            ..Constraints::NONE
        },
        Constraints {
            bandwidth_bytes_per_s: NonZeroU64::new(1_001),
            ..Constraints::NONE
        },
        Constraints {
            concurrency: NonZeroU32::new(5),
            ..Constraints::NONE
        },
    ];
    // The constraints of the grandfather bind the grandchild.
    for constraints in looser {
        let result = grants.delegate(at(0), tenant(2), second, &with(constraints));
        assert_eq!(result, Err(GrantError::LooserConstraint));
    }
    let more = Order {
        capabilities: NET.with(Capability::Gpu),
        ..order(3, 10)
    };
    let cases = [
        (tenant(2), more, GrantError::DoesNotHold),
        (tenant(2), order(3, 51), GrantError::LongerThanSource),
        (tenant(2), order(1, 10), GrantError::Circle),
        (tenant(2), order(2, 10), GrantError::Circle),
        (tenant(1), order(3, 10), GrantError::NotTheHolder),
        (Subject::Visitor, order(3, 10), GrantError::NotTheHolder),
    ];
    for (by, order, error) in cases {
        assert_eq!(grants.delegate(at(0), by, second, &order), Err(error));
    }
    assert_eq!(
        grants.revoke(at(0), tenant(3), second),
        Err(GrantError::NotTheHolder)
    );
    let missing = grants.delegate(at(0), BY, 99, &order(3, 10));
    assert_eq!(missing, Err(GrantError::NoSuchRight));
    assert_eq!(grants.refused(), 11);
    assert!(
        grants
            .delegate(at(0), tenant(2), second, &with(web))
            .is_ok()
    );
}

#[test]
fn who_was_handed_something_uses_up_what_its_source_may() {
    let mut grants = Grants::new();
    let one = Constraints {
        concurrency: NonZeroU32::new(1),
        ..Constraints::NONE
    };
    let first = Order {
        constraints: one,
        ..order(1, 100)
    };
    let root = grants.grant(at(0), BY, &first).unwrap();
    let heir = grants.delegate(at(0), BY, root, &order(2, 50)).unwrap();
    let asked = |number| Asked::of(tenant(number), Capability::Net);
    let passed = grants.ask(at(1), &asked(2)).unwrap();
    assert_eq!(passed.basis, Some(Basis::Right(heir)));
    assert_eq!(ask(&mut grants, 1, 1), Err(Refusal::Concurrency));
    // The place comes back to the source also when the heir has lost his right meanwhile.
    grants.revoke(at(1), BY, heir).unwrap();
    assert_eq!(ask(&mut grants, 1, 1), Err(Refusal::Concurrency));
    grants.release(passed.ticket.unwrap());
    let passed = grants.ask(at(1), &asked(1)).unwrap();
    // And a ticket of a right that is gone gives nothing to who has its place now.
    grants.revoke(at(1), BY, root).unwrap();
    let again = grants.grant(at(1), BY, &first).unwrap();
    let held = grants.ask(at(1), &asked(1)).unwrap();
    grants.release(passed.ticket.unwrap());
    let right = grants.find(again).unwrap();
    assert_eq!(grants.running(right), Some(1));
    grants.release(held.ticket.unwrap());
}

#[test]
fn a_bandwidth_passes_a_second_of_it_at_once_and_says_when_there_is_more() {
    let mut grants = Grants::new();
    let slow = Constraints {
        bandwidth_bytes_per_s: NonZeroU64::new(200_000),
        ..Constraints::NONE
    };
    let slow = Order {
        constraints: slow,
        ..order(1, 100)
    };
    grants.grant(at(0), BY, &slow).unwrap();
    let moving = |bytes| Asked {
        bytes,
        ..Asked::of(tenant(1), Capability::Net)
    };
    assert!(grants.ask(at(1), &moving(200_000)).is_ok());
    let later = Refusal::Bandwidth {
        ready_at: Some(at(2)),
    };
    assert_eq!(grants.ask(at(1), &moving(200_000)), Err(later));
    assert!(grants.ask(at(2), &moving(200_000)).is_ok());
    let never = Refusal::Bandwidth { ready_at: None };
    assert_eq!(grants.ask(at(50), &moving(200_001)), Err(never));
}

#[test]
fn the_policy_stands_above_every_right_and_gives_back_what_it_took() {
    let mut grants = Grants::new();
    grants.set_mandatory(BY, CapabilitySet::ALL.without(NET));
    assert!(!grants.allows(BY, NET));
    let asked = Asked::of(BY, Capability::Net);
    assert_eq!(grants.ask(at(0), &asked), Err(Refusal::Policy));
    grants.grant(at(0), BY, &order(0, 10)).unwrap();
    assert_eq!(grants.ask(at(0), &asked), Err(Refusal::Policy));
    grants.set_mandatory(BY, CapabilitySet::ALL);
    assert!(grants.allows(BY, NET));
}

#[test]
fn the_last_person_who_may_administer_stays_so() {
    let mut grants = Grants::new();
    let people: Vec<Subject> = Subject::all()
        .filter(|subject| matches!(subject, Subject::Console(_) | Subject::Api))
        .collect();
    let (last, others) = people.split_last().unwrap();
    for subject in others {
        let set = grants.set_standing(at(0), *last, *subject, CapabilitySet::NONE);
        assert_eq!(set, Ok(()));
    }
    let without = CapabilitySet::ALL.without(Capability::Administer.into());
    let set = grants.set_standing(at(0), *last, *last, without);
    assert_eq!(set, Err(GrantError::LastAdministrator));
    assert_eq!(grants.standing(*last), CapabilitySet::ALL);
    // What a person has for a time only is no reason to let go.
    let admin = Order {
        to: others[0],
        capabilities: Capability::Administer.into(),
        ..order(0, 60)
    };
    grants.grant(at(0), *last, &admin).unwrap();
    let set = grants.set_standing(at(0), others[0], *last, without);
    assert_eq!(set, Err(GrantError::LastAdministrator));
}

#[test]
fn full_tables_refuse_and_say_which_and_lose_nothing() {
    let mut grants = Grants::new();
    let three = Constraints {
        ports: PortRange::new(1, 9),
        bandwidth_bytes_per_s: NonZeroU64::new(9),
        concurrency: NonZeroU32::new(9),
    };
    let limited = Order {
        constraints: three,
        ..order(1, 100)
    };
    for _ in 0..CONSTRAINTS_MAX / 3 {
        grants.grant(at(0), BY, &limited).unwrap();
    }
    let full = grants.grant(at(0), BY, &limited);
    assert_eq!(full, Err(GrantError::ConstraintsFull));
    for _ in CONSTRAINTS_MAX / 3..GRANTS_MAX {
        grants.grant(at(0), BY, &order(1, 100)).unwrap();
    }
    let full = grants.grant(at(0), BY, &order(1, 100));
    assert_eq!(full, Err(GrantError::GrantsFull));
    for _ in 0..DELEGATIONS_MAX {
        grants.delegate(at(0), BY, 200, &order(2, 50)).unwrap();
    }
    let full = grants.delegate(at(0), BY, 200, &order(2, 50));
    assert_eq!(full, Err(GrantError::DelegationsFull));
    let mut usages = Vec::new();
    grants.visit_usages(&mut |usage| usages.push((usage.name, usage.used, usage.refused)));
    let expected = [
        ("GRANTS_MAX", Some(256), Some(1)),
        ("DELEGATIONS_MAX", Some(128), Some(1)),
        ("CONSTRAINTS_MAX", Some(510), Some(1)),
        ("CAPABILITY_EVENTS_MAX", Some(384), None),
    ];
    assert_eq!(usages, expected);
    grants.revoke(at(0), BY, 200).unwrap();
    grants.grant(at(0), BY, &order(1, 100)).unwrap();
    // All of it ends at once, and every place is free again.
    grants.on_time(at(100));
    assert_eq!(grants.rights().count(), 0);
    assert!(grants.grant(at(100), BY, &limited).is_ok());
}

#[test]
fn a_flood_of_questions_does_not_push_what_others_did_out_of_the_events() {
    let mut grants = Grants::new();
    grants.grant(at(0), BY, &order(2, 2_000)).unwrap();
    for millis in 0..9_500 {
        let now = Instant::ZERO + Duration::from_millis(millis);
        let asked = Asked::of(tenant(1), Capability::Net);
        assert_eq!(grants.ask(now, &asked), Err(Refusal::NotHeld));
    }
    let events: Vec<_> = grants.events().copied().collect();
    assert_eq!((events.len(), events[0].kind), (11, EventKind::Grant));
    assert!(events[1..10].iter().all(|event| event.times == 1_000));
    assert_eq!(grants.count(EventKind::CheckFail), 9_500);
    // What the cache lets pass is counted and no event.
    for _ in 0..500 {
        assert_eq!(ask(&mut grants, 10, 2), Ok(None));
    }
    assert_eq!(grants.passes(tenant(2), Capability::Net), 500);
    assert_eq!(grants.events().len(), 11);
    for second in 0..CAPABILITY_EVENTS_MAX as u64 {
        let _ = ask(&mut grants, 20 + second, 3);
    }
    assert_eq!(grants.events().len(), CAPABILITY_EVENTS_MAX);
    assert_eq!(grants.events_forgotten(), 11);
    // Its place in the ring has moved; it is still found.
    let newest = grants.events().last().copied().unwrap();
    let _ = ask(&mut grants, 19 + CAPABILITY_EVENTS_MAX as u64, 3);
    assert_eq!(grants.events().last().unwrap().times, newest.times + 1);
}

#[test]
fn every_change_has_a_version_and_what_was_refused_has_none() {
    let mut grants = Grants::new();
    let before = grants.version();
    let granted = grants.apply(at(0), BY, &Change::Grant(order(1, 10)));
    let number = granted.unwrap().unwrap();
    assert_eq!(grants.find(number).unwrap().version, before + 1);
    assert!(grants.grant(at(0), BY, &order(1, 0)).is_err());
    let same = Change::SetStanding {
        subject: BY,
        capabilities: CapabilitySet::ALL,
    };
    assert_eq!(grants.apply(at(0), BY, &same), Ok(None));
    assert_eq!(grants.version(), before + 1);
    assert_eq!(
        grants.apply(at(0), BY, &Change::Revoke { number }),
        Ok(None)
    );
    assert_eq!(grants.version(), before + 2);
}
