//! A million random operations, each with the result that a naive model gives.

use super::super::constraint::{Constraints, PortRange};
use super::super::{
    Asked, Basis, Capability, CapabilitySet, EventKind, GrantError, Grants, Order, Refusal, Ticket,
};
use super::model::{Model, Places};
use crate::base::prng::Prng;
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use core::num::{NonZeroU32, NonZeroU64};
use std::collections::{BTreeMap, BTreeSet};
use std::string::{String, ToString};
use std::vec::Vec;

const OPERATIONS: u64 = 1_050_000;
/// After so many the mood changes: many rights that last, or few that end soon.
const MOOD: u64 = 10_000;
/// Operations that run at the same time at most.
const TICKETS_MAX: usize = 200;

struct Lab {
    prng: Prng,
    now: Instant,
    grants: Grants,
    model: Model,
    tickets: Vec<(Ticket, Places)>,
    /// Many rights that last, or few that end soon.
    is_crowded: bool,
    /// One right in so many has a constraint of each kind.
    constraint_in: u64,
    revoked: BTreeSet<u64>,
    seen: BTreeMap<String, u64>,
}

impl Lab {
    fn new() -> Self {
        let grants = Grants::new();
        let mut standing = [CapabilitySet::NONE; _];
        for subject in Subject::all() {
            standing[subject.index()] = grants.standing(subject);
        }
        Self {
            prng: Prng::new(11),
            now: Instant::ZERO,
            grants,
            model: Model::new(standing),
            tickets: Vec::new(),
            is_crowded: false,
            constraint_in: 1,
            revoked: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    fn saw(&mut self, what: &str) {
        match self.seen.get_mut(what) {
            Some(times) => *times += 1,
            None => drop(self.seen.insert(what.to_string(), 1)),
        }
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.prng.below(n) == 0
    }

    fn subject(&mut self) -> Subject {
        let place = self.prng.below(Subject::all().count() as u64) as usize;
        Subject::all().nth(place).unwrap()
    }

    fn capability(&mut self) -> Capability {
        Capability::ALL[self.prng.below(9) as usize]
    }

    fn capabilities(&mut self) -> CapabilitySet {
        let mut set = CapabilitySet::NONE;
        for _ in 0..self.prng.below(4) {
            set = set.with(self.capability());
        }
        set
    }

    fn ports(&mut self) -> Option<PortRange> {
        let (one, other) = (self.prng.below(12) as u16, self.prng.below(12) as u16);
        PortRange::new(one.min(other), one.max(other))
    }

    fn constraints(&mut self) -> Constraints {
        let mut constraints = Constraints::NONE;
        if self.one_in(self.constraint_in) {
            constraints.ports = self.ports();
        }
        if self.one_in(self.constraint_in) {
            constraints.bandwidth_bytes_per_s = NonZeroU64::new(self.prng.below(300_000));
        }
        if self.one_in(self.constraint_in) {
            constraints.concurrency = NonZeroU32::new(self.prng.below(4) as u32);
        }
        constraints
    }

    fn order(&mut self) -> Order {
        let nanos = match self.prng.below(40) {
            0 => self.prng.below(1_000_000_000),
            1 => 30 * 86_400_000_000_000 + self.prng.below(2),
            _ if self.is_crowded => self.prng.below(3_600_000_000_000),
            _ => 1_000_000_000 + self.prng.below(20_000_000_000),
        };
        let (mut capabilities, constraints) = (self.capabilities(), self.constraints());
        if constraints.ports.is_some() && !self.one_in(8) {
            capabilities = capabilities.with(Capability::Net);
        }
        Order {
            to: self.subject(),
            capabilities,
            time_to_live: Duration::from_nanos(nanos),
            constraints,
        }
    }

    /// The number of some right; now and then of none.
    fn number(&mut self) -> u64 {
        match self.model.rights.len() as u64 {
            count if count > 0 && !self.one_in(20) => {
                self.model.rights[self.prng.below(count) as usize].number
            }
            _ => self.prng.below(self.model.next_number + 2),
        }
    }

    fn holder(&mut self, number: u64) -> Subject {
        let is_any = self.one_in(4);
        match self.model.find(number) {
            Some(right) if !is_any => right.to,
            _ => self.subject(),
        }
    }

    fn same<T: PartialEq + core::fmt::Debug>(
        &mut self,
        what: &str,
        own: &Result<T, GrantError>,
        model: &Result<T, GrantError>,
    ) {
        assert_eq!(own, model, "{what} at {:?}", self.now);
        self.saw(what);
        if let Err(error) = own {
            self.saw(&std::format!("{error:?}"));
        }
    }

    fn grant(&mut self) {
        let (by, order) = (self.subject(), self.order());
        let own = self.grants.grant(self.now, by, &order);
        self.model.on_time(self.now);
        let model = self.model.make(self.now, by, None, &order);
        self.same("grant", &own, &model);
    }

    /// Mostly something that the source could give.
    fn delegate(&mut self) {
        let (source, mut order) = (self.number(), self.order());
        let by = self.holder(source);
        let held = self.grants.find(source).cloned();
        if let Some(right) = held
            && !self.one_in(3)
        {
            order.capabilities = order.capabilities.intersection(right.capabilities);
            if order.capabilities.is_empty() {
                order.capabilities = right.capabilities;
            }
            let left = right.expires_at.since(self.now).as_nanos();
            let nanos = order.time_to_live.as_nanos().min(left);
            order.time_to_live = Duration::from_nanos(nanos);
            if self.one_in(2) {
                order.constraints = right.effective;
            }
        }
        let own = self.grants.delegate(self.now, by, source, &order);
        self.model.on_time(self.now);
        let model = self.model.make(self.now, by, Some(source), &order);
        self.same("delegate", &own, &model);
    }

    fn revoke(&mut self) {
        let number = self.number();
        let by = self.holder(number);
        let own = self.grants.revoke(self.now, by, number);
        self.model.on_time(self.now);
        let model = self.model.revoke(self.now, by, number);
        let ended = model.clone().unwrap_or_default();
        self.same("revoke", &own, &model.map(|_| ()));
        if ended.len() > 1 {
            self.saw("revoke with heirs");
        }
        for (subject, capabilities, number) in ended {
            self.revoked.insert(number);
            assert!(self.grants.find(number).is_none());
            // Whom nothing else lets in is not let in, by whichever way he asks.
            for capability in capabilities.iter() {
                let asked = Asked::of(subject, capability);
                let held = self.model.held(subject, self.now);
                if held.contains(capability) {
                    continue;
                }
                assert!(!self.grants.allows(subject, capability.into()));
                assert!(self.grants.explain(self.now, &asked).is_err());
                assert!(self.grants.ask(self.now, &asked).is_err());
                self.saw("kept out after a revoke");
            }
        }
        self.compare_words();
    }

    fn asked(&mut self) -> Asked {
        let mut asked = Asked::of(self.subject(), self.capability());
        // Mostly something that somebody has.
        let count = self.model.rights.len() as u64;
        if count > 0 && !self.one_in(4) {
            let right = &self.model.rights[self.prng.below(count) as usize];
            let nth = self.prng.below(9) as usize % right.capabilities.iter().count();
            asked.subject = right.to;
            asked.capability = right.capabilities.iter().nth(nth).unwrap();
        }
        asked.port = (!self.one_in(4)).then(|| self.prng.below(13) as u16);
        asked.bytes = match self.prng.below(4) {
            0 => 0,
            1 => self.prng.below(400_000),
            _ => self.prng.below(130_000),
        };
        asked
    }

    fn count_found(&mut self, found: &Result<Basis, Refusal>) {
        match found {
            Ok(Basis::Standing) => self.saw("by standing"),
            Ok(Basis::Right(number)) => {
                assert!(!self.revoked.contains(number), "let in by what was revoked");
                self.saw("by a right");
            }
            Err(Refusal::Bandwidth { ready_at: None }) => self.saw("Bandwidth never"),
            Err(Refusal::Bandwidth { .. }) => self.saw("Bandwidth later"),
            Err(refusal) => self.saw(&std::format!("{refusal:?}")),
        }
    }

    fn check(&mut self, is_taken_back: bool) {
        let asked = self.asked();
        self.model.on_time(self.now);
        let word = self.model.words_of(asked.subject, self.now);
        let is_fast = word.0.contains(asked.capability);
        let found = self.model.explain(self.now, &asked);
        self.count_found(&found);
        let own = self.grants.ask(self.now, &asked);
        let passed = match (own, found) {
            (Err(own), Err(model)) => return assert_eq!(own, model, "{asked:?}"),
            (Ok(passed), Ok(basis)) => {
                assert_eq!(passed.basis, (!is_fast).then_some(basis), "{asked:?}");
                passed
            }
            (own, model) => panic!("{asked:?}: {own:?}, and not {model:?}"),
        };
        self.saw(if is_fast {
            "by the cache"
        } else {
            "by a search"
        });
        let number = match passed.basis {
            Some(Basis::Right(number)) => number,
            _ => return assert_eq!(passed.ticket, None),
        };
        let places = self.model.take(self.now, number, &asked);
        assert_eq!(passed.ticket.is_some(), !places.is_empty());
        if is_taken_back || (self.tickets.len() == TICKETS_MAX && !places.is_empty()) {
            self.grants.take_back(&asked, passed);
            self.model.untake(self.now, number, &places);
            self.saw("take back");
        } else if let Some(ticket) = passed.ticket {
            self.tickets.push((ticket, places));
        }
    }

    fn explain(&mut self) {
        let asked = self.asked();
        let (own, model) = (
            self.grants.explain(self.now, &asked),
            self.model.explain(self.now, &asked),
        );
        assert_eq!(own, model, "{asked:?}");
        self.saw("explain");
    }

    fn release(&mut self) {
        if !self.tickets.is_empty() {
            let place = self.prng.below(self.tickets.len() as u64) as usize;
            let (ticket, places) = self.tickets.swap_remove(place);
            self.grants.release(ticket);
            self.model.release(&places);
            self.saw("release");
        }
    }

    fn set_standing(&mut self) {
        let (by, subject) = (self.subject(), self.subject());
        let capabilities = match self.prng.below(3) {
            0 => CapabilitySet::NONE,
            1 => self.capabilities(),
            _ => CapabilitySet::from_bits(self.prng.below(1 << 9) as u16),
        };
        let own = self
            .grants
            .set_standing(self.now, by, subject, capabilities);
        self.model.on_time(self.now);
        let model = self.model.set_standing(subject, capabilities);
        self.same("set standing", &own, &model);
    }

    fn set_mandatory(&mut self) {
        let subject = self.subject();
        let allowed = match self.one_in(3) {
            true => CapabilitySet::from_bits(self.prng.below(1 << 9) as u16),
            false => CapabilitySet::ALL,
        };
        self.grants.set_mandatory(subject, allowed);
        self.model.set_mandatory(subject, allowed);
        self.saw("set mandatory");
    }

    fn pass_time(&mut self) {
        let nanos = match (self.is_crowded, self.prng.below(200)) {
            (true, 0) => self.prng.below(20_000_000_000),
            (true, _) => self.prng.below(2_000_000),
            (false, _) => self.prng.below(2_000_000_000),
        };
        self.now = self.now + Duration::from_nanos(nanos);
        // Now and then something is due exactly now.
        if self.one_in(8)
            && let Some(due) = self.grants.next_deadline()
        {
            self.now = self.now.max(due);
        }
        self.saw("time");
        if self.one_in(2) {
            let expired = self.model.expired;
            self.grants.on_time(self.now);
            self.model.on_time(self.now);
            if self.model.expired > expired {
                self.saw("expire");
            }
            self.compare_words();
        }
    }

    /// Every word of the cache is what the rights say.
    fn compare_words(&self) {
        for (place, (free, limited)) in self.model.words(self.now).iter().enumerate() {
            let word = u64::from(free.bits()) | u64::from(limited.bits()) << 16;
            assert_eq!(self.grants.cache.read(place), word, "subject {place}");
        }
    }

    fn compare_all(&mut self) {
        self.grants.on_time(self.now);
        self.model.on_time(self.now);
        self.compare_words();
        assert_eq!(self.grants.version(), self.model.version);
        assert_eq!(self.grants.count(EventKind::Expire), self.model.expired);
        let mut numbers: Vec<u64> = self.grants.rights().map(|right| right.number).collect();
        numbers.sort_unstable();
        let model = self.model.rights.iter().map(|right| right.number);
        let living = model.filter(|number| self.model.lives(*number, self.now));
        assert!(living.eq(numbers));
        for right in self.grants.rights() {
            let running = self.model.running(right.number);
            assert_eq!(self.grants.running(right), running);
        }
    }

    fn operate(&mut self) {
        match self.prng.below(100) {
            0..14 => self.grant(),
            14..34 => self.delegate(),
            34..38 => self.revoke(),
            38..42 if !self.is_crowded => self.revoke(),
            38..72 => self.check(false),
            72..76 => self.check(true),
            76..80 => self.explain(),
            80..87 => self.release(),
            87..90 => self.set_standing(),
            90..92 => self.set_mandatory(),
            _ => self.pass_time(),
        }
    }
}

#[test]
fn a_million_operations_end_as_in_a_naive_model_and_nobody_gets_in_after_a_revoke() {
    let mut lab = Lab::new();
    for operation in 0..OPERATIONS {
        if operation % MOOD == 0 {
            lab.is_crowded = operation / MOOD % 2 == 1;
            lab.constraint_in = 1 + operation / MOOD % 3;
        }
        lab.operate();
        if operation % 64 == 0 {
            lab.compare_all();
        }
    }
    for (ticket, places) in core::mem::take(&mut lab.tickets) {
        lab.grants.release(ticket);
        lab.model.release(&places);
    }
    lab.compare_all();
    assert!(
        lab.grants
            .rights()
            .all(|right| lab.grants.running(right).unwrap_or(0) == 0)
    );
    std::println!("{OPERATIONS} operations: {:#?}", lab.seen);
    let each = [
        ("grant", 100_000),
        ("delegate", 100_000),
        ("revoke", 30_000),
        ("revoke with heirs", 1_000),
        ("kept out after a revoke", 1_000),
        ("by a right", 30_000),
        ("by the cache", 10_000),
        ("by a search", 10_000),
        ("by standing", 10_000),
        ("take back", 5_000),
        ("explain", 30_000),
        ("release", 10_000),
        ("set standing", 30_000),
        ("set mandatory", 20_000),
        ("time", 80_000),
        ("expire", 1_000),
    ];
    let errors = GrantError::ALL.map(|error| (std::format!("{error:?}"), 200));
    let refusals = [
        "NotHeld",
        "Policy",
        "Port",
        "Concurrency",
        "Bandwidth later",
        "Bandwidth never",
    ];
    let refusals = refusals.map(|name| (name.to_string(), 500));
    let each = each.map(|(name, least)| (name.to_string(), least));
    for (name, least) in each.into_iter().chain(errors).chain(refusals) {
        let times = lab.seen.get(&name).copied().unwrap_or_default();
        assert!(times >= least, "{name}: only {times} times");
    }
}
