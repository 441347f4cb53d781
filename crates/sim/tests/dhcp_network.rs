//! Whole kernels and DHCP servers on one wire.

use rayos_kernel::base::tenant::Tenant;
use rayos_kernel::base::time::Duration;
use rayos_kernel::net::dhcp::MessageType;
use rayos_sim::dhcp::{DhcpHost, DhcpServer, Fault};
use rayos_sim::segment::{Faults, Segment};
use rayos_sim::{Settings, World};
use std::net::Ipv4Addr;

const ANSWER_LIMIT: Duration = Duration::from_secs(5);

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

struct Lab {
    segment: Segment,
    world: World,
    host: DhcpHost,
}

impl Lab {
    fn new(seed: u64, machines: u64, fault: Option<Fault>) -> Self {
        let segment = Segment::new(seed);
        let machines = (0..machines).map(|number| Settings {
            seed: seed + number,
            segments: vec![segment.clone()],
            ..Settings::default()
        });
        let world = World::new(machines.collect());
        let mut server = DhcpServer::new(1, seed);
        server.fault = fault;
        let host = DhcpHost::new(&segment, server);
        Self {
            segment,
            world,
            host,
        }
    }

    fn run_for(&mut self, span: Duration) {
        self.host.run_for(&mut self.world, span);
    }

    fn ask(&mut self, node: usize, command: &str) -> String {
        let _ = self.world.serial(node).take_arrived();
        self.world.feed(node, format!("{command}\n").as_bytes());
        self.run_for(Duration::from_micros(10));
        let is_answered =
            |world: &mut World, _: &DhcpHost| world.serial(node).arrived().ends_with(&[5]);
        let host = &mut self.host;
        assert!(
            host.run_until(&mut self.world, ANSWER_LIMIT, is_answered),
            "no answer to {command}"
        );
        String::from_utf8(self.world.serial(node).take_arrived()).unwrap()
    }

    /// The leased addresses of a machine.
    fn addresses(&mut self, node: usize) -> Vec<Ipv4Addr> {
        let told = self.ask(node, "dhcp leases");
        let words = told.split_whitespace();
        let addresses = words.filter_map(|word| word.strip_suffix("/24")?.parse().ok());
        addresses.collect()
    }

    /// Waits until a machine has so many leases.
    fn expect(&mut self, node: usize, count: usize, within: Duration) -> Vec<Ipv4Addr> {
        let end = self.world.now() + within;
        loop {
            let addresses = self.addresses(node);
            if addresses.len() == count {
                return addresses;
            }
            let told = self.ask(node, "dhcp status");
            assert!(self.world.now() < end, "not {count} leases: {told}");
            self.run_for(Duration::from_millis(200));
        }
    }
}

#[test]
fn a_kernel_has_an_address_before_anybody_has_typed() {
    let mut lab = Lab::new(1, 1, None);
    lab.run_for(seconds(2));
    assert_eq!(lab.addresses(0), [Ipv4Addr::new(10, 1, 0, 20)]);
    let told = lab.ask(0, "dhcp status");
    for word in ["bound", "10.1.0.20/24", "sim.test", "renews in", "10.1.0.1"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let told = lab.ask(0, "dhcp history");
    assert!(told.contains("acknowledged"), "{told}");
    let told = lab.ask(0, "net routes");
    assert!(told.contains("10.1.0.1"), "{told}");
}

#[test]
fn what_the_shell_asks_for_reaches_the_server() {
    let mut lab = Lab::new(2, 1, None);
    let first = lab.expect(0, 1, seconds(3));
    for command in ["dhcp renew eth0", "dhcp inform", "dhcp release"] {
        lab.ask(0, command);
        lab.run_for(seconds(1));
    }
    assert_eq!(
        lab.host.server.received,
        [
            MessageType::Discover,
            MessageType::Request,
            MessageType::Request,
            MessageType::Inform,
            MessageType::Release,
        ]
    );
    assert!(lab.ask(0, "dhcp release").contains("no address is leased"));
    assert!(lab.ask(0, "dhcp inform").contains("dhcp renew"));
    assert!(lab.addresses(0).is_empty());
    lab.ask(0, "dhcp renew");
    assert_eq!(lab.expect(0, 1, seconds(3)), first);
}

#[test]
fn a_release_reaches_a_server_that_was_never_spoken_to_directly() {
    let mut lab = Lab::new(9, 1, None);
    lab.expect(0, 1, seconds(3));
    // The server's hardware address is asked for, and told when the own address is gone.
    lab.ask(0, "dhcp release");
    lab.run_for(seconds(1));
    assert_eq!(lab.host.server.received.last(), Some(&MessageType::Release));
}

#[test]
fn an_address_that_a_station_sits_on_is_declined() {
    let mut lab = Lab::new(3, 1, None);
    let taken = Ipv4Addr::new(10, 1, 0, 20);
    lab.host.squatted.push(taken);
    let addresses = lab.expect(0, 1, seconds(20));
    assert_ne!(addresses, [taken]);
    assert!(lab.host.server.received.contains(&MessageType::Decline));
    // One that comes later and insists gets it, too.
    lab.run_for(seconds(30));
    let own = addresses[0];
    lab.host.squatted.push(own);
    for _ in 0..3 {
        lab.host.claim(own);
        lab.run_for(seconds(1));
    }
    assert_ne!(lab.expect(0, 1, seconds(20)), [own]);
}

#[test]
fn a_cut_link_takes_the_address_and_a_mended_one_brings_it_back() {
    let mut lab = Lab::new(4, 1, None);
    let first = lab.expect(0, 1, seconds(3));
    lab.segment.set_link(0, false);
    lab.world.wake(0);
    lab.run_for(seconds(5));
    assert!(lab.addresses(0).is_empty());
    lab.segment.set_link(0, true);
    lab.world.wake(0);
    assert_eq!(lab.expect(0, 1, seconds(5)), first);
}

#[test]
fn all_tenants_have_addresses_side_by_side() {
    let mut lab = Lab::new(5, 1, None);
    lab.run_for(seconds(1));
    for tenant in Tenant::all().skip(1) {
        lab.ask(0, &format!("cap grant tenant-{tenant} NET 1h"));
        let added = lab.world.kernel(0).add_tenant_interface(0, tenant);
        assert!(added.is_ok(), "tenant {tenant}");
    }
    let mut addresses = lab.expect(0, 8, seconds(10));
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 8);
}

#[test]
fn a_tenant_gets_its_address_by_itself_once_it_may_use_the_network() {
    let mut lab = Lab::new(8, 1, None);
    lab.run_for(seconds(1));
    let own = lab.addresses(0);
    let tenant = Tenant::new(1).unwrap();
    let added = lab.world.kernel(0).add_tenant_interface(0, tenant);
    assert!(added.is_ok());
    lab.run_for(seconds(100));
    assert_eq!(lab.addresses(0), own);
    let told = lab.ask(0, "device audit | match forbidden | limit 1");
    assert!(told.contains("NET: it is not held"), "{told}");
    lab.ask(0, "cap grant tenant-1 NET 1h");
    // The longest pause of its retransmissions, and the probe of what it is offered.
    lab.expect(0, 2, seconds(75));
    lab.ask(0, "cap revoke 1");
    let told = lab.ask(0, "cap check tenant-1 NET");
    assert!(told.contains("it is not held"), "{told}");
}

#[test]
fn a_bad_wire_delays_an_address_and_spoils_none() {
    let mut lab = Lab::new(6, 3, None);
    lab.segment.set_faults(Faults {
        loss_one_in: 4,
        duplicate_one_in: 4,
        corrupt_one_in: 20,
        reorder_one_in: 4,
        ..Faults::default()
    });
    let mut addresses = Vec::new();
    for node in 0..3 {
        addresses.extend(lab.expect(node, 1, seconds(300)));
    }
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 3);
}

#[test]
fn a_kernel_survives_every_server_and_is_served_by_the_first_good_one() {
    for fault in Fault::all() {
        let mut lab = Lab::new(7, 1, Some(fault));
        lab.run_for(seconds(300));
        lab.host.server.fault = None;
        lab.expect(0, 1, seconds(200));
    }
}
