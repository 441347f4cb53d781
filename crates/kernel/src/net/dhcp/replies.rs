//! What a client makes of a server's message: who may say what, and when.

use super::client::Client;
use super::counters::Flaw;
use super::history::EventKind;
use super::lease::Lease;
use super::repr::{MessageType, Repr};
use super::state::{Held, Offer, State};
use super::timing::{FAILURES_MAX, refused_wait};
use super::{Output, Outputs, Sender, put};
use crate::base::time::Instant;

/// A message for us, and the frame that brought it.
struct Reply<'a> {
    repr: &'a Repr,
    sender: Sender,
    now: Instant,
}

impl Client {
    #[inline(never)]
    pub(super) fn on_datagram(
        &mut self,
        now: Instant,
        bytes: &[u8],
        sender: Sender,
        out: &mut Outputs,
    ) {
        let repr = match Repr::parse(bytes, &mut self.flaws) {
            Ok(repr) => repr,
            Err(flaw) => return self.flaws.count(flaw),
        };
        let reply = Reply {
            repr: &repr,
            sender,
            now,
        };
        let inform = self
            .inform
            .filter(|inform| inform.exchange.transaction == repr.transaction);
        let own = self.state.exchange().map(|exchange| exchange.transaction);
        let is_known = own == Some(repr.transaction) || inform.is_some();
        let is_ours = repr.hardware_address == self.identity.hardware_address;
        match (is_known, is_ours) {
            (false, false) => return self.flaws.count(Flaw::ForOthers),
            (true, false) => return self.flaws.count(Flaw::HardwareAddress),
            (false, true) => return self.flaws.count(Flaw::Transaction),
            (true, true) => self.messages.count(repr.kind),
        }
        if inform.is_some() {
            return self.on_informed(&reply, out);
        }
        self.transform(|client, state| match repr.kind {
            MessageType::Offer => client.on_offer(state, &reply, out),
            MessageType::Ack => client.on_acknowledged(state, &reply, out),
            _ => client.on_refused(state, &reply, out),
        });
    }

    /// Drops the message and stays.
    fn refuse(&mut self, flaw: Flaw, state: State) -> State {
        self.flaws.count(flaw);
        state
    }

    #[inline(never)]
    fn on_offer(&mut self, state: State, reply: &Reply<'_>, out: &mut Outputs) -> State {
        let State::Selecting { exchange, reserve } = state else {
            return self.refuse(Flaw::Unexpected, state);
        };
        let now = reply.now;
        let lease = match Lease::accept(reply.repr, now, &mut self.flaws) {
            Ok(lease) => lease,
            Err(flaw) => return self.refuse(flaw, State::Selecting { exchange, reserve }),
        };
        let offer = Offer {
            address: lease.address,
            server: lease.server,
            hardware_address: reply.sender.hardware_address,
        };
        let (address, server) = (Some(offer.address), Some(offer.server));
        self.note_exchange(now, EventKind::Offered, &exchange, address, server, out);
        if self.shunned == Some(offer.server) {
            let reserve = reserve.or(Some(offer));
            return State::Selecting { exchange, reserve };
        }
        self.ask_for_offer(exchange.next_message(), offer, now, out)
    }

    /// May this server speak in this state? Only one that was asked.
    fn check_server(state: &State, reply: &Reply<'_>) -> Result<(), Flaw> {
        let server = reply.repr.server.ok_or(Flaw::Server)?;
        let asked = match state {
            State::Requesting { offer, .. } => {
                let is_same = offer.hardware_address == reply.sender.hardware_address;
                if offer.server == server && !is_same {
                    return Err(Flaw::Forged);
                }
                Some(offer.server)
            }
            State::Renewing { held, .. } => Some(held.lease.server),
            State::InitReboot { .. } | State::Rebinding { .. } => None,
            _ => return Err(Flaw::Unexpected),
        };
        match asked.is_none_or(|asked| asked == server) {
            true => Ok(()),
            false => Err(Flaw::Server),
        }
    }

    #[inline(never)]
    fn on_acknowledged(&mut self, state: State, reply: &Reply<'_>, out: &mut Outputs) -> State {
        if let Err(flaw) = Self::check_server(&state, reply) {
            return self.refuse(flaw, state);
        }
        let Some(exchange) = state.exchange().copied() else {
            return self.refuse(Flaw::Unexpected, state);
        };
        let lease = match Lease::accept(reply.repr, exchange.sent_at, &mut self.flaws) {
            Ok(lease) => lease,
            Err(flaw) => return self.refuse(flaw, state),
        };
        let now = reply.now;
        if lease.times.is_over(now) {
            // It was given for less time than its acknowledgement took.
            return self.refuse(Flaw::LeaseTime, state);
        }
        let (address, server) = (Some(lease.address), Some(lease.server));
        self.note_exchange(
            now,
            EventKind::Acknowledged,
            &exchange,
            address,
            server,
            out,
        );
        match state {
            State::Renewing { held, .. } | State::Rebinding { held, .. } => {
                self.extend(held, lease, now, out)
            }
            // An address other than the one that was asked for is the server's right.
            _ => self.begin_probing(lease, now),
        }
    }

    #[inline(never)]
    fn extend(&mut self, held: Held, lease: Lease, now: Instant, out: &mut Outputs) -> State {
        if lease.address != held.lease.address {
            let address = held.lease.address;
            put(out, Output::Deconfigure { address });
            return self.begin_probing(lease, now);
        }
        if !lease.is_same_setting(&held.lease) {
            put(out, Output::Configure(lease.clone()));
        }
        let (address, server) = (Some(lease.address), Some(lease.server));
        self.note(now, EventKind::Renewed, address, server, out);
        let defence = held.defence;
        State::Bound {
            held: Held { lease, defence },
        }
    }

    /// The address is not or no longer ours. Refusals in a row are answered more and more slowly.
    #[inline(never)]
    fn on_refused(&mut self, state: State, reply: &Reply<'_>, out: &mut Outputs) -> State {
        if let Err(flaw) = Self::check_server(&state, reply) {
            return self.refuse(flaw, state);
        }
        let now = reply.now;
        let address = match &state {
            State::Requesting { offer, .. } => Some(offer.address),
            State::InitReboot { address, .. } => Some(*address),
            state => state.held().map(|held| held.lease.address),
        };
        if let State::Requesting { offer, .. } = &state {
            self.shunned = Some(offer.server);
        }
        if let Some(held) = state.held() {
            let address = held.lease.address;
            put(out, Output::Deconfigure { address });
        }
        self.note(now, EventKind::Refused, address, reply.repr.server, out);
        self.remembered = None;
        self.known = None;
        self.inform = None;
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            return self.fail("the servers refuse what they have offered", now, out);
        }
        State::Init {
            wake_at: Some(now + refused_wait(self.failures)),
        }
    }

    /// Parameters without a lease: `yiaddr` and times mean nothing in them.
    #[inline(never)]
    fn on_informed(&mut self, reply: &Reply<'_>, out: &mut Outputs) {
        let now = reply.now;
        if reply.repr.kind != MessageType::Ack {
            return self.flaws.count(Flaw::Unexpected);
        }
        let Some(inform) = self.inform.filter(|_| reply.repr.server.is_some()) else {
            return self.flaws.count(Flaw::Server);
        };
        self.inform = None;
        let (kind, address) = (EventKind::Acknowledged, Some(inform.address));
        let server = reply.repr.server;
        self.note_exchange(now, kind, &inform.exchange, address, server, out);
        let parameters = reply.repr.parameters.clone();
        let Some(held) = self.state.held_mut() else {
            return put(out, Output::Informed(parameters));
        };
        if held.lease.parameters != parameters {
            held.lease.take_parameters(parameters, &mut self.flaws);
            put(out, Output::Configure(held.lease.clone()));
        }
    }
}
