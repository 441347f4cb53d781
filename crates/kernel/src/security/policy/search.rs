//! Finds the first rule that means a check, among all of them.
//!
//! What a rule says of subjects, verbs and classes is worked out when the rules change: a
//! bit a rule, for every context and for every verb with every class. A check takes two of
//! these rows, and of the rules in both only the names are left to look at. Hashes of the
//! beginnings of the object's name spare most comparisons.
//!
//! Invariant: a hash only ever rules out; what decides is the comparison of the names.

use super::context::{Context, ContextId};
use super::object::{Class, Object};
use super::rule::{ObjectPattern, Rule};
use super::verb::Verb;
use crate::limits::{POLICY_CONTEXTS_MAX, POLICY_NAME_MAX, POLICY_RULES_MAX};
use alloc::vec::Vec;

const WORDS: usize = POLICY_RULES_MAX / 64;
const _: () = assert!(POLICY_RULES_MAX.is_multiple_of(64));

/// A bit a rule.
type RuleSet = [u64; WORDS];

pub struct Search {
    by_context: Vec<RuleSet>,
    by_operation: [[RuleSet; Class::ALL.len()]; Verb::ALL.len()],
    /// Of the names in the rules, by their places.
    names: Vec<Hashed>,
    /// Bytes of the longest of them.
    longest: usize,
}

#[derive(Clone, Copy)]
struct Hashed {
    hash: u64,
    bytes: u8,
    is_prefix: bool,
}

impl Search {
    pub fn new() -> Self {
        Self {
            by_context: Vec::with_capacity(POLICY_CONTEXTS_MAX),
            by_operation: [[[0; WORDS]; Class::ALL.len()]; Verb::ALL.len()],
            names: Vec::with_capacity(POLICY_RULES_MAX),
            longest: 0,
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
            let mut set = [0; WORDS];
            if let Some(context) = context {
                for (place, rule) in rules.clone().enumerate() {
                    set_bit(&mut set, place, rule.subject.matches(context));
                }
            }
            set
        }));
        for (verb, by_class) in Verb::ALL.into_iter().zip(&mut self.by_operation) {
            for (class, set) in Class::ALL.into_iter().zip(by_class) {
                *set = [0; WORDS];
                for (place, rule) in rules.clone().enumerate() {
                    let is_of_class = match &rule.object {
                        ObjectPattern::Any => true,
                        ObjectPattern::Of(own, _) => *own == class,
                    };
                    set_bit(set, place, is_of_class && rule.verbs.contains(verb));
                }
            }
        }
        self.names.clear();
        self.names
            .extend(rules.map(|rule| Hashed::of(&rule.object)));
        let lengths = self.names.iter().map(|name| usize::from(name.bytes));
        self.longest = lengths.max().unwrap_or(0);
    }

    /// The places of the rules that may mean it, in their order; each is to be compared.
    pub fn candidates(
        &self,
        context: ContextId,
        verb: Verb,
        object: &Object<'_>,
    ) -> impl Iterator<Item = usize> {
        let by_operation = &self.by_operation[verb.index()][object.class.index()];
        let none = [0; WORDS];
        let by_context = self.by_context.get(context.index()).unwrap_or(&none);
        let mut rules = [0; WORDS];
        for (word, rules) in rules.iter_mut().enumerate() {
            *rules = by_operation[word] & by_context[word];
        }
        let beginnings = Beginnings::of(object.name, self.longest);
        let bytes = object.name.len();
        places(rules).filter(move |place| {
            let name = self.names[*place];
            let own_bytes = usize::from(name.bytes);
            let fits = match name.is_prefix {
                true => bytes >= own_bytes,
                false => bytes == own_bytes,
            };
            fits && beginnings.0[own_bytes] == name.hash
        })
    }
}

impl Hashed {
    fn of(pattern: &ObjectPattern) -> Self {
        match pattern {
            ObjectPattern::Any => Self {
                hash: FNV_BASIS,
                bytes: 0,
                is_prefix: true,
            },
            ObjectPattern::Of(_, pattern) => Self {
                hash: pattern.name.bytes().fold(FNV_BASIS, hash_byte),
                bytes: pattern.name.len() as u8,
                is_prefix: pattern.is_prefix,
            },
        }
    }
}

/// The hash of the first so many bytes of a name.
struct Beginnings([u64; POLICY_NAME_MAX + 1]);

impl Beginnings {
    fn of(name: &str, longest: usize) -> Self {
        let mut hashes = [FNV_BASIS; POLICY_NAME_MAX + 1];
        let mut hash = FNV_BASIS;
        for (place, byte) in name.bytes().take(longest).enumerate() {
            hash = hash_byte(hash, byte);
            hashes[place + 1] = hash;
        }
        Self(hashes)
    }
}

/// FNV-1a with 64 bits.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

const fn hash_byte(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(FNV_PRIME)
}

fn set_bit(set: &mut RuleSet, place: usize, is_set: bool) {
    set[place / 64] |= u64::from(is_set) << (place % 64);
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
