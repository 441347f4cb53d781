//! What a DHCP server can do wrong, and how its messages then look.

use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::Duration;
use rayos_kernel::net::dhcp::{COOKIE, HEADER_BYTES, LEASE_FOR_EVER, MessageType, Repr, code};
use std::net::Ipv4Addr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Silent,
    /// Answers so late.
    Slow(Duration),
    /// Offers, and never acknowledges.
    OffersOnly,
    /// Offers, and refuses every request.
    NakStorm,
    WrongTransaction,
    WrongHardwareAddress,
    /// Acknowledges in the name of another server.
    WrongServer,
    NoServer,
    NoMessageType,
    /// The last option reaches over the end of the message.
    TruncatedOptions,
    /// `file` and `sname` open each other.
    OverloadLoop,
    /// Every length is doubled by a second part.
    DoubledOptions,
    /// Random bytes behind a good header.
    Noise,
    Shortened,
    LeaseSeconds(u32),
    NoLeaseTime,
    /// T1 and T2 behind the end of the lease.
    AbsurdTimers,
    Address(Ipv4Addr),
    BadMask,
    /// Acknowledges another address than it has offered.
    ChangesItsMind,
    /// Does not answer renewals, but what is broadcast.
    IgnoresRenewals,
    /// Gives a router outside of the subnet.
    RouterOutside,
}

impl Fault {
    pub const LEASES: [Self; 3] = [
        Self::LeaseSeconds(0),
        Self::LeaseSeconds(1),
        Self::LeaseSeconds(LEASE_FOR_EVER),
    ];

    /// All of them, with the figures that hurt.
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Silent,
            Self::Slow(Duration::from_secs(3)),
            Self::Slow(Duration::from_secs(20)),
            Self::OffersOnly,
            Self::NakStorm,
            Self::WrongTransaction,
            Self::WrongHardwareAddress,
            Self::WrongServer,
            Self::NoServer,
            Self::NoMessageType,
            Self::TruncatedOptions,
            Self::OverloadLoop,
            Self::DoubledOptions,
            Self::Noise,
            Self::Shortened,
            Self::NoLeaseTime,
            Self::AbsurdTimers,
            Self::BadMask,
            Self::ChangesItsMind,
            Self::IgnoresRenewals,
            Self::RouterOutside,
        ];
        all.extend(Self::LEASES);
        all.extend(
            [
                [0, 0, 0, 0],
                [127, 0, 0, 1],
                [224, 0, 0, 1],
                [255, 255, 255, 255],
                [10, 1, 0, 0],
                [10, 1, 0, 255],
            ]
            .map(|octets| Self::Address(Ipv4Addr::from(octets))),
        );
        all
    }

    /// Changes what the server means to say.
    pub fn bend(self, repr: &mut Repr) {
        let is_lease = repr.kind != MessageType::Nak;
        match self {
            Self::WrongTransaction => repr.transaction ^= 0x0101_0101,
            Self::WrongHardwareAddress => repr.hardware_address[5] ^= 0xff,
            Self::WrongServer if repr.kind == MessageType::Ack => {
                repr.server = Some(Ipv4Addr::new(10, 1, 0, 99));
            }
            Self::NoServer => repr.server = None,
            Self::LeaseSeconds(seconds) if is_lease => repr.lease_seconds = Some(seconds),
            Self::NoLeaseTime => repr.lease_seconds = None,
            Self::AbsurdTimers if is_lease => {
                repr.renew_seconds = repr.lease_seconds.map(|seconds| seconds.saturating_mul(2));
                repr.rebind_seconds = Some(1);
            }
            Self::Address(address) if is_lease => repr.your_address = address,
            Self::BadMask => repr.parameters.subnet_mask = Some(Ipv4Addr::new(255, 0, 255, 0)),
            Self::RouterOutside => {
                let outside = Ipv4Addr::new(192, 168, 77, 1);
                repr.parameters.routers.clear();
                let kept = repr.parameters.routers.push(outside);
                assert!(kept.is_ok(), "an empty list has room");
            }
            _ => {}
        }
    }

    /// Changes the bytes of what it says.
    pub fn spoil(self, message: &mut Vec<u8>, prng: &mut Prng) {
        match self {
            Self::NoMessageType => hide(message, code::MESSAGE_TYPE),
            Self::TruncatedOptions => {
                message.truncate(find(message, code::END));
                message.extend([code::DOMAIN_NAME, 200, b'x']);
            }
            Self::OverloadLoop => open_fields(message),
            Self::DoubledOptions => {
                let options = message[HEADER_BYTES..].to_vec();
                message.truncate(find(message, code::END));
                message.extend(options);
            }
            Self::Noise => {
                prng.fill(&mut message[44..]);
                message[236..240].copy_from_slice(&COOKIE);
            }
            Self::Shortened => message.truncate(prng.below(message.len() as u64) as usize),
            _ => {}
        }
    }
}

/// Makes one option padding.
fn hide(message: &mut [u8], wanted: u8) {
    let at = find(message, wanted);
    if let Some([_, length]) = message.get(at..at + 2) {
        let end = at + 2 + usize::from(*length);
        message[at..end].fill(code::PAD);
    }
}

/// Where an option of a good message stands, its end when there is none.
fn find(message: &[u8], wanted: u8) -> usize {
    let mut at = HEADER_BYTES;
    while at + 1 < message.len() && message[at] != wanted {
        at += match message[at] {
            code::PAD => 1,
            code::END => break,
            _ => 2 + usize::from(message[at + 1]),
        };
    }
    at
}

/// Fills both fields with options that say that options go on in both fields.
fn open_fields(message: &mut Vec<u8>) {
    let overload = [code::OVERLOAD, 1, 3];
    for field in [44..108, 108..236] {
        for place in message[field].chunks_exact_mut(3) {
            place.copy_from_slice(&overload);
        }
    }
    // 64 and 128 bytes leave one and two over.
    message[107] = code::END;
    message[234..236].fill(code::END);
    message.splice(HEADER_BYTES..HEADER_BYTES, overload);
}
