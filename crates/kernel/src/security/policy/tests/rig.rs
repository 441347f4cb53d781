//! Random policies over few names, so that rules and questions meet often.

use crate::base::prng::Prng;
use crate::base::subject::Subject;
use crate::security::policy::words::parse_rule;
use crate::security::policy::*;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

pub const NAMES: [&str; 14] = [
    "a",
    "ab",
    "abc",
    "abd",
    "b",
    "network",
    "disk",
    "gpu",
    "input",
    "console",
    "audit",
    "load",
    "security",
    "a-name-of-as-many-letters-as-names-can-have-48-x",
];
const BEGINNINGS: [&str; 7] = [
    "",
    "a",
    "ab",
    "abc",
    "net",
    "security.",
    "a-name-of-as-many",
];
const SUBJECTS: [&str; 12] = [
    "*",
    "tenant-*",
    "tenant-1",
    "load",
    "visitor",
    "made-*",
    "made-1",
    "level>=internal",
    "level>=private",
    "uid=1001",
    "uid=7",
    "api",
];
const CONTEXTS: [&str; 6] = ["made-1", "made-2", "made-3", "other", "tenant-1", "visitor"];

pub fn pick<T: Clone>(prng: &mut Prng, from: &[T]) -> T {
    from[prng.below(from.len() as u64) as usize].clone()
}

pub fn subject(name: &str) -> Subject {
    Subject::parse(name).unwrap()
}

pub fn object(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

pub fn rule(line: &str) -> Rule {
    let words: Vec<&str> = line.split_whitespace().collect();
    parse_rule(&words).unwrap().rule
}

pub fn add_rule(policy: &mut Policy, line: &str, number: Option<usize>) -> Result<(), PolicyError> {
    let rule = rule(line);
    policy.apply(Change::AddRule { rule, number })
}

pub fn set_label(
    policy: &mut Policy,
    name: &str,
    level: Level,
    owner: &str,
    mode: &str,
) -> Result<(), PolicyError> {
    policy.apply(Change::SetLabel {
        object: object(name),
        label: Label {
            level,
            owner: Owner::parse(owner).unwrap(),
            mode: Mode::parse(mode).unwrap(),
        },
    })
}

pub fn wish(name: &str, level: Level, id: u32, bits: u64) -> ContextWish {
    ContextWish {
        name: Name::cut_from(name),
        level,
        owner: Owner { uid: id, gid: id },
        capabilities: CapabilityBits(bits),
    }
}

pub fn create(policy: &mut Policy, wish: ContextWish) -> Result<ContextId, PolicyError> {
    let name = wish.name.clone();
    policy.apply(Change::CreateContext(wish))?;
    Ok(policy.find_context(&name).unwrap())
}

pub fn any_object(prng: &mut Prng) -> ObjectName {
    let class = pick(prng, &Class::ALL);
    ObjectName::new(class, pick(prng, &NAMES)).unwrap()
}

pub fn any_rule(prng: &mut Prng) -> Rule {
    let effect = pick(prng, &Effect::ALL);
    let verbs = match prng.one_in(3) {
        true => VerbSet::ALL,
        false => VerbSet::of(pick(prng, &Verb::ALL)).with(pick(prng, &Verb::ALL)),
    };
    let class = pick(prng, &Class::ALL);
    let object = match prng.below(4) {
        0 => "*".to_string(),
        1 => format!("{class}:{}*", pick(prng, &BEGINNINGS)),
        _ => format!("{class}:{}", pick(prng, &NAMES)),
    };
    let subject = pick(prng, &SUBJECTS);
    rule(&format!("{effect} {subject} {verbs} {object}"))
}

fn any_label(prng: &mut Prng) -> Label {
    let id = |prng: &mut Prng| pick(prng, &[0, 7, 1_001, 1_002, 65_534]);
    Label {
        level: pick(prng, &Level::ALL),
        owner: Owner {
            uid: id(prng),
            gid: id(prng),
        },
        mode: Mode::from_bits(match prng.one_in(3) {
            true => prng.next_u64() as u16,
            false => 0o777,
        }),
    }
}

fn any_wish(prng: &mut Prng) -> ContextWish {
    ContextWish {
        name: Name::cut_from(pick(prng, &CONTEXTS)),
        level: pick(prng, &Level::ALL),
        owner: Owner {
            uid: pick(prng, &[0, 7, 1_001]),
            gid: pick(prng, &[0, 7, 1_001]),
        },
        capabilities: CapabilityBits(prng.next_u64() | prng.next_u64()),
    }
}

/// One that may be impossible, or lock everybody out.
pub fn any_change(prng: &mut Prng, policy: &Policy) -> Change {
    let rules = policy.rules().len() as u64;
    let number = |prng: &mut Prng| prng.below(rules + 2) as usize;
    let name = |prng: &mut Prng| Name::cut_from(pick(prng, &CONTEXTS));
    match prng.below(14) {
        0..=3 => Change::AddRule {
            rule: any_rule(prng),
            number: prng.one_in(2).then(|| number(prng)),
        },
        4 => Change::RemoveRule {
            number: number(prng),
        },
        5 => Change::MoveRule {
            number: number(prng),
            to: number(prng),
        },
        6 | 7 => Change::CreateContext(any_wish(prng)),
        8 => Change::RemoveContext { name: name(prng) },
        9 | 10 => Change::SetLabel {
            object: any_object(prng),
            label: any_label(prng),
        },
        11 => Change::RemoveLabel {
            object: any_object(prng),
        },
        12 => Change::AddTransition {
            from: name(prng),
            object: any_object(prng),
            to: name(prng),
        },
        _ => Change::RemoveTransition {
            from: name(prng),
            object: any_object(prng),
        },
    }
}

/// After up to so many changes that could be done.
pub fn any_policy(prng: &mut Prng, changes: u64) -> Policy {
    let mut policy = Policy::default();
    for _ in 0..prng.below(changes + 1) {
        let change = any_change(prng, &policy);
        // What is refused changes nothing.
        let _ = policy.apply(change);
    }
    policy
}

/// All that decides, as text: rules in their order, the rest sorted.
pub fn dump(policy: &Policy) -> Vec<String> {
    let rules = policy.rules().iter();
    let mut lines: Vec<String> = rules.map(|entry| entry.rule.to_string()).collect();
    let mut rest: Vec<String> = policy
        .contexts()
        .map(|(_, context)| format!("{context:?}"))
        .collect();
    let labels = policy.labels().iter();
    rest.extend(labels.map(|label| format!("{label:?}")));
    let name = |id| policy.context(id).unwrap().name.to_string();
    rest.extend(policy.transitions().iter().map(|way| {
        let (from, to) = (name(way.from), name(way.to));
        format!("{from} {} {to}", way.object)
    }));
    rest.sort();
    lines.extend(rest);
    lines
}
