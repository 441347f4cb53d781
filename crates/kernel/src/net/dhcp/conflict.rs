//! Address conflicts (RFC 5227): probe, announce, defend or give up.

use super::timing::{self, ANNOUNCE_INTERVAL, ANNOUNCEMENTS, DEFEND_INTERVAL, ProbePace};
use crate::base::prng::Prng;
use crate::base::time::Instant;
use core::net::Ipv4Addr;

/// An ARP packet of another station.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    pub sender: Ipv4Addr,
    pub target: Ipv4Addr,
}

/// An address that is being tried: the station that has it is asked for three times.
#[derive(Clone, Debug)]
pub struct Probe {
    address: Ipv4Addr,
    pace: ProbePace,
    sent: u32,
    next_at: Instant,
}

/// What a probe wants when its time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProbeStep {
    Wait,
    Send,
    /// Nobody has answered.
    Silent,
}

impl Probe {
    pub fn begin(address: Ipv4Addr, pace: ProbePace, now: Instant, prng: &mut Prng) -> Self {
        let wait = timing::between(crate::base::time::Duration::ZERO, pace.wait_most, prng);
        Self {
            address,
            pace,
            sent: 0,
            next_at: now + wait,
        }
    }

    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    pub const fn next_deadline(&self) -> Instant {
        self.next_at
    }

    pub fn on_time(&mut self, now: Instant, prng: &mut Prng) -> ProbeStep {
        if now < self.next_at {
            return ProbeStep::Wait;
        }
        if self.sent == self.pace.probes {
            return ProbeStep::Silent;
        }
        self.sent += 1;
        let is_last = self.sent == self.pace.probes;
        self.next_at = now
            + match is_last {
                true => self.pace.silence,
                false => timing::between(self.pace.interval_least, self.pace.interval_most, prng),
            };
        ProbeStep::Send
    }

    /// Somebody has the address, or tries it at the same time.
    pub fn is_contradicted_by(&self, sighting: Sighting) -> bool {
        let tries = sighting.sender.is_unspecified() && sighting.target == self.address;
        sighting.sender == self.address || tries
    }
}

/// An address in use: announced twice, then watched.
#[derive(Clone, Debug)]
pub struct Defence {
    announcements: u32,
    announce_at: Instant,
    /// Nobody may have noticed us yet, nor we them: a conflict until then is the server's mistake.
    settled_at: Instant,
    attacked_at: Option<Instant>,
}

/// What becomes of an address that another station uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Defend,
    GiveUp,
}

impl Defence {
    pub fn begin(now: Instant) -> Self {
        Self {
            announcements: 0,
            announce_at: now,
            settled_at: now + DEFEND_INTERVAL,
            attacked_at: None,
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        (self.announcements < ANNOUNCEMENTS).then_some(self.announce_at)
    }

    /// Is the address to be announced now?
    pub fn on_time(&mut self, now: Instant) -> bool {
        let is_due = self.next_deadline().is_some_and(|at| at <= now);
        if is_due {
            self.announcements += 1;
            self.announce_at = now + ANNOUNCE_INTERVAL;
        }
        is_due
    }

    /// Another station has sent from the address.
    pub fn on_conflict(&mut self, now: Instant) -> Verdict {
        let is_again = self
            .attacked_at
            .is_some_and(|before| now.since(before) < DEFEND_INTERVAL);
        self.attacked_at = Some(now);
        match now < self.settled_at || is_again {
            true => Verdict::GiveUp,
            false => Verdict::Defend,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Duration;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn three_probes_and_a_silence_come_before_use() {
        let mut prng = Prng::new(3);
        for pace in [timing::PROBE_BY_THE_BOOK, timing::PROBE_OF_A_LEASE] {
            let mut probe = Probe::begin(ADDRESS, pace, Instant::ZERO, &mut prng);
            let mut sent = std::vec::Vec::new();
            let silent = loop {
                let now = probe.next_deadline();
                match probe.on_time(now, &mut prng) {
                    ProbeStep::Send => sent.push(now),
                    ProbeStep::Silent => break now,
                    ProbeStep::Wait => panic!("asked at its own deadline"),
                }
            };
            assert_eq!(sent.len(), 3);
            assert!(sent[0] <= Instant::ZERO + pace.wait_most);
            for pair in sent.windows(2) {
                let interval = pair[1] - pair[0];
                assert!(pace.interval_least <= interval && interval <= pace.interval_most);
            }
            assert_eq!(silent - sent[2], pace.silence);
        }
    }

    #[test]
    fn a_user_of_the_address_or_another_probe_contradicts() {
        let pace = timing::PROBE_OF_A_LEASE;
        let probe = Probe::begin(ADDRESS, pace, Instant::ZERO, &mut Prng::new(1));
        let other = Ipv4Addr::new(10, 0, 0, 1);
        let seen = |sender, target| probe.is_contradicted_by(Sighting { sender, target });
        assert!(seen(ADDRESS, other) && seen(Ipv4Addr::UNSPECIFIED, ADDRESS));
        assert!(!seen(other, ADDRESS) && !seen(Ipv4Addr::UNSPECIFIED, other));
    }

    #[test]
    fn an_address_is_defended_once_in_ten_seconds() {
        let mut defence = Defence::begin(at(0));
        assert!(defence.on_time(at(0)) && !defence.on_time(at(1)));
        assert!(defence.on_time(at(2)) && !defence.on_time(at(4)));
        assert_eq!(defence.next_deadline(), None);
        assert_eq!(defence.on_conflict(at(20)), Verdict::Defend);
        assert_eq!(defence.on_conflict(at(31)), Verdict::Defend);
        assert_eq!(defence.on_conflict(at(40)), Verdict::GiveUp);
        assert_eq!(Defence::begin(at(0)).on_conflict(at(9)), Verdict::GiveUp);
    }
}
