//! What has gone through an interface, and why packets were dropped.

use core::ops::Index;

macro_rules! reasons {
    ($( $(#[doc = $text:literal])* $name:ident = $word:literal; )+) => {
        /// Why a frame or a packet went no further.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum DropReason { $( $(#[doc = $text])* $name, )+ }

        impl DropReason {
            pub const ALL: &[Self] = &[ $( Self::$name, )+ ];

            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => $word, )+ }
            }
        }
    };
}

reasons! {
    /// Too short, or of a protocol that nobody here speaks.
    Frame = "no frame we know";
    /// It has our own address as its source, or one that no host can have.
    Source = "impossible source";
    /// Meant for somebody else.
    NotForUs = "not for us";
    /// The tenant has used its share.
    Quota = "over the quota";
    /// A header that contradicts itself or the length of the frame.
    Malformed = "malformed";
    Checksum = "wrong checksum";
    Firewall = "firewall";
    /// Fragments that overlap, are too many or too large.
    Fragment = "hostile fragments";
    /// Fragments whose datagram was not complete in time.
    FragmentLate = "fragments incomplete";
    /// No memory for one more datagram in fragments.
    FragmentFull = "fragments full";
    /// Nobody listens on the port, or nobody speaks the protocol.
    NoListener = "no listener";
    /// Came faster than its consumer takes.
    QueueFull = "queue full";
    /// No frame was free to send in.
    NoFrame = "no free frame";
    NoRoute = "no route";
    /// The next hop does not answer.
    Neighbour = "neighbour silent";
    /// The table of neighbours is full.
    NeighbourFull = "neighbours full";
    /// Larger than anything that can be sent.
    TooLarge = "too large";
    LinkDown = "link down";
}

/// Drops by reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drops([u64; DropReason::ALL.len()]);

impl Drops {
    pub const fn count(&mut self, reason: DropReason) {
        self.0[reason as usize] += 1;
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Index<DropReason> for Drops {
    type Output = u64;

    fn index(&self, reason: DropReason) -> &u64 {
        &self.0[reason as usize]
    }
}

impl Default for Drops {
    fn default() -> Self {
        Self([0; DropReason::ALL.len()])
    }
}

/// What has gone through one interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InterfaceCounters {
    pub received_frames: u64,
    pub received_bytes: u64,
    pub sent_frames: u64,
    pub sent_bytes: u64,
    pub received_drops: Drops,
    pub sent_drops: Drops,
}

/// Packets of one protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProtocolCounters {
    pub received: u64,
    pub sent: u64,
    /// What was wrong with itself: length, header, checksum.
    pub errors: u64,
}

/// All protocols together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Protocols {
    pub arp: ProtocolCounters,
    pub ipv4: ProtocolCounters,
    pub ipv6: ProtocolCounters,
    pub icmp: ProtocolCounters,
    pub icmpv6: ProtocolCounters,
    pub udp: ProtocolCounters,
    pub tcp: ProtocolCounters,
}

impl Protocols {
    pub const fn rows(&self) -> [(&'static str, ProtocolCounters); 7] {
        [
            ("arp", self.arp),
            ("ipv4", self.ipv4),
            ("ipv6", self.ipv6),
            ("icmp", self.icmp),
            ("icmpv6", self.icmpv6),
            ("udp", self.udp),
            ("tcp", self.tcp),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_counter_of_its_own() {
        let mut drops = Drops::default();
        for (index, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
            drops.count(*reason);
            assert_eq!(drops[*reason], 1);
        }
        assert_eq!(drops.total(), DropReason::ALL.len() as u64);
    }
}
