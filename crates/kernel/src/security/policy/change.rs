//! Changes of the policy: each is done whole, or refused and undone.
//!
//! Invariant: what `undo` is given restores the tables exactly.

use super::context::{CapabilityBits, Context, ContextId, Owner, is_context_name};
use super::label::Label;
use super::level::Level;
use super::object::{Name, Object, ObjectName, command_name};
use super::policy_error::{PolicyError, Table};
use super::rule::Rule;
use super::transitions::{Transition, check_harm};
use super::verb::Verb;
use super::{Entry, Policy, digest, shipped};
use crate::base::subject::Subject;
use crate::limits::POLICY_RULES_MAX;

/// What a person wants done; numbers of rules count from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Before the rule with this number, or at the end.
    AddRule {
        rule: Rule,
        number: Option<usize>,
    },
    RemoveRule {
        number: usize,
    },
    /// So that it has the number `to` then.
    MoveRule {
        number: usize,
        to: usize,
    },
    CreateContext(ContextWish),
    RemoveContext {
        name: Name,
    },
    SetLabel {
        object: ObjectName,
        label: Label,
    },
    RemoveLabel {
        object: ObjectName,
    },
    AddTransition {
        from: Name,
        object: ObjectName,
        to: Name,
    },
    RemoveTransition {
        from: Name,
        object: ObjectName,
    },
}

/// A context that is to be; it is never trusted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContextWish {
    pub name: Name,
    pub level: Level,
    pub owner: Owner,
    pub capabilities: CapabilityBits,
}

/// What takes a change back that can lock the serial console out.
enum Undo {
    InsertRule {
        place: usize,
        entry: Entry,
    },
    RemoveRule {
        place: usize,
    },
    MoveRule {
        from: usize,
        to: usize,
    },
    SetLabel {
        object: ObjectName,
        label: Label,
    },
    RemoveLabel {
        object: ObjectName,
    },
    /// The console's context cannot be changed, and no transition leads out of it by itself.
    Nothing,
}

/// What whoever mends a policy has to be able to do.
const MENDING: [&str; 7] = [
    "security",
    "security policies",
    "security rule add",
    "security rule remove",
    "security rule move",
    "security label set",
    "security label remove",
];

impl Policy {
    /// Does what a person wants done, unless it is impossible or locks everybody out.
    pub fn apply(&mut self, change: Change) -> Result<(), PolicyError> {
        let result = self.change(change);
        if let Err(PolicyError::Full(table)) = result {
            self.counts.refused_full[table as usize] += 1;
        }
        let undo = result?;
        self.rebuild();
        if !self.can_be_administered() {
            self.undo(undo);
            self.rebuild();
            self.counts.refused_lock_outs += 1;
            return Err(PolicyError::LocksOut);
        }
        self.on_change();
        Ok(())
    }

    /// The tables are not what they were.
    pub(super) fn on_change(&mut self) {
        self.digest = digest::of(self);
        self.version += 1;
        self.epoch += 1;
    }

    /// Learns the rules and contexts as they are now.
    pub(super) fn rebuild(&mut self) {
        let rules = self.rules.iter().map(|entry| &entry.rule);
        self.search.rebuild(rules, self.contexts.places());
    }

    /// May the serial console still change the policy?
    pub(super) fn can_be_administered(&self) -> bool {
        let Some(serial) = Subject::console(0) else {
            return false;
        };
        MENDING.iter().all(|words| {
            let name = command_name(words);
            let object = Object::command(&name);
            let verbs = [Verb::Look, Verb::Execute, Verb::Administer];
            let mut verbs = verbs.into_iter();
            verbs.all(|verb| self.check(serial, verb, &object).is_allowed())
        })
    }

    fn change(&mut self, change: Change) -> Result<Undo, PolicyError> {
        match change {
            Change::AddRule { rule, number } => self.add_rule(rule, number),
            Change::RemoveRule { number } => {
                let place = self.place_of(number)?;
                let entry = self.rules.remove(place);
                Ok(Undo::InsertRule { place, entry })
            }
            Change::MoveRule { number, to } => {
                let (from, to) = (self.place_of(number)?, self.place_of(to)?);
                self.move_rule(from, to);
                Ok(Undo::MoveRule { from: to, to: from })
            }
            Change::CreateContext(wish) => self.create_context(wish),
            Change::RemoveContext { name } => self.remove_context(&name),
            Change::SetLabel { object, label } => {
                let before = self.labels.set(&object, label);
                let before = before.map_err(|_| PolicyError::Full(Table::Labels))?;
                Ok(match before {
                    Some(label) => Undo::SetLabel { object, label },
                    None => Undo::RemoveLabel { object },
                })
            }
            Change::RemoveLabel { object } => {
                let label = self.labels.remove(&object.as_object());
                let label = label.ok_or(PolicyError::NoSuchLabel)?;
                Ok(Undo::SetLabel { object, label })
            }
            Change::AddTransition { from, object, to } => self.add_transition(&from, object, &to),
            Change::RemoveTransition { from, object } => {
                let from = self.id_of(&from)?;
                let removed = self.transitions.remove(from, &object.as_object());
                removed.ok_or(PolicyError::NoSuchTransition)?;
                Ok(Undo::Nothing)
            }
        }
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::InsertRule { place, entry } => self.rules.insert(place, entry),
            Undo::RemoveRule { place } => drop(self.rules.remove(place)),
            Undo::MoveRule { from, to } => self.move_rule(from, to),
            Undo::SetLabel { object, label } => {
                let is_set = self.labels.set(&object, label).is_ok();
                crate::invariant!(is_set, "a label has no room where it was before");
            }
            Undo::RemoveLabel { object } => drop(self.labels.remove(&object.as_object())),
            Undo::Nothing => {}
        }
    }

    fn add_rule(&mut self, rule: Rule, number: Option<usize>) -> Result<Undo, PolicyError> {
        if self.rules.len() == POLICY_RULES_MAX {
            return Err(PolicyError::Full(Table::Rules));
        }
        let end = self.rules.len();
        let place = number.map_or(end, |number| number.saturating_sub(1).min(end));
        self.rules.insert(place, Entry::new(rule));
        Ok(Undo::RemoveRule { place })
    }

    fn move_rule(&mut self, from: usize, to: usize) {
        let entry = self.rules.remove(from);
        self.rules.insert(to, entry);
    }

    fn create_context(&mut self, wish: ContextWish) -> Result<Undo, PolicyError> {
        if !is_context_name(&wish.name) {
            return Err(PolicyError::NotAContextName);
        }
        let is_subject = Subject::parse(&wish.name).is_some();
        if is_subject || self.contexts.find(&wish.name).is_some() {
            return Err(PolicyError::ContextExists);
        }
        let added = self.contexts.add(Context {
            name: wish.name,
            level: wish.level,
            owner: wish.owner,
            capabilities: wish.capabilities,
            is_trusted: false,
        });
        added.map_err(|_| PolicyError::Full(Table::Contexts))?;
        Ok(Undo::Nothing)
    }

    fn remove_context(&mut self, name: &str) -> Result<Undo, PolicyError> {
        let id = self.id_of(name)?;
        if id.index() < shipped::CONTEXTS {
            return Err(PolicyError::ContextIsShipped);
        }
        if self.entered.contains(&Some(id)) {
            return Err(PolicyError::ContextIsEntered);
        }
        if self.transitions.names(id) {
            return Err(PolicyError::ContextIsNamed);
        }
        self.contexts.remove(id).ok_or(PolicyError::NoSuchContext)?;
        Ok(Undo::Nothing)
    }

    fn add_transition(
        &mut self,
        from: &str,
        object: ObjectName,
        to: &str,
    ) -> Result<Undo, PolicyError> {
        let (from, to) = (self.id_of(from)?, self.id_of(to)?);
        if let (Some(old), Some(new)) = (self.contexts.get(from), self.contexts.get(to)) {
            check_harm(old, new)?;
        }
        if self.transitions.find(from, &object.as_object()).is_some() {
            return Err(PolicyError::TransitionExists);
        }
        let added = self.transitions.add(Transition { from, object, to });
        added.map_err(|_| PolicyError::Full(Table::Transitions))?;
        Ok(Undo::Nothing)
    }

    fn place_of(&self, number: usize) -> Result<usize, PolicyError> {
        let place = number.checked_sub(1);
        let place = place.filter(|place| *place < self.rules.len());
        place.ok_or(PolicyError::NoSuchRule)
    }

    fn id_of(&self, name: &str) -> Result<ContextId, PolicyError> {
        self.contexts.find(name).ok_or(PolicyError::NoSuchContext)
    }
}
