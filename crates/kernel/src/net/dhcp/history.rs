//! What a client has done and met: its newest transactions.

use crate::base::fixed::Ring;
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::DHCP_HISTORY_MAX;
use core::net::Ipv4Addr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    Discovered,
    Offered,
    Requested,
    Acknowledged,
    Refused,
    Declined,
    Released,
    Informed,
    Probed,
    Bound,
    Renewed,
    Expired,
    /// Another station uses the address.
    Conflict,
    /// The address was announced again because another station claimed it.
    Defended,
    LinkLocal,
    LinkUp,
    LinkDown,
    /// Nobody answered as often as that may happen.
    Unanswered,
    /// Too many failures in a row; the client waits.
    Failed,
}

impl EventKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discovered => "discover sent",
            Self::Offered => "offer received",
            Self::Requested => "request sent",
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused by the server",
            Self::Declined => "decline sent",
            Self::Released => "release sent",
            Self::Informed => "inform sent",
            Self::Probed => "address probed",
            Self::Bound => "bound",
            Self::Renewed => "lease extended",
            Self::Expired => "lease expired",
            Self::Conflict => "address conflict",
            Self::Defended => "address defended",
            Self::LinkLocal => "link-local address",
            Self::LinkUp => "link up",
            Self::LinkDown => "link down",
            Self::Unanswered => "no answer",
            Self::Failed => "too many failures",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    pub at: Instant,
    pub kind: EventKind,
    pub transaction: Option<u32>,
    pub address: Option<Ipv4Addr>,
    pub server: Option<Ipv4Addr>,
    /// How often the same thing happened, this time included.
    pub times: u32,
}

/// The newest `DHCP_HISTORY_MAX` events; the same again is counted, not repeated.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Ring<Event, DHCP_HISTORY_MAX>,
}

impl History {
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("DHCP_HISTORY_MAX", DHCP_HISTORY_MAX)
            .used(self.events.len() as u64)
            .ring()
    }

    /// Keeps the event; says how it stands in the list.
    pub(super) fn push(&mut self, event: Event) -> Event {
        let is_again = |newest: &&Event| {
            let with_time_of = Event {
                at: event.at,
                times: event.times,
                ..**newest
            };
            with_time_of == event
        };
        let times = self
            .events
            .newest()
            .filter(is_again)
            .map(|newest| newest.times);
        let event = Event {
            times: times.map_or(1, |times| times.saturating_add(1)),
            ..event
        };
        if times.is_some() {
            self.events.replace_newest(event);
        } else {
            self.events.push(event);
        }
        event
    }
}
