//! Two DHCP servers that know nothing of each other: dnsmasq, and busybox's udhcpd.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use super::server::Server;
use super::{BRIDGE, HOST, Lab};

/// The addresses that are given away.
pub const FIRST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 50);
pub const LAST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 99);

const READY_WITHIN: Duration = Duration::from_secs(20);

/// A running server and the file in which it keeps its leases.
#[derive(Debug)]
pub struct DhcpServer {
    pub server: Server,
    pub leases: PathBuf,
}

impl DhcpServer {
    /// dnsmasq with DHCP and router advertisements, and DNS for `example.test`. It gives no lease under two minutes;
    /// `extra` takes further options: `--dhcp-option=option:T1,5`.
    pub fn dnsmasq(lab: &Lab, lease_seconds: u32, extra: &[&str]) -> anyhow::Result<DhcpServer> {
        let leases = lab.scratch().path().join("dnsmasq.leases");
        let mut arguments: Vec<String> = [
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--log-facility=-",
            "--log-dhcp",
            "--log-queries",
            "--user=root",
            "--group=root",
            "--pid-file=",
            "--no-resolv",
            "--no-hosts",
            "--bind-interfaces",
            "--address=/example.test/192.0.2.7",
            "--address=/example.test/2001:db8::7",
            "--enable-ra",
            "--dhcp-range=::,constructor:bridge0,ra-only",
        ]
        .map(String::from)
        .to_vec();
        arguments.push(format!("--interface={BRIDGE}"));
        arguments.push(format!(
            "--dhcp-range={FIRST},{LAST},255.255.255.0,{lease_seconds}"
        ));
        arguments.push(format!("--dhcp-leasefile={}", leases.display()));
        arguments.extend(extra.iter().map(|option| option.to_string()));
        let mut server = Server::start(lab, "dnsmasq", "dnsmasq", arguments)?;
        server.expect("DHCP, sockets bound", READY_WITHIN)?;
        Ok(DhcpServer { server, leases })
    }

    /// udhcpd, which gives leases of seconds too. `extra` takes further lines of its configuration.
    pub fn udhcpd(lab: &Lab, lease_seconds: u32, extra: &str) -> anyhow::Result<DhcpServer> {
        let directory = lab.scratch().path();
        let leases = directory.join("udhcpd.leases");
        fs::write(&leases, "").context("the lease file cannot be made")?;
        let configuration = directory.join("udhcpd.conf");
        let text = format!(
            "start {FIRST}\nend {LAST}\ninterface {BRIDGE}\nlease_file {}\npidfile {}\nmin_lease 1\nauto_time 1\n\
             opt subnet 255.255.255.0\nopt router {HOST}\nopt dns {HOST}\nopt domain example.test\nopt lease {lease_seconds}\n{extra}\n",
            leases.display(),
            directory.join("udhcpd.pid").display()
        );
        fs::write(&configuration, text).context("the configuration cannot be written")?;
        let words = ["-f", &configuration.to_string_lossy()].map(String::from);
        let mut server = Server::start(lab, "udhcpd", "udhcpd", words)?;
        server.expect("started", READY_WITHIN)?;
        Ok(DhcpServer { server, leases })
    }

    /// What stands in its lease file; binary for udhcpd.
    pub fn lease_bytes(&self) -> Vec<u8> {
        fs::read(&self.leases).unwrap_or_default()
    }
}
