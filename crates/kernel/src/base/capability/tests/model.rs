//! Rights kept naively: one list, all worked out anew at every question.
//!
//! A right that was revoked is struck from the list and nothing else happens; what hung on
//! it is found to be dead when its chain is walked. Bandwidth is the list of what was taken.

use super::super::constraint::{Constraints, PortRange};
use super::super::{Asked, Basis, Capability, CapabilitySet, GrantError, Order, Refusal};
use crate::base::fixed::Vec as FixedVec;
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use crate::limits::{CONSTRAINTS_MAX, DELEGATIONS_MAX, GRANTS_MAX, SUBJECTS_MAX};
use std::vec::Vec;

const NANOS: u128 = 1_000_000_000;
/// Takes that are kept one by one.
const TAKES_KEPT: usize = 32;

pub struct ModelRight {
    pub number: u64,
    pub to: Subject,
    pub capabilities: CapabilitySet,
    pub by: Subject,
    source: Option<u64>,
    expires_at: Instant,
    constraints: Constraints,
    taken: Taken,
    running: u32,
}

/// A right and what it hangs on: a grant and three delegations at most.
type Chain<'a> = FixedVec<&'a ModelRight, 4>;

/// What was taken of a bandwidth, when; and how much there was before.
#[derive(Default)]
struct Taken {
    before: Option<(Instant, u128)>,
    takes: Vec<(Instant, u64)>,
}

impl Taken {
    fn level(&self, rate: u64, now: Instant) -> u128 {
        let burst = u128::from(rate.max(128 * 1024)) * NANOS;
        let (mut at, mut level) = self.before.unwrap_or((Instant::ZERO, burst));
        for (then, amount) in self.takes.iter().copied().chain([(now, 0)]) {
            let earned = u128::from(rate) * u128::from(then.since(at).as_nanos());
            level = (level + earned).min(burst) - u128::from(amount) * NANOS;
            at = then;
        }
        level
    }

    fn take(&mut self, rate: u64, now: Instant, amount: u64) {
        self.takes.push((now, amount));
        if self.takes.len() == TAKES_KEPT {
            // The last one can still be taken back.
            self.takes.pop();
            let last = self.takes.last().map_or(now, |(at, _)| *at);
            self.before = Some((last, self.level(rate, last)));
            self.takes = std::vec![(now, amount)];
        }
    }

    fn check(&self, rate: u64, now: Instant, amount: u64) -> Result<(), Refusal> {
        let (level, wanted) = (self.level(rate, now), u128::from(amount) * NANOS);
        if wanted <= level {
            return Ok(());
        }
        let wait = (wanted - level).div_ceil(rate.into());
        let ready_at = now + Duration::from_nanos(u64::try_from(wait).unwrap());
        let can_be = amount <= rate.max(128 * 1024);
        Err(Refusal::Bandwidth {
            ready_at: can_be.then_some(ready_at),
        })
    }
}

/// What somebody was let in by: the rights whose places he has.
pub type Places = Vec<u64>;

pub struct Model {
    pub rights: Vec<ModelRight>,
    pub standing: [CapabilitySet; SUBJECTS_MAX],
    pub mandatory: [CapabilitySet; SUBJECTS_MAX],
    pub version: u64,
    pub next_number: u64,
    pub expired: u64,
    pub revoked: u64,
}

impl Model {
    pub fn new(standing: [CapabilitySet; SUBJECTS_MAX]) -> Self {
        Self {
            rights: Vec::new(),
            standing,
            mandatory: [CapabilitySet::ALL; SUBJECTS_MAX],
            version: 1,
            next_number: 1,
            expired: 0,
            revoked: 0,
        }
    }

    pub fn find(&self, number: u64) -> Option<&ModelRight> {
        let place = self
            .rights
            .binary_search_by_key(&number, |right| right.number);
        Some(&self.rights[place.ok()?])
    }

    fn find_mut(&mut self, number: u64) -> Option<&mut ModelRight> {
        let place = self
            .rights
            .binary_search_by_key(&number, |right| right.number);
        Some(&mut self.rights[place.ok()?])
    }

    /// The right and its sources; `None` when one of them is gone or over.
    fn chain(&self, number: u64, now: Instant) -> Option<Chain<'_>> {
        let mut chain = Chain::new();
        let mut next = Some(number);
        while let Some(number) = next {
            let right = self.find(number).filter(|right| now < right.expires_at)?;
            chain.push(right).unwrap();
            next = right.source;
        }
        Some(chain)
    }

    fn chain_numbers(&self, number: u64, now: Instant) -> Vec<u64> {
        let chain = self.chain(number, now).unwrap();
        chain.iter().map(|right| right.number).collect()
    }

    pub fn lives(&self, number: u64, now: Instant) -> bool {
        self.chain(number, now).is_some()
    }

    /// Strikes out what is over or hangs on nothing, and counts the former.
    pub fn on_time(&mut self, now: Instant) {
        if self.rights.iter().all(|right| now < right.expires_at) {
            return;
        }
        let hangs = |right: &ModelRight| self.lives(right.number, Instant::ZERO);
        let hangs: Vec<bool> = self.rights.iter().map(hangs).collect();
        let mut hangs = hangs.into_iter();
        self.rights.retain(|_| hangs.next() == Some(true));
        let before = self.rights.len();
        self.rights.retain(|right| now < right.expires_at);
        let over = (before - self.rights.len()) as u64;
        self.expired += over;
        self.version += u64::from(over > 0);
    }

    pub fn held(&self, subject: Subject, now: Instant) -> CapabilitySet {
        let own = self.rights.iter().filter(|right| right.to == subject);
        let own = own.filter(|right| self.lives(right.number, now));
        let held = own.fold(self.standing[subject.index()], |held, right| {
            held | right.capabilities
        });
        held.intersection(self.mandatory[subject.index()])
    }

    pub fn is_administrator(&self, subject: Subject, now: Instant) -> bool {
        self.held(subject, now).contains(Capability::Administer)
    }

    pub fn make(
        &mut self,
        now: Instant,
        by: Subject,
        source: Option<u64>,
        order: &Order,
    ) -> Result<u64, GrantError> {
        if order.capabilities.is_empty() {
            return Err(GrantError::NothingNamed);
        }
        let seconds = order.time_to_live.as_nanos() as f64 / 1e9;
        if !(1.0..=2_592_000.0).contains(&seconds) {
            return Err(GrantError::NoTimeToLive);
        }
        if order.constraints.ports.is_some() && !order.capabilities.contains(Capability::Net) {
            return Err(GrantError::PortsWithoutNet);
        }
        if let Some(source) = source {
            self.check_source(now, by, source, order)?;
        }
        let living = || {
            self.rights
                .iter()
                .filter(|right| self.lives(right.number, now))
        };
        let alike = living().filter(|right| right.source.is_some() == source.is_some());
        match (source, alike.count()) {
            (None, GRANTS_MAX) => return Err(GrantError::GrantsFull),
            (Some(_), DELEGATIONS_MAX) => return Err(GrantError::DelegationsFull),
            _ => {}
        }
        let constraints: usize = living().map(|right| right.constraints.count()).sum();
        if constraints + order.constraints.count() > CONSTRAINTS_MAX {
            return Err(GrantError::ConstraintsFull);
        }
        let number = self.next_number;
        self.next_number += 1;
        self.version += 1;
        self.rights.push(ModelRight {
            number,
            to: order.to,
            capabilities: order.capabilities,
            by,
            source,
            expires_at: now + order.time_to_live,
            constraints: order.constraints,
            taken: Taken::default(),
            running: 0,
        });
        Ok(number)
    }

    fn check_source(
        &self,
        now: Instant,
        by: Subject,
        source: u64,
        order: &Order,
    ) -> Result<(), GrantError> {
        let chain = self.chain(source, now).ok_or(GrantError::NoSuchRight)?;
        if chain[0].to != by && !self.is_administrator(by, now) {
            return Err(GrantError::NotTheHolder);
        }
        for capability in order.capabilities.iter() {
            if !chain[0].capabilities.contains(capability) {
                return Err(GrantError::DoesNotHold);
            }
        }
        // A grant and three delegations.
        if chain.len() == 4 {
            return Err(GrantError::TooManyHops);
        }
        if chain.iter().any(|right| right.to == order.to) {
            return Err(GrantError::Circle);
        }
        if now + order.time_to_live > chain[0].expires_at {
            return Err(GrantError::LongerThanSource);
        }
        let wanted = order.constraints;
        for Constraints {
            ports,
            bandwidth_bytes_per_s,
            concurrency,
        } in chain.iter().map(|right| right.constraints)
        {
            let fits = |wanted: PortRange, own: PortRange| {
                (1..=u16::MAX).all(|port| !wanted.contains(port) || own.contains(port))
            };
            let is_wider = |(own, wanted)| !fits(wanted, own);
            if ports.zip(wanted.ports).is_some_and(is_wider)
                || bandwidth_bytes_per_s
                    .zip(wanted.bandwidth_bytes_per_s)
                    .is_some_and(|(own, wanted)| wanted > own)
                || concurrency
                    .zip(wanted.concurrency)
                    .is_some_and(|(own, wanted)| wanted > own)
            {
                return Err(GrantError::LooserConstraint);
            }
        }
        Ok(())
    }

    /// Strikes one out; says whose rights ended.
    pub fn revoke(
        &mut self,
        now: Instant,
        by: Subject,
        number: u64,
    ) -> Result<Vec<(Subject, CapabilitySet, u64)>, GrantError> {
        let chain = self.chain(number, now).ok_or(GrantError::NoSuchRight)?;
        let is_of_it = chain[0].to == by
            || chain[0].by == by
            || chain.get(1).is_some_and(|source| source.to == by);
        drop(chain);
        if !is_of_it && !self.is_administrator(by, now) {
            return Err(GrantError::NotTheHolder);
        }
        let hangs = |right: &&ModelRight| {
            let chain = self.chain(right.number, now);
            chain.is_some_and(|chain| chain.iter().any(|right| right.number == number))
        };
        let ended = self.rights.iter().filter(hangs);
        let ended = ended.map(|right| (right.to, right.capabilities, right.number));
        let ended: Vec<_> = ended.collect();
        self.rights.retain(|right| right.number != number);
        self.version += 1;
        self.revoked += ended.len() as u64;
        Ok(ended)
    }

    pub fn set_standing(
        &mut self,
        subject: Subject,
        wanted: CapabilitySet,
    ) -> Result<(), GrantError> {
        let admin = Capability::Administer;
        let mut after = self.standing;
        after[subject.index()] = wanted;
        let types = |subject: &Subject| matches!(subject, Subject::Console(_) | Subject::Api);
        let count = |standing: &[CapabilitySet; SUBJECTS_MAX]| {
            let people = Subject::all().filter(types);
            people
                .filter(|subject| standing[subject.index()].contains(admin))
                .count()
        };
        if count(&self.standing) > 0 && count(&after) == 0 {
            return Err(GrantError::LastAdministrator);
        }
        self.version += u64::from(after != self.standing);
        self.standing = after;
        Ok(())
    }

    pub fn set_mandatory(&mut self, subject: Subject, allowed: CapabilitySet) {
        self.version += u64::from(self.mandatory[subject.index()] != allowed);
        self.mandatory[subject.index()] = allowed;
    }

    /// Does any constraint in the chain say something about that capability?
    fn is_limited(chain: &[&ModelRight], capability: Capability) -> bool {
        chain.iter().any(|right| {
            let own = right.constraints;
            own.bandwidth_bytes_per_s.is_some()
                || own.concurrency.is_some()
                || (own.ports.is_some() && capability == Capability::Net)
        })
    }

    pub fn explain(&self, now: Instant, asked: &Asked) -> Result<Basis, Refusal> {
        let (subject, capability) = (asked.subject, asked.capability);
        if !self.mandatory[subject.index()].contains(capability) {
            return Err(Refusal::Policy);
        }
        if self.standing[subject.index()].contains(capability) {
            return Ok(Basis::Standing);
        }
        let own = self.rights.iter().filter(|right| right.to == subject);
        let own = own.filter(|right| right.capabilities.contains(capability));
        let own = own.filter_map(|right| self.chain(right.number, now));
        let (grants, delegations): (Vec<_>, Vec<_>) = own.partition(|chain| chain.len() == 1);
        let chains = || grants.iter().chain(&delegations);
        if let Some(free) = chains().find(|chain| !Self::is_limited(chain, capability)) {
            return Ok(Basis::Right(free[0].number));
        }
        let mut refusals = Vec::new();
        for chain in chains() {
            match Self::check_chain(now, chain, asked) {
                Ok(()) => return Ok(Basis::Right(chain[0].number)),
                Err(refusal) => refusals.push(refusal),
            }
        }
        Err(nearest(&refusals))
    }

    fn check_chain(now: Instant, chain: &[&ModelRight], asked: &Asked) -> Result<(), Refusal> {
        for right in chain {
            if let (Some(ports), Some(port)) = (right.constraints.ports, asked.port)
                && asked.capability == Capability::Net
                && !ports.contains(port)
            {
                return Err(Refusal::Port);
            }
            if let Some(rate) = right.constraints.bandwidth_bytes_per_s {
                right.taken.check(rate.get(), now, asked.bytes)?;
            }
            if let Some(most) = right.constraints.concurrency
                && right.running >= most.get()
            {
                return Err(Refusal::Concurrency);
            }
        }
        Ok(())
    }

    /// What the cache should say of one: free, and under constraints only.
    pub fn words_of(&self, subject: Subject, now: Instant) -> (CapabilitySet, CapabilitySet) {
        let (mut free, mut limited) = (self.standing[subject.index()], CapabilitySet::NONE);
        for right in self.rights.iter().filter(|right| right.to == subject) {
            let Some(chain) = self.chain(right.number, now) else {
                continue;
            };
            for capability in right.capabilities.iter() {
                match Self::is_limited(&chain, capability) {
                    true => limited = limited.with(capability),
                    false => free = free.with(capability),
                }
            }
        }
        let allowed = self.mandatory[subject.index()];
        let cached = allowed.without(Capability::Administer.into());
        let free = free.intersection(cached);
        (free, limited.intersection(cached).without(free))
    }

    /// The same of everybody.
    pub fn words(&self, now: Instant) -> [(CapabilitySet, CapabilitySet); SUBJECTS_MAX] {
        let mut words = [(CapabilitySet::NONE, CapabilitySet::NONE); SUBJECTS_MAX];
        for subject in Subject::all() {
            words[subject.index()] = self.words_of(subject, now);
        }
        words
    }

    /// Uses what `explain` has found; the rights whose places are taken.
    pub fn take(&mut self, now: Instant, number: u64, asked: &Asked) -> Places {
        let numbers = self.chain_numbers(number, now);
        let mut places = Vec::new();
        for number in numbers {
            let right = self.find_mut(number).unwrap();
            if let Some(rate) = right.constraints.bandwidth_bytes_per_s {
                right.taken.take(rate.get(), now, asked.bytes);
            }
            if right.constraints.concurrency.is_some() {
                right.running += 1;
                places.push(number);
            }
        }
        places
    }

    /// As if the last `take` had not been.
    pub fn untake(&mut self, now: Instant, number: u64, places: &Places) {
        let numbers = self.chain_numbers(number, now);
        for number in numbers {
            let right = self.find_mut(number).unwrap();
            if right.constraints.bandwidth_bytes_per_s.is_some() {
                right.taken.takes.pop();
            }
        }
        self.release(places);
    }

    pub fn release(&mut self, places: &Places) {
        for number in places {
            if let Some(right) = self.find_mut(*number) {
                right.running -= 1;
            }
        }
    }

    pub fn running(&self, number: u64) -> Option<u32> {
        let right = self.find(number)?;
        right.constraints.concurrency.map(|_| right.running)
    }
}

/// Bandwidth before numbers before ports before nothing; of bandwidths the earliest.
fn nearest(refusals: &[Refusal]) -> Refusal {
    let bandwidths = refusals.iter().filter_map(|refusal| match refusal {
        Refusal::Bandwidth { ready_at } => Some(*ready_at),
        _ => None,
    });
    let bandwidths: Vec<_> = bandwidths.collect();
    if !bandwidths.is_empty() {
        let ready_at = bandwidths.iter().flatten().min().copied();
        return Refusal::Bandwidth { ready_at };
    }
    let known = [Refusal::Concurrency, Refusal::Port];
    let found = known.into_iter().find(|known| refusals.contains(known));
    found.unwrap_or(Refusal::NotHeld)
}
