//! An address without a server (RFC 3927), as long as none answers.

use super::conflict::{Defence, Probe, ProbeStep, Sighting, Verdict};
use super::timing::{FAILURE_WAIT, FAILURES_MAX, PROBE_BY_THE_BOOK};
use crate::base::prng::Prng;
use crate::base::time::Instant;
use core::net::Ipv4Addr;

#[derive(Clone, Debug)]
pub struct LinkLocal {
    /// Seeded by the hardware address: the same station tries the same addresses.
    prng: Prng,
    conflicts: u32,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Off,
    /// Too many conflicts; tries again then.
    Waiting {
        until: Instant,
    },
    Probing {
        probe: Probe,
    },
    Held {
        address: Ipv4Addr,
        defence: Defence,
    },
}

/// What is to be done on the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    Probe(Ipv4Addr),
    Take(Ipv4Addr),
    Announce(Ipv4Addr),
    GiveUp(Ipv4Addr),
}

impl LinkLocal {
    pub fn new(hardware_address: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = hardware_address;
        Self {
            prng: Prng::new(u64::from_be_bytes([0, 0, a, b, c, d, e, f])),
            conflicts: 0,
            state: State::Off,
        }
    }

    pub const fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    pub const fn address(&self) -> Option<Ipv4Addr> {
        match &self.state {
            State::Held { address, .. } => Some(*address),
            _ => None,
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Off => None,
            State::Waiting { until } => Some(*until),
            State::Probing { probe } => Some(probe.next_deadline()),
            State::Held { defence, .. } => defence.next_deadline(),
        }
    }

    pub fn begin(&mut self, now: Instant) {
        let address = self.candidate();
        self.state = State::Probing {
            probe: Probe::begin(address, PROBE_BY_THE_BOOK, now, &mut self.prng),
        };
    }

    /// Stops; says which address it had.
    pub fn end(&mut self) -> Option<Ipv4Addr> {
        let address = self.address();
        self.state = State::Off;
        address
    }

    pub fn on_time(&mut self, now: Instant) -> Option<Act> {
        match &mut self.state {
            State::Probing { probe } => {
                let address = probe.address();
                match probe.on_time(now, &mut self.prng) {
                    ProbeStep::Wait => None,
                    ProbeStep::Send => Some(Act::Probe(address)),
                    ProbeStep::Silent => {
                        let defence = Defence::begin(now);
                        self.state = State::Held { address, defence };
                        self.conflicts = 0;
                        Some(Act::Take(address))
                    }
                }
            }
            State::Held { address, defence } => {
                let address = *address;
                defence.on_time(now).then_some(Act::Announce(address))
            }
            State::Waiting { until } if *until <= now => {
                self.begin(now);
                None
            }
            State::Waiting { .. } | State::Off => None,
        }
    }

    pub fn on_arp(&mut self, now: Instant, sighting: Sighting) -> Option<Act> {
        match &mut self.state {
            State::Probing { probe } if probe.is_contradicted_by(sighting) => {
                self.try_another(now);
                None
            }
            State::Held { address, defence } if sighting.sender == *address => {
                let address = *address;
                match defence.on_conflict(now) {
                    Verdict::Defend => Some(Act::Announce(address)),
                    Verdict::GiveUp => {
                        self.try_another(now);
                        Some(Act::GiveUp(address))
                    }
                }
            }
            _ => None,
        }
    }

    fn try_another(&mut self, now: Instant) {
        self.conflicts = self.conflicts.saturating_add(1);
        if self.conflicts < FAILURES_MAX {
            self.begin(now);
        } else {
            let until = now + FAILURE_WAIT;
            self.state = State::Waiting { until };
        }
    }

    /// 169.254.1.0 to 169.254.254.255 (RFC 3927 2.1).
    fn candidate(&mut self) -> Ipv4Addr {
        let number = self.prng.below(254 * 256) as u16 + 256;
        let [high, low] = number.to_be_bytes();
        Ipv4Addr::new(169, 254, high, low)
    }
}
