//! Who has shown wrong tokens, and how long he is not listened to.
//!
//! Limits: `API_OFFENDERS_MAX` addresses; when more try, the one that was quiet longest
//! is forgotten. An IPv6 network of a household (/64) counts as one address.

use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::limits::API_OFFENDERS_MAX;
use core::net::{IpAddr, Ipv6Addr};

/// Wrong tokens of one address that are answered in `WINDOW`.
const WRONG_MAX: u32 = 5;
const WINDOW: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
struct Offender {
    address: IpAddr,
    /// Of the first wrong token of this window.
    since: Instant,
    last: Instant,
    wrong: u32,
}

#[derive(Default)]
pub struct Offenders {
    known: Vec<Offender, API_OFFENDERS_MAX>,
    high_water: usize,
    forgotten: u64,
}

impl Offenders {
    /// How long the address is still not listened to; `None` when it is.
    pub fn is_shut_out(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let address = household(address);
        let mut known = self.known.iter();
        let offender = known.find(|offender| offender.address == address)?;
        let end = offender.since + WINDOW;
        (offender.wrong >= WRONG_MAX && now < end).then(|| end - now)
    }

    pub fn on_wrong(&mut self, address: IpAddr, now: Instant) {
        let address = household(address);
        let fresh = Offender {
            address,
            since: now,
            last: now,
            wrong: 1,
        };
        let mut known = self.known.iter_mut();
        if let Some(offender) = known.find(|offender| offender.address == address) {
            *offender = match now < offender.since + WINDOW {
                true => Offender {
                    last: now,
                    wrong: offender.wrong + 1,
                    ..*offender
                },
                false => fresh,
            };
            return;
        }
        if self.known.is_full() {
            self.forget_quietest();
        }
        let kept = self.known.push(fresh);
        crate::invariant!(
            kept.is_ok(),
            "no room for an offender after one was forgotten"
        );
        self.high_water = self.high_water.max(self.known.len());
    }

    fn forget_quietest(&mut self) {
        let known = self.known.iter().enumerate();
        if let Some((index, _)) = known.min_by_key(|(_, offender)| offender.last) {
            self.known.remove(index);
            self.forgotten += 1;
        }
    }

    pub fn usage(&self) -> Usage {
        Usage::of("API_OFFENDERS_MAX", API_OFFENDERS_MAX)
            .used(self.known.len() as u64)
            .high_water(self.high_water as u64)
            .ring()
    }
}

pub fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn after_five_wrong_tokens_an_address_waits_for_the_end_of_its_minute() {
        let (mut offenders, bad) = (Offenders::default(), IpAddr::V4(Ipv4Addr::new(1, 2, 3, 4)));
        for second in 0..5 {
            assert_eq!(offenders.is_shut_out(bad, at(second)), None);
            offenders.on_wrong(bad, at(second));
        }
        assert_eq!(
            offenders.is_shut_out(bad, at(10)),
            Some(Duration::from_secs(50))
        );
        assert_eq!(offenders.is_shut_out(bad, at(60)), None);
        let other = IpAddr::V4(Ipv4Addr::new(1, 2, 3, 5));
        assert_eq!(offenders.is_shut_out(other, at(10)), None);
        offenders.on_wrong(bad, at(61));
        assert_eq!(offenders.is_shut_out(bad, at(62)), None);
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let mut offenders = Offenders::default();
        for host in 0..5 {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            offenders.on_wrong(IpAddr::V6(address), at(0));
        }
        let next = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9));
        assert!(offenders.is_shut_out(next, at(1)).is_some());
    }

    #[test]
    fn more_addresses_than_places_push_out_the_quietest() {
        let mut offenders = Offenders::default();
        let address = |number: u32| IpAddr::V4(Ipv4Addr::from(number));
        for number in 0..=API_OFFENDERS_MAX as u32 {
            for _ in 0..5 {
                offenders.on_wrong(address(number), at(u64::from(number) / 10));
            }
        }
        assert_eq!(offenders.is_shut_out(address(0), at(1)), None);
        assert!(offenders.is_shut_out(address(1), at(1)).is_some());
        assert_eq!(offenders.known.len(), API_OFFENDERS_MAX);
    }
}
