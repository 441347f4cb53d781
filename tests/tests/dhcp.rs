//! Addresses from servers that nobody here wrote: QEMU's own, dnsmasq, and busybox's udhcpd.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context;
use rayos_tests::form;
use rayos_tests::lab::dhcp_server::{DhcpServer, FIRST, LAST};
use rayos_tests::lab::guest::Guest;
use rayos_tests::lab::{HOST, Lab};
use rayos_tests::poll;
use xtask::qemu::devices::{Backend, Device, HARDWARE_ADDRESS};
use xtask::qemu::{Boot, Shape};

/// A search, a probe and a slow machine; udhcpd alone thinks for two seconds.
const LEASED_WITHIN: Duration = Duration::from_secs(60);
/// A wait of ten seconds after a DECLINE, and a search.
const REPLACED_WITHIN: Duration = Duration::from_secs(90);
/// The port's own, and one of each tenant.
const CLIENTS: usize = 8;
const LOGGED_WITHIN: Duration = Duration::from_secs(30);
/// dnsmasq gives no shorter lease; T1 and T2 can be chosen.
const DNSMASQ_LEASE_SECONDS: u32 = 120;

/// What `dhcp status` says of the first client.
fn client(guest: &mut Guest, key: &str) -> anyhow::Result<String> {
    let report = guest.ask("dhcp status")?;
    let value = report.fields("client")?.get(key).cloned();
    let value = value.with_context(|| format!("the client has no {key}"))?;
    Ok(value
        .as_str()
        .map_or_else(|| value.to_string(), String::from))
}

fn expect_state(guest: &mut Guest, state: &str, within: Duration) {
    let mut last = String::new();
    poll::until(&format!("a client that is {state}"), within, || {
        last = client(guest, "state")?;
        Ok((last == state).then_some(()))
    })
    .with_context(|| format!("it is {last}"))
    .unwrap();
}

/// Waits for a lease, and returns its address.
fn leased(guest: &mut Guest, within: Duration) -> Ipv4Addr {
    expect_state(guest, "bound", within);
    let address = client(guest, "address").unwrap();
    let address = address.split('/').next().unwrap_or_default();
    address.parse().unwrap()
}

/// How often an event stands in the history, repetitions included.
fn times(guest: &mut Guest, event: &str) -> u64 {
    let report = guest.ask("dhcp history").unwrap();
    let events = report.column("transactions", "event").unwrap();
    let times = report.column("transactions", "times").unwrap();
    let rows = events.iter().zip(times);
    let rows = rows.filter(|(known, _)| **known == event);
    rows.map(|(_, times)| times.as_u64().unwrap()).sum()
}

/// The addresses of all clients.
fn leases(guest: &mut Guest) -> anyhow::Result<Vec<Ipv4Addr>> {
    let report = guest.ask("dhcp leases")?;
    let addresses = report.column("leases", "address")?.into_iter();
    let words = addresses.filter_map(|address| address.as_str()?.split('/').next());
    Ok(words.filter_map(|word| word.parse().ok()).collect())
}

fn is_of_the_pool(address: Ipv4Addr) -> bool {
    (FIRST..=LAST).contains(&address)
}

fn dnsmasq_with_timers(lab: &Lab, renew: u32, rebind: u32, extra: &[&str]) -> DhcpServer {
    let timers = [
        format!("--dhcp-option=option:T1,{renew}"),
        format!("--dhcp-option=option:T2,{rebind}"),
    ];
    let mut options: Vec<&str> = timers.iter().map(String::as_str).collect();
    options.extend(extra);
    DhcpServer::dnsmasq(lab, DNSMASQ_LEASE_SECONDS, &options).unwrap()
}

#[test]
fn qemu_s_own_server_gives_a_lease() {
    let network = Device::network("net0", Backend::User, HARDWARE_ADDRESS);
    let shape = Shape::new(Boot::Pvh).virtio(network);
    let mut guest = Guest::boot_plain(&shape).unwrap();
    assert_eq!(
        leased(&mut guest, LEASED_WITHIN),
        Ipv4Addr::new(10, 0, 2, 15)
    );
    for (key, value) in [
        ("server", "10.0.2.2"),
        ("gateway", "10.0.2.2"),
        ("name_servers", "10.0.2.3"),
    ] {
        assert_eq!(client(&mut guest, key).unwrap(), value, "{key}");
    }
    guest.is_well().unwrap();
}

#[test]
fn dnsmasq_s_log_shows_all_that_a_user_asks_for() {
    let lab = Lab::new().unwrap();
    let options = [
        "--domain=lab.test",
        "--dhcp-option=option:ntp-server,10.77.0.1",
        "--dhcp-option=option:domain-search,a.test,b.test",
        "--dhcp-option=option:classless-static-route,192.0.2.0/24,10.77.0.9,0.0.0.0/0,10.77.0.1",
    ];
    let mut dhcp = DhcpServer::dnsmasq(&lab, DNSMASQ_LEASE_SECONDS, &options).unwrap();
    let mut guest = Guest::boot_plain(&lab.shape()).unwrap();
    let address = leased(&mut guest, LEASED_WITHIN);
    assert!(is_of_the_pool(address));
    for (key, value) in [
        ("server", HOST.to_string()),
        ("gateway", HOST.to_string()),
        ("time_servers", HOST.to_string()),
        ("domain_name", "lab.test".to_string()),
        ("search_domains", "a.test, b.test".to_string()),
    ] {
        assert_eq!(client(&mut guest, key).unwrap(), value, "{key}");
    }
    guest.expect_reachable(&lab, address.into()).unwrap();
    for (command, message) in [
        ("dhcp inform", "DHCPINFORM(bridge0)"),
        ("dhcp release", "DHCPRELEASE(bridge0)"),
    ] {
        guest.ask(command).unwrap();
        let logged = format!("{message} {address}");
        dhcp.server.expect(&logged, LOGGED_WITHIN).unwrap();
    }
    assert_eq!(client(&mut guest, "state").unwrap(), "released");
    guest.ask("dhcp renew").unwrap();
    assert_eq!(leased(&mut guest, LEASED_WITHIN), address);
}

#[test]
fn eight_clients_side_by_side_have_eight_addresses() {
    let lab = Lab::new().unwrap();
    let mut dhcp = DhcpServer::dnsmasq(&lab, DNSMASQ_LEASE_SECONDS, &[]).unwrap();
    let mut guest = Guest::boot_plain(&lab.shape()).unwrap();
    for tenant in 1..CLIENTS {
        let grant = format!("cap grant tenant-{tenant} NET 1h");
        guest.ask(&grant).unwrap();
        guest.ask(&format!("device tenant {tenant}")).unwrap();
    }
    let mut addresses = Vec::new();
    poll::until("eight leases", LEASED_WITHIN, || {
        addresses = leases(&mut guest)?;
        Ok((addresses.len() == CLIENTS).then_some(()))
    })
    .unwrap();
    let different: BTreeSet<_> = addresses.iter().collect();
    assert_eq!(different.len(), CLIENTS);
    for address in &addresses {
        let acknowledged = format!("DHCPACK(bridge0) {address}");
        dhcp.server.expect(&acknowledged, LOGGED_WITHIN).unwrap();
    }
    // A hardware address each, and so a lease each at the server.
    let stations = String::from_utf8(dhcp.lease_bytes()).unwrap();
    let stations = stations.lines().filter_map(|line| line.split(' ').nth(1));
    let stations: BTreeSet<_> = stations.filter(|word| word.len() == 17).collect();
    assert_eq!(stations.len(), CLIENTS);
    guest.is_well().unwrap();
}

#[test]
fn udhcpd_gives_a_lease_that_is_renewed_at_t1_and_ends_without_the_server() {
    let lab = Lab::new().unwrap();
    let mut dhcp = DhcpServer::udhcpd(&lab, 6, "").unwrap();
    let mut guest = Guest::boot_plain(&lab.shape()).unwrap();
    let address = leased(&mut guest, LEASED_WITHIN);
    assert!(is_of_the_pool(address));
    let acknowledged = format!("sending ACK to {address}");
    dhcp.server
        .expect_count(&acknowledged, 3, LEASED_WITHIN)
        .unwrap();
    // The last one may still be on its way.
    assert!(times(&mut guest, "lease extended") >= 1);
    dhcp.server.stop();
    expect_state(&mut guest, "selecting", LEASED_WITHIN);
    assert_eq!(client(&mut guest, "address").unwrap(), "none");
    assert_eq!(times(&mut guest, "lease expired"), 1);
    guest.is_well().unwrap();
}

#[test]
fn a_server_that_was_away_at_t1_extends_the_lease_at_t2() {
    let lab = Lab::new().unwrap();
    let mut dhcp = dnsmasq_with_timers(&lab, 3, 9, &[]);
    let mut guest = Guest::boot_plain(&lab.shape()).unwrap();
    let address = leased(&mut guest, LEASED_WITHIN);
    dhcp.server.stop();
    expect_state(&mut guest, "renewing", LEASED_WITHIN);
    // The next question goes to all, at T2: renewals are a minute apart.
    let mut again = dnsmasq_with_timers(&lab, 60, 90, &[]);
    let acknowledged = format!("DHCPACK(bridge0) {address}");
    again.server.expect(&acknowledged, LEASED_WITHIN).unwrap();
    assert_eq!(leased(&mut guest, LEASED_WITHIN), address);
    assert!(times(&mut guest, "lease extended") >= 1);
}

#[test]
fn a_refused_renewal_takes_the_address_and_brings_another() {
    let lab = Lab::new().unwrap();
    let mut dhcp = dnsmasq_with_timers(&lab, 5, 60, &[]);
    let mut guest = Guest::boot_plain(&lab.shape()).unwrap();
    let address = leased(&mut guest, LEASED_WITHIN);
    dhcp.server.stop();
    std::fs::remove_file(&dhcp.leases).unwrap();
    // Somebody else has a right to it now.
    let reserved = format!("--dhcp-host=02:00:00:00:00:77,{address}");
    let options = ["--dhcp-authoritative", &reserved];
    let mut other = DhcpServer::dnsmasq(&lab, DNSMASQ_LEASE_SECONDS, &options).unwrap();
    guest.ask("dhcp renew").unwrap();
    let refused = format!("DHCPNAK(bridge0) {address}");
    other.server.expect(&refused, LOGGED_WITHIN).unwrap();
    let next = leased(&mut guest, REPLACED_WITHIN);
    assert!(is_of_the_pool(next) && next != address);
}

#[test]
fn an_address_that_another_station_has_is_declined() {
    let lab = Lab::new().unwrap();
    // A server that asks the link itself would not offer it.
    let mut dhcp = DhcpServer::dnsmasq(&lab, DNSMASQ_LEASE_SECONDS, &["--no-ping"]).unwrap();
    let mut guest = Guest::boot_plain(&lab.shape()).unwrap();
    let address = leased(&mut guest, LEASED_WITHIN);
    guest.ask("dhcp release").unwrap();
    let released = format!("DHCPRELEASE(bridge0) {address}");
    dhcp.server.expect(&released, LOGGED_WITHIN).unwrap();
    // The laboratory's host answers for all of its addresses.
    lab.namespace()
        .ip(&format!("addr add {address}/32 dev lo"))
        .unwrap();
    guest.ask("dhcp renew").unwrap();
    let declined = format!("DHCPDECLINE(bridge0) {address}");
    dhcp.server.expect(&declined, LOGGED_WITHIN).unwrap();
    let next = leased(&mut guest, REPLACED_WITHIN);
    assert!(is_of_the_pool(next) && next != address);
    assert_eq!(times(&mut guest, "decline sent"), 1);
}

#[test]
fn without_any_server_there_is_a_link_local_address() {
    if !form::is_long() {
        form::say_skipped(
            "the link-local address, which takes half a minute; `cargo xtask test --long` waits",
        );
        return;
    }
    let lab = Lab::new().unwrap();
    let mut guest = Guest::boot_plain(&lab.shape()).unwrap();
    poll::until("an address of 169.254.0.0/16", REPLACED_WITHIN, || {
        let address = client(&mut guest, "address")?;
        Ok(address.starts_with("169.254.").then_some(()))
    })
    .unwrap();
    let _server = DhcpServer::dnsmasq(&lab, DNSMASQ_LEASE_SECONDS, &[]).unwrap();
    assert!(is_of_the_pool(leased(&mut guest, REPLACED_WITHIN)));
}
