//! What a server tells besides the address: routers, names, routes.

use super::counters::{Flaw, Flaws};
use super::domain_names;
use super::options::{Options, code};
use crate::base::config::is_station;
use crate::base::fixed::{Text, Vec};
use crate::limits::{LEASE_ADDRESSES_MAX, LEASE_DOMAINS_MAX, LEASE_NAME_MAX, LEASE_ROUTES_MAX};
use core::fmt;
use core::net::Ipv4Addr;

pub type Addresses = Vec<Ipv4Addr, LEASE_ADDRESSES_MAX>;
pub type Name = Text<LEASE_NAME_MAX>;

/// The least MTU that a host may have (RFC 791), and what smaller offers are taken for: a mistake.
const MTU_LEAST: u16 = 576;

/// A way to a part of the world (RFC 3442); through 0.0.0.0 it is on the link itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeasedRoute {
    pub destination: Ipv4Addr,
    pub prefix: u8,
    pub router: Ipv4Addr,
}

impl fmt::Display for LeasedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ", self.destination, self.prefix)?;
        match self.router.is_unspecified() {
            true => f.write_str("on the link"),
            false => write!(f, "over {}", self.router),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pub subnet_mask: Option<Ipv4Addr>,
    pub broadcast_address: Option<Ipv4Addr>,
    pub mtu: Option<u16>,
    pub routers: Addresses,
    pub name_servers: Addresses,
    pub time_servers: Addresses,
    pub routes: Vec<LeasedRoute, LEASE_ROUTES_MAX>,
    pub host_name: Name,
    pub domain_name: Name,
    pub search_domains: Vec<Name, LEASE_DOMAINS_MAX>,
}

impl Parameters {
    pub(super) fn parse(options: &Options<'_>, flaws: &mut Flaws) -> Self {
        let mut address = |code| options.array::<4>(code, flaws).map(Ipv4Addr::from);
        let subnet_mask = address(code::SUBNET_MASK);
        let broadcast_address = address(code::BROADCAST_ADDRESS);
        let mtu = options.array(code::INTERFACE_MTU, flaws);
        let mtu = mtu.map(u16::from_be_bytes);
        if mtu.is_some_and(|mtu| mtu < MTU_LEAST) {
            flaws.count(Flaw::Mtu);
        }
        Self {
            subnet_mask,
            broadcast_address,
            mtu: mtu.filter(|mtu| *mtu >= MTU_LEAST),
            routers: addresses(options, code::ROUTERS, flaws),
            name_servers: addresses(options, code::NAME_SERVERS, flaws),
            time_servers: addresses(options, code::TIME_SERVERS, flaws),
            routes: routes(options, flaws),
            host_name: name(options, code::HOST_NAME, flaws),
            domain_name: name(options, code::DOMAIN_NAME, flaws),
            search_domains: search_domains(options, flaws),
        }
    }
}

/// `N` bytes at a place that the caller knows to be inside.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

/// Bytes as people may read them: what is not printable becomes a question mark.
pub(super) fn shown<const N: usize>(bytes: &[u8]) -> Text<N> {
    let mut text = Text::new();
    for byte in bytes.trim_ascii_end() {
        match *byte {
            b' '..=b'~' => text.push_cut(char::from(*byte).encode_utf8(&mut [0; 4])),
            // Some servers end texts as C does.
            0 => break,
            _ => text.push_cut("?"),
        }
    }
    text
}

fn addresses(options: &Options<'_>, code: u8, flaws: &mut Flaws) -> Addresses {
    let mut list = Addresses::new();
    let Some(value) = options.value(code, flaws) else {
        return list;
    };
    let (chunks, rest) = value.as_chunks::<4>();
    if chunks.is_empty() || !rest.is_empty() {
        flaws.count(Flaw::OptionLength);
        return list;
    }
    for chunk in chunks {
        let address = Ipv4Addr::from(*chunk);
        if !is_station(address) {
            flaws.count(Flaw::ServerAddress);
        } else if !list.contains(&address) && list.push(address).is_err() {
            flaws.count(Flaw::OptionCount);
        }
    }
    list
}

/// A host or domain name; nothing of it when a character has no place in one.
fn name(options: &Options<'_>, code: u8, flaws: &mut Flaws) -> Name {
    let Some(value) = options.value(code, flaws) else {
        return Name::new();
    };
    let end = value.iter().position(|byte| *byte == 0);
    let bytes = &value[..end.unwrap_or(value.len())];
    let is_name = !bytes.is_empty() && bytes.iter().all(|byte| domain_names::is_in_name(*byte));
    match core::str::from_utf8(bytes) {
        Ok(text) if is_name && text.len() <= LEASE_NAME_MAX => Name::cut_from(text),
        _ => {
            flaws.count(Flaw::OptionText);
            Name::new()
        }
    }
}

fn search_domains(options: &Options<'_>, flaws: &mut Flaws) -> Vec<Name, LEASE_DOMAINS_MAX> {
    let mut list = Vec::new();
    let Some(value) = options.value(code::DOMAIN_SEARCH, flaws) else {
        return list;
    };
    for name in domain_names::parse(&value) {
        let kept = name.and_then(|name| list.push(name).map_err(|_| Flaw::OptionCount));
        if let Err(flaw) = kept {
            flaws.count(flaw);
        }
    }
    list
}

/// Each route: the bits of its prefix, as many bytes of it as these need, the router.
fn routes(options: &Options<'_>, flaws: &mut Flaws) -> Vec<LeasedRoute, LEASE_ROUTES_MAX> {
    let mut list = Vec::new();
    let Some(value) = options.value(code::ROUTES, flaws) else {
        return list;
    };
    let mut rest = &value[..];
    while let Some((prefix, behind)) = rest.split_first() {
        let significant = usize::from(prefix.div_ceil(8));
        if *prefix > 32 || behind.len() < significant + 4 {
            flaws.count(Flaw::OptionLength);
            return list;
        }
        let mut destination = [0; 4];
        destination[..significant].copy_from_slice(&behind[..significant]);
        let route = LeasedRoute {
            destination: Ipv4Addr::from(u32::from_be_bytes(destination) & mask_of(*prefix)),
            prefix: *prefix,
            router: Ipv4Addr::from(array::<4>(behind, significant)),
        };
        rest = &behind[significant + 4..];
        if !route.router.is_unspecified() && !is_station(route.router) {
            flaws.count(Flaw::ServerAddress);
        } else if list.push(route).is_err() {
            flaws.count(Flaw::OptionCount);
        }
    }
    list
}

/// The mask with that many ones.
pub(super) const fn mask_of(prefix: u8) -> u32 {
    match u32::MAX.checked_shl(32 - prefix as u32) {
        Some(mask) => mask,
        None => 0,
    }
}
