//! DHCP clients and every kind of server, on a simulated link.

use rayos_kernel::base::time::Duration;
use rayos_kernel::net::dhcp::{Flaw, Input, LEASE_FOR_EVER, MessageType};
use rayos_sim::dhcp::{DhcpServer, Fault, Link};
use std::net::Ipv4Addr;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(3600 * hours)
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn one(seed: u64, fault: Option<Fault>) -> Link {
    let mut server = DhcpServer::new(1, seed);
    server.fault = fault;
    Link::new(seed, 1, vec![server])
}

fn bind(link: &mut Link) -> Ipv4Addr {
    assert!(
        link.run_until(seconds(2), |link| link.is_bound(0)),
        "no lease"
    );
    address(link, 0).expect("a bound client has an address")
}

fn address(link: &Link, index: usize) -> Option<Ipv4Addr> {
    let lease = link.checkers[index].configured.as_ref();
    lease.map(|lease| lease.address)
}

fn sent(link: &Link, kind: MessageType) -> u64 {
    link.clients[0].view().messages.of(kind)
}

#[test]
fn an_honest_server_gives_a_lease_within_two_seconds() {
    for seed in 0..20 {
        let mut link = one(seed, None);
        bind(&mut link);
        let view = link.clients[0].view();
        let lease = view.lease.expect("bound");
        assert_eq!(lease.gateway(), Some(Ipv4Addr::new(10, 1, 0, 1)));
        assert_eq!(
            (lease.prefix, &lease.parameters.domain_name[..]),
            (24, "sim.test")
        );
        assert_eq!(view.flaws.met().count(), 0);
    }
}

#[test]
fn renews_at_half_of_the_lease_and_never_loses_it() {
    let mut link = one(1, None);
    let first = bind(&mut link);
    link.run_for(hours(10));
    // The first half begins with the first request, each other one with the last renewal.
    assert_eq!(sent(&link, MessageType::Request), 1 + 2 * 10);
    assert_eq!(address(&link, 0), Some(first));
    assert_eq!(link.checkers[0].configurations, 1);
}

#[test]
fn rebinds_where_the_renewal_is_not_answered() {
    let mut link = one(2, Some(Fault::IgnoresRenewals));
    bind(&mut link);
    assert!(link.run_until(HOUR, |link| link.clients[0].view().state == "renewing"));
    let began = link.now();
    assert!(link.run_until(HOUR, |link| link.clients[0].view().state == "rebinding"));
    let waited = link.now().since(began).as_millis();
    assert_eq!(waited, 3_600_000 * 3 / 8);
    assert!(link.run_until(SECOND, |link| link.is_bound(0)));
    assert_eq!(link.checkers[0].configurations, 1);
}

#[test]
fn gives_the_address_up_when_the_lease_is_over() {
    let mut link = one(3, None);
    bind(&mut link);
    link.servers[0].fault = Some(Fault::Silent);
    link.run_for(HOUR);
    assert_eq!(address(&link, 0), None);
    assert_eq!(link.clients[0].view().state, "selecting");
    link.servers[0].fault = None;
    assert!(link.run_until(minutes(2), |link| link.is_bound(0)));
}

#[test]
fn gives_the_address_up_when_it_is_refused() {
    let mut link = one(4, None);
    let before = bind(&mut link);
    link.servers[0].forget();
    link.servers[0].fault = Some(Fault::NakStorm);
    assert!(link.run_until(HOUR, |link| address(link, 0).is_none()));
    assert!(sent(&link, MessageType::Nak) >= 1);
    link.servers[0].fault = None;
    assert!(link.run_until(minutes(2), |link| link.is_bound(0)));
    assert_eq!(address(&link, 0), Some(before));
}

#[test]
fn declines_an_address_that_answers_its_probe_and_takes_another() {
    let mut link = one(5, None);
    let taken = Ipv4Addr::new(10, 1, 0, 20);
    link.add_station(1, taken);
    assert!(link.run_until(SECOND, |link| link.checkers[0].declines == 1));
    let declined_at = link.now();
    assert_eq!(link.clients[0].view().state, "declined");
    assert!(link.run_until(MINUTE, |link| link.is_bound(0)));
    assert!(link.now().since(declined_at) >= seconds(10));
    assert!(address(&link, 0).is_some_and(|address| address != taken));
    assert!(link.servers[0].received.contains(&MessageType::Decline));
}

#[test]
fn defends_its_address_once_and_gives_it_up_to_one_who_insists() {
    let mut link = one(6, None);
    let own = bind(&mut link);
    link.run_for(MINUTE);
    link.add_station(1, own);
    link.run_for(SECOND);
    assert_eq!(address(&link, 0), Some(own));
    link.claim(own);
    link.run_for(SECOND);
    assert_eq!((address(&link, 0), link.checkers[0].declines), (None, 1));
    assert!(link.run_until(MINUTE, |link| link.is_bound(0)));
    assert!(address(&link, 0).is_some_and(|address| address != own));
}

#[test]
fn its_own_packets_are_no_conflict() {
    let mut link = one(7, None);
    let own = bind(&mut link);
    for _ in 0..50 {
        let sender_mac = link.clients[0].view().identity.hardware_address;
        let (sender_ip, target_ip) = (own, own);
        link.input(
            0,
            Input::ArpSeen {
                sender_mac,
                sender_ip,
                target_ip,
            },
        );
    }
    assert_eq!(address(&link, 0), Some(own));
}

#[test]
fn a_released_address_is_known_to_the_server_and_asked_for_again() {
    let mut link = one(8, None);
    let own = bind(&mut link);
    let client_id = link.clients[0].view().identity.client_id.clone();
    link.input(0, Input::Release);
    link.run_for(HOUR);
    assert_eq!(link.clients[0].view().state, "released");
    assert!(link.servers[0].binding(&client_id).is_none());
    link.input(0, Input::Renew);
    assert_eq!(bind(&mut link), own);
}

#[test]
fn inform_asks_for_parameters_beside_the_lease() {
    let mut link = one(9, None);
    bind(&mut link);
    link.input(0, Input::Inform { address: None });
    link.run_for(MINUTE);
    assert_eq!(link.servers[0].received.last(), Some(&MessageType::Inform));
    assert_eq!(sent(&link, MessageType::Ack), 2);
    assert!(link.is_bound(0));
    link.servers[0].fault = Some(Fault::Silent);
    link.input(0, Input::Inform { address: None });
    link.run_for(minutes(5));
    assert_eq!(sent(&link, MessageType::Inform), 1 + 4);
    assert!(link.is_bound(0));
}

#[test]
fn a_renewal_on_demand_that_nobody_answers_leaves_the_lease() {
    let mut link = one(10, None);
    let own = bind(&mut link);
    link.input(0, Input::Renew);
    link.run_for(SECOND);
    assert!(link.is_bound(0));
    link.servers[0].fault = Some(Fault::Silent);
    link.input(0, Input::Renew);
    assert_eq!(link.clients[0].view().state, "renewing");
    assert!(link.run_until(minutes(2), |link| link.is_bound(0)));
    assert_eq!(address(&link, 0), Some(own));
}

#[test]
fn after_a_cut_the_link_has_to_confirm_the_address() {
    let mut link = one(11, None);
    let own = bind(&mut link);
    link.input(0, Input::LinkDown);
    assert_eq!(address(&link, 0), None);
    link.run_for(MINUTE);
    link.input(0, Input::LinkUp);
    assert_eq!(link.clients[0].view().state, "init-reboot");
    assert_eq!(bind(&mut link), own);
    assert_eq!(sent(&link, MessageType::Discover), 1);
}

#[test]
fn after_a_cut_without_a_server_the_rest_of_the_lease_is_used() {
    let mut link = one(12, None);
    let own = bind(&mut link);
    link.servers[0].fault = Some(Fault::Silent);
    link.input(0, Input::LinkDown);
    link.input(0, Input::LinkUp);
    assert!(link.run_until(minutes(2), |link| link.is_bound(0)));
    assert_eq!(address(&link, 0), Some(own));
    link.run_for(HOUR);
    assert_eq!(address(&link, 0), None);
}

#[test]
fn without_a_server_the_link_has_an_address_of_its_own_until_one_comes() {
    let mut link = one(13, Some(Fault::Silent));
    assert!(link.run_until(MINUTE, |link| link.checkers[0].link_local.is_some()));
    let first = link.checkers[0].link_local.expect("just seen");
    assert!(first.is_link_local());
    link.run_for(MINUTE);
    link.add_station(1, first);
    link.claim(first);
    link.run_for(MINUTE);
    let second = link.checkers[0].link_local.expect("another one");
    assert_ne!(first, second);
    link.servers[0].fault = None;
    assert!(link.run_until(minutes(2), |link| link.is_bound(0)));
    assert_eq!(link.checkers[0].link_local, None);
}

#[test]
fn a_server_that_offers_and_keeps_silent_is_passed_over_the_next_time() {
    let mut liar = DhcpServer::new(1, 14);
    liar.fault = Some(Fault::OffersOnly);
    let mut honest = DhcpServer::new(2, 15);
    honest.fault = Some(Fault::Slow(Duration::from_millis(500)));
    let mut link = Link::new(14, 1, vec![liar, honest]);
    assert!(link.run_until(minutes(2), |link| link.is_bound(0)));
    let lease = link.clients[0].view().lease.expect("bound").clone();
    assert_eq!(lease.server, Ipv4Addr::new(10, 1, 0, 2));
}

#[test]
fn of_two_servers_one_gives_the_lease() {
    for seed in 0..20 {
        let servers = vec![DhcpServer::new(1, seed), DhcpServer::new(2, seed)];
        let mut link = Link::new(seed, 1, servers);
        link.twice_one_in = 2;
        bind(&mut link);
        link.run_for(HOUR);
        assert_eq!(link.checkers[0].configurations, 1);
    }
}

#[test]
fn a_lease_for_ever_has_no_timers() {
    let mut link = one(16, Some(Fault::LeaseSeconds(LEASE_FOR_EVER)));
    bind(&mut link);
    link.run_for(hours(20_000));
    assert_eq!(sent(&link, MessageType::Request), 1);
    assert!(link.is_bound(0));
}

#[test]
fn absurd_leases_and_addresses_are_refused_and_counted_by_kind() {
    let address = |octets| Fault::Address(Ipv4Addr::from(octets));
    for (fault, flaw) in [
        (Fault::LeaseSeconds(0), Flaw::LeaseTime),
        (Fault::LeaseSeconds(1), Flaw::LeaseTime),
        (Fault::NoLeaseTime, Flaw::LeaseTime),
        (Fault::BadMask, Flaw::Mask),
        (address([0, 0, 0, 0]), Flaw::Address),
        (address([127, 0, 0, 1]), Flaw::Address),
        (address([224, 0, 0, 1]), Flaw::Address),
        (address([255, 255, 255, 255]), Flaw::Address),
        (address([10, 1, 0, 0]), Flaw::Address),
        (address([10, 1, 0, 255]), Flaw::Address),
        (Fault::WrongTransaction, Flaw::ForOthers),
        (Fault::WrongHardwareAddress, Flaw::HardwareAddress),
        (Fault::WrongServer, Flaw::Server),
        (Fault::NoServer, Flaw::Server),
        (Fault::NoMessageType, Flaw::MessageType),
        (Fault::TruncatedOptions, Flaw::OptionTruncated),
    ] {
        let mut link = one(17, Some(fault));
        link.run_for(MINUTE);
        assert_eq!(crate::address(&link, 0), None, "{fault:?}");
        let view = link.clients[0].view();
        let met = view.flaws.of(flaw) + view.flaws.of(Flaw::Transaction);
        assert!(
            met > 0,
            "{fault:?}: {:?}",
            view.flaws.met().collect::<Vec<_>>()
        );
    }
}

#[test]
fn eight_clients_side_by_side_have_eight_addresses() {
    for seed in 0..10 {
        let mut link = Link::new(seed, 8, vec![DhcpServer::new(1, seed)]);
        link.loss_one_in = 5;
        link.twice_one_in = 5;
        let all = |link: &Link| (0..8).all(|index| link.is_bound(index));
        assert!(link.run_until(minutes(10), all), "seed {seed}");
        let addresses: std::collections::BTreeSet<_> =
            (0..8).map(|index| address(&link, index)).collect();
        assert_eq!(addresses.len(), 8);
    }
}

#[test]
fn whatever_a_server_did_a_healed_one_gives_a_lease() {
    for fault in Fault::all() {
        for seed in 0..10 {
            let mut link = one(seed, Some(fault));
            link.loss_one_in = 4;
            link.twice_one_in = 4;
            link.run_for(hours(2));
            link.servers[0].fault = None;
            link.loss_one_in = 0;
            let is_bound = |link: &Link| address(link, 0).is_some();
            assert!(
                link.run_until(minutes(3), is_bound),
                "{fault:?}, seed {seed}"
            );
            link.run_for(hours(2));
            assert!(is_bound(&link), "{fault:?}, seed {seed}");
        }
    }
}

#[test]
fn no_fault_beside_an_honest_server_keeps_a_client_without_an_address() {
    for fault in Fault::all() {
        for seed in 0..10 {
            let mut liar = DhcpServer::new(1, seed);
            liar.fault = Some(fault);
            let mut link = Link::new(seed, 1, vec![liar, DhcpServer::new(2, seed)]);
            let is_bound = |link: &Link| address(link, 0).is_some();
            assert!(
                link.run_until(minutes(5), is_bound),
                "{fault:?}, seed {seed}"
            );
        }
    }
}
