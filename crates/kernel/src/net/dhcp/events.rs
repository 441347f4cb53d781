//! What a client makes of its link, other stations and its user.

use super::client::{Client, Inform};
use super::clients::Command;
use super::conflict::{Sighting, Verdict};
use super::history::EventKind;
use super::lease::Lease;
use super::link_local::Act;
use super::state::{Exchange, State};
use super::timing::{DECLINE_WAIT, FAILURE_WAIT, FAILURES_MAX, INFORMS_MAX};
use super::{Output, Outputs, put};
use crate::base::time::Instant;
use core::net::Ipv4Addr;

impl Client {
    /// Would the command do anything now? If not, why?
    pub fn can(&self, command: Command, by_hand: Option<Ipv4Addr>) -> Result<(), &'static str> {
        let is_held = self.state.held().is_some();
        match command {
            _ if !self.is_link_up => Err("the interface has no link; plug it in first"),
            Command::Renew if matches!(self.state, State::Declined { .. }) => {
                Err("an address was declined; another one is asked for in a few seconds")
            }
            Command::Renew if matches!(self.state, State::Probing { .. }) => {
                Err("a new address is being probed; try again in a second")
            }
            Command::Release if !is_held => Err("no address is leased that could be given back"),
            Command::Inform if !is_held && by_hand.is_none() => {
                Err("only an interface with an address can ask for parameters; write dhcp renew")
            }
            _ => Ok(()),
        }
    }

    /// Another link may be behind the next one: nothing is in use until it has answered.
    #[inline(never)]
    pub(super) fn on_link_down(&mut self, now: Instant, out: &mut Outputs) {
        self.is_link_up = false;
        self.note(now, EventKind::LinkDown, None, None, out);
        self.end_link_local(out);
        self.inform = None;
        self.transform(|client, state| {
            if matches!(state, State::Released) {
                return state;
            }
            if let Some(held) = state.held() {
                let address = held.lease.address;
                put(out, Output::Deconfigure { address });
                client.known = Some(held.lease.clone());
            }
            State::Init { wake_at: None }
        });
    }

    #[inline(never)]
    pub(super) fn on_renew(&mut self, now: Instant, out: &mut Outputs) {
        self.is_started = true;
        if !self.is_link_up {
            // The link's return begins it.
            self.state = State::Init { wake_at: None };
            return;
        }
        self.transform(|client, state| match state {
            State::Bound { held } => {
                let exchange = Exchange::begin(now, &mut client.prng);
                client.renew(held, exchange, now, out)
            }
            State::Renewing { held, exchange } => client.renew(held, exchange, now, out),
            State::Rebinding { held, exchange } => client.rebind(held, exchange, now, out),
            // The wait after a DECLINE is not ours to shorten, and a probe is over soon.
            State::Declined { .. } | State::Probing { .. } => {
                client.ignored += 1;
                state
            }
            _ => client.begin_selecting(now, out),
        });
    }

    #[inline(never)]
    pub(super) fn on_release(&mut self, now: Instant, out: &mut Outputs) {
        self.end_link_local(out);
        self.inform = None;
        self.known = None;
        self.transform(|client, state| {
            let Some(held) = state.held() else {
                return State::Released;
            };
            let (address, server) = (held.lease.address, held.lease.server);
            let transaction = client.new_transaction();
            let repr = client.identity.release(transaction, address, server);
            client.send(address, server, repr, out);
            put(out, Output::Deconfigure { address });
            let kind = EventKind::Released;
            client.note(now, kind, Some(address), Some(server), out);
            State::Released
        });
    }

    #[inline(never)]
    pub(super) fn on_inform(&mut self, now: Instant, by_hand: Option<Ipv4Addr>, out: &mut Outputs) {
        let leased = self.state.held().map(|held| held.lease.address);
        let Some(address) = leased.or(by_hand).filter(|_| self.is_link_up) else {
            self.ignored += 1;
            return;
        };
        let exchange = Exchange::begin(now, &mut self.prng);
        self.inform = Some(Inform { exchange, address });
        self.repeat_inform(now, out);
    }

    #[inline(never)]
    pub(super) fn repeat_inform(&mut self, now: Instant, out: &mut Outputs) {
        let Some(mut inform) = self.inform.filter(|inform| inform.exchange.is_due(now)) else {
            return;
        };
        if inform.exchange.sent >= INFORMS_MAX {
            self.inform = None;
            self.note_unanswered(&inform.exchange, now, out);
            return;
        }
        inform.exchange.stamp_seconds(now);
        let repr = self.identity.inform(&inform.exchange, inform.address);
        self.send(inform.address, Ipv4Addr::BROADCAST, repr, out);
        inform.exchange.count_sent(now, &mut self.prng);
        self.inform = Some(inform);
        let (kind, address) = (EventKind::Informed, Some(inform.address));
        self.note_exchange(now, kind, &inform.exchange, address, None, out);
    }

    #[inline(never)]
    pub(super) fn on_arp(&mut self, now: Instant, sighting: Sighting, out: &mut Outputs) {
        if let Some(act) = self.link_local.on_arp(now, sighting) {
            self.act_on_link(act, now, out);
        }
        self.transform(|client, state| match state {
            State::Probing { lease, probe } if probe.is_contradicted_by(sighting) => {
                client.decline(&lease, now, out)
            }
            state => client.defend(state, sighting, now, out),
        });
    }

    #[inline(never)]
    fn defend(
        &mut self,
        mut state: State,
        sighting: Sighting,
        now: Instant,
        out: &mut Outputs,
    ) -> State {
        let Some(held) = state.held_mut() else {
            return state;
        };
        let address = held.lease.address;
        if sighting.sender != address {
            return state;
        }
        match held.defence.on_conflict(now) {
            Verdict::Defend => {
                put(out, Output::ArpAnnounce { address });
                self.note(now, EventKind::Defended, Some(address), None, out);
                state
            }
            Verdict::GiveUp => {
                let lease = held.lease.clone();
                put(out, Output::Deconfigure { address });
                self.decline(&lease, now, out)
            }
        }
    }

    /// Tells the server that its address is taken, and waits before asking for another one.
    #[inline(never)]
    fn decline(&mut self, lease: &Lease, now: Instant, out: &mut Outputs) -> State {
        let (address, server) = (lease.address, lease.server);
        self.note(now, EventKind::Conflict, Some(address), None, out);
        let transaction = self.new_transaction();
        let repr = self.identity.decline(transaction, address, server);
        self.broadcast(repr, out);
        let kind = EventKind::Declined;
        self.note(now, kind, Some(address), Some(server), out);
        self.remembered = None;
        self.known = None;
        self.inform = None;
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            let reason = "every address that was offered is in use by another station";
            return self.fail(reason, now, out);
        }
        let until = now + DECLINE_WAIT;
        State::Declined { until }
    }

    pub(super) fn fail(&mut self, reason: &'static str, now: Instant, out: &mut Outputs) -> State {
        self.note(now, EventKind::Failed, None, None, out);
        let until = now + FAILURE_WAIT;
        State::Error { reason, until }
    }

    pub(super) fn act_on_link(&mut self, act: Act, now: Instant, out: &mut Outputs) {
        match act {
            Act::Probe(address) => put(out, Output::ArpProbe { address }),
            Act::Announce(address) => put(out, Output::ArpAnnounce { address }),
            Act::Take(address) => {
                put(out, Output::ConfigureLinkLocal { address });
                self.note(now, EventKind::LinkLocal, Some(address), None, out);
            }
            Act::GiveUp(address) => {
                put(out, Output::Deconfigure { address });
                self.note(now, EventKind::Conflict, Some(address), None, out);
            }
        }
    }

    pub(super) fn end_link_local(&mut self, out: &mut Outputs) {
        if let Some(address) = self.link_local.end() {
            put(out, Output::Deconfigure { address });
        }
    }

    fn new_transaction(&mut self) -> u32 {
        (self.prng.next_u64() >> 32) as u32
    }
}
