//! What was decided about a packet, and by what.

use super::rule::Verdict;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    pub verdict: Verdict,
    pub reason: Reason,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It belongs to a flow that is followed.
    Flow,
    /// An ICMP error about a packet of such a flow.
    Related,
    /// The rule at this place.
    Rule(usize),
    /// By default, those inside may talk.
    Inside,
    /// By default, what leaves may leave.
    Outbound,
    /// A service listens there.
    Offer,
    /// Neighbour discovery and the like.
    Link,
    /// An answer to a DHCP client.
    Dhcp,
    /// Somebody asks whether we are there.
    Echo,
    /// Too many ask.
    EchoLimit,
    /// By default, what nobody waits for stays outside.
    NotOffered,
    /// It would begin a flow, and no more can be followed.
    FlowsFull,
}

impl Reason {
    /// Rules count as one.
    pub const KINDS: usize = 12;

    pub const fn kind(self) -> usize {
        match self {
            Self::Flow => 0,
            Self::Related => 1,
            Self::Rule(_) => 2,
            Self::Outbound => 3,
            Self::Offer => 4,
            Self::Link => 5,
            Self::Dhcp => 6,
            Self::Echo => 7,
            Self::EchoLimit => 8,
            Self::NotOffered => 9,
            Self::FlowsFull => 10,
            Self::Inside => 11,
        }
    }

    /// In the order of `kind`.
    pub const NAMES: [&'static str; Self::KINDS] = [
        "flow",
        "error of a flow",
        "rules",
        "outbound",
        "offered port",
        "neighbour discovery",
        "dhcp answer",
        "echo request",
        "too many echo requests",
        "not offered",
        "too many flows",
        "inside",
    ];

    pub const fn name(self) -> &'static str {
        Self::NAMES[self.kind()]
    }

    /// What the reason leads to, where no rule decides.
    pub const fn default_verdict(self) -> Verdict {
        match self {
            Self::EchoLimit | Self::NotOffered | Self::FlowsFull => Verdict::Deny,
            _ => Verdict::Allow,
        }
    }
}
