//! The list of rules: the first that means a packet decides.
//!
//! Three ways lead to the same answer. The table of verdicts remembers whole tuples. The
//! deny list knows the hosts whose every packet is denied. The search goes through the
//! rules. All three are learned anew when a rule is added or removed.
//!
//! Invariant: a host is on the deny list only if no earlier rule means a packet of it.

use super::rule::{Rule, Verdict};
use super::search::Search;
use super::table::Table;
use super::tuple::{Hash, Tuple};
use crate::base::fixed::Full;
use crate::base::time::Instant;
use crate::limits::FIREWALL_RULES_MAX;
use crate::net::packet::Direction;
use alloc::vec::Vec;
use core::net::IpAddr;

pub struct Rules {
    entries: Vec<Entry>,
    search: Search,
    denied_hosts: Table<Host, u16>,
    /// The deciding rule, or `None` where none means the tuple.
    verdicts: Table<Tuple, Option<u16>>,
    seed: Hash,
    /// Changes with the rules.
    generation: u32,
    paths: PathCounts,
}

/// A rule and how often it decided.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub rule: Rule,
    pub hits: Hits,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hits {
    pub packets: u64,
    pub bytes: u64,
    pub last: Option<Instant>,
}

impl Hits {
    pub fn add(&mut self, now: Instant, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
        self.last = Some(now);
    }
}

/// Which way led to the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PathCounts {
    /// There was no rule at all.
    pub no_rules: u64,
    pub deny_list: u64,
    pub table: u64,
    pub search: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Host {
    direction: Direction,
    source: IpAddr,
}

impl Rules {
    pub fn new(seed: u64) -> Self {
        Self {
            entries: Vec::with_capacity(FIREWALL_RULES_MAX),
            search: Search::new(),
            denied_hosts: Table::new(),
            verdicts: Table::new(),
            seed: Hash::new(seed),
            generation: 0,
            paths: PathCounts::default(),
        }
    }

    /// The place of the first rule that means the packet.
    pub fn decide(&mut self, tuple: &Tuple) -> Option<usize> {
        if self.entries.is_empty() {
            self.paths.no_rules += 1;
            return None;
        }
        let host = Host {
            direction: tuple.direction,
            source: tuple.source,
        };
        if self.denied_hosts.used() > 0
            && let Some(place) = self.denied_hosts.get(self.hash_host(&host), &host)
        {
            self.paths.deny_list += 1;
            return Some(usize::from(place));
        }
        let hash = self.seed.tuple(tuple);
        if let Some(place) = self.verdicts.get(hash, tuple) {
            self.paths.table += 1;
            return place.map(usize::from);
        }
        self.paths.search += 1;
        let place = self.find(tuple);
        self.verdicts
            .put(hash, *tuple, place.map(|place| place as u16));
        place
    }

    /// The same answer, without learning from it.
    pub fn find(&self, tuple: &Tuple) -> Option<usize> {
        let mut candidates = self.search.candidates(tuple);
        candidates.find(|place| self.entries[*place].rule.matches(tuple))
    }

    /// Adds a rule before the one at `place`, or at the end; says where it stands.
    pub fn add(&mut self, rule: Rule, place: Option<usize>) -> Result<usize, Full> {
        if self.entries.len() == FIREWALL_RULES_MAX {
            return Err(Full);
        }
        let end = self.entries.len();
        let place = place.unwrap_or(end).min(end);
        let hits = Hits::default();
        self.entries.insert(place, Entry { rule, hits });
        self.learn();
        Ok(place)
    }

    pub fn remove(&mut self, place: usize) -> Option<Entry> {
        let entry = (place < self.entries.len()).then(|| self.entries.remove(place))?;
        self.learn();
        Some(entry)
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn count(&mut self, place: usize, now: Instant, bytes: usize) {
        self.entries[place].hits.add(now, bytes);
    }

    pub const fn generation(&self) -> u32 {
        self.generation
    }

    pub const fn paths(&self) -> PathCounts {
        self.paths
    }

    /// Hosts on the deny list and tuples in the table.
    pub const fn fast_path_used(&self) -> (usize, usize) {
        (self.denied_hosts.used(), self.verdicts.used())
    }

    fn hash_host(&self, host: &Host) -> Hash {
        self.seed.address(host.source).word(host.direction as u64)
    }

    fn learn(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.verdicts.clear();
        self.search
            .rebuild(self.entries.iter().map(|entry| &entry.rule));
        self.denied_hosts.clear();
        for place in 0..self.entries.len() {
            let rule = self.entries[place].rule;
            for direction in [Direction::In, Direction::Out] {
                if let Some(source) = denied_host(&rule, direction)
                    && !self.has_earlier(place, direction, source)
                {
                    let host = Host { direction, source };
                    // A host that finds its bucket full goes the other ways.
                    let hash = self.hash_host(&host);
                    self.denied_hosts.put_if_free(hash, host, place as u16);
                }
            }
        }
    }

    /// Could a rule before `place` mean a packet from there?
    fn has_earlier(&self, place: usize, direction: Direction, source: IpAddr) -> bool {
        self.entries[..place].iter().any(|entry| {
            let rule = &entry.rule;
            let prefix = rule.source.prefix;
            rule.direction.is_none_or(|own| own == direction)
                && prefix.is_none_or(|prefix| prefix.contains(source))
        })
    }
}

/// The host all of whose packets of that direction the rule turns away, if it is such a rule.
fn denied_host(rule: &Rule, direction: Direction) -> Option<IpAddr> {
    let prefix = rule.source.prefix.filter(|prefix| prefix.is_host())?;
    let own = Rule {
        direction: Some(direction),
        ..Rule::any(rule.verdict)
    };
    let is_only_its_source = Rule {
        source: Default::default(),
        direction: rule.direction.or(Some(direction)),
        ..*rule
    } == own
        && rule.source.ports.is_none();
    (is_only_its_source && rule.verdict != Verdict::Allow).then_some(prefix.address())
}
