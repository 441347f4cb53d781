//! The resolver: lookups side by side, each a question or a chain of aliases.
//!
//! Limits: `DNS_LOOKUPS_MAX` at a time, `DNS_CACHE_MAX` remembered answers.

use super::cache::Cache;
use super::exchange::{Around, Exchange};
use super::message::Reply;
use super::name::Name;
use super::view::{Answer, CacheEntryView, DnsCounters, DnsView, Failure, Kind};
use crate::base::fixed::{Handle, Vec as FixedVec};
use crate::base::metric::Usage;
use crate::base::prng::Prng;
use crate::base::time::{Duration, Instant};
use crate::limits::DNS_LOOKUPS_MAX;
use crate::net::datagram_sockets::Datagrams;
use crate::net::stream::Streams;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Questions about aliases behind the first one.
const ALIAS_QUESTIONS_MAX: usize = 8;

pub type LookupId = Handle;

#[expect(
    clippy::large_enum_variant,
    reason = "all places are taken at boot; a box would allocate for each answer"
)]
enum State {
    Free,
    Running,
    Done(Result<Answer, Failure>),
}

struct Lookup {
    generation: u32,
    state: State,
    name: Name,
    kind: Kind,
    began: Instant,
    aliases: usize,
    /// The shortest life of an alias on the way.
    ttl: Duration,
    exchange: Exchange,
}

pub struct Resolver {
    lookups: Vec<Lookup>,
    high_water: usize,
    refused: u64,
    cache: Cache,
    counters: DnsCounters,
    prng: Prng,
}

impl Resolver {
    /// `seed` is something that nobody can guess. Takes all the memory that it will use.
    pub fn new(seed: u64) -> Self {
        let mut lookups = Vec::with_capacity(DNS_LOOKUPS_MAX);
        lookups.resize_with(DNS_LOOKUPS_MAX, Lookup::free);
        Self {
            lookups,
            high_water: 0,
            refused: 0,
            cache: Cache::default(),
            counters: DnsCounters::default(),
            prng: Prng::new(seed),
        }
    }

    /// Begins a lookup; `answer` has what comes of it, perhaps at once.
    pub fn ask(&mut self, now: Instant, name: &Name, kind: Kind) -> Result<LookupId, Failure> {
        let mut lookups = self.lookups.iter();
        let Some(slot) = lookups.position(|lookup| matches!(lookup.state, State::Free)) else {
            self.refused += 1;
            return Err(Failure::Full);
        };
        self.counters.asked += 1;
        let lookup = &mut self.lookups[slot];
        lookup.name = name.clone();
        lookup.kind = kind;
        lookup.began = now;
        lookup.aliases = 0;
        lookup.ttl = Duration::from_nanos(u64::MAX);
        lookup.exchange.begin(name, kind);
        lookup.state = State::Running;
        if let Some(known) = own_name(name, kind) {
            lookup.state = State::Done(Ok(known));
        } else if let Some(known) = self.cache.find(now, name, kind) {
            self.counters.cache_hits += 1;
            lookup.state = State::Done(known);
        }
        let id = Handle::new(slot as u32, lookup.generation);
        self.high_water = self.high_water.max(self.used());
        Ok(id)
    }

    /// `None` while it is being looked for.
    pub fn answer(&self, id: LookupId) -> Option<&Result<Answer, Failure>> {
        match &self.lookup(id)?.state {
            State::Done(result) => Some(result),
            State::Free | State::Running => None,
        }
    }

    /// Nobody waits for it any more, whether it has an answer or not.
    pub fn release(
        &mut self,
        id: LookupId,
        datagrams: &mut dyn Datagrams,
        streams: &mut dyn Streams,
    ) {
        if self.lookup(id).is_none() {
            return;
        }
        let lookup = &mut self.lookups[id.slot()];
        lookup.exchange.leave(&mut Around {
            now: Instant::ZERO,
            servers: &[],
            datagrams,
            streams,
            counters: &mut self.counters,
            prng: &mut self.prng,
        });
        lookup.state = State::Free;
        lookup.generation = lookup.generation.wrapping_add(1);
    }

    /// Goes on with every lookup; `servers` in the order in which they are to be asked.
    pub fn step(
        &mut self,
        now: Instant,
        servers: &[IpAddr],
        datagrams: &mut dyn Datagrams,
        streams: &mut dyn Streams,
    ) {
        let mut around = Around {
            now,
            servers,
            datagrams,
            streams,
            counters: &mut self.counters,
            prng: &mut self.prng,
        };
        for lookup in &mut self.lookups {
            if matches!(lookup.state, State::Running) {
                lookup.step(&mut around, &mut self.cache);
            }
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let running = self.lookups.iter();
        let running = running.filter(|lookup| matches!(lookup.state, State::Running));
        running.map(|lookup| lookup.exchange.deadline()).min()
    }

    pub fn view(&self, now: Instant) -> DnsView {
        DnsView {
            counters: self.counters,
            running: self.used(),
            cached: self.cache.len(now),
        }
    }

    pub fn visit_cache(&self, now: Instant, visit: &mut dyn FnMut(&CacheEntryView<'_>)) {
        self.cache.visit(now, visit);
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("DNS_LOOKUPS_MAX", DNS_LOOKUPS_MAX)
                .used(self.used() as u64)
                .high_water(self.high_water as u64)
                .refused(self.refused),
        );
        visit(&self.cache.usage());
    }

    fn lookup(&self, id: LookupId) -> Option<&Lookup> {
        let lookup = self.lookups.get(id.slot())?;
        (lookup.generation == id.generation()).then_some(lookup)
    }

    fn used(&self) -> usize {
        let lookups = self.lookups.iter();
        lookups
            .filter(|lookup| !matches!(lookup.state, State::Free))
            .count()
    }
}

impl Lookup {
    const fn free() -> Self {
        Self {
            generation: 0,
            state: State::Free,
            name: Name::root(),
            kind: Kind::A,
            began: Instant::ZERO,
            aliases: 0,
            ttl: Duration::ZERO,
            exchange: Exchange::idle(),
        }
    }

    fn step(&mut self, around: &mut Around<'_>, cache: &mut Cache) {
        while matches!(self.state, State::Running)
            && let Some(outcome) = self.exchange.step(around)
        {
            match outcome {
                Ok(reply) => self.on_reply(reply, around, cache),
                Err(failure) => self.finish(Err(failure), None, around, cache),
            }
        }
    }

    fn on_reply(&mut self, reply: Reply, around: &mut Around<'_>, cache: &mut Cache) {
        match reply {
            Reply::Addresses {
                name,
                addresses,
                more,
                ttl_secs,
            } => {
                let ttl = self.ttl.min(Duration::from_secs(ttl_secs.into()));
                let answer = Answer {
                    name,
                    addresses,
                    more,
                    ttl,
                    server: self.exchange.server(),
                    took: around.now.since(self.began),
                    is_cached: false,
                };
                self.finish(Ok(answer), Some(ttl), around, cache);
            }
            Reply::Alias { name, ttl_secs } => {
                self.aliases += 1;
                if self.aliases > ALIAS_QUESTIONS_MAX {
                    return self.finish(Err(Failure::TooManyAliases), None, around, cache);
                }
                self.ttl = self.ttl.min(Duration::from_secs(ttl_secs.into()));
                self.exchange.begin(&name, self.kind);
            }
            Reply::NoSuchName { ttl_secs } => {
                let ttl = ttl_secs.map(|seconds| Duration::from_secs(seconds.into()));
                self.finish(Err(Failure::NoSuchName), ttl, around, cache);
            }
            Reply::NoAddress { ttl_secs } => {
                let ttl = ttl_secs.map(|seconds| Duration::from_secs(seconds.into()));
                self.finish(Err(Failure::NoAddress), ttl, around, cache);
            }
            // The exchange has dealt with them.
            Reply::Truncated | Reply::Refused => {
                self.finish(Err(Failure::ServersFailed), None, around, cache);
            }
        }
    }

    /// Remembers for `ttl` what came of it.
    fn finish(
        &mut self,
        result: Result<Answer, Failure>,
        ttl: Option<Duration>,
        around: &mut Around<'_>,
        cache: &mut Cache,
    ) {
        match result {
            Ok(_) => around.counters.answered += 1,
            Err(_) => around.counters.failed += 1,
        }
        if let Some(ttl) = ttl {
            cache.keep(around.now, (&self.name, self.kind), ttl, result.clone());
        }
        self.state = State::Done(result);
    }
}

/// Names that no server is asked about (RFC 6761, 6.3).
fn own_name(name: &Name, kind: Kind) -> Option<Answer> {
    let last = name.labels().last()?;
    if last != "localhost" {
        return None;
    }
    let mut addresses = FixedVec::new();
    let address = match kind {
        Kind::A => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Kind::Aaaa => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let kept = addresses.push(address);
    crate::invariant!(kept.is_ok(), "an answer without room for an address");
    Some(Answer {
        name: name.clone(),
        addresses,
        more: 0,
        ttl: Duration::ZERO,
        server: None,
        took: Duration::ZERO,
        is_cached: false,
    })
}
