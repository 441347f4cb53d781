//! Finds the first rule that means a check, among all of them.
//!
//! What rules say is worked out when they change, a bit a rule: those that mean a context,
//! those that mean a verb with a class, and, in a table by hashes, those with the same name.
//! A check looks up the object's name, and each of its beginnings of a length that a rule
//! with a star has. The rules in all three sets are those that may mean it.
//!
//! Invariant: hashes only rule out; what decides is the comparison of the names.

use super::context::{Context, ContextId};
use super::object::{Class, Object};
use super::rule::{ObjectPattern, Rule};
use super::verb::Verb;
use crate::limits::{POLICY_CONTEXTS_MAX, POLICY_NAME_MAX, POLICY_RULES_MAX};
use alloc::vec::Vec;

const WORDS: usize = POLICY_RULES_MAX / 64;
/// Twice as many as there can be names, so that what is not there is soon known.
const SLOTS: usize = 2 * POLICY_RULES_MAX;
const _: () = assert!(POLICY_RULES_MAX.is_multiple_of(64) && SLOTS.is_power_of_two());
const _: () = assert!(POLICY_NAME_MAX < u64::BITS as usize);

/// A bit a rule.
type RuleSet = [u64; WORDS];
const NONE: RuleSet = [0; WORDS];

pub struct Search {
    by_context: Vec<RuleSet>,
    by_operation: [[RuleSet; Class::ALL.len()]; Verb::ALL.len()],
    by_name: Vec<Slot>,
    /// How long beginnings with a star are, a bit a length.
    lengths: u64,
}

/// The rules whose object is written with a name of that hash; none in one that is free.
#[derive(Clone, Copy)]
struct Slot {
    hash: Hash,
    rules: RuleSet,
}

impl Slot {
    const FREE: Self = Self {
        hash: Hash::EMPTY,
        rules: NONE,
    };
}

impl Search {
    pub fn new() -> Self {
        let mut by_name = Vec::with_capacity(SLOTS);
        by_name.resize(SLOTS, Slot::FREE);
        Self {
            by_context: Vec::with_capacity(POLICY_CONTEXTS_MAX),
            by_operation: [[NONE; Class::ALL.len()]; Verb::ALL.len()],
            by_name,
            lengths: 0,
        }
    }

    /// Learns the rules and contexts as they are now.
    pub fn rebuild<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r Rule> + Clone,
        contexts: &[Option<Context>],
    ) {
        self.by_context.clear();
        self.by_context.extend(contexts.iter().map(|context| {
            let means = |rule: &Rule| {
                let context = context.as_ref();
                context.is_some_and(|context| rule.subject.matches(context))
            };
            set_of(rules.clone(), means)
        }));
        for (verb, by_class) in Verb::ALL.into_iter().zip(&mut self.by_operation) {
            for (class, set) in Class::ALL.into_iter().zip(by_class) {
                let is_of_class = |rule: &Rule| match &rule.object {
                    ObjectPattern::Any => true,
                    ObjectPattern::Of(own, _) => *own == class,
                };
                let means = |rule: &Rule| rule.verbs.contains(verb) && is_of_class(rule);
                *set = set_of(rules.clone(), means);
            }
        }
        self.by_name.fill(Slot::FREE);
        self.lengths = 0;
        for (place, rule) in rules.enumerate() {
            self.learn_name(place, &rule.object);
        }
    }

    fn learn_name(&mut self, place: usize, object: &ObjectPattern) {
        let (name, is_prefix) = match object {
            ObjectPattern::Any => ("", true),
            ObjectPattern::Of(_, pattern) => (pattern.name.as_str(), pattern.is_prefix),
        };
        let mut hash = name.bytes().fold(Hash::EMPTY, Hash::with);
        if is_prefix {
            hash = hash.with(STAR);
            self.lengths |= 1 << name.len();
        }
        let slot = self.slot_of(hash);
        let slot = &mut self.by_name[slot];
        slot.hash = hash;
        slot.rules[place / 64] |= 1 << (place % 64);
    }

    /// The places of the rules that may mean it, in their order; each is to be compared.
    pub fn candidates(
        &self,
        context: ContextId,
        verb: Verb,
        object: &Object<'_>,
    ) -> impl Iterator<Item = usize> {
        let mut rules = self.named(object.name);
        let by_operation = &self.by_operation[verb.index()][object.class.index()];
        let by_context = self.by_context.get(context.index()).unwrap_or(&NONE);
        for (word, rules) in rules.iter_mut().enumerate() {
            *rules &= by_operation[word] & by_context[word];
        }
        places(rules)
    }

    /// The rules whose object has the name, or a beginning of it with a star.
    fn named(&self, name: &str) -> RuleSet {
        let mut rules = NONE;
        let mut hash = Hash::EMPTY;
        let mut lengths = self.lengths;
        let mut add = |hash| {
            let slot = &self.by_name[self.slot_of(hash)];
            for (rules, own) in rules.iter_mut().zip(slot.rules) {
                *rules |= own;
            }
        };
        for byte in name.bytes().take(POLICY_NAME_MAX) {
            if lengths & 1 != 0 {
                add(hash.with(STAR));
            }
            lengths >>= 1;
            hash = hash.with(byte);
        }
        if lengths & 1 != 0 {
            add(hash.with(STAR));
        }
        if name.len() <= POLICY_NAME_MAX {
            add(hash);
        }
        rules
    }

    /// Where the hash stands, or would stand.
    fn slot_of(&self, hash: Hash) -> usize {
        let mut slot = hash.spread() % SLOTS;
        // There is always a free one: there are more slots than names.
        while self.by_name[slot].hash != hash && self.by_name[slot].rules != NONE {
            slot = (slot + 1) % SLOTS;
        }
        slot
    }
}

/// No name has one; it tells beginnings from names.
const STAR: u8 = b'*';

/// FNV-1a with 64 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hash(u64);

impl Hash {
    const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    const fn with(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(Self::PRIME))
    }

    const fn spread(self) -> usize {
        (self.0 ^ self.0 >> 32) as usize
    }
}

fn set_of<'r>(rules: impl Iterator<Item = &'r Rule>, means: impl Fn(&Rule) -> bool) -> RuleSet {
    let mut set = NONE;
    for (place, rule) in rules.enumerate() {
        set[place / 64] |= u64::from(means(rule)) << (place % 64);
    }
    set
}

fn places(rules: RuleSet) -> impl Iterator<Item = usize> {
    let mut word = 0;
    let mut left = rules[0];
    core::iter::from_fn(move || {
        while left == 0 {
            word += 1;
            left = *rules.get(word)?;
        }
        let place = word * 64 + left.trailing_zeros() as usize;
        left &= left - 1;
        Some(place)
    })
}
