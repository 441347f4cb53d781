//! Grants: who holds which capability, since when, until when, and from whom.
//!
//! A subject holds what it has without an end (its standing), what it was granted for a
//! time, and what others handed on to it. Whoever is not named holds nothing.
//! Limits: `GRANTS_MAX`, `DELEGATIONS_MAX` in chains of `DELEGATION_HOPS_MAX`,
//! `CONSTRAINTS_MAX`, `CAPABILITY_EVENTS_MAX`.
//! Invariants: what ends takes with it all that hangs on it, in the same call; a delegation
//! never has more than its source, never longer, never under looser constraints; the words
//! of the cache are what the rights say whenever a call returns; each change has a version.

use super::cache::Cache;
use super::change::{Change, Order};
use super::condition::Conditions;
use super::constraint::Constraints;
use super::error::GrantError;
use super::events::{Event, EventKind, Events};
use super::right::{Right, Rights};
use super::{Capability, CapabilitySet};
use crate::base::metric::Usage;
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use crate::limits::{DELEGATION_HOPS_MAX, SUBJECTS_MAX};
use alloc::boxed::Box;
use alloc::vec::Vec;

const TIME_TO_LIVE_MIN: Duration = Duration::from_secs(1);
const TIME_TO_LIVE_MAX: Duration = Duration::from_secs(30 * 86_400);
/// Capabilities that the cache has a bit for.
const CACHED: usize = 8;

pub struct Grants {
    pub(super) cache: Box<Cache>,
    standing: [CapabilitySet; SUBJECTS_MAX],
    /// What the security policy lets each have at most.
    mandatory: [CapabilitySet; SUBJECTS_MAX],
    pub(super) rights: Rights,
    pub(super) conditions: Conditions,
    pub(super) events: Events,
    /// Checks that the cache answered with yes, by subject and capability.
    pub(super) passes: Vec<[u64; CACHED]>,
    version: u64,
    next_number: u64,
    /// When the first right ends.
    next_due: Option<Instant>,
    /// Changes that were refused.
    refused: u64,
}

impl Grants {
    /// Takes all the memory that it will ever use. The kernel, who sits at a console and who
    /// shows the token hold everything; nobody else holds anything.
    pub fn new() -> Self {
        let mut standing = [CapabilitySet::NONE; SUBJECTS_MAX];
        for subject in Subject::all().filter(|subject| holds_all_at_boot(*subject)) {
            standing[subject.index()] = CapabilitySet::ALL;
        }
        let mut grants = Self {
            cache: Box::new(Cache::new()),
            standing,
            mandatory: [CapabilitySet::ALL; SUBJECTS_MAX],
            rights: Rights::new(),
            conditions: Conditions::new(),
            events: Events::new(),
            passes: alloc::vec![[0; CACHED]; SUBJECTS_MAX],
            version: 0,
            next_number: 1,
            next_due: None,
            refused: 0,
        };
        grants.settle();
        grants
    }

    /// Does what a person wants; says the number of a new right.
    ///
    /// Whether `by` may change rights at all is for the gate to decide; here it is only seen
    /// to that a right is handed on or ended by somebody who has to do with it.
    pub fn apply(
        &mut self,
        now: Instant,
        by: Subject,
        change: &Change,
    ) -> Result<Option<u64>, GrantError> {
        match change {
            Change::Grant(order) => self.grant(now, by, order).map(Some),
            Change::Delegate { source, order } => self.delegate(now, by, *source, order).map(Some),
            Change::Revoke { number } => self.revoke(now, by, *number).map(|()| None),
            Change::SetStanding {
                subject,
                capabilities,
            } => self
                .set_standing(now, by, *subject, *capabilities)
                .map(|()| None),
        }
    }

    pub fn grant(&mut self, now: Instant, by: Subject, order: &Order) -> Result<u64, GrantError> {
        self.on_time(now);
        let checked = check_order(order);
        let made = checked.and_then(|()| self.make(now, by, order, None));
        self.counted(made)
    }

    /// Hands some of a right on, on behalf of its holder.
    pub fn delegate(
        &mut self,
        now: Instant,
        by: Subject,
        source: u64,
        order: &Order,
    ) -> Result<u64, GrantError> {
        self.on_time(now);
        let checked = check_order(order).and_then(|()| self.check_source(now, by, source, order));
        let made = checked.and_then(|()| self.make(now, by, order, Some(source)));
        self.counted(made)
    }

    /// Ends a right and all that hangs on it, before it returns.
    pub fn revoke(&mut self, now: Instant, by: Subject, number: u64) -> Result<(), GrantError> {
        self.on_time(now);
        let checked = match self.rights.find(number) {
            None => Err(GrantError::NoSuchRight),
            Some(right) if self.may_end(by, right) => Ok(()),
            Some(_) => Err(GrantError::NotTheHolder),
        };
        self.counted(checked)?;
        self.end(now, number, EventKind::Revoke, Some(by));
        self.settle();
        Ok(())
    }

    /// Sets what a subject holds without an end.
    pub fn set_standing(
        &mut self,
        now: Instant,
        by: Subject,
        subject: Subject,
        capabilities: CapabilitySet,
    ) -> Result<(), GrantError> {
        self.on_time(now);
        let place = subject.index();
        let before = self.standing[place];
        let (added, taken) = (capabilities.without(before), before.without(capabilities));
        if taken.contains(Capability::Administer) && self.is_last_administrator(subject) {
            return self.counted(Err(GrantError::LastAdministrator));
        }
        self.standing[place] = capabilities;
        for (kind, changed) in [(EventKind::Grant, added), (EventKind::Revoke, taken)] {
            if !changed.is_empty() {
                self.events.push(Event {
                    at: now,
                    kind,
                    subject,
                    capabilities: changed,
                    right: None,
                    by: Some(by),
                    times: 1,
                });
            }
        }
        if before != capabilities {
            self.settle();
        }
        Ok(())
    }

    /// The security policy allows the subject that and no more, whatever it holds.
    pub fn set_mandatory(&mut self, subject: Subject, allowed: CapabilitySet) {
        let before = core::mem::replace(&mut self.mandatory[subject.index()], allowed);
        if before != allowed {
            self.settle();
        }
    }

    /// Ends what is over. Nothing to do costs one comparison.
    pub fn on_time(&mut self, now: Instant) {
        if self.next_due.is_none_or(|due| now < due) {
            return;
        }
        while let Some(number) = self.rights.due(now) {
            self.end(now, number, EventKind::Expire, None);
        }
        self.settle();
    }

    /// When the first right ends.
    pub const fn next_deadline(&self) -> Option<Instant> {
        self.next_due
    }

    /// Counts every change.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The number that the next grant or delegation gets.
    pub const fn next_number(&self) -> u64 {
        self.next_number
    }

    pub const fn standing(&self, subject: Subject) -> CapabilitySet {
        self.standing[subject.index()]
    }

    pub const fn mandatory(&self, subject: Subject) -> CapabilitySet {
        self.mandatory[subject.index()]
    }

    /// Grants, then delegations, each oldest first.
    pub fn rights(&self) -> impl Iterator<Item = &Right> {
        self.rights.iter()
    }

    pub fn find(&self, number: u64) -> Option<&Right> {
        self.rights.find(number)
    }

    /// How many rights hang on that one.
    pub fn heirs(&self, number: u64) -> usize {
        let hangs = |right: &&Right| {
            let mut sources = self.rights.chain(right.number).skip(1);
            sources.any(|source| source.number == number)
        };
        self.rights.iter().filter(hangs).count()
    }

    /// Operations that run under a right's own constraint on their number.
    pub fn running(&self, right: &Right) -> Option<u32> {
        let mut own = right.conditions.iter();
        own.find_map(|handle| self.conditions.running(*handle))
    }

    /// Oldest first.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.events.iter()
    }

    pub const fn events_forgotten(&self) -> u64 {
        self.events.forgotten()
    }

    /// How many events of a kind since boot, merged ones each.
    pub const fn count(&self, kind: EventKind) -> u64 {
        self.events.count(kind)
    }

    /// Changes that were refused.
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.rights.usages().iter().for_each(&mut *visit);
        visit(&self.conditions.usage());
        visit(&self.events.usage());
    }

    fn counted<T>(&mut self, result: Result<T, GrantError>) -> Result<T, GrantError> {
        self.refused += u64::from(result.is_err());
        result
    }

    fn check_source(
        &self,
        now: Instant,
        by: Subject,
        source: u64,
        order: &Order,
    ) -> Result<(), GrantError> {
        let right = self.rights.find(source).ok_or(GrantError::NoSuchRight)?;
        let mut chain = self.rights.chain(source);
        if by != right.to && !self.is_administrator(by) {
            Err(GrantError::NotTheHolder)
        } else if !right.capabilities.contains_all(order.capabilities) {
            Err(GrantError::DoesNotHold)
        } else if right.hops == DELEGATION_HOPS_MAX {
            Err(GrantError::TooManyHops)
        } else if chain.any(|earlier| earlier.to == order.to) {
            Err(GrantError::Circle)
        } else if now + order.time_to_live > right.expires_at {
            Err(GrantError::LongerThanSource)
        } else if order.constraints.is_looser_than(&right.effective) {
            Err(GrantError::LooserConstraint)
        } else {
            Ok(())
        }
    }

    /// Puts a checked order into force.
    fn make(
        &mut self,
        now: Instant,
        by: Subject,
        order: &Order,
        source: Option<u64>,
    ) -> Result<u64, GrantError> {
        let (full, kind) = match source {
            None => (GrantError::GrantsFull, EventKind::Grant),
            Some(_) => (GrantError::DelegationsFull, EventKind::Delegate),
        };
        self.rights.room(source).map_err(|_| full)?;
        let conditions = self.conditions.add(&order.constraints);
        let conditions = conditions.map_err(|_| GrantError::ConstraintsFull)?;
        let above = source.and_then(|source| self.rights.find(source));
        let (hops, above) = match above {
            None => (0, Constraints::NONE),
            Some(right) => (right.hops + 1, right.effective),
        };
        let number = self.next_number;
        self.next_number += 1;
        self.rights.push(Right {
            number,
            to: order.to,
            capabilities: order.capabilities,
            expires_at: now + order.time_to_live,
            by,
            version: self.version + 1,
            source,
            hops,
            constraints: order.constraints,
            effective: order.constraints.within(above),
            conditions,
        });
        self.events.push(Event {
            at: now,
            kind,
            subject: order.to,
            capabilities: order.capabilities,
            right: Some(number),
            by: Some(by),
            times: 1,
        });
        self.settle();
        Ok(number)
    }

    /// Takes a right and its heirs out; the words are written by who calls.
    fn end(&mut self, at: Instant, number: u64, kind: EventKind, by: Option<Subject>) {
        let (conditions, events) = (&mut self.conditions, &mut self.events);
        self.rights.remove_tree(number, &mut |right| {
            conditions.remove(&right.conditions);
            events.push(Event {
                at,
                kind,
                subject: right.to,
                capabilities: right.capabilities,
                right: Some(right.number),
                by,
                times: 1,
            });
        });
    }

    /// After each change: its version, the words of all subjects, the next end.
    fn settle(&mut self) {
        self.version += 1;
        self.next_due = self.rights.next_deadline();
        let mut limited = [CapabilitySet::NONE; SUBJECTS_MAX];
        let mut free = self.standing;
        for right in self.rights.iter() {
            let place = right.to.index();
            let under = right.limited();
            limited[place] = limited[place] | under;
            free[place] = free[place] | right.capabilities.without(under);
        }
        for (place, allowed) in self.mandatory.iter().enumerate() {
            let free = free[place].intersection(*allowed);
            let limited = limited[place].intersection(*allowed);
            self.cache.write(place, free, limited);
        }
    }

    /// Its holder, who gave it or handed it on, and administrators.
    fn may_end(&self, by: Subject, right: &Right) -> bool {
        let source = right.source.and_then(|source| self.rights.find(source));
        by == right.to
            || by == right.by
            || source.is_some_and(|source| source.to == by)
            || self.is_administrator(by)
    }

    fn is_administrator(&self, subject: Subject) -> bool {
        self.held(subject).contains(Capability::Administer)
    }

    fn is_last_administrator(&self, subject: Subject) -> bool {
        let mut others = Subject::all().filter(|other| *other != subject && can_type(*other));
        let is_held = |other: Subject| self.standing(other).contains(Capability::Administer);
        can_type(subject) && !others.any(is_held)
    }
}

impl Default for Grants {
    fn default() -> Self {
        Self::new()
    }
}

const fn holds_all_at_boot(subject: Subject) -> bool {
    match subject {
        Subject::Tenant(tenant) => tenant.index() == 0,
        Subject::Console(_) | Subject::Api => true,
        Subject::Visitor => false,
    }
}

/// Can the subject give commands that change something?
const fn can_type(subject: Subject) -> bool {
    matches!(subject, Subject::Console(_) | Subject::Api)
}

fn check_order(order: &Order) -> Result<(), GrantError> {
    let is_of_net = order.capabilities.contains(Capability::Net);
    if order.capabilities.is_empty() {
        Err(GrantError::NothingNamed)
    } else if !(TIME_TO_LIVE_MIN..=TIME_TO_LIVE_MAX).contains(&order.time_to_live) {
        Err(GrantError::NoTimeToLive)
    } else if order.constraints.ports.is_some() && !is_of_net {
        Err(GrantError::PortsWithoutNet)
    } else {
        Ok(())
    }
}
