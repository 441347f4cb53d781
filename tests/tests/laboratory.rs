//! The laboratory itself: what the tests of the network stand on.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use rayos_tests::lab::dhcp_server::DhcpServer;
use rayos_tests::lab::{BRIDGE, Lab};
use xtask::namespace::Namespace;

const SERVED_WITHIN: Duration = Duration::from_secs(20);

#[test]
fn interfaces_and_ports_inside_are_not_those_outside() {
    let namespace = Namespace::new().unwrap();
    namespace.add_tap("tap7").unwrap();
    assert!(namespace.ip("link show").unwrap().contains("tap7"));
    assert!(!Path::new("/sys/class/net/tap7").exists());
    let listener = namespace
        .within(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .unwrap()
        .unwrap();
    let address = listener.local_addr().unwrap();
    assert!(TcpStream::connect(address).is_err());
    namespace
        .within(|| TcpStream::connect(address))
        .unwrap()
        .unwrap();
}

#[test]
fn nothing_is_left_of_a_laboratory_that_panicked() {
    let holder = std::thread::spawn(|| {
        let lab = Lab::new().unwrap();
        let file = lab.namespace().file().to_path_buf();
        let directory = lab.scratch().path().to_path_buf();
        let _server = DhcpServer::udhcpd(&lab, 60, "").unwrap();
        std::panic::panic_any((file, directory));
    });
    let left = holder.join().unwrap_err();
    let (file, directory) = left
        .downcast_ref::<(std::path::PathBuf, std::path::PathBuf)>()
        .unwrap();
    assert!(!file.exists() && !directory.exists());
}

#[test]
fn what_a_program_inside_complains_about_is_told() {
    let error = Namespace::new().unwrap().ip("link set nothing up");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("ip link set nothing up fails"), "{error}");
}

/// Asks for a lease as busybox does, on an interface that is plugged into the bridge.
fn take_lease(lab: &Lab) -> String {
    lab.namespace()
        .ip("link add client0 type veth peer name plug0")
        .unwrap();
    lab.namespace()
        .ip(&format!("link set plug0 master {BRIDGE} up"))
        .unwrap();
    lab.namespace().ip("link set client0 up").unwrap();
    let words = [
        "udhcpc",
        "-i",
        "client0",
        "-f",
        "-q",
        "-n",
        "-s",
        "/bin/true",
    ];
    let said = lab.tool("busybox", &words).unwrap();
    assert!(said.success, "{}", said.stderr);
    said.stderr + &said.stdout
}

#[test]
fn both_servers_give_leases_and_say_so_in_their_logs() {
    for name in ["dnsmasq", "udhcpd"] {
        let lab = Lab::new().unwrap();
        let mut dhcp = match name {
            "dnsmasq" => DhcpServer::dnsmasq(&lab, 120, &[]).unwrap(),
            _ => DhcpServer::udhcpd(&lab, 30, "").unwrap(),
        };
        let said = take_lease(&lab);
        assert!(said.contains("lease of 10.77.0."), "{name}: {said}");
        let expected = match name {
            "dnsmasq" => "DHCPACK(bridge0) 10.77.0.",
            _ => "sending ACK to 10.77.0.",
        };
        dhcp.server.expect(expected, SERVED_WITHIN).unwrap();
    }
}
