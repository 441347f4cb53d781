//! One flow: who began it, how far it is, and how long silence may last.
//!
//! A flow that could be a stranger's invention (a handshake that is not done, a question
//! without an answer) may be forgotten to make room. One that both ends keep up may not.

use super::tuple::Tuple;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::net::packet::{Direction, Endpoint, PacketFacts, Quoted, protocol};

/// Bits of the flags in a TCP header.
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// What packets of one flow have in common, whichever way they go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowKey {
    pub interface: usize,
    pub tenant: Tenant,
    pub protocol: u8,
    pub local: Endpoint,
    pub remote: Endpoint,
}

/// How far a flow is: what its silence means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// A TCP handshake that somebody outside began.
    OpeningIn,
    OpeningOut,
    /// Something other than TCP from outside that was not answered for long.
    AskingIn,
    AskingOut,
    /// A TCP connection that both ends have ended, or one of them at once.
    Closing,
    /// A TCP connection that one end has ended.
    HalfClosed,
    Established,
    /// Something other than TCP that goes on in both directions.
    Talking,
}

impl Stage {
    pub const ALL: [Self; 8] = [
        Self::OpeningIn,
        Self::OpeningOut,
        Self::AskingIn,
        Self::AskingOut,
        Self::Closing,
        Self::HalfClosed,
        Self::Established,
        Self::Talking,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::OpeningIn => "opening in",
            Self::OpeningOut => "opening out",
            Self::AskingIn => "asking in",
            Self::AskingOut => "asking out",
            Self::Closing => "closing",
            Self::HalfClosed => "half closed",
            Self::Established => "established",
            Self::Talking => "talking",
        }
    }

    /// How long it may be silent.
    pub const fn patience(self) -> Duration {
        match self {
            Self::OpeningIn | Self::OpeningOut | Self::AskingIn | Self::AskingOut => {
                Duration::from_secs(30)
            }
            Self::Closing => Duration::from_secs(60),
            // RFC 5382, REQ-5: at least 4 minutes, and 2 hours and 4 minutes.
            Self::HalfClosed => Duration::from_secs(4 * 60),
            Self::Established => Duration::from_secs(124 * 60),
            // RFC 4787, REQ-5: at least 2 minutes.
            Self::Talking => Duration::from_secs(180),
        }
    }

    /// May it be forgotten so that another one has room?
    pub const fn makes_room(self) -> bool {
        match self {
            Self::OpeningIn
            | Self::OpeningOut
            | Self::AskingIn
            | Self::AskingOut
            | Self::Closing => true,
            Self::HalfClosed | Self::Established | Self::Talking => false,
        }
    }
}

/// What was said why the first packet may pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grant {
    /// The rule's place, in the rules of the flow's generation.
    Rule(usize),
    Policy,
}

#[derive(Clone, Copy, Debug)]
pub struct Flow {
    pub key: FlowKey,
    /// Which way its first packet went.
    pub began: Direction,
    pub began_at: Instant,
    pub grant: Grant,
    /// Of the rules under which it was granted.
    pub generation: u32,
    pub last_at: Instant,
    pub packets: u64,
    pub bytes: u64,
    progress: Progress,
}

#[derive(Clone, Copy, Debug)]
enum Progress {
    Tcp {
        is_answered: bool,
        /// The one that began has acknowledged the answer.
        is_confirmed: bool,
        /// Which end has sent its last byte, by `Direction`.
        has_ended: [bool; 2],
        is_reset: bool,
    },
    Other {
        is_answered: bool,
        has_lasted: bool,
    },
}

/// Questions with their answers within this time are no conversation yet.
const CONVERSATION: Duration = Duration::from_secs(2);

impl FlowKey {
    pub const fn of(tuple: &Tuple) -> Self {
        let source = Endpoint {
            address: tuple.source,
            port: tuple.source_port,
        };
        let destination = Endpoint {
            address: tuple.destination,
            port: tuple.destination_port,
        };
        let (local, remote) = match tuple.direction {
            Direction::In => (destination, source),
            Direction::Out => (source, destination),
        };
        Self {
            interface: tuple.interface,
            tenant: tuple.tenant,
            protocol: tuple.protocol,
            local,
            remote,
        }
    }

    /// The flow of the packet that an ICMP error repeats: it went the other way.
    pub const fn of_quoted(facts: &PacketFacts, quoted: &Quoted) -> Self {
        let direction = match facts.direction {
            Direction::In => Direction::Out,
            Direction::Out => Direction::In,
        };
        Self::of(&Tuple {
            direction,
            interface: facts.interface,
            tenant: facts.tenant,
            source: quoted.source,
            destination: quoted.destination,
            protocol: quoted.protocol,
            source_port: quoted.source_port,
            destination_port: quoted.destination_port,
        })
    }

    /// The tuple of packets of the flow that go that way.
    pub const fn tuple(&self, direction: Direction) -> Tuple {
        let (source, destination) = match direction {
            Direction::In => (self.remote, self.local),
            Direction::Out => (self.local, self.remote),
        };
        Tuple {
            direction,
            interface: self.interface,
            tenant: self.tenant,
            source: source.address,
            destination: destination.address,
            protocol: self.protocol,
            source_port: source.port,
            destination_port: destination.port,
        }
    }
}

impl Flow {
    pub fn new(now: Instant, facts: &PacketFacts, grant: Grant, generation: u32) -> Self {
        let progress = match facts.protocol {
            protocol::TCP => Progress::Tcp {
                is_answered: false,
                is_confirmed: false,
                has_ended: [false; 2],
                is_reset: false,
            },
            _ => Progress::Other {
                is_answered: false,
                has_lasted: false,
            },
        };
        let mut flow = Self {
            key: FlowKey::of(&Tuple::of(facts)),
            began: facts.direction,
            began_at: now,
            grant,
            generation,
            last_at: now,
            packets: 0,
            bytes: 0,
            progress,
        };
        flow.on_packet(now, facts);
        flow
    }

    /// Takes a packet of the flow into account.
    pub fn on_packet(&mut self, now: Instant, facts: &PacketFacts) {
        self.packets += 1;
        self.bytes += facts.bytes as u64;
        self.last_at = self.last_at.max(now);
        let is_answer = facts.direction != self.began;
        match &mut self.progress {
            Progress::Tcp {
                is_answered,
                is_confirmed,
                has_ended,
                is_reset,
            } => {
                let flags = facts.tcp_flags;
                if flags & RST != 0 {
                    *is_reset = true;
                    return;
                }
                // A reset that we do not believe (RFC 5961) is a stranger's: we go on.
                if facts.direction == Direction::Out && flags & SYN == 0 {
                    *is_reset = false;
                }
                *is_confirmed |= *is_answered && !is_answer && flags & (SYN | ACK) == ACK;
                *is_answered |= is_answer && flags & ACK != 0;
                has_ended[facts.direction as usize] |= flags & FIN != 0;
            }
            Progress::Other {
                is_answered,
                has_lasted,
            } => {
                *is_answered |= is_answer;
                *has_lasted |= *is_answered && now.since(self.began_at) >= CONVERSATION;
            }
        }
    }

    /// Would this packet begin a new connection between the same ends?
    pub fn is_begun_anew_by(&self, facts: &PacketFacts) -> bool {
        let is_first = facts.protocol == protocol::TCP && facts.tcp_flags & (SYN | ACK) == SYN;
        is_first && self.stage() == Stage::Closing
    }

    pub const fn stage(&self) -> Stage {
        match (self.progress, self.began) {
            (
                Progress::Tcp {
                    is_confirmed,
                    has_ended,
                    is_reset,
                    ..
                },
                began,
            ) => match (is_reset, has_ended, is_confirmed, began) {
                (true, ..) | (_, [true, true], ..) => Stage::Closing,
                (_, _, false, Direction::In) => Stage::OpeningIn,
                (_, _, false, Direction::Out) => Stage::OpeningOut,
                (_, [false, false], true, _) => Stage::Established,
                (_, _, true, _) => Stage::HalfClosed,
            },
            (Progress::Other { has_lasted, .. }, began) => match (has_lasted, began) {
                (true, _) => Stage::Talking,
                (false, Direction::In) => Stage::AskingIn,
                (false, Direction::Out) => Stage::AskingOut,
            },
        }
    }

    pub fn expires_at(&self) -> Instant {
        self.last_at + self.stage().patience()
    }
}
