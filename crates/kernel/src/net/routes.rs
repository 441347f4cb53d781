//! Which interface and next hop lead to an address: longest prefix wins.

use super::address::Prefix;
use crate::base::fixed::Full;
use crate::base::metric::Usage;
use crate::limits::ROUTES_MAX;
use alloc::vec::Vec;
use core::net::IpAddr;

/// Who told us about a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RouteSource {
    /// The prefix of an own address.
    Address,
    Dhcp,
    /// A router advertisement.
    Router,
    /// The configuration of this machine.
    Static,
}

impl RouteSource {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Dhcp => "dhcp",
            Self::Router => "router",
            Self::Static => "static",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteEntry {
    pub prefix: Prefix,
    /// `None` when hosts of the prefix are on the link.
    pub gateway: Option<IpAddr>,
    pub interface: usize,
    pub source: RouteSource,
}

#[derive(Debug)]
pub struct Routes {
    entries: Vec<RouteEntry>,
    refused: u64,
    high_water: usize,
}

impl Routes {
    /// Takes all the memory that it will ever use.
    pub fn new() -> Self {
        Self {
            entries: Vec::with_capacity(ROUTES_MAX),
            refused: 0,
            high_water: 0,
        }
    }

    /// Adds a route; the same prefix with the same gateway and interface is there once.
    pub fn add(&mut self, entry: RouteEntry) -> Result<(), Full> {
        let entry = RouteEntry {
            prefix: entry.prefix.network(),
            ..entry
        };
        let is_same = |known: &RouteEntry| {
            (known.prefix, known.gateway, known.interface)
                == (entry.prefix, entry.gateway, entry.interface)
        };
        if self.entries.iter().any(is_same) {
            return Ok(());
        }
        if self.entries.len() == ROUTES_MAX {
            self.refused += 1;
            return Err(Full);
        }
        self.entries.push(entry);
        self.high_water = self.high_water.max(self.entries.len());
        Ok(())
    }

    /// Removes the routes for which `is_unwanted` is true.
    pub fn remove(&mut self, mut is_unwanted: impl FnMut(&RouteEntry) -> bool) {
        self.entries.retain(|entry| !is_unwanted(entry));
    }

    /// The best route over an interface that is `usable`; of equals the oldest.
    pub fn find(
        &self,
        destination: IpAddr,
        mut usable: impl FnMut(usize) -> bool,
    ) -> Option<RouteEntry> {
        let mut best: Option<RouteEntry> = None;
        for entry in &self.entries {
            let is_longer = best.is_none_or(|best| entry.prefix.length > best.prefix.length);
            if is_longer && entry.prefix.contains(destination) && usable(entry.interface) {
                best = Some(*entry);
            }
        }
        best
    }

    pub fn iter(&self) -> impl Iterator<Item = &RouteEntry> {
        self.entries.iter()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("ROUTES_MAX", ROUTES_MAX)
            .used(self.entries.len() as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(prefix: &str, length: u8, gateway: Option<&str>, interface: usize) -> RouteEntry {
        RouteEntry {
            prefix: Prefix::new(prefix.parse().unwrap(), length),
            gateway: gateway.map(|gateway| gateway.parse().unwrap()),
            interface,
            source: RouteSource::Static,
        }
    }

    #[test]
    fn the_longest_prefix_over_a_usable_interface_wins() {
        let mut routes = Routes::default();
        routes
            .add(entry("0.0.0.0", 0, Some("10.0.2.2"), 1))
            .unwrap();
        routes.add(entry("10.0.2.15", 24, None, 1)).unwrap();
        routes.add(entry("10.0.2.128", 25, None, 2)).unwrap();
        let find = |address: &str, down: usize| {
            let route = routes.find(address.parse().unwrap(), |index| index != down);
            route.map(|route| (route.interface, route.prefix.length))
        };
        assert_eq!(find("10.0.2.200", 9), Some((2, 25)));
        assert_eq!(find("10.0.2.200", 2), Some((1, 24)));
        assert_eq!(find("8.8.8.8", 9), Some((1, 0)));
        assert_eq!(find("8.8.8.8", 1), None);
        assert_eq!(find("2001::1", 9), None);
    }

    #[test]
    fn a_full_table_refuses_and_keeps_its_routes() {
        let mut routes = Routes::default();
        for index in 0..ROUTES_MAX {
            let prefix = std::format!("10.{index}.0.0");
            routes.add(entry(&prefix, 16, None, 1)).unwrap();
            routes.add(entry(&prefix, 16, None, 1)).unwrap();
        }
        assert_eq!(routes.add(entry("11.0.0.0", 8, None, 1)), Err(Full));
        assert_eq!(routes.usage().refused, Some(1));
        routes.remove(|entry| entry.prefix.contains("10.3.0.9".parse().unwrap()));
        assert_eq!(routes.iter().count(), ROUTES_MAX - 1);
    }
}
