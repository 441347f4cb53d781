//! One number for all that decides: equal policies have equal digests.
//!
//! What is hashed begins with its version; every list with its length, every text with its
//! length; numbers are little-endian. Rules come in their order; contexts by their names,
//! labels and transitions by what they are found by, for their order decides nothing.

use super::Policy;
use super::context::{Context, Owner};
use super::object::Object;
use super::rule::{NamePattern, ObjectPattern, Rule, SubjectPattern};
use super::transitions::Transition;
use crate::base::digest::Digest;
use crate::limits::{POLICY_CONTEXTS_MAX, POLICY_TRANSITIONS_MAX};
use sha2::{Digest as _, Sha256};

const FORMAT: &str = "rayos policy 1";

struct Encoder(Sha256);

pub fn of(policy: &Policy) -> Digest {
    let mut encoder = Encoder(Sha256::new());
    encoder.text(FORMAT);
    encoder.count(policy.rules.len());
    for entry in &policy.rules {
        encoder.rule(&entry.rule);
    }
    encoder.contexts(policy);
    let labels = policy.labels.entries();
    encoder.count(labels.len());
    for (object, label) in labels {
        encoder.object(&object.as_object());
        encoder.byte(label.level as u8);
        encoder.owner(label.owner);
        encoder.number(label.mode.bits().into());
    }
    encoder.transitions(policy);
    encoder.0.finalize().into()
}

impl Encoder {
    fn byte(&mut self, byte: u8) {
        self.0.update([byte]);
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn pattern(&mut self, pattern: &NamePattern) {
        self.byte(pattern.is_prefix.into());
        self.text(&pattern.name);
    }

    fn object(&mut self, object: &Object<'_>) {
        self.byte(object.class as u8);
        self.text(object.name);
    }

    fn owner(&mut self, owner: Owner) {
        self.number(owner.uid.into());
        self.number(owner.gid.into());
    }

    fn rule(&mut self, rule: &Rule) {
        self.byte(rule.effect as u8);
        match &rule.subject {
            SubjectPattern::Context(pattern) => {
                self.byte(0);
                self.pattern(pattern);
            }
            SubjectPattern::LevelAtLeast(level) => {
                self.byte(1);
                self.byte(*level as u8);
            }
            SubjectPattern::User(uid) => {
                self.byte(2);
                self.number(u64::from(*uid));
            }
        }
        self.byte(rule.verbs.bits());
        match &rule.object {
            ObjectPattern::Any => self.byte(0),
            ObjectPattern::Of(class, pattern) => {
                self.byte(1);
                self.byte(*class as u8);
                self.pattern(pattern);
            }
        }
    }

    fn contexts(&mut self, policy: &Policy) {
        let mut places = [0; POLICY_CONTEXTS_MAX];
        let used = policy.contexts.used();
        for (place, (id, _)) in places.iter_mut().zip(policy.contexts.iter()) {
            *place = id.index();
        }
        let at = |place: usize| policy.contexts.places()[place].as_ref();
        let name = |place: &usize| at(*place).map(|context| context.name.as_str());
        places[..used].sort_unstable_by_key(name);
        self.count(used);
        for context in places[..used].iter().filter_map(|place| at(*place)) {
            self.context(context);
        }
    }

    fn context(&mut self, context: &Context) {
        self.text(&context.name);
        self.byte(context.level as u8);
        self.owner(context.owner);
        self.number(context.capabilities.0);
        self.byte(context.is_trusted.into());
    }

    fn transitions(&mut self, policy: &Policy) {
        let entries = policy.transitions.entries();
        let mut places = [0; POLICY_TRANSITIONS_MAX];
        for (index, place) in places.iter_mut().enumerate() {
            *place = index;
        }
        let name = |id| policy.context(id).map_or("", |context| &context.name);
        let key = |place: &usize| {
            let Transition { from, object, .. } = &entries[*place];
            (name(*from), object.as_object())
        };
        let places = &mut places[..entries.len()];
        places.sort_unstable_by_key(key);
        self.count(entries.len());
        for place in places.iter() {
            let (from, object) = key(place);
            self.text(from);
            self.object(&object);
            self.text(name(entries[*place].to));
        }
    }
}
