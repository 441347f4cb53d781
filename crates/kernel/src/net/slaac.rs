//! IPv6 addresses that an interface makes, checks, gives up (RFC 4862).
//!
//! Invariants: an address is used only after nobody on the link has defended it;
//! preferred lifetimes are at most valid lifetimes.

use super::address::{Prefix, is_link_local, stable_address};
use super::advertisement::Advertisement;
use crate::base::fixed::Vec;
use crate::base::time::{Duration, Instant};
use crate::limits::{IPV6_ADDRESSES_MAX, ROUTER_NAME_SERVERS_MAX, ROUTERS_MAX};
use core::net::{IpAddr, Ipv6Addr};
use smoltcp::wire::EthernetAddress;

/// Time for a defence of an address (RFC 4861 10, RETRANS_TIMER).
const DEFENCE_TIME: Duration = Duration::from_secs(1);
/// Time between two router solicitations, and how many there are (RFC 4861 10).
const SOLICIT_EVERY: Duration = Duration::from_secs(4);
const SOLICITATIONS_MAX: u8 = 3;
/// A router cannot shorten a life below this without proof of who it is (RFC 4862 5.5.3).
const TWO_HOURS: Duration = Duration::from_secs(7200);
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);
/// Prefixes that lead to addresses made from the hardware address are of this length.
const PREFIX_LENGTH: u8 = 64;
/// No router may ask for packets below what IPv6 promises (RFC 8200 5).
const MTU_LEAST: u32 = 1280;

/// Where an address stands on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressState {
    /// To be asked about, or asked about and not yet silent for long enough.
    Tentative {
        is_asked: bool,
        at: Instant,
    },
    Valid,
    /// Somebody else has it.
    Duplicate,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnAddress {
    pub address: Ipv6Addr,
    pub prefix_length: u8,
    pub state: AddressState,
    /// No new connections come from it afterwards; `None` is for ever.
    pub preferred_until: Option<Instant>,
    pub valid_until: Option<Instant>,
    is_deprecated: bool,
}

impl OwnAddress {
    pub const fn is_usable(&self) -> bool {
        matches!(self.state, AddressState::Valid)
    }

    pub const fn is_preferred(&self) -> bool {
        !self.is_deprecated
    }

    pub const fn state_name(&self) -> &'static str {
        match self.state {
            AddressState::Tentative { .. } => "tentative",
            AddressState::Valid if self.is_deprecated => "deprecated",
            AddressState::Valid => "preferred",
            AddressState::Duplicate => "duplicate",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Router {
    pub address: Ipv6Addr,
    pub until: Instant,
}

/// Hosts of the prefix are on the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OnLink {
    pub prefix: Prefix,
    pub until: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameServer {
    pub address: Ipv6Addr,
    pub until: Option<Instant>,
}

/// What is to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlaacDue {
    /// Does anybody have this address?
    AskAbout(Ipv6Addr),
    /// Is there a router?
    SolicitRouters,
    /// Routes are to be taken anew: something has come or gone.
    Changed,
}

#[derive(Clone, Copy, Debug)]
struct Solicitation {
    sent: u8,
    at: Instant,
}

#[derive(Debug, Default)]
pub struct Slaac {
    addresses: Vec<OwnAddress, IPV6_ADDRESSES_MAX>,
    routers: Vec<Router, ROUTERS_MAX>,
    on_link: Vec<OnLink, IPV6_ADDRESSES_MAX>,
    name_servers: Vec<NameServer, ROUTER_NAME_SERVERS_MAX>,
    solicitation: Option<Solicitation>,
    hardware: EthernetAddress,
    /// What routers say that the link carries.
    mtu: Option<u32>,
    hop_limit: Option<u8>,
    has_changed: bool,
    /// Prefixes, routers and servers beyond what can be remembered.
    refused: u64,
}

impl Slaac {
    /// The link is there: all addresses are checked, routers are asked for.
    pub fn on_link_up(&mut self, now: Instant, hardware: EthernetAddress, delay: Duration) {
        if self.hardware != hardware {
            self.addresses.clear();
            self.hardware = hardware;
        }
        let is_asked = false;
        let at = now + delay;
        for own in self.addresses.iter_mut() {
            own.state = AddressState::Tentative { is_asked, at };
        }
        self.add_address(LINK_LOCAL, None, None, at);
        self.solicitation = Some(Solicitation { sent: 0, at });
        self.has_changed = true;
    }

    /// Nothing is asked while there is no link; what is known stays.
    pub fn on_link_down(&mut self) {
        self.solicitation = None;
    }

    pub fn addresses(&self) -> impl Iterator<Item = &OwnAddress> {
        self.addresses.iter()
    }

    pub fn routers(&self) -> &[Router] {
        &self.routers
    }

    pub fn on_link_prefixes(&self) -> &[OnLink] {
        &self.on_link
    }

    pub fn name_servers(&self) -> &[NameServer] {
        &self.name_servers
    }

    pub const fn mtu(&self) -> Option<u32> {
        self.mtu
    }

    pub const fn hop_limit(&self) -> Option<u8> {
        self.hop_limit
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub fn has_usable(&self, address: Ipv6Addr) -> bool {
        let own = self.find(address);
        own.is_some_and(OwnAddress::is_usable)
    }

    /// Is it asked about at the moment? Then a question of somebody else is a defence, too.
    pub fn is_tentative(&self, address: Ipv6Addr) -> bool {
        let own = self.find(address);
        own.is_some_and(|own| matches!(own.state, AddressState::Tentative { .. }))
    }

    /// Somebody has an address that we wanted (RFC 4862 5.4.5).
    pub fn on_defended(&mut self, address: Ipv6Addr) {
        let mut own = self.addresses.iter_mut();
        if let Some(own) = own.find(|own| own.address == address) {
            own.state = AddressState::Duplicate;
            self.has_changed = true;
        }
    }

    pub fn on_advertisement(&mut self, now: Instant, router: Ipv6Addr, told: &Advertisement) {
        self.solicitation = None;
        self.has_changed = true;
        if told.hop_limit != 0 {
            self.hop_limit = Some(told.hop_limit);
        }
        if let Some(mtu) = told.mtu.filter(|mtu| *mtu >= MTU_LEAST) {
            self.mtu = Some(mtu);
        }
        self.on_router(now, router, told.router_seconds);
        for prefix in &told.prefixes {
            let until = until(now, prefix.valid_seconds);
            if is_link_local(prefix.address) || prefix.preferred_seconds > prefix.valid_seconds {
                continue;
            }
            if prefix.is_on_link {
                let network = Prefix::new(IpAddr::V6(prefix.address), prefix.length).network();
                self.on_prefix(network, until, prefix.valid_seconds == 0);
            }
            if prefix.is_for_addresses && prefix.length == PREFIX_LENGTH {
                let lives = (prefix.preferred_seconds, prefix.valid_seconds);
                self.on_address_prefix(now, prefix.address, lives);
            }
        }
        for (address, seconds) in &told.name_servers {
            self.on_name_server(now, *address, *seconds);
        }
    }

    /// The next thing to be done; asked until there is none.
    pub fn due(&mut self, now: Instant) -> Option<SlaacDue> {
        self.expire(now);
        if core::mem::take(&mut self.has_changed) {
            return Some(SlaacDue::Changed);
        }
        for own in self.addresses.iter_mut() {
            match own.state {
                AddressState::Tentative {
                    is_asked: false,
                    at,
                } if at <= now => {
                    own.state = AddressState::Tentative {
                        is_asked: true,
                        at: now + DEFENCE_TIME,
                    };
                    return Some(SlaacDue::AskAbout(own.address));
                }
                AddressState::Tentative { is_asked: true, at } if at <= now => {
                    own.state = AddressState::Valid;
                    return Some(SlaacDue::Changed);
                }
                _ => {}
            }
        }
        let solicitation = self.solicitation.as_mut()?;
        if solicitation.at > now {
            return None;
        }
        solicitation.sent += 1;
        solicitation.at = now + SOLICIT_EVERY;
        if solicitation.sent == SOLICITATIONS_MAX {
            self.solicitation = None;
        }
        Some(SlaacDue::SolicitRouters)
    }

    /// What was due could not be sent: it is due again.
    pub fn ask_again(&mut self, now: Instant, due: SlaacDue) {
        match due {
            SlaacDue::AskAbout(address) => {
                let mut own = self.addresses.iter_mut();
                if let Some(own) = own.find(|own| own.address == address) {
                    own.state = AddressState::Tentative {
                        is_asked: false,
                        at: now + DEFENCE_TIME,
                    };
                }
            }
            SlaacDue::SolicitRouters => {
                let known = self.solicitation.take();
                let sent = known.map_or(SOLICITATIONS_MAX, |known| known.sent);
                self.solicitation = Some(Solicitation {
                    sent: sent.saturating_sub(1),
                    at: now + SOLICIT_EVERY,
                });
            }
            SlaacDue::Changed => {}
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        if self.has_changed {
            return Some(Instant::ZERO);
        }
        let tentative = self.addresses.iter().filter_map(|own| match own.state {
            AddressState::Tentative { at, .. } => Some(at),
            _ => None,
        });
        let lives = self.addresses.iter().flat_map(|own| {
            let preferred = own.preferred_until.filter(|_| !own.is_deprecated);
            preferred.into_iter().chain(own.valid_until)
        });
        let routers = self.routers.iter().map(|router| router.until);
        let prefixes = self.on_link.iter().filter_map(|known| known.until);
        let servers = self.name_servers.iter().filter_map(|known| known.until);
        let solicitation = self.solicitation.iter().map(|known| known.at);
        let times = tentative.chain(lives).chain(routers).chain(prefixes);
        times.chain(servers).chain(solicitation).min()
    }

    fn find(&self, address: Ipv6Addr) -> Option<&OwnAddress> {
        self.addresses.iter().find(|own| own.address == address)
    }

    fn add_address(
        &mut self,
        prefix: Ipv6Addr,
        preferred_until: Option<Instant>,
        valid_until: Option<Instant>,
        at: Instant,
    ) {
        let address = stable_address(prefix, self.hardware);
        if self.find(address).is_some() {
            return;
        }
        let added = self.addresses.push(OwnAddress {
            address,
            prefix_length: PREFIX_LENGTH,
            state: AddressState::Tentative {
                is_asked: false,
                at,
            },
            preferred_until,
            valid_until,
            is_deprecated: false,
        });
        self.refused += u64::from(added.is_err());
    }

    fn on_router(&mut self, now: Instant, address: Ipv6Addr, seconds: u16) {
        let index = self
            .routers
            .iter()
            .position(|known| known.address == address);
        let until = now + Duration::from_secs(u64::from(seconds));
        match index {
            Some(index) if seconds == 0 => drop(self.routers.remove(index)),
            Some(index) => self.routers[index].until = until,
            None if seconds > 0 => {
                let added = self.routers.push(Router { address, until });
                self.refused += u64::from(added.is_err());
            }
            None => {}
        }
    }

    fn on_prefix(&mut self, prefix: Prefix, until: Option<Instant>, is_over: bool) {
        let index = self.on_link.iter().position(|known| known.prefix == prefix);
        match index {
            Some(index) if is_over => drop(self.on_link.remove(index)),
            Some(index) => self.on_link[index].until = until,
            None if !is_over => {
                let added = self.on_link.push(OnLink { prefix, until });
                self.refused += u64::from(added.is_err());
            }
            None => {}
        }
    }

    fn on_address_prefix(&mut self, now: Instant, prefix: Ipv6Addr, lives: (u32, u32)) {
        let (preferred, valid) = lives;
        let address = stable_address(prefix, self.hardware);
        let mut own = self.addresses.iter_mut();
        let Some(own) = own.find(|own| own.address == address) else {
            if valid > 0 {
                self.add_address(prefix, until(now, preferred), until(now, valid), now);
            }
            return;
        };
        own.preferred_until = until(now, preferred);
        own.is_deprecated = preferred == 0;
        let told = until(now, valid);
        let rest = own.valid_until.map(|until| until.since(now));
        own.valid_until = match (told, rest) {
            (None, _) => None,
            (Some(told), _) if told.since(now) > TWO_HOURS => Some(told),
            (Some(told), Some(rest)) if told.since(now) > rest => Some(told),
            (_, Some(rest)) if rest <= TWO_HOURS => own.valid_until,
            _ => Some(now + TWO_HOURS),
        };
        // Both were told by the same router; the life that was kept may be the shorter one.
        if let (Some(preferred), Some(valid)) = (own.preferred_until, own.valid_until) {
            own.preferred_until = Some(preferred.min(valid));
        }
    }

    fn on_name_server(&mut self, now: Instant, address: Ipv6Addr, seconds: u32) {
        let mut known = self.name_servers.iter();
        let index = known.position(|known| known.address == address);
        let until = until(now, seconds);
        match index {
            Some(index) if seconds == 0 => drop(self.name_servers.remove(index)),
            Some(index) => self.name_servers[index].until = until,
            None if seconds > 0 => {
                let added = self.name_servers.push(NameServer { address, until });
                self.refused += u64::from(added.is_err());
            }
            None => {}
        }
    }

    fn expire(&mut self, now: Instant) {
        let is_over = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        let mut has_changed = false;
        has_changed |= remove(&mut self.addresses, |own| is_over(own.valid_until));
        has_changed |= remove(&mut self.routers, |router| router.until <= now);
        has_changed |= remove(&mut self.on_link, |known| is_over(known.until));
        has_changed |= remove(&mut self.name_servers, |known| is_over(known.until));
        for own in self.addresses.iter_mut() {
            own.is_deprecated |= is_over(own.preferred_until);
        }
        self.has_changed |= has_changed;
    }
}

/// Says whether there was something to remove.
fn remove<T, const N: usize>(list: &mut Vec<T, N>, is_unwanted: impl Fn(&T) -> bool) -> bool {
    let before = list.len();
    let mut index = 0;
    while let Some(item) = list.get(index) {
        if is_unwanted(item) {
            list.remove(index);
        } else {
            index += 1;
        }
    }
    list.len() != before
}

/// The end of a life that was told in seconds; all ones is for ever.
fn until(now: Instant, seconds: u32) -> Option<Instant> {
    (seconds != u32::MAX).then(|| now + Duration::from_secs(u64::from(seconds)))
}
