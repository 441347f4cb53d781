//! Finds the first rule that means a packet without trying all of them.
//!
//! Each condition has a list that says, for any value, which rules may mean it: a set of
//! 256 bits. The sets of a packet's values are intersected, and what is left is tried in
//! order. Lists of ranges are found in by bisection, so the time grows with the logarithm
//! of the number of rules.
//!
//! Invariant: a set holds at least the rules that mean the value; it may hold more.

use super::rule::{PortRange, Prefix, Rule};
use super::tuple::{Tuple, bits};
use crate::base::tenant::Tenant;
use crate::limits::{FIREWALL_RULES_MAX, TENANTS_MAX};
use crate::net::packet::Direction;
use alloc::vec::Vec;
use core::net::IpAddr;

/// Interfaces are told apart by their number's lowest bits.
const INTERFACES: usize = 16;
const PROTOCOLS: usize = 256;

/// Rules by their place, a bit each.
#[derive(Clone, Copy)]
struct Set([u64; FIREWALL_RULES_MAX / 64]);

pub struct Search {
    directions: [Set; 2],
    tenants: [Set; TENANTS_MAX],
    interfaces: [Set; INTERFACES],
    /// `PROTOCOLS` of them.
    protocols: Vec<Set>,
    sources: Ranges<u128>,
    destinations: Ranges<u128>,
    source_ports: Ranges<u16>,
    destination_ports: Ranges<u16>,
}

/// For each run of values between two bounds of rules, the rules that may mean them.
struct Ranges<T> {
    /// The first value of each run, ascending; the first of all is the least value.
    starts: Vec<T>,
    sets: Vec<Set>,
}

impl Search {
    pub fn new() -> Self {
        Self {
            directions: [Set::EMPTY; 2],
            tenants: [Set::EMPTY; TENANTS_MAX],
            interfaces: [Set::EMPTY; INTERFACES],
            protocols: (0..PROTOCOLS).map(|_| Set::EMPTY).collect(),
            sources: Ranges::new(),
            destinations: Ranges::new(),
            source_ports: Ranges::new(),
            destination_ports: Ranges::new(),
        }
    }

    /// Learns the rules anew; takes no memory.
    pub fn rebuild<'a>(&mut self, rules: impl Iterator<Item = &'a Rule> + Clone) {
        let place = |direction| direction as usize;
        let directions = rules.clone().map(|rule| rule.direction.map(place));
        fill(&mut self.directions, directions);
        let tenants = rules.clone().map(|rule| rule.tenant.map(Tenant::index));
        fill(&mut self.tenants, tenants);
        let interfaces = rules
            .clone()
            .map(|rule| rule.interface.map(|interface| interface % INTERFACES));
        fill(&mut self.interfaces, interfaces);
        let protocols = rules.clone().map(|rule| rule.protocol.map(usize::from));
        fill(&mut self.protocols, protocols);
        let prefix_of = |prefix: Option<Prefix>| prefix.map_or((0, u128::MAX), |own| bounds(&own));
        let ports_of =
            |ports: Option<PortRange>| ports.map_or((0, u16::MAX), |own| (own.first(), own.last()));
        self.sources
            .rebuild(rules.clone().map(|rule| prefix_of(rule.source.prefix)));
        self.destinations
            .rebuild(rules.clone().map(|rule| prefix_of(rule.destination.prefix)));
        self.source_ports
            .rebuild(rules.clone().map(|rule| ports_of(rule.source.ports)));
        self.destination_ports
            .rebuild(rules.map(|rule| ports_of(rule.destination.ports)));
    }

    /// Places of the rules that may mean the packet, ascending; all others do not.
    pub fn candidates(&self, tuple: &Tuple) -> impl Iterator<Item = usize> + use<> {
        let mut set = match tuple.direction {
            Direction::In => self.directions[Direction::In as usize],
            Direction::Out => self.directions[Direction::Out as usize],
        };
        set.keep(&self.tenants[tuple.tenant.index()]);
        set.keep(&self.interfaces[tuple.interface % INTERFACES]);
        set.keep(&self.protocols[usize::from(tuple.protocol)]);
        // Most packets that no rule means are known by now.
        if !set.is_empty() {
            set.keep(self.destination_ports.find(tuple.destination_port));
            set.keep(self.source_ports.find(tuple.source_port));
        }
        if !set.is_empty() {
            set.keep(self.sources.find(bits(tuple.source)));
            set.keep(self.destinations.find(bits(tuple.destination)));
        }
        set.into_places()
    }
}

/// The first and last address with the prefix.
fn bounds(prefix: &Prefix) -> (u128, u128) {
    let first = bits(prefix.address());
    let width = if matches!(prefix.address(), IpAddr::V4(_)) {
        32
    } else {
        128
    };
    let free_bits = width - u32::from(prefix.length());
    let rest = match free_bits {
        128 => u128::MAX,
        _ => (1 << free_bits) - 1,
    };
    (first, first | rest)
}

/// Sets by a small number; a rule without the condition is in all of them.
fn fill(sets: &mut [Set], values: impl Iterator<Item = Option<usize>>) {
    sets.fill(Set::EMPTY);
    for (place, value) in values.enumerate() {
        match value {
            Some(value) => sets[value].add(place),
            None => sets.iter_mut().for_each(|set| set.add(place)),
        }
    }
}

impl<T: Copy + Ord + Default + Successor> Ranges<T> {
    /// Every rule has two bounds at most, and the least value is one more.
    const RUNS_MAX: usize = 2 * FIREWALL_RULES_MAX + 1;

    fn new() -> Self {
        let mut ranges = Self {
            starts: Vec::with_capacity(Self::RUNS_MAX),
            sets: Vec::with_capacity(Self::RUNS_MAX),
        };
        ranges.rebuild(core::iter::empty());
        ranges
    }

    fn rebuild(&mut self, bounds: impl Iterator<Item = (T, T)> + Clone) {
        self.starts.clear();
        self.starts.push(T::default());
        for (first, last) in bounds.clone() {
            self.starts.push(first);
            self.starts.extend(last.successor());
        }
        self.starts.sort_unstable();
        self.starts.dedup();
        self.sets.clear();
        self.sets.resize(self.starts.len(), Set::EMPTY);
        for (place, (first, last)) in bounds.enumerate() {
            let runs = self.run_of(first)..=self.run_of(last);
            self.sets[runs].iter_mut().for_each(|set| set.add(place));
        }
    }

    fn find(&self, value: T) -> &Set {
        &self.sets[self.run_of(value)]
    }

    /// The run in which the value lies: the last one that starts at it or below.
    fn run_of(&self, value: T) -> usize {
        self.starts.partition_point(|start| *start <= value) - 1
    }
}

/// The next number, where there is one.
trait Successor: Sized {
    fn successor(self) -> Option<Self>;
}

impl Successor for u16 {
    fn successor(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Successor for u128 {
    fn successor(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Set {
    const EMPTY: Self = Self([0; FIREWALL_RULES_MAX / 64]);

    fn add(&mut self, place: usize) {
        self.0[place / 64] |= 1 << (place % 64);
    }

    fn keep(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own &= other;
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn into_places(self) -> impl Iterator<Item = usize> {
        let Self(mut words) = self;
        core::iter::from_fn(move || {
            let index = words.iter().position(|word| *word != 0)?;
            let bit = words[index].trailing_zeros() as usize;
            words[index] &= words[index] - 1;
            Some(index * 64 + bit)
        })
    }
}
