//! The security policy: who may do what to which object, and why.
//!
//! A check asks three stages in their order, and the first that denies decides: the levels
//! of the subject's context and of the object, then the rules (the first that means the
//! check; none is a denial), then what the object's owner has set and what the context may
//! hold. The first two are mandatory.
//!
//! Limits: `POLICY_RULES_MAX`, `POLICY_CONTEXTS_MAX`, `POLICY_LABELS_MAX`,
//! `POLICY_TRANSITIONS_MAX`.
//! Invariants: `check` changes nothing and allocates nothing; after every change the serial
//! console can still administer the policy; equal policies have equal digests.

mod change;
mod context;
mod contexts;
mod decision;
mod digest;
mod label;
mod level;
mod object;
mod policy_error;
mod rule;
mod search;
mod shipped;
mod stages;
mod subjects;
#[cfg(test)]
mod tests;
mod transitions;
mod verb;
mod word_error;
pub mod words;

pub use change::{Change, ContextWish};
pub use context::{CapabilityBits, Context, ContextId, Owner, is_context_name};
pub use decision::{Decision, Explanation, Reason, Stage};
pub use label::{Label, Mode, Party};
pub use level::Level;
pub use object::{Class, Name, Object, ObjectName, command_name};
pub use policy_error::{PolicyError, Table};
pub use rule::{Effect, NamePattern, ObjectPattern, Rule, SubjectPattern};
pub use shipped::LOAD_PROGRAM;
pub use transitions::Transition;
pub use verb::{Verb, VerbSet};
pub use word_error::{Shown, WordError, shown};

use crate::base::digest::{DIGEST_BYTES, Digest};
use crate::base::fixed::Text;
use crate::base::metric::Usage;
use crate::base::subject::Subject;
use crate::limits::{
    POLICY_CONTEXTS_MAX, POLICY_LABELS_MAX, POLICY_NAME_MAX, POLICY_RULES_MAX,
    POLICY_TRANSITIONS_MAX, SUBJECTS_MAX,
};
use alloc::vec::Vec;
use contexts::Contexts;
use label::Labels;
use search::Search;
use transitions::Transitions;

pub struct Policy {
    rules: Vec<Entry>,
    contexts: Contexts,
    labels: Labels,
    transitions: Transitions,
    search: Search,
    /// The contexts that subjects run in for a while, by their places.
    entered: [Option<ContextId>; SUBJECTS_MAX],
    digest: Digest,
    version: u64,
    epoch: u64,
    counts: Counts,
}

/// A rule and how often it was the first to mean a check that was counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub rule: Rule,
    pub hits: u64,
}

/// What was decided since boot, and what was refused.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// In the order of `Effect::ALL`.
    pub by_effect: [u64; Effect::ALL.len()],
    /// In the order of `Stage::ALL`.
    pub denied_by_stage: [u64; Stage::ALL.len()],
    /// For want of room, in the order of `Table::ALL`.
    pub refused_full: [u64; Table::ALL.len()],
    /// Changes after which nobody could have changed anything any more.
    pub refused_lock_outs: u64,
}

impl Counts {
    pub fn checks(&self) -> u64 {
        self.by_effect.iter().sum()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::shipped()
    }
}

impl Policy {
    /// That of a machine which has just booted. Takes all the memory it will ever use.
    pub fn shipped() -> Self {
        let mut policy = Self {
            rules: Vec::with_capacity(POLICY_RULES_MAX),
            contexts: Contexts::new(),
            labels: Labels::new(),
            transitions: Transitions::new(),
            search: Search::new(),
            entered: [None; SUBJECTS_MAX],
            digest: [0; DIGEST_BYTES],
            version: 0,
            epoch: 0,
            counts: Counts::default(),
        };
        policy.ship();
        policy.rebuild();
        policy.on_change();
        crate::invariant!(
            policy.can_be_administered(),
            "the shipped policy locks everybody out"
        );
        policy
    }

    /// For measuring: as many rules as there can be, all about the same subject and verb, and
    /// only the last of them about the object `FILLED_LAST`.
    pub fn filled() -> Self {
        let mut policy = Self::shipped();
        policy.rules.clear();
        for number in 1..=POLICY_RULES_MAX {
            let object = match number {
                POLICY_RULES_MAX => Text::format(format_args!("network:{}", Self::FILLED_LAST)),
                // A star is what costs something.
                _ => Text::<POLICY_NAME_MAX>::format(format_args!("network:{number:03}-host*")),
            };
            let parsed = words::parse_rule(&["deny", "kernel", "connect", &object]);
            crate::invariant!(parsed.is_ok(), "a rule for measuring is no rule");
            policy
                .rules
                .extend(parsed.map(|wish| Entry::new(wish.rule)));
        }
        policy.rebuild();
        policy
    }

    pub const FILLED_LAST: &str = "the-last-host";

    fn ship(&mut self) {
        let mut is_whole = true;
        for context in shipped::contexts() {
            is_whole &= self.contexts.add(context).is_ok();
        }
        for (object, label) in shipped::labels() {
            is_whole &= self.labels.set(&object, label).is_ok();
        }
        for (from, object) in shipped::transitions() {
            let to = shipped::LOAD;
            let transition = Transition { from, object, to };
            is_whole &= self.transitions.add(transition).is_ok();
        }
        for line in shipped::RULES {
            let mut words = crate::base::fixed::Vec::<&str, 8>::new();
            is_whole &= line.split(' ').all(|word| words.push(word).is_ok());
            match words::parse_rule(&words) {
                Ok(wish) => self.rules.push(Entry::new(wish.rule)),
                Err(_) => is_whole = false,
            }
        }
        crate::invariant!(is_whole, "the shipped policy does not fit its own tables");
    }

    /// Decides, and does nothing else; `count` remembers it.
    pub fn check(&self, subject: Subject, verb: Verb, object: &Object<'_>) -> Decision {
        self.check_in(self.context_of(subject), verb, object)
    }

    /// As `check`, for whoever is in that context.
    pub fn check_in(&self, id: ContextId, verb: Verb, object: &Object<'_>) -> Decision {
        let Some(context) = self.contexts.get(id) else {
            return Decision::deny(Reason::Default, None);
        };
        let label = self.labels.of(object);
        match self.check_mandatory(id, context, verb, object, &label) {
            Err(denied) => denied,
            Ok((place, effect)) => {
                match stages::check_discretionary(context, verb, object, &label) {
                    Err(reason) => Decision::deny(reason, Some(place)),
                    Ok(()) => Decision {
                        effect,
                        reason: Reason::Rule(place),
                        rule: Some(place),
                    },
                }
            }
        }
    }

    /// The place of the rule that allows it and its effect, or the denial.
    fn check_mandatory(
        &self,
        id: ContextId,
        context: &Context,
        verb: Verb,
        object: &Object<'_>,
        label: &Label,
    ) -> Result<(usize, Effect), Decision> {
        stages::check_levels(context, verb, label)
            .map_err(|reason| Decision::deny(reason, None))?;
        let Some(place) = self.first_rule(id, verb, object) else {
            return Err(Decision::deny(Reason::Default, None));
        };
        match self.rules[place].rule.effect {
            Effect::Deny => Err(Decision::deny(Reason::Rule(place), Some(place))),
            effect => Ok((place, effect)),
        }
    }

    fn first_rule(&self, id: ContextId, verb: Verb, object: &Object<'_>) -> Option<usize> {
        let mut candidates = self.search.candidates(id, verb, object);
        candidates.find(|place| self.rules[*place].rule.object.matches(object))
    }

    /// What every stage says, and what `check_in` decides; `None` for a context that is gone.
    pub fn explain(&self, id: ContextId, verb: Verb, object: &Object<'_>) -> Option<Explanation> {
        let context = self.contexts.get(id)?;
        let label = self.labels.of(object);
        let party = stages::party(context, &label);
        let needs = stages::needed(verb, object);
        let has = |capability| context.capabilities.named().contains(capability);
        Some(Explanation {
            context: id,
            label,
            has_own_label: self.labels.get(object).is_some(),
            levels: stages::check_levels(context, verb, &label),
            rule: self.first_rule(id, verb, object),
            party,
            is_mode_open: label.mode.allows(party, verb),
            needs,
            holds: needs.is_none_or(has),
            decision: self.check_in(id, verb, object),
        })
    }

    /// Remembers what was decided, before the next change.
    pub fn count(&mut self, decision: &Decision) {
        self.counts.by_effect[decision.effect as usize] += 1;
        if !decision.is_allowed() {
            self.counts.denied_by_stage[decision.stage().index()] += 1;
        }
        if let Some(entry) = decision.rule.and_then(|place| self.rules.get_mut(place)) {
            entry.hits += 1;
        }
    }

    /// Grows with every change of the policy.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Grows whenever a check could be answered otherwise: with every change, and when a
    /// subject enters or leaves a context.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The SHA-256 of everything that decides, as of the last change.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    pub fn rules(&self) -> &[Entry] {
        &self.rules
    }

    pub fn contexts(&self) -> impl Iterator<Item = (ContextId, &Context)> {
        self.contexts.iter()
    }

    pub fn context(&self, id: ContextId) -> Option<&Context> {
        self.contexts.get(id)
    }

    pub fn find_context(&self, name: &str) -> Option<ContextId> {
        self.contexts.find(name)
    }

    /// The objects that have a label of their own.
    pub fn labels(&self) -> &[(ObjectName, Label)] {
        self.labels.entries()
    }

    /// The object's own label, or that of its class.
    pub fn label_of(&self, object: &Object<'_>) -> Label {
        self.labels.of(object)
    }

    pub fn transitions(&self) -> &[Transition] {
        self.transitions.entries()
    }

    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How full the tables are, in the order of `Table::ALL`.
    pub fn usages(&self) -> [Usage; Table::ALL.len()] {
        let [rules, contexts, labels, transitions] = self.counts.refused_full;
        let of = |name, capacity, used: usize, refused| {
            Usage::of(name, capacity).used(used as u64).refused(refused)
        };
        let (used_contexts, used_labels) = (self.contexts.used(), self.labels().len());
        let used_transitions = self.transitions().len();
        [
            of(
                "POLICY_RULES_MAX",
                POLICY_RULES_MAX,
                self.rules.len(),
                rules,
            ),
            of(
                "POLICY_CONTEXTS_MAX",
                POLICY_CONTEXTS_MAX,
                used_contexts,
                contexts,
            ),
            of("POLICY_LABELS_MAX", POLICY_LABELS_MAX, used_labels, labels),
            of(
                "POLICY_TRANSITIONS_MAX",
                POLICY_TRANSITIONS_MAX,
                used_transitions,
                transitions,
            ),
        ]
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.usages().iter().for_each(visit);
    }
}

impl Entry {
    const fn new(rule: Rule) -> Self {
        Self { rule, hits: 0 }
    }
}
