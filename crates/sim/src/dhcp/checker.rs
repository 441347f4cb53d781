//! What must hold for a DHCP client whatever its servers do.

use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::net::dhcp::{Lease, LeaseTimes, MessageType, Output, Repr};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Probes that an address must have survived.
const PROBES: u32 = 3;

/// Watches one client; a broken promise panics with its name.
#[derive(Default)]
pub struct Checker {
    pub configured: Option<Lease>,
    pub link_local: Option<Ipv4Addr>,
    /// Addresses that are being tried, with how often they were asked for.
    probed: BTreeMap<Ipv4Addr, u32>,
    last_search: Option<Sent>,
    /// Leases taken into use, renewals with changed settings included.
    pub configurations: u64,
    pub declines: u64,
    pub sent: Vec<(Instant, Repr)>,
}

/// The newest DISCOVER or REQUEST of an exchange, and how often it was sent.
struct Sent {
    kind: MessageType,
    transaction: u32,
    at: Instant,
    times: u32,
}

impl Checker {
    /// Another station has shown that the address is in use.
    pub fn on_contradiction(&mut self, address: Ipv4Addr) {
        // From here on it takes a new probe.
        self.probed.remove(&address);
    }

    pub fn on_output(&mut self, now: Instant, output: &Output) {
        match output {
            Output::SendDatagram {
                source,
                destination,
                repr,
            } => self.on_sent(now, *source, *destination, repr),
            Output::ArpProbe { address } => self.on_probe(*address),
            Output::ArpAnnounce { address } => {
                let lease = self.configured.as_ref().map(|lease| lease.address);
                let own = [lease, self.link_local];
                assert!(
                    own.contains(&Some(*address)),
                    "{address} is announced and not in use"
                );
            }
            Output::Configure(lease) => self.on_configured(lease),
            Output::ConfigureLinkLocal { address } => {
                assert!(
                    self.configured.is_none(),
                    "a link-local address beside a leased one"
                );
                self.assert_probed(*address);
                self.link_local = Some(*address);
            }
            Output::Deconfigure { address } => self.on_deconfigured(*address),
            Output::Informed(_) | Output::History(_) => {}
        }
    }

    /// After every step: the lease in use is the one that was announced, and is not over.
    pub fn on_step_done(&mut self, now: Instant, lease: Option<&Lease>) {
        let address = |lease: Option<&Lease>| lease.map(|lease| lease.address);
        assert_eq!(address(lease), address(self.configured.as_ref()));
        if let Some(lease) = lease {
            assert_in_order(&lease.times);
            assert!(
                !lease.times.is_over(now),
                "a lease in use is over: {lease:?} at {now}"
            );
        }
        self.configured = lease.cloned();
    }

    fn on_configured(&mut self, lease: &Lease) {
        assert!(
            self.link_local.is_none(),
            "a leased address beside a link-local one"
        );
        match &self.configured {
            Some(before) => assert_eq!(before.address, lease.address, "two addresses at once"),
            None => self.assert_probed(lease.address),
        }
        self.configured = Some(lease.clone());
        self.configurations += 1;
    }

    fn on_deconfigured(&mut self, address: Ipv4Addr) {
        if self.link_local == Some(address) {
            self.link_local = None;
        } else {
            let lease = self.configured.take();
            let lease = lease.map(|lease| lease.address);
            assert_eq!(
                lease,
                Some(address),
                "an address is given up that was not in use"
            );
        }
        self.probed.remove(&address);
    }

    fn on_probe(&mut self, address: Ipv4Addr) {
        *self.probed.entry(address).or_default() += 1;
    }

    fn assert_probed(&mut self, address: Ipv4Addr) {
        let times = self.probed.remove(&address).unwrap_or_default();
        assert!(
            times >= PROBES,
            "{address} is used after {times} silent probes"
        );
    }

    fn on_sent(&mut self, now: Instant, source: Ipv4Addr, destination: Ipv4Addr, repr: &Repr) {
        self.sent.push((now, repr.clone()));
        let is_unaddressed = repr.client_address.is_unspecified();
        assert_eq!(source, repr.client_address, "source and ciaddr differ");
        match repr.kind {
            MessageType::Discover => {
                assert!(is_unaddressed && destination.is_broadcast());
                self.on_search(now, repr);
            }
            MessageType::Request if is_unaddressed => {
                assert!(repr.requested_address.is_some() && destination.is_broadcast());
                if repr.server.is_some() {
                    self.on_search(now, repr);
                }
            }
            MessageType::Request => {
                assert!(repr.requested_address.is_none() && repr.server.is_none());
                assert!(self.configured.is_some(), "a renewal of nothing");
            }
            MessageType::Decline => {
                assert!(is_unaddressed && destination.is_broadcast());
                assert!(repr.requested_address.is_some() && repr.server.is_some());
                assert!(
                    self.configured.is_none(),
                    "an address is declined and in use"
                );
                self.declines += 1;
                self.last_search = None;
            }
            MessageType::Release => {
                assert!(!is_unaddressed && repr.server == Some(destination));
            }
            MessageType::Inform => assert!(!is_unaddressed && repr.lease_seconds.is_none()),
            kind => panic!("a client sent {}", kind.name()),
        }
    }

    /// One transaction number from DISCOVER to REQUEST, and waits of 4, 8, 16, 32, 64 s +-1.
    fn on_search(&mut self, now: Instant, repr: &Repr) {
        let (kind, transaction) = (repr.kind, repr.transaction);
        let mut times = 1;
        match &self.last_search {
            Some(last) if (last.kind, last.transaction) == (kind, transaction) => {
                let wait = now.since(last.at);
                let usual = 4u64 << (last.times - 1).min(4);
                let least = Duration::from_secs(usual - 1);
                // A tick's time late at most.
                let most = Duration::from_millis(1000 * (usual + 1) + 1);
                assert!(least <= wait && wait <= most, "{usual} s were {wait}");
                times = last.times + 1;
            }
            Some(last) if kind == MessageType::Request => {
                assert_eq!(
                    last.transaction, transaction,
                    "two transactions in one exchange"
                );
            }
            _ => assert_eq!(kind, MessageType::Discover, "a request before any discover"),
        }
        self.last_search = Some(Sent {
            kind,
            transaction,
            at: now,
            times,
        });
    }
}

fn assert_in_order(times: &LeaseTimes) {
    assert!(times.renew <= times.rebind && times.rebind <= times.expire);
    assert!(times.renew.is_none_or(|renew| times.obtained < renew));
}
