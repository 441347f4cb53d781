//! When the client sends again, and how long it waits.

use crate::base::prng::Prng;
use crate::base::time::Duration;

const RETRANSMIT_LEAST: Duration = Duration::from_secs(4);
const RETRANSMIT_MOST: Duration = Duration::from_secs(64);
/// Each wait is longer or shorter by up to this, so that stations do not ask in step.
const RETRANSMIT_SPREAD: Duration = Duration::from_secs(1);

/// Requests for an offered address before the search begins anew: 4, 8, 16, 32 s, a minute.
pub const REQUESTS_MAX: u32 = 4;
/// Requests for the address of before: 4 and 8 s, then a server is searched for.
pub const REBOOT_REQUESTS_MAX: u32 = 2;
pub const INFORMS_MAX: u32 = 4;
/// Discovers without an answer before the client helps itself: after 4, 8 and 16 s.
pub const FALL_BACK_DISCOVERS: u32 = 3;

/// Between requests to extend a lease (RFC 2131 4.4.5).
pub const RENEW_LEAST: Duration = Duration::from_secs(60);

/// After a DECLINE (RFC 2131 3.1).
pub const DECLINE_WAIT: Duration = Duration::from_secs(10);
/// Refusals and conflicts in a row that are borne before the client slows down (RFC 5227 2.1.1).
pub const FAILURES_MAX: u32 = 10;
/// And how long it then waits between tries.
pub const FAILURE_WAIT: Duration = Duration::from_secs(60);

/// An address under attack twice in this time is given up (RFC 5227 2.4).
pub const DEFEND_INTERVAL: Duration = Duration::from_secs(10);
pub const ANNOUNCEMENTS: u32 = 2;
pub const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);

/// How an address is tried before it is used.
#[derive(Clone, Copy, Debug)]
pub struct ProbePace {
    pub probes: u32,
    /// Before the first probe, at most.
    pub wait_most: Duration,
    pub interval_least: Duration,
    pub interval_most: Duration,
    /// After the last probe.
    pub silence: Duration,
}

/// As in RFC 5227 1.1: between four and seven seconds.
pub const PROBE_BY_THE_BOOK: ProbePace = ProbePace {
    probes: 3,
    wait_most: Duration::from_secs(1),
    interval_least: Duration::from_secs(1),
    interval_most: Duration::from_secs(2),
    silence: Duration::from_secs(2),
};

/// For an address that a server vouches for: the same three probes in under a second.
///
/// A station on an Ethernet answers ARP within milliseconds. One that comes later is met
/// while the address is in use: then it is given back, see `conflict`.
pub const PROBE_OF_A_LEASE: ProbePace = ProbePace {
    probes: 3,
    wait_most: Duration::from_millis(50),
    interval_least: Duration::from_millis(150),
    interval_most: Duration::from_millis(250),
    silence: Duration::from_millis(300),
};

/// 4, 8, 16, 32, 64, 64... seconds, each a second more or less.
pub fn retransmit_after(sent: u32, prng: &mut Prng) -> Duration {
    let doublings = sent.saturating_sub(1).min(16);
    let nanos = RETRANSMIT_LEAST.as_nanos() << doublings;
    let nanos = nanos.min(RETRANSMIT_MOST.as_nanos());
    let spread = prng.below(2 * RETRANSMIT_SPREAD.as_nanos() + 1);
    Duration::from_nanos(nanos - RETRANSMIT_SPREAD.as_nanos() + spread)
}

/// Half of what is left, and not more often than once a minute.
pub fn renew_after(left: Duration) -> Duration {
    Duration::from_nanos(left.as_nanos() / 2).max(RENEW_LEAST)
}

/// At once after the first refusal in a row, then 1, 2, 4... seconds.
pub fn refused_wait(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        FAILURES_MAX.. => FAILURE_WAIT,
        _ => Duration::from_secs(1 << (failures - 2)).min(FAILURE_WAIT),
    }
}

/// A time between the two, each equally likely.
pub fn between(least: Duration, most: Duration, prng: &mut Prng) -> Duration {
    let (least, most) = (least.as_nanos(), most.as_nanos());
    Duration::from_nanos(least + prng.below(most.saturating_sub(least) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_64_seconds_and_differ_by_at_most_one() {
        let mut prng = Prng::new(7);
        for (sent, seconds) in [
            (1, 4),
            (2, 8),
            (3, 16),
            (4, 32),
            (5, 64),
            (6, 64),
            (1000, 64),
        ] {
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..50 {
                let millis = retransmit_after(sent, &mut prng).as_millis();
                assert!((seconds * 1000 - 1000..=seconds * 1000 + 1000).contains(&millis));
                seen.insert(millis);
            }
            assert!(seen.len() > 10, "the waits are not random");
        }
    }

    #[test]
    fn a_storm_of_refusals_is_answered_more_and_more_slowly() {
        let waits =
            [1, 2, 3, 8, 9, 10, u32::MAX].map(|failures| refused_wait(failures).as_millis());
        assert_eq!(waits, [0, 1_000, 2_000, 60_000, 60_000, 60_000, 60_000]);
    }
}
