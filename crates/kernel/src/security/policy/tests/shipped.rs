//! What a machine that has just booted allows and denies.

use super::rig::{object, subject};
use crate::base::capability::{Capability, CapabilitySet};
use crate::base::subject::Subject;
use crate::base::tenant::Tenant;
use crate::limits::TENANTS_MAX;
use crate::security::policy::*;
use std::string::ToString;

fn check(policy: &Policy, who: &str, verb: Verb, name: &str) -> Decision {
    policy.check(subject(who), verb, &object(name).as_object())
}

#[test]
fn every_subject_is_in_the_context_of_its_name() {
    let policy = Policy::default();
    for subject in Subject::all() {
        let context = policy.context(policy.context_of(subject)).unwrap();
        let expected = match subject {
            Subject::Console(_) => "operator".to_string(),
            subject => subject.to_string(),
        };
        assert_eq!(context.name.to_string(), expected);
    }
    for number in 1..TENANTS_MAX {
        let id = policy.context_of(Subject::Tenant(Tenant::new(number).unwrap()));
        let context = policy.context(id).unwrap();
        assert_eq!(context.level, Level::Private);
        assert_eq!(context.owner.uid as usize, 1_000 + number);
    }
}

#[test]
fn those_who_run_the_machine_may_do_everything() {
    let policy = Policy::default();
    for who in ["kernel", "serial", "screen", "display", "console", "api"] {
        for verb in Verb::ALL {
            for class in Class::ALL {
                let object = Object::new(class, "whatever");
                let decision = policy.check(subject(who), verb, &object);
                assert_eq!(decision.effect, Effect::Allow, "{who} {verb} {object}");
            }
        }
    }
}

#[test]
fn a_visitor_may_look_at_commands_and_nothing_else() {
    let policy = Policy::default();
    for verb in Verb::ALL {
        for class in Class::ALL {
            let object = Object::new(class, "whatever");
            let decision = policy.check(Subject::Visitor, verb, &object);
            let expected = verb == Verb::Look && class == Class::Command;
            assert_eq!(decision.is_allowed(), expected, "{verb} {object}");
        }
    }
}

#[test]
fn a_tenant_may_use_devices_and_run_loads_and_nothing_else() {
    let policy = Policy::default();
    for who in ["tenant-1", "tenant-7"] {
        for device in ["network", "disk", "gpu", "input", "console"] {
            for verb in Verb::ALL {
                let decision = policy.check(subject(who), verb, &Object::device(device));
                let expected = matches!(verb, Verb::Read | Verb::Write | Verb::Connect);
                assert_eq!(decision.is_allowed(), expected, "{who} {verb} {device}");
            }
        }
        assert!(check(&policy, who, Verb::Execute, "file:load").is_allowed());
        for object in [
            "command:status",
            "file:a",
            "volume:a",
            "key:a",
            "log:audit",
            "network:a",
        ] {
            for verb in Verb::ALL {
                let decision = check(&policy, who, verb, object);
                assert_eq!(decision.effect, Effect::Deny, "{who} {verb} {object}");
            }
        }
        let decision = check(&policy, who, Verb::Read, "file:a");
        assert_eq!(decision.reason, Reason::Default);
    }
}

#[test]
fn the_mask_of_the_fast_check_is_what_the_mandatory_stages_say() {
    let policy = Policy::default();
    let mask = |who| policy.mandatory_mask(subject(who));
    assert_eq!(mask("kernel"), Policy::MASKED);
    assert_eq!(mask("serial"), Policy::MASKED);
    assert_eq!(mask("visitor"), CapabilitySet::NONE);
    let devices = Policy::MASKED.without(Capability::Audit.into());
    assert_eq!(mask("tenant-1"), devices);
    assert_eq!(
        policy.audited_mask(subject("tenant-1")),
        CapabilitySet::NONE
    );
}
