//! How a client sends, and how it remembers what it did.

use super::client::Client;
use super::history::{Event, EventKind};
use super::repr::Repr;
use super::state::Exchange;
use super::{Output, Outputs, put};
use crate::base::time::Instant;
use core::net::Ipv4Addr;

impl Client {
    /// To all, from a station without an address.
    pub(super) fn broadcast(&mut self, repr: Repr, out: &mut Outputs) {
        self.send(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, repr, out);
    }

    #[inline(never)]
    pub(super) fn send(
        &mut self,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        repr: Repr,
        out: &mut Outputs,
    ) {
        self.messages.count(repr.kind);
        put(
            out,
            Output::SendDatagram {
                source,
                destination,
                repr,
            },
        );
    }

    pub(super) fn note_exchange(
        &mut self,
        at: Instant,
        kind: EventKind,
        exchange: &Exchange,
        address: Option<Ipv4Addr>,
        server: Option<Ipv4Addr>,
        out: &mut Outputs,
    ) {
        let event = Event {
            transaction: Some(exchange.transaction),
            ..event(at, kind, address, server)
        };
        self.keep(event, out);
    }

    pub(super) fn note_unanswered(&mut self, exchange: &Exchange, at: Instant, out: &mut Outputs) {
        self.note_exchange(at, EventKind::Unanswered, exchange, None, None, out);
    }

    /// Notes what belongs to no exchange.
    pub(super) fn note(
        &mut self,
        at: Instant,
        kind: EventKind,
        address: Option<Ipv4Addr>,
        server: Option<Ipv4Addr>,
        out: &mut Outputs,
    ) {
        self.keep(event(at, kind, address, server), out);
    }

    fn keep(&mut self, event: Event, out: &mut Outputs) {
        let event = self.history.push(event);
        put(out, Output::History(event));
    }
}

fn event(
    at: Instant,
    kind: EventKind,
    address: Option<Ipv4Addr>,
    server: Option<Ipv4Addr>,
) -> Event {
    Event {
        at,
        kind,
        transaction: None,
        address,
        server,
        times: 1,
    }
}
