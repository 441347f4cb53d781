//! Where a client stands; each state owns what it needs.

use super::conflict::{Defence, Probe};
use super::lease::Lease;
use super::timing;
use crate::base::prng::Prng;
use crate::base::time::{Duration, Instant};
use core::net::Ipv4Addr;

#[derive(Clone, Debug)]
pub(super) enum State {
    /// Begins at that time; `None` when it waits for a link or to be started.
    Init {
        wake_at: Option<Instant>,
    },
    /// Asks who has an address. An offer of a server that has let us down waits for a better one.
    Selecting {
        exchange: Exchange,
        reserve: Option<Offer>,
    },
    Requesting {
        exchange: Exchange,
        offer: Offer,
    },
    /// Asks for the address it had before.
    InitReboot {
        exchange: Exchange,
        address: Ipv4Addr,
    },
    /// Asks the link whether the address is free.
    Probing {
        lease: Lease,
        probe: Probe,
    },
    Bound {
        held: Held,
    },
    Renewing {
        held: Held,
        exchange: Exchange,
    },
    Rebinding {
        held: Held,
        exchange: Exchange,
    },
    Released,
    Declined {
        until: Instant,
    },
    Error {
        reason: &'static str,
        until: Instant,
    },
}

/// A lease whose address is in use.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub lease: Lease,
    pub defence: Defence,
}

/// What a server offered, and who it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub address: Ipv4Addr,
    pub server: Ipv4Addr,
    pub hardware_address: [u8; 6],
}

/// A message that waits for an answer, with one transaction number from its first sending to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub transaction: u32,
    pub began_at: Instant,
    pub sent_at: Instant,
    /// What stands in the header: the time from the beginning to the newest DISCOVER or renewal.
    pub seconds: u16,
    pub sent: u32,
    pub next_at: Instant,
}

impl Exchange {
    pub fn begin(now: Instant, prng: &mut Prng) -> Self {
        Self {
            transaction: (prng.next_u64() >> 32) as u32,
            began_at: now,
            sent_at: now,
            seconds: 0,
            sent: 0,
            next_at: now,
        }
    }

    /// Counts a sending that is repeated by the usual back-off.
    pub fn count_sent(&mut self, now: Instant, prng: &mut Prng) {
        self.count_sent_for(now, Duration::ZERO);
        self.next_at = now + timing::retransmit_after(self.sent, prng);
    }

    /// Counts a sending that is repeated after `wait`.
    pub fn count_sent_for(&mut self, now: Instant, wait: Duration) {
        self.sent = self.sent.saturating_add(1);
        self.sent_at = now;
        self.next_at = now + wait;
    }

    /// The same transaction, for the next message in it: its count of sendings begins anew.
    pub const fn next_message(self) -> Self {
        Self { sent: 0, ..self }
    }

    pub fn stamp_seconds(&mut self, now: Instant) {
        let seconds = now.since(self.began_at).as_millis() / 1_000;
        self.seconds = seconds.min(u64::from(u16::MAX)) as u16;
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.next_at <= now
    }
}

impl State {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Init { .. } => "init",
            Self::Selecting { .. } => "selecting",
            Self::Requesting { .. } => "requesting",
            Self::InitReboot { .. } => "init-reboot",
            Self::Probing { .. } => "probing",
            Self::Bound { .. } => "bound",
            Self::Renewing { .. } => "renewing",
            Self::Rebinding { .. } => "rebinding",
            Self::Released => "released",
            Self::Declined { .. } => "declined",
            Self::Error { .. } => "error",
        }
    }

    /// The lease whose address is in use.
    pub const fn held(&self) -> Option<&Held> {
        match self {
            Self::Bound { held } | Self::Renewing { held, .. } | Self::Rebinding { held, .. } => {
                Some(held)
            }
            _ => None,
        }
    }

    pub const fn held_mut(&mut self) -> Option<&mut Held> {
        match self {
            Self::Bound { held } | Self::Renewing { held, .. } | Self::Rebinding { held, .. } => {
                Some(held)
            }
            _ => None,
        }
    }

    pub const fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Selecting { exchange, .. }
            | Self::Requesting { exchange, .. }
            | Self::InitReboot { exchange, .. }
            | Self::Renewing { exchange, .. }
            | Self::Rebinding { exchange, .. } => Some(exchange),
            _ => None,
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let times = self.held().map(|held| &held.lease.times);
        match self {
            Self::Init { wake_at } => *wake_at,
            Self::Selecting { exchange, .. }
            | Self::Requesting { exchange, .. }
            | Self::InitReboot { exchange, .. } => Some(exchange.next_at),
            Self::Probing { lease, probe } => {
                earlier(Some(probe.next_deadline()), lease.times.expire)
            }
            Self::Bound { .. } => earlier(times?.renew, times?.expire),
            Self::Renewing { exchange, .. } => earlier(
                Some(exchange.next_at),
                earlier(times?.rebind, times?.expire),
            ),
            Self::Rebinding { exchange, .. } => earlier(Some(exchange.next_at), times?.expire),
            Self::Released => None,
            Self::Declined { until, .. } | Self::Error { until, .. } => Some(*until),
        }
    }
}

pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
