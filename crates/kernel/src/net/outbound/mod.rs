//! What commands want from outside: names looked up, addresses fetched.
//!
//! Limits: `DNS_LOOKUPS_MAX` and `HTTP_FETCHES_MAX` at the same time.
//! Invariants: an errand whose asker has gone gives its socket and its connection back
//! in the next step.

mod report;

use super::datagram_sockets::Datagrams;
use super::dns::{Failure, Kind, LookupId, Name, Resolver};
use super::http::{Fetch, FetchAround, Url};
use super::stream::Streams;
use crate::base::file_sink::FileSink;
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use crate::limits::{DNS_LOOKUPS_MAX, HTTP_FETCHES_MAX};
use alloc::boxed::Box;
use core::net::IpAddr;

/// How long a command waits for the answer.
pub const LOOKUP_LIMIT: Duration = Duration::from_secs(20);
pub const FETCH_LIMIT: Duration = Duration::from_secs(120);

/// What a command asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    Lookup {
        name: Box<Name>,
        kind: Kind,
    },
    Fetch {
        url: Box<Url>,
        /// The body becomes the file of the same operation.
        is_for_file: bool,
    },
}

impl Wish {
    pub const fn limit(&self) -> Duration {
        match self {
            Self::Lookup { .. } => LOOKUP_LIMIT,
            Self::Fetch { .. } => FETCH_LIMIT,
        }
    }
}

struct Question {
    /// `None` once the asker has gone.
    by: Option<OperationId>,
    lookup: LookupId,
}

struct Errand {
    by: Option<OperationId>,
    fetch: Box<Fetch>,
}

pub struct Outbound {
    resolver: Resolver,
    questions: Vec<Question, DNS_LOOKUPS_MAX>,
    fetches: Vec<Errand, HTTP_FETCHES_MAX>,
    fetches_high_water: usize,
    fetches_refused: u64,
    /// Lookups of fetches that nobody waits for any more.
    released: Vec<LookupId, DNS_LOOKUPS_MAX>,
    has_more: bool,
}

impl Outbound {
    pub const BUSY: &str = "too many addresses are being fetched; wait until one is here";

    /// `seed` is something that nobody can guess.
    pub fn new(seed: u64) -> Self {
        Self {
            resolver: Resolver::new(seed),
            questions: Vec::new(),
            fetches: Vec::new(),
            fetches_high_water: 0,
            fetches_refused: 0,
            released: Vec::new(),
            has_more: false,
        }
    }

    /// Takes on an errand; its answer comes later.
    pub fn start(&mut self, now: Instant, by: OperationId, wish: Wish) -> Result<(), &'static str> {
        match wish {
            Wish::Lookup { name, kind } => {
                let lookup = self.resolver.ask(now, &name, kind);
                let lookup = lookup.map_err(Failure::sentence)?;
                let by = Some(by);
                let kept = self.questions.push(Question { by, lookup });
                crate::invariant!(kept.is_ok(), "more questions than lookups");
            }
            Wish::Fetch { url, is_for_file } => {
                let fetch = Fetch::new(now, *url);
                let fetch = Box::new(match is_for_file {
                    true => fetch.into_file(by),
                    false => fetch,
                });
                let by = Some(by);
                if self.fetches.push(Errand { by, fetch }).is_err() {
                    self.fetches_refused += 1;
                    return Err(Self::BUSY);
                }
                self.fetches_high_water = self.fetches_high_water.max(self.fetches.len());
            }
        }
        Ok(())
    }

    /// Goes on with everything; `servers` are the name servers in their order.
    pub fn step(
        &mut self,
        now: Instant,
        servers: &[IpAddr],
        (datagrams, streams): (&mut dyn Datagrams, &mut dyn Streams),
        files: &mut dyn FileSink,
    ) {
        self.drop_forgotten(now, (datagrams, streams), files);
        // A fetch may ask for a name, and get its address out of the cache.
        self.step_fetches(now, streams, files);
        self.resolver.step(now, servers, datagrams, streams);
        self.step_fetches(now, streams, files);
        self.release_lookups(datagrams, streams);
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        if self.has_more || self.has_answer() {
            return Some(now);
        }
        let fetches = self.fetches.iter();
        let fetches = fetches.filter_map(|errand| errand.fetch.next_deadline());
        fetches.chain(self.resolver.next_deadline()).min()
    }

    /// Is there an answer that whoever waits for it has not seen?
    fn has_answer(&self) -> bool {
        let mut questions = self.questions.iter().filter(|asked| asked.by.is_some());
        let mut fetches = self.fetches.iter().filter(|errand| errand.by.is_some());
        questions.any(|asked| self.resolver.answer(asked.lookup).is_some())
            || fetches.any(|errand| errand.fetch.result().is_some())
    }

    pub const fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.resolver.visit_usages(visit);
        visit(
            &Usage::of("HTTP_FETCHES_MAX", HTTP_FETCHES_MAX)
                .used(self.fetches.len() as u64)
                .high_water(self.fetches_high_water as u64)
                .refused(self.fetches_refused),
        );
    }

    fn step_fetches(&mut self, now: Instant, streams: &mut dyn Streams, files: &mut dyn FileSink) {
        self.has_more = false;
        for errand in self.fetches.iter_mut() {
            let released = &mut self.released;
            self.has_more |= errand.fetch.step(&mut FetchAround {
                now,
                streams,
                resolver: &mut self.resolver,
                files,
                released: &mut |lookup| keep(released, lookup),
            });
        }
    }

    fn drop_forgotten(
        &mut self,
        now: Instant,
        (datagrams, streams): (&mut dyn Datagrams, &mut dyn Streams),
        files: &mut dyn FileSink,
    ) {
        while let Some(at) = self.fetches.iter().position(|errand| errand.by.is_none()) {
            if let Some(mut errand) = self.fetches.remove(at) {
                let released = &mut self.released;
                errand.fetch.give_up(&mut FetchAround {
                    now,
                    streams,
                    resolver: &mut self.resolver,
                    files,
                    released: &mut |lookup| keep(released, lookup),
                });
            }
        }
        while let Some(at) = self.questions.iter().position(|asked| asked.by.is_none()) {
            if let Some(question) = self.questions.remove(at) {
                keep(&mut self.released, question.lookup);
            }
        }
        self.release_lookups(datagrams, streams);
    }

    fn release_lookups(&mut self, datagrams: &mut dyn Datagrams, streams: &mut dyn Streams) {
        while let Some(lookup) = self.released.pop() {
            self.resolver.release(lookup, datagrams, streams);
        }
    }
}

/// Every lookup has one holder, so there are never more than there is room for.
fn keep(released: &mut Vec<LookupId, DNS_LOOKUPS_MAX>, lookup: LookupId) {
    let kept = released.push(lookup);
    crate::invariant!(kept.is_ok(), "a lookup was released twice");
}

impl Performer for Outbound {
    fn maybe_answer(&mut self, id: OperationId, out: &mut Report) -> bool {
        if let Some(question) = self.questions.iter_mut().find(|asked| asked.by == Some(id)) {
            let Some(result) = self.resolver.answer(question.lookup) else {
                return false;
            };
            report::lookup(result, out);
            question.by = None;
            self.has_more = true;
            return true;
        }
        if let Some(errand) = self.fetches.iter_mut().find(|errand| errand.by == Some(id)) {
            let Some(result) = errand.fetch.result() else {
                return false;
            };
            report::fetch(result, &errand.fetch, out);
            errand.by = None;
            self.has_more = true;
            return true;
        }
        false
    }

    fn forget(&mut self, id: OperationId) {
        let questions = self.questions.iter_mut().map(|asked| &mut asked.by);
        let fetches = self.fetches.iter_mut().map(|errand| &mut errand.by);
        for by in questions.chain(fetches).filter(|by| **by == Some(id)) {
            *by = None;
            self.has_more = true;
        }
    }
}
