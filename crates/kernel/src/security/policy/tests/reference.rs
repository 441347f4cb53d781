//! A slow evaluator that reads rules as text; the fast one must agree.

use super::rig::*;
use crate::base::capability::Capability;
use crate::base::prng::Prng;
use crate::security::policy::*;
use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// Does the text fit the pattern, in which only a last star stands for anything?
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.get(..beginning.len()) == Some(beginning),
        None => pattern == text,
    }
}

fn rank(level: &str) -> usize {
    let order = ["public", "internal", "private", "isolated"];
    order.iter().position(|name| *name == level).unwrap()
}

fn is_meant(subject: &str, context: &Context) -> bool {
    if let Some(level) = subject.strip_prefix("level>=") {
        return rank(context.level.name()) >= rank(level);
    }
    match subject.strip_prefix("uid=") {
        Some(uid) => uid == context.owner.uid.to_string(),
        None => fits(subject, &context.name),
    }
}

/// Level, owner and mode, as text.
fn label_of(policy: &Policy, class: &str, object: &str) -> (String, Owner, String) {
    for (name, label) in policy.labels() {
        if name.to_string() == object {
            let level = label.level.to_string();
            return (level, label.owner, label.mode.to_string());
        }
    }
    let (level, mode) = match class {
        "command" => ("internal", "rwxrwxr-x"),
        "network" => ("internal", "rwxrwx---"),
        "device" => ("private", "rwxrwxrwx"),
        _ => ("private", "rwxrwx---"),
    };
    (
        level.to_string(),
        Owner { uid: 0, gid: 0 },
        mode.to_string(),
    )
}

fn needed(verb: &str, class: &str, name: &str) -> Option<Capability> {
    let tells = matches!(verb, "write" | "create" | "delete" | "administer");
    match (class, name) {
        _ if verb == "administer" => Some(Capability::Administer),
        ("command", _) if tells => Some(Capability::Administer),
        ("network", _) | ("device", "network") => Some(Capability::Net),
        ("device", "disk") | ("volume", _) if tells => Some(Capability::DiskWrite),
        ("device", "disk") | ("volume", _) => Some(Capability::DiskRead),
        ("device", "gpu") => Some(Capability::Gpu),
        ("device", "input") => Some(Capability::Input),
        ("device", "console") if tells => Some(Capability::ConsoleWrite),
        ("device", "console") => Some(Capability::ConsoleRead),
        ("log", _) if !tells => Some(Capability::Audit),
        _ => None,
    }
}

/// The effect and what decided.
fn evaluate(policy: &Policy, context: &Context, verb: &str, object: &str) -> (String, String) {
    let deny = |reason: &str| ("deny".to_string(), reason.to_string());
    let (class, name) = object.split_once(':').unwrap();
    let (level, owner, mode) = label_of(policy, class, object);
    let (own, its) = (rank(context.level.name()), rank(&level));
    let tells = matches!(verb, "write" | "create" | "delete" | "administer");
    if level == "isolated" {
        if !context.is_trusted && context.owner.uid != owner.uid {
            return deny("isolated");
        }
    } else if !tells && own < its {
        return deny("no read up");
    } else if tells && own > its && !context.is_trusted {
        return deny("no write down");
    }
    let lines = policy.rules().iter().map(|entry| entry.rule.to_string());
    let first = lines.enumerate().find(|(_, line)| {
        let words: Vec<&str> = line.split(' ').collect();
        let has_verb = words[2] == "*" || words[2].split(',').any(|word| word == verb);
        is_meant(words[1], context) && has_verb && fits(words[3], object)
    });
    let Some((place, line)) = first else {
        return deny("default");
    };
    let effect = line.split(' ').next().unwrap().to_string();
    if effect == "deny" {
        return deny(&format!("rule {place}"));
    }
    let (party, triple) = if context.owner.uid == owner.uid {
        ("owner", &mode[..3])
    } else if context.owner.gid == owner.gid {
        ("group", &mode[3..6])
    } else {
        ("others", &mode[6..])
    };
    let letter = match verb {
        "look" | "read" => 'r',
        "execute" | "connect" => 'x',
        _ => 'w',
    };
    if !triple.contains(letter) {
        return deny(&format!("mode {party}"));
    }
    match needed(verb, class, name) {
        Some(needed) if context.capabilities.0 & 1 << needed.index() == 0 => {
            deny(&format!("capability {}", needed.name()))
        }
        _ => (effect, format!("rule {place}")),
    }
}

fn said(decision: &Decision) -> (String, String) {
    let reason = match decision.reason {
        Reason::Rule(place) => format!("rule {place}"),
        Reason::Mode(party) => format!("mode {}", party.name()),
        Reason::Capability(capability) => format!("capability {}", capability.name()),
        reason => reason.name().to_string(),
    };
    (decision.effect.to_string(), reason)
}

#[test]
fn a_slow_evaluator_decides_the_same_for_the_same_reason() {
    let mut prng = Prng::new(20_260_101);
    let mut reached: BTreeMap<String, u64> = BTreeMap::new();
    let mut checks = 0;
    for _ in 0..1_500 {
        let policy = any_policy(&mut prng, 40);
        let contexts: Vec<ContextId> = policy.contexts().map(|(id, _)| id).collect();
        for _ in 0..80 {
            let id = pick(&mut prng, &contexts);
            let context = policy.context(id).unwrap();
            let verb = pick(&mut prng, &Verb::ALL);
            let object = any_object(&mut prng);
            let decision = policy.check_in(id, verb, &object.as_object());
            let expected = evaluate(&policy, context, verb.name(), &object.to_string());
            assert_eq!(
                said(&decision),
                expected,
                "{} {verb} {object}\n{:#?}",
                context.name,
                dump(&policy)
            );
            let kind = expected.1.split(' ').next().unwrap().to_string();
            *reached.entry(format!("{} {kind}", expected.0)).or_default() += 1;
            checks += 1;
        }
    }
    assert!(checks >= 100_000);
    for kind in [
        "allow rule",
        "audit rule",
        "deny rule",
        "deny default",
        "deny no",
        "deny isolated",
        "deny mode",
        "deny capability",
    ] {
        assert!(
            reached.get(kind).is_some_and(|count| *count > 100),
            "{kind}: {reached:?}"
        );
    }
}

#[test]
fn the_mask_agrees_with_checks_by_somebody_who_holds_everything_and_owns_everything() {
    let mut prng = Prng::new(7);
    let operations: [(Capability, &[Verb], &str); 8] = [
        (
            Capability::Net,
            &[Verb::Read, Verb::Write],
            "device:network",
        ),
        (Capability::DiskRead, &[Verb::Read], "device:disk"),
        (Capability::DiskWrite, &[Verb::Write], "device:disk"),
        (Capability::Gpu, &[Verb::Write], "device:gpu"),
        (Capability::Input, &[Verb::Read], "device:input"),
        (Capability::ConsoleRead, &[Verb::Read], "device:console"),
        (Capability::ConsoleWrite, &[Verb::Write], "device:console"),
        (Capability::Audit, &[Verb::Read], "log:audit"),
    ];
    let mut differing = 0;
    for _ in 0..400 {
        let policy = any_policy(&mut prng, 40);
        for who in ["tenant-1", "visitor", "api", "tenant-2"] {
            let subject = subject(who);
            let (mask, audited) = (policy.mandatory_mask(subject), policy.audited_mask(subject));
            for (capability, verbs, name) in operations {
                let object = object(name);
                let checked = verbs.iter().map(|verb| {
                    let id = policy.context_of(subject);
                    let why = policy.explain(id, *verb, &object.as_object()).unwrap();
                    let rule = why.rule.map(|place| policy.rules()[place].rule.effect);
                    (why.levels.is_ok(), rule)
                });
                let checked: Vec<_> = checked.collect();
                let is_allowed = checked
                    .iter()
                    .all(|(levels, rule)| *levels && rule.is_some_and(Effect::allows));
                let is_audited = checked.iter().any(|(_, rule)| *rule == Some(Effect::Audit));
                assert_eq!(mask.contains(capability), is_allowed, "{who} {name}");
                assert_eq!(audited.contains(capability), is_allowed && is_audited);
                differing += u64::from(is_allowed) ^ u64::from(is_audited);
            }
        }
    }
    assert!(differing > 1_000);
}
