//! The client's machine: what it does when its time has come.
//!
//! States move by value, so what handles one event is never inlined into another's
//! frame: together they would take a third of a kernel stack.
//!
//! Invariants: renew <= rebind <= expire; an address is in use only after its probe
//! was silent, and no longer than its lease; one transaction number from the first
//! DISCOVER to the ACK.

use super::conflict::{Defence, Probe, ProbeStep, Sighting};
use super::counters::Flaws;
use super::history::{EventKind, History};
use super::lease::Lease;
use super::link_local::LinkLocal;
use super::state::{Exchange, Held, Offer, State, earlier};
use super::timing::*;
use super::view::{Messages, View};
use super::{Identity, Input, Output, Outputs, put};
use crate::base::prng::Prng;
use crate::base::time::Instant;
use core::net::Ipv4Addr;

/// One interface's client.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) identity: Identity,
    pub(super) prng: Prng,
    pub(super) state: State,
    pub(super) is_started: bool,
    pub(super) is_link_up: bool,
    /// The address that is asked for again.
    pub(super) remembered: Option<Ipv4Addr>,
    /// The lease from before the link went down.
    pub(super) known: Option<Lease>,
    /// The server that has offered last and then refused or kept silent.
    pub(super) shunned: Option<Ipv4Addr>,
    /// Refusals and conflicts in a row.
    pub(super) failures: u32,
    pub(super) inform: Option<Inform>,
    pub(super) link_local: LinkLocal,
    pub(super) history: History,
    pub(super) flaws: Flaws,
    pub(super) messages: Messages,
    /// Inputs that meant nothing in the state they came in.
    pub(super) ignored: u64,
}

/// A question for parameters only; beside the lease, with a transaction of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inform {
    pub exchange: Exchange,
    pub address: Ipv4Addr,
}

impl Client {
    /// `seed` should not be guessable: transaction numbers come from it.
    pub fn new(identity: Identity, seed: u64) -> Self {
        Self {
            link_local: LinkLocal::new(identity.hardware_address),
            identity,
            prng: Prng::new(seed),
            state: State::Init { wake_at: None },
            is_started: false,
            is_link_up: false,
            remembered: None,
            known: None,
            shunned: None,
            failures: 0,
            inform: None,
            history: History::default(),
            flaws: Flaws::default(),
            messages: Messages::default(),
            ignored: 0,
        }
    }

    pub fn step(&mut self, now: Instant, input: Input<'_>, out: &mut Outputs) {
        // Whatever comes, it does not come to an address whose time is over.
        self.maybe_expire(now, out);
        match input {
            Input::Timer => self.on_time(now, out),
            Input::Datagram { bytes, sender } => self.on_datagram(now, bytes, sender, out),
            Input::ArpSeen {
                sender_mac,
                sender_ip,
                target_ip,
            } if sender_mac != self.identity.hardware_address => {
                let sighting = Sighting {
                    sender: sender_ip,
                    target: target_ip,
                };
                self.on_arp(now, sighting, out);
            }
            Input::Start { remembered } if !self.is_started => {
                self.is_started = true;
                self.remembered = remembered;
                self.begin(now, out);
            }
            Input::LinkUp if !self.is_link_up => {
                self.is_link_up = true;
                self.note(now, EventKind::LinkUp, None, None, out);
                self.begin(now, out);
            }
            Input::LinkDown if self.is_link_up => self.on_link_down(now, out),
            Input::Renew => self.on_renew(now, out),
            Input::Release => self.on_release(now, out),
            Input::Inform { address } => self.on_inform(now, address, out),
            Input::ArpSeen { .. } | Input::Start { .. } | Input::LinkUp | Input::LinkDown => {
                self.ignored += 1;
            }
        }
    }

    /// When it wants `Input::Timer`.
    pub fn next_deadline(&self) -> Option<Instant> {
        let held = self.state.held();
        let defence = held.and_then(|held| held.defence.next_deadline());
        let inform = self.inform.map(|inform| inform.exchange.next_at);
        let others = earlier(defence, inform);
        let own = earlier(self.state.next_deadline(), self.link_local.next_deadline());
        earlier(own, others)
    }

    pub fn view(&self) -> View<'_> {
        View {
            identity: &self.identity,
            state: self.state.name(),
            error: match &self.state {
                State::Error { reason, .. } => Some(reason),
                _ => None,
            },
            lease: self.state.held().map(|held| &held.lease),
            link_local: self.link_local.address(),
            transaction: self.state.exchange().map(|exchange| exchange.transaction),
            next_at: self.next_deadline(),
            messages: &self.messages,
            flaws: &self.flaws,
            ignored: self.ignored,
            history: &self.history,
        }
    }

    /// Replaces the state by what the function makes of it.
    pub(super) fn transform(&mut self, next: impl FnOnce(&mut Self, State) -> State) {
        let state = core::mem::replace(&mut self.state, State::Init { wake_at: None });
        self.state = next(self, state);
    }
    #[inline(never)]
    fn begin(&mut self, now: Instant, out: &mut Outputs) {
        let waits = matches!(self.state, State::Init { wake_at: None });
        if !(self.is_started && self.is_link_up && waits) {
            return;
        }
        self.state = match self.remembered {
            Some(address) => {
                let exchange = Exchange::begin(now, &mut self.prng);
                self.ask_for_before(exchange, address, now, out)
            }
            None => self.begin_selecting(now, out),
        };
    }
    #[inline(never)]
    fn on_time(&mut self, now: Instant, out: &mut Outputs) {
        self.transform(|client, state| client.after_time(state, now, out));
        if let Some(held) = self.state.held_mut()
            && held.defence.on_time(now)
        {
            let address = held.lease.address;
            put(out, Output::ArpAnnounce { address });
        }
        if let Some(act) = self.link_local.on_time(now) {
            self.act_on_link(act, now, out);
        }
        self.repeat_inform(now, out);
    }
    #[inline(never)]
    fn after_time(&mut self, state: State, now: Instant, out: &mut Outputs) -> State {
        match state {
            State::Init { wake_at: Some(at) } if at <= now => self.begin_selecting(now, out),
            State::Declined { until, .. } | State::Error { until, .. } if until <= now => {
                self.begin_selecting(now, out)
            }
            State::Selecting { exchange, reserve } if exchange.is_due(now) => match reserve {
                Some(offer) => self.ask_for_offer(exchange.next_message(), offer, now, out),
                None => self.search_on(exchange, now, out),
            },
            State::Requesting { exchange, offer } if exchange.is_due(now) => {
                if exchange.sent < REQUESTS_MAX {
                    return self.ask_for_offer(exchange, offer, now, out);
                }
                self.shunned = Some(offer.server);
                self.note_unanswered(&exchange, now, out);
                self.begin_selecting(now, out)
            }
            State::InitReboot { exchange, address } if exchange.is_due(now) => {
                if exchange.sent < REBOOT_REQUESTS_MAX {
                    return self.ask_for_before(exchange, address, now, out);
                }
                self.note_unanswered(&exchange, now, out);
                self.begin_selecting(now, out)
            }
            State::Probing { lease, probe } => self.probe_on(lease, probe, now, out),
            state => self.keep_lease(state, now, out),
        }
    }

    /// Renews at T1, rebinds at T2, and repeats both.
    #[inline(never)]
    fn keep_lease(&mut self, state: State, now: Instant, out: &mut Outputs) -> State {
        let is_past = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        match state {
            State::Bound { held } if is_past(held.lease.times.renew) => {
                let exchange = Exchange::begin(now, &mut self.prng);
                self.renew(held, exchange, now, out)
            }
            State::Renewing { held, exchange } if is_past(held.lease.times.rebind) => {
                self.rebind(held, exchange, now, out)
            }
            State::Renewing { held, exchange } if exchange.is_due(now) => {
                let is_on_demand = !is_past(held.lease.times.renew);
                if is_on_demand && exchange.sent >= REQUESTS_MAX {
                    self.note_unanswered(&exchange, now, out);
                    return State::Bound { held };
                }
                self.renew(held, exchange, now, out)
            }
            State::Rebinding { held, exchange } if exchange.is_due(now) => {
                self.rebind(held, exchange, now, out)
            }
            state => state,
        }
    }
    #[inline(never)]
    pub(super) fn begin_selecting(&mut self, now: Instant, out: &mut Outputs) -> State {
        let exchange = Exchange::begin(now, &mut self.prng);
        self.discover(exchange, now, out)
    }

    /// Nobody has offered anything: asks again, and helps itself meanwhile.
    #[inline(never)]
    fn search_on(&mut self, exchange: Exchange, now: Instant, out: &mut Outputs) -> State {
        if exchange.sent >= FALL_BACK_DISCOVERS {
            let known = self.known.take();
            if let Some(lease) = known.filter(|lease| !lease.times.is_over(now)) {
                // RFC 2131 3.2: without an answer, the lease of before is good until it ends.
                return self.begin_probing(lease, now);
            }
            if self.link_local.is_off() {
                self.link_local.begin(now);
            }
        }
        self.discover(exchange, now, out)
    }
    #[inline(never)]
    fn discover(&mut self, mut exchange: Exchange, now: Instant, out: &mut Outputs) -> State {
        exchange.stamp_seconds(now);
        let repr = self.identity.discover(&exchange, self.remembered);
        self.broadcast(repr, out);
        exchange.count_sent(now, &mut self.prng);
        self.note_exchange(now, EventKind::Discovered, &exchange, None, None, out);
        State::Selecting {
            exchange,
            reserve: None,
        }
    }
    #[inline(never)]
    pub(super) fn ask_for_offer(
        &mut self,
        mut exchange: Exchange,
        offer: Offer,
        now: Instant,
        out: &mut Outputs,
    ) -> State {
        let repr = self.identity.request_offered(&exchange, &offer);
        self.broadcast(repr, out);
        exchange.count_sent(now, &mut self.prng);
        let (address, server) = (Some(offer.address), Some(offer.server));
        self.note_exchange(now, EventKind::Requested, &exchange, address, server, out);
        State::Requesting { exchange, offer }
    }
    #[inline(never)]
    fn ask_for_before(
        &mut self,
        mut exchange: Exchange,
        address: Ipv4Addr,
        now: Instant,
        out: &mut Outputs,
    ) -> State {
        exchange.stamp_seconds(now);
        let repr = self.identity.request_of_before(&exchange, address);
        self.broadcast(repr, out);
        exchange.count_sent(now, &mut self.prng);
        let kind = EventKind::Requested;
        self.note_exchange(now, kind, &exchange, Some(address), None, out);
        State::InitReboot { exchange, address }
    }

    pub(super) fn begin_probing(&mut self, lease: Lease, now: Instant) -> State {
        let probe = Probe::begin(lease.address, PROBE_OF_A_LEASE, now, &mut self.prng);
        State::Probing { lease, probe }
    }
    #[inline(never)]
    fn probe_on(
        &mut self,
        lease: Lease,
        mut probe: Probe,
        now: Instant,
        out: &mut Outputs,
    ) -> State {
        let address = probe.address();
        match probe.on_time(now, &mut self.prng) {
            ProbeStep::Wait => State::Probing { lease, probe },
            ProbeStep::Send => {
                put(out, Output::ArpProbe { address });
                self.note(now, EventKind::Probed, Some(address), None, out);
                State::Probing { lease, probe }
            }
            ProbeStep::Silent => self.become_bound(lease, now, out),
        }
    }
    #[inline(never)]
    fn become_bound(&mut self, lease: Lease, now: Instant, out: &mut Outputs) -> State {
        self.end_link_local(out);
        self.remembered = Some(lease.address);
        self.known = None;
        self.shunned = None;
        self.failures = 0;
        put(out, Output::Configure(lease.clone()));
        let (address, server) = (Some(lease.address), Some(lease.server));
        self.note(now, EventKind::Bound, address, server, out);
        let defence = Defence::begin(now);
        State::Bound {
            held: Held { lease, defence },
        }
    }
    #[inline(never)]
    pub(super) fn renew(
        &mut self,
        held: Held,
        mut exchange: Exchange,
        now: Instant,
        out: &mut Outputs,
    ) -> State {
        let (times, address, server) = (held.lease.times, held.lease.address, held.lease.server);
        exchange.stamp_seconds(now);
        let repr = self.identity.request_extension(&exchange, address);
        self.send(address, server, repr, out);
        match times
            .rebind
            .filter(|_| times.renew.is_some_and(|at| at <= now))
        {
            Some(rebind) => exchange.count_sent_for(now, renew_after(rebind - now)),
            // On demand, before its time.
            None => exchange.count_sent(now, &mut self.prng),
        }
        let (address, server) = (Some(address), Some(server));
        self.note_exchange(now, EventKind::Requested, &exchange, address, server, out);
        State::Renewing { held, exchange }
    }
    #[inline(never)]
    pub(super) fn rebind(
        &mut self,
        held: Held,
        mut exchange: Exchange,
        now: Instant,
        out: &mut Outputs,
    ) -> State {
        let address = held.lease.address;
        exchange.stamp_seconds(now);
        let repr = self.identity.request_extension(&exchange, address);
        self.send(address, Ipv4Addr::BROADCAST, repr, out);
        let left = held.lease.times.expire.unwrap_or(Instant::FAR_FUTURE) - now;
        exchange.count_sent_for(now, renew_after(left));
        let kind = EventKind::Requested;
        self.note_exchange(now, kind, &exchange, Some(address), None, out);
        State::Rebinding { held, exchange }
    }

    /// Gives up what the lease no longer covers, and begins anew.
    #[inline(never)]
    fn maybe_expire(&mut self, now: Instant, out: &mut Outputs) {
        let lease = match &self.state {
            State::Probing { lease, .. } => Some(lease),
            state => state.held().map(|held| &held.lease),
        };
        let Some(lease) = lease.filter(|lease| lease.times.is_over(now)) else {
            return;
        };
        let (address, server) = (lease.address, lease.server);
        if self.state.held().is_some() {
            put(out, Output::Deconfigure { address });
        }
        let kind = EventKind::Expired;
        self.note(now, kind, Some(address), Some(server), out);
        self.state = self.begin_selecting(now, out);
    }
}
