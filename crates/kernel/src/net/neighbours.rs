//! Which host of a link has which hardware address (RFC 826, RFC 4861).
//!
//! One table for ARP and for neighbour discovery. An entry that is asked for holds
//! one packet that waits for the answer. What strangers say about themselves only
//! refreshes what we know, or takes the place of what nobody uses.
//!
//! Limits: `NEIGHBOURS_MAX`, of which `NEIGHBOURS_ASKED_MAX` may be unanswered.
//! Invariants: `keys` holds the hash of the entry at the same place.

use super::carrier::Carrier;
use crate::base::metric::Usage;
use crate::base::network_port::Offload;
use crate::base::time::{Duration, Instant};
use crate::limits::{NEIGHBOURS_ASKED_MAX, NEIGHBOURS_MAX};
use alloc::vec::Vec;
use core::net::IpAddr;
use smoltcp::wire::EthernetAddress;

/// How long an answer is believed without a new one (RFC 4861 10, REACHABLE_TIME).
const REACHABLE_FOR: Duration = Duration::from_secs(30);
/// How long somebody's traffic may confirm a stale entry before we ask.
const DELAY_FOR: Duration = Duration::from_secs(5);
/// Time between two questions.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Questions before a neighbour counts as silent.
const ASKED_MAX: u8 = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NeighbourState {
    /// Asked for, to all.
    Incomplete {
        asked: u8,
        ask_at: Instant,
    },
    Reachable {
        until: Instant,
    },
    /// Believed, not confirmed; the next packet starts the delay.
    Stale,
    /// In use; asked for when nothing confirms it.
    Delay {
        until: Instant,
    },
    /// Asked for, directly.
    Probe {
        asked: u8,
        ask_at: Instant,
    },
}

impl NeighbourState {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Incomplete { .. } => "incomplete",
            Self::Reachable { .. } => "reachable",
            Self::Stale => "stale",
            Self::Delay { .. } => "delay",
            Self::Probe { .. } => "probe",
        }
    }

    const fn deadline(&self) -> Option<Instant> {
        match *self {
            Self::Incomplete { ask_at, .. } | Self::Probe { ask_at, .. } => Some(ask_at),
            Self::Delay { until } => Some(until),
            Self::Reachable { .. } | Self::Stale => None,
        }
    }
}

/// A packet whose next hop is being asked for.
#[derive(Debug)]
pub struct Waiting {
    pub carrier: Carrier,
    pub offload: Offload,
}

#[derive(Debug)]
struct Neighbour {
    interface: usize,
    address: IpAddr,
    hardware: EthernetAddress,
    state: NeighbourState,
    used_at: Option<Instant>,
    updated_at: Instant,
    waiting: Option<Waiting>,
}

/// A neighbour as tables show it.
#[derive(Clone, Copy, Debug)]
pub struct NeighbourView {
    pub interface: usize,
    pub address: IpAddr,
    pub hardware: Option<EthernetAddress>,
    pub state: &'static str,
    pub updated_at: Instant,
}

/// What a packet to a neighbour needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lookup {
    Known(EthernetAddress),
    /// The packet has to wait; `must_ask` says that nobody has asked yet.
    Unknown {
        must_ask: bool,
    },
    /// There is no room for one more question.
    Full,
}

/// What is to be done about a neighbour whose time has come.
#[derive(Debug)]
pub enum Overdue {
    /// Ask all on the link, or the neighbour itself.
    Ask {
        interface: usize,
        address: IpAddr,
        directly: Option<EthernetAddress>,
    },
    /// It does not answer; the packet that waited is handed back.
    Silent {
        interface: usize,
        address: IpAddr,
        waiting: Option<Waiting>,
    },
}

/// What somebody said about an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    pub interface: usize,
    pub address: IpAddr,
    pub hardware: EthernetAddress,
    /// An answer to a question of ours.
    pub is_answer: bool,
    /// May it make a new entry?
    pub may_add: bool,
}

#[derive(Debug)]
pub struct Neighbours {
    keys: Vec<u64>,
    entries: Vec<Neighbour>,
    seed: u64,
    high_water: usize,
    refused: u64,
    /// How often an address was heard of or forgotten.
    news: u64,
}

impl Neighbours {
    /// Takes all the memory that it will ever use.
    pub fn new(seed: u64) -> Self {
        Self {
            keys: Vec::with_capacity(NEIGHBOURS_MAX),
            entries: Vec::with_capacity(NEIGHBOURS_MAX),
            seed,
            high_water: 0,
            refused: 0,
            news: 0,
        }
    }

    /// Another number than before when somebody's hardware address may have changed.
    pub const fn news(&self) -> u64 {
        self.news
    }

    /// Where to send a packet, and what is to be done if that is not known.
    pub fn lookup(&mut self, now: Instant, interface: usize, address: IpAddr) -> Lookup {
        if let Some(entry) = self.find(interface, address) {
            entry.used_at = Some(now);
            return entry.on_used(now);
        }
        if self.asked() >= NEIGHBOURS_ASKED_MAX {
            self.refused += 1;
            return Lookup::Full;
        }
        let state = NeighbourState::Incomplete {
            asked: 1,
            ask_at: now + ASK_EVERY,
        };
        let hardware = EthernetAddress([0; 6]);
        match self.add(now, interface, address, hardware, state) {
            Some(entry) => {
                entry.used_at = Some(now);
                Lookup::Unknown { must_ask: true }
            }
            None => Lookup::Full,
        }
    }

    /// Keeps a packet until its neighbour answers; what waited before is handed back.
    pub fn wait(&mut self, interface: usize, address: IpAddr, waiting: Waiting) -> Option<Waiting> {
        match self.find(interface, address) {
            Some(entry) if matches!(entry.state, NeighbourState::Incomplete { .. }) => {
                entry.waiting.replace(waiting)
            }
            _ => Some(waiting),
        }
    }

    /// Takes in what somebody said; hands out the packet that waited for it.
    pub fn on_claim(&mut self, now: Instant, claim: Claim) -> Option<Waiting> {
        if !claim.hardware.is_unicast() || claim.hardware.0 == [0; 6] {
            return None;
        }
        self.news += 1;
        if let Some(entry) = self.find(claim.interface, claim.address) {
            return entry.on_claim(now, &claim);
        }
        if claim.may_add {
            let (interface, address) = (claim.interface, claim.address);
            let state = NeighbourState::Stale;
            self.add(now, interface, address, claim.hardware, state);
        }
        None
    }

    /// The next neighbour whose time has come; asked until there is none.
    pub fn overdue(&mut self, now: Instant) -> Option<Overdue> {
        let is_due = |entry: &Neighbour| entry.state.deadline().is_some_and(|at| at <= now);
        let index = self.entries.iter().position(is_due)?;
        let entry = self.entries.get_mut(index)?;
        let (interface, address) = (entry.interface, entry.address);
        match entry.next_question(now) {
            Some(directly) => Some(Overdue::Ask {
                interface,
                address,
                directly,
            }),
            None => self.remove(index).map(|entry| Overdue::Silent {
                interface,
                address,
                waiting: entry.waiting,
            }),
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let entries = self.entries.iter();
        entries.filter_map(|entry| entry.state.deadline()).min()
    }

    /// Forgets a neighbour of the interface, any of them, and hands out what waited for it.
    pub fn forget_one(&mut self, interface: usize) -> Option<Option<Waiting>> {
        let mut entries = self.entries.iter();
        let index = entries.position(|entry| entry.interface == interface)?;
        self.remove(index).map(|entry| entry.waiting)
    }

    pub fn visit(&self, visit: &mut dyn FnMut(&NeighbourView)) {
        for entry in &self.entries {
            let is_known = !matches!(entry.state, NeighbourState::Incomplete { .. });
            visit(&NeighbourView {
                interface: entry.interface,
                address: entry.address,
                hardware: is_known.then_some(entry.hardware),
                state: entry.state.name(),
                updated_at: entry.updated_at,
            });
        }
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("NEIGHBOURS_MAX", NEIGHBOURS_MAX)
                .used(self.entries.len() as u64)
                .high_water(self.high_water as u64),
        );
        visit(
            &Usage::of("NEIGHBOURS_ASKED_MAX", NEIGHBOURS_ASKED_MAX)
                .used(self.asked() as u64)
                .refused(self.refused),
        );
    }

    fn asked(&self) -> usize {
        let is_asked =
            |entry: &&Neighbour| matches!(entry.state, NeighbourState::Incomplete { .. });
        self.entries.iter().filter(is_asked).count()
    }

    fn find(&mut self, interface: usize, address: IpAddr) -> Option<&mut Neighbour> {
        let key = self.key(interface, address);
        for (index, known) in self.keys.iter().enumerate() {
            if *known != key {
                continue;
            }
            let entry = self.entries.get(index)?;
            if entry.interface == interface && entry.address == address {
                return self.entries.get_mut(index);
            }
        }
        None
    }

    /// A number that is quick to compare and hard to choose for strangers.
    fn key(&self, interface: usize, address: IpAddr) -> u64 {
        let bits = match address {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        let mixed = (bits as u64 ^ self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed.rotate_left(29) ^ (bits >> 64) as u64 ^ interface as u64)
            .wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 32)
    }

    fn add(
        &mut self,
        now: Instant,
        interface: usize,
        address: IpAddr,
        hardware: EthernetAddress,
        state: NeighbourState,
    ) -> Option<&mut Neighbour> {
        if self.entries.len() == NEIGHBOURS_MAX && !self.make_room(now) {
            self.refused += 1;
            return None;
        }
        let key = self.key(interface, address);
        let entry = Neighbour {
            interface,
            address,
            hardware,
            state,
            used_at: None,
            updated_at: now,
            waiting: None,
        };
        self.keys.push(key);
        self.entries.push(entry);
        self.high_water = self.high_water.max(self.entries.len());
        self.entries.last_mut()
    }

    /// Gives up the stale entry that was not used for the longest time.
    fn make_room(&mut self, now: Instant) -> bool {
        let is_idle = |entry: &Neighbour| match entry.state {
            NeighbourState::Stale => true,
            NeighbourState::Reachable { until } => until <= now || entry.used_at.is_none(),
            _ => false,
        };
        let idle = self.entries.iter().enumerate();
        let idle = idle.filter(|(_, entry)| is_idle(entry));
        let oldest = idle.min_by_key(|(_, entry)| entry.used_at);
        match oldest.map(|(index, _)| index) {
            Some(index) => self.remove(index).is_some(),
            None => false,
        }
    }

    fn remove(&mut self, index: usize) -> Option<Neighbour> {
        self.news += 1;
        if index >= self.entries.len() {
            return None;
        }
        self.keys.remove(index);
        Some(self.entries.remove(index))
    }
}

impl Neighbour {
    fn on_used(&mut self, now: Instant) -> Lookup {
        match self.state {
            NeighbourState::Incomplete { .. } => return Lookup::Unknown { must_ask: false },
            NeighbourState::Reachable { until } if now < until => {}
            NeighbourState::Reachable { .. } | NeighbourState::Stale => {
                let until = now + DELAY_FOR;
                self.state = NeighbourState::Delay { until };
            }
            NeighbourState::Delay { .. } | NeighbourState::Probe { .. } => {}
        }
        Lookup::Known(self.hardware)
    }

    fn on_claim(&mut self, now: Instant, claim: &Claim) -> Option<Waiting> {
        let is_unknown = matches!(self.state, NeighbourState::Incomplete { .. });
        let is_asked = is_unknown || matches!(self.state, NeighbourState::Probe { .. });
        if self.hardware != claim.hardware && !is_unknown {
            // Anybody may claim an address. The one we know is asked first, and only
            // when it is silent, all are asked again: so a liar breaks no connection.
            if !is_asked {
                self.state = NeighbourState::Delay { until: now };
            }
            return None;
        }
        self.hardware = claim.hardware;
        self.updated_at = now;
        if claim.is_answer && is_asked {
            let until = now + REACHABLE_FOR;
            self.state = NeighbourState::Reachable { until };
        } else if is_unknown {
            self.state = NeighbourState::Stale;
        }
        self.waiting.take()
    }

    /// Whom to ask; `None` when it was asked often enough.
    fn next_question(&mut self, now: Instant) -> Option<Option<EthernetAddress>> {
        let ask_at = now + ASK_EVERY;
        match &mut self.state {
            NeighbourState::Incomplete {
                asked,
                ask_at: next,
            } if *asked < ASKED_MAX => {
                *asked += 1;
                *next = ask_at;
                Some(None)
            }
            NeighbourState::Probe {
                asked,
                ask_at: next,
            } if *asked < ASKED_MAX => {
                *asked += 1;
                *next = ask_at;
                Some(Some(self.hardware))
            }
            NeighbourState::Delay { .. } => {
                self.state = NeighbourState::Probe { asked: 1, ask_at };
                Some(Some(self.hardware))
            }
            _ => None,
        }
    }
}
