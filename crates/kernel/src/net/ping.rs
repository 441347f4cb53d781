//! Echo requests on purpose: how far away a host is and how much gets lost.
//!
//! Limits: `PINGS_MAX` at the same time. A reply counts once, and only when it
//! comes from the host that was asked before its time is over.

use crate::base::fixed::{Full, Handle, Pool, Vec};
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::limits::{PING_OUTSTANDING_MAX, PINGS_MAX};
use core::net::IpAddr;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PingRequest {
    pub tenant: Tenant,
    pub target: IpAddr,
    /// Requests to be sent.
    pub count: u32,
    /// Bytes behind the echo header.
    pub size: usize,
    pub interval: Duration,
    /// How long the reply to one request is waited for.
    pub timeout: Duration,
}

impl PingRequest {
    /// Four requests of 56 bytes, one a second, as people are used to.
    pub const fn new(target: IpAddr) -> Self {
        Self {
            tenant: Tenant::KERNEL,
            target,
            count: 4,
            size: 56,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
        }
    }
}

/// How a ping stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PingView {
    pub target: IpAddr,
    pub size: usize,
    pub sent: u32,
    pub received: u32,
    /// Replies that came a second time.
    pub duplicates: u32,
    /// Requests that could not be sent: no route, no link, no memory.
    pub unsent: u32,
    /// Hosts on the way said that the target cannot be reached.
    pub unreachable: u32,
    /// `None` before the first reply.
    pub shortest: Option<Duration>,
    pub average: Option<Duration>,
    pub longest: Option<Duration>,
    /// Mean deviation, as other implementations of ping print it.
    pub deviation: Option<Duration>,
    pub newest: Option<Duration>,
    pub is_done: bool,
}

pub type PingId = Handle;

/// One echo request that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EchoDue {
    pub id: PingId,
    pub tenant: Tenant,
    pub target: IpAddr,
    pub identifier: u16,
    pub sequence: u16,
    pub size: usize,
}

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    sequence: u16,
    at: Instant,
    is_answered: bool,
}

#[derive(Debug)]
struct Ping {
    request: PingRequest,
    identifier: u16,
    view: PingView,
    next_at: Instant,
    outstanding: Vec<Outstanding, PING_OUTSTANDING_MAX>,
    sum_nanos: u128,
    sum_squares: u128,
}

/// All pings that are under way or not yet taken away.
#[derive(Debug, Default)]
pub struct Pings {
    pings: Pool<Ping, PINGS_MAX>,
    next_identifier: u16,
}

impl Pings {
    pub fn start(&mut self, now: Instant, request: PingRequest) -> Result<PingId, Full> {
        self.next_identifier = self.next_identifier.wrapping_add(1);
        self.pings.insert(Ping {
            identifier: self.next_identifier,
            view: PingView::of(&request),
            request,
            next_at: now,
            outstanding: Vec::new(),
            sum_nanos: 0,
            sum_squares: 0,
        })
    }

    /// Ends a ping and forgets it.
    pub fn stop(&mut self, id: PingId) {
        self.pings.remove(id);
    }

    pub fn view(&self, id: PingId) -> Option<PingView> {
        self.pings.get(id).map(|ping| ping.view)
    }

    /// The next request that is due; asked until there is none.
    pub fn due(&mut self, now: Instant) -> Option<EchoDue> {
        let mut ids: Vec<PingId, PINGS_MAX> = Vec::new();
        for (id, _) in self.pings.iter() {
            let kept = ids.push(id);
            crate::invariant!(kept.is_ok(), "a pool holds more than its size");
        }
        for &id in &ids {
            if let Some(ping) = self.pings.get_mut(id)
                && let Some(sequence) = ping.step(now)
            {
                return Some(EchoDue {
                    id,
                    tenant: ping.request.tenant,
                    target: ping.request.target,
                    identifier: ping.identifier,
                    sequence,
                    size: ping.request.size,
                });
            }
        }
        None
    }

    /// A request that was due did not get out.
    pub fn on_unsent(&mut self, id: PingId) {
        if let Some(ping) = self.pings.get_mut(id) {
            ping.view.unsent += 1;
        }
    }

    /// Says whether the reply belongs to a ping.
    pub fn on_reply(
        &mut self,
        now: Instant,
        source: IpAddr,
        identifier: u16,
        sequence: u16,
    ) -> bool {
        match self.find(source, identifier) {
            Some(ping) => ping.on_reply(now, sequence),
            None => false,
        }
    }

    /// A host on the way says that a request to `target` cannot be delivered.
    pub fn on_unreachable(&mut self, target: IpAddr, identifier: u16) -> bool {
        let found = self.find(target, identifier);
        if let Some(ping) = found {
            ping.view.unreachable += 1;
            return true;
        }
        false
    }

    fn find(&mut self, target: IpAddr, identifier: u16) -> Option<&mut Ping> {
        let is_wanted =
            |ping: &Ping| ping.identifier == identifier && ping.request.target == target;
        let found = self.pings.iter().find(|(_, ping)| is_wanted(ping));
        let id = found.map(|(id, _)| id)?;
        self.pings.get_mut(id)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let pings = self.pings.iter();
        pings.filter_map(|(_, ping)| ping.next_deadline()).min()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("PINGS_MAX", PINGS_MAX)
            .used(self.pings.used() as u64)
            .high_water(self.pings.high_water() as u64)
            .refused(self.pings.refused())
    }
}

impl PingView {
    const fn of(request: &PingRequest) -> Self {
        Self {
            target: request.target,
            size: request.size,
            sent: 0,
            received: 0,
            duplicates: 0,
            unsent: 0,
            unreachable: 0,
            shortest: None,
            average: None,
            longest: None,
            deviation: None,
            newest: None,
            is_done: request.count == 0,
        }
    }
}

impl Ping {
    /// The number of the request that is to be sent now.
    fn step(&mut self, now: Instant) -> Option<u16> {
        let timeout = self.request.timeout;
        while let Some(oldest) = self.outstanding.first()
            && now.since(oldest.at) >= timeout
        {
            self.outstanding.remove(0);
        }
        if self.view.sent == self.request.count {
            let mut waiting = self.outstanding.iter();
            self.view.is_done = waiting.all(|request| request.is_answered);
            return None;
        }
        if now < self.next_at {
            return None;
        }
        if self.outstanding.is_full() {
            // The oldest can no longer be told from one that is lost.
            self.outstanding.remove(0);
        }
        let sequence = (self.view.sent & 0xffff) as u16;
        let kept = self.outstanding.push(Outstanding {
            sequence,
            at: now,
            is_answered: false,
        });
        crate::invariant!(kept.is_ok(), "no room was made for a request");
        self.view.sent += 1;
        self.next_at = now + self.request.interval;
        Some(sequence)
    }

    fn on_reply(&mut self, now: Instant, sequence: u16) -> bool {
        let mut waiting = self.outstanding.iter_mut();
        let Some(request) = waiting.find(|request| request.sequence == sequence) else {
            return false;
        };
        if request.is_answered {
            self.view.duplicates += 1;
            return true;
        }
        request.is_answered = true;
        let time = now.since(request.at);
        self.measure(time);
        let is_last = self.view.sent == self.request.count;
        let mut waiting = self.outstanding.iter();
        self.view.is_done = is_last && waiting.all(|request| request.is_answered);
        true
    }

    fn measure(&mut self, time: Duration) {
        let nanos = u128::from(time.as_nanos());
        let view = &mut self.view;
        view.received += 1;
        self.sum_nanos += nanos;
        self.sum_squares += nanos * nanos;
        let count = u128::from(view.received);
        let average = self.sum_nanos / count;
        let variance = (self.sum_squares / count).saturating_sub(average * average);
        let span = |nanos: u128| Some(Duration::from_nanos(nanos as u64));
        view.newest = Some(time);
        view.shortest = view
            .shortest
            .map_or(Some(time), |known| Some(known.min(time)));
        view.longest = view
            .longest
            .map_or(Some(time), |known| Some(known.max(time)));
        view.average = span(average);
        view.deviation = span(variance.isqrt());
    }

    fn next_deadline(&self) -> Option<Instant> {
        if self.view.is_done {
            return None;
        }
        let timeout = self.request.timeout;
        let oldest = self.outstanding.first().map(|request| request.at + timeout);
        let next = (self.view.sent < self.request.count).then_some(self.next_at);
        oldest.into_iter().chain(next).min()
    }
}
