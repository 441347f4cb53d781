//! A lease: an address for a time, checked before anything believes in it.

use super::counters::{Flaw, Flaws};
use super::parameters::{LeasedRoute, Parameters, mask_of};
use super::repr::Repr;
use crate::base::config::is_station;
use crate::base::time::{Duration, Instant};
use crate::limits::LEASE_ROUTES_MAX;
use core::net::Ipv4Addr;

/// Shorter leases end before they were probed, asked for again and answered.
pub const LEASE_SECONDS_LEAST: u32 = 5;
/// A lease for ever (RFC 2131 3.3).
pub const LEASE_FOR_EVER: u32 = u32::MAX;

/// What an offer or an acknowledgement gives: complete, and possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub address: Ipv4Addr,
    pub prefix: u8,
    pub server: Ipv4Addr,
    pub times: LeaseTimes,
    pub parameters: Parameters,
}

/// Renew <= rebind <= expire; all `None` for a lease without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimes {
    /// When the request was sent that was acknowledged: the lease runs from there.
    pub obtained: Instant,
    pub renew: Option<Instant>,
    pub rebind: Option<Instant>,
    pub expire: Option<Instant>,
}

impl Lease {
    /// Judges what a server gives to a request of `asked_at`.
    pub(super) fn accept(repr: &Repr, asked_at: Instant, flaws: &mut Flaws) -> Result<Self, Flaw> {
        let server = repr.server.filter(|server| is_station(*server));
        let server = server.ok_or(Flaw::Server)?;
        let address = repr.your_address;
        if !is_station(address) {
            return Err(Flaw::Address);
        }
        let prefix = prefix_of(repr.parameters.subnet_mask.unwrap_or(class_mask(address)))?;
        let hosts = !mask_of(prefix);
        let host = address.to_bits() & hosts;
        // A network of two (RFC 3021) or one uses all its addresses.
        if prefix <= 30 && (host == 0 || host == hosts) {
            return Err(Flaw::Address);
        }
        let mut lease = Self {
            address,
            prefix,
            server,
            times: LeaseTimes::new(repr, asked_at, flaws)?,
            parameters: repr.parameters.clone(),
        };
        lease.drop_own_address(flaws);
        Ok(lease)
    }

    /// We are not our own router.
    fn drop_own_address(&mut self, flaws: &mut Flaws) {
        let own = self.address;
        while let Some(index) = self
            .parameters
            .routers
            .iter()
            .position(|router| *router == own)
        {
            self.parameters.routers.remove(index);
            flaws.count(Flaw::ServerAddress);
        }
        let routes = &mut self.parameters.routes;
        while let Some(index) = routes.iter().position(|route| route.router == own) {
            routes.remove(index);
            flaws.count(Flaw::ServerAddress);
        }
    }

    pub(super) fn take_parameters(&mut self, parameters: Parameters, flaws: &mut Flaws) {
        self.parameters = parameters;
        self.drop_own_address(flaws);
    }

    pub fn mask(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(mask_of(self.prefix))
    }

    /// Is it in the lease's own network?
    pub fn is_on_link(&self, address: Ipv4Addr) -> bool {
        (address.to_bits() ^ self.address.to_bits()) & mask_of(self.prefix) == 0
    }

    /// Ways beyond the own network, in the order in which they are to be added.
    ///
    /// Classless routes replace the routers (RFC 3442). A router outside of the network
    /// gets a route of its own on the link first, as Linux's clients do.
    pub fn routes(&self) -> impl Iterator<Item = LeasedRoute> {
        let classless = self.parameters.routes.iter().copied();
        let default = self.parameters.routers.first().map(|router| LeasedRoute {
            destination: Ipv4Addr::UNSPECIFIED,
            prefix: 0,
            router: *router,
        });
        let default = default.filter(|_| self.parameters.routes.is_empty());
        classless.chain(default).flat_map(|route| {
            let is_outside = !route.router.is_unspecified() && !self.is_on_link(route.router);
            let to_router = is_outside.then_some(LeasedRoute {
                destination: route.router,
                prefix: 32,
                router: Ipv4Addr::UNSPECIFIED,
            });
            to_router.into_iter().chain([route])
        })
    }

    /// The router of the default route.
    pub fn gateway(&self) -> Option<Ipv4Addr> {
        let default = self.routes().find(|route| route.prefix == 0)?;
        Some(default.router)
    }

    /// Would an interface be set up by the other one in the same way?
    pub(super) fn is_same_setting(&self, other: &Self) -> bool {
        self.address == other.address
            && self.prefix == other.prefix
            && self.parameters == other.parameters
    }
}

/// Routes of one lease: each may need one to its router.
pub const LEASE_ROUTES_TOTAL_MAX: usize = 2 * LEASE_ROUTES_MAX;

impl LeaseTimes {
    fn new(repr: &Repr, obtained: Instant, flaws: &mut Flaws) -> Result<Self, Flaw> {
        let seconds = match repr.lease_seconds {
            Some(LEASE_FOR_EVER) => return Ok(Self::for_ever(obtained)),
            Some(seconds) if seconds >= LEASE_SECONDS_LEAST => seconds,
            _ => return Err(Flaw::LeaseTime),
        };
        let lease = Duration::from_secs(seconds.into());
        let (renew, rebind) = match (repr.renew_seconds, repr.rebind_seconds) {
            (Some(renew), Some(rebind)) if 0 < renew && renew < rebind && rebind < seconds => (
                Duration::from_secs(renew.into()),
                Duration::from_secs(rebind.into()),
            ),
            (None, None) => usual(lease),
            _ => {
                flaws.count(Flaw::Timers);
                usual(lease)
            }
        };
        Ok(Self {
            obtained,
            renew: Some(obtained + renew),
            rebind: Some(obtained + rebind),
            expire: Some(obtained + lease),
        })
    }

    const fn for_ever(obtained: Instant) -> Self {
        Self {
            obtained,
            renew: None,
            rebind: None,
            expire: None,
        }
    }

    pub fn is_over(&self, now: Instant) -> bool {
        self.expire.is_some_and(|expire| expire <= now)
    }
}

/// T1 is half of the lease and T2 seven eighths of it (RFC 2131 4.4.5).
const fn usual(lease: Duration) -> (Duration, Duration) {
    let nanos = lease.as_nanos();
    let seven_eighths = nanos - nanos / 8;
    (
        Duration::from_nanos(nanos / 2),
        Duration::from_nanos(seven_eighths),
    )
}

fn prefix_of(mask: Ipv4Addr) -> Result<u8, Flaw> {
    let prefix = mask.to_bits().leading_ones() as u8;
    if prefix == 0 || mask_of(prefix) != mask.to_bits() {
        return Err(Flaw::Mask);
    }
    Ok(prefix)
}

/// The mask of an address when a server does not say one.
const fn class_mask(address: Ipv4Addr) -> Ipv4Addr {
    match address.octets()[0] {
        0..128 => Ipv4Addr::new(255, 0, 0, 0),
        128..192 => Ipv4Addr::new(255, 255, 0, 0),
        _ => Ipv4Addr::new(255, 255, 255, 0),
    }
}
