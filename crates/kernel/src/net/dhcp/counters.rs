//! What was wrong with what servers said, counted by kind.

/// Why a message was dropped, or a part of it ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// Shorter than the fixed part of a message.
    TooShort,
    /// Not from a server, not for Ethernet, or without the magic cookie.
    NotDhcp,
    /// An option reaches over the end of its field.
    OptionTruncated,
    /// An option's length is not one that it can have.
    OptionLength,
    /// An option is longer than `DHCP_OPTION_BYTES_MAX` when its parts are joined.
    OptionTooLong,
    /// Option 52 has a value that means nothing, or stands in a field that it opens.
    Overload,
    /// A name or text that is none.
    OptionText,
    /// More addresses, routes or domains than are kept.
    OptionCount,
    /// No message type, or one that no server sends.
    MessageType,
    /// For another station.
    ForOthers,
    /// Our transaction, but another station's hardware address.
    HardwareAddress,
    /// For us, but not an answer to what was asked last.
    Transaction,
    /// No server identifier, or that of a server that was not asked.
    Server,
    /// The chosen server's identifier from another station than the offer.
    Forged,
    /// Nothing that is waited for at the moment.
    Unexpected,
    /// An address that no station can have.
    Address,
    /// A subnet mask with holes, or none at all.
    Mask,
    /// No lease time, or one too short to be used.
    LeaseTime,
    /// T1 and T2 are not in order before the end of the lease.
    Timers,
    /// A router, name server or time server that cannot be one.
    ServerAddress,
    /// An MTU that IP does not allow.
    Mtu,
}

impl Flaw {
    pub const ALL: [Self; 21] = [
        Self::TooShort,
        Self::NotDhcp,
        Self::OptionTruncated,
        Self::OptionLength,
        Self::OptionTooLong,
        Self::Overload,
        Self::OptionText,
        Self::OptionCount,
        Self::MessageType,
        Self::ForOthers,
        Self::HardwareAddress,
        Self::Transaction,
        Self::Server,
        Self::Forged,
        Self::Unexpected,
        Self::Address,
        Self::Mask,
        Self::LeaseTime,
        Self::Timers,
        Self::ServerAddress,
        Self::Mtu,
    ];

    /// The key under which reports show its count.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::NotDhcp => "not_dhcp",
            Self::OptionTruncated => "option_truncated",
            Self::OptionLength => "option_length",
            Self::OptionTooLong => "option_too_long",
            Self::Overload => "overload",
            Self::OptionText => "option_text",
            Self::OptionCount => "option_count",
            Self::MessageType => "message_type",
            Self::ForOthers => "for_others",
            Self::HardwareAddress => "hardware_address",
            Self::Transaction => "transaction",
            Self::Server => "server",
            Self::Forged => "forged",
            Self::Unexpected => "unexpected",
            Self::Address => "address",
            Self::Mask => "mask",
            Self::LeaseTime => "lease_time",
            Self::Timers => "timers",
            Self::ServerAddress => "server_address",
            Self::Mtu => "mtu",
        }
    }
}

/// How often each flaw was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaws([u64; Flaw::ALL.len()]);

impl Flaws {
    pub const fn count(&mut self, flaw: Flaw) {
        self.0[flaw as usize] += 1;
    }

    pub const fn of(&self, flaw: Flaw) -> u64 {
        self.0[flaw as usize]
    }

    /// Those that were met, in the order in which a message is read.
    pub fn met(&self) -> impl Iterator<Item = (Flaw, u64)> {
        let counts = Flaw::ALL.into_iter().zip(self.0);
        counts.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flaw_has_a_count_of_its_own() {
        let mut flaws = Flaws::default();
        for (index, flaw) in Flaw::ALL.into_iter().enumerate() {
            assert_eq!(flaw as usize, index);
            flaws.count(flaw);
            assert_eq!((flaws.of(flaw), flaws.met().count()), (1, index + 1));
        }
    }
}
