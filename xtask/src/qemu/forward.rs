//! Ports of this host that lead into a machine on QEMU's own network.
//!
//! They are asked for when QEMU runs already: it says whether a port was free, so no other program can take one between
//! looking and using it.

use std::fmt;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, bail};
use serde_json::json;

use super::Machine;
use super::devices::{Backend, Role};
use super::shape::Shape;
use crate::deadline::Deadline;

/// The usual ports of the host and where they lead: the status page, Redis, metrics.
pub const USUAL: &[(u16, u16)] = &[(8080, 80), (6379, 6379), (9100, 9100)];

/// How many free ports are tried when the usual one is taken.
const ATTEMPTS_MAX: usize = 8;

/// A port of the loopback address and the machine's port behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    pub host_port: u16,
    pub guest_port: u16,
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "127.0.0.1:{} -> {}", self.host_port, self.guest_port)
    }
}

/// Opens the usual ports, or free ones where those are taken. None when the machine is on no network of QEMU's.
pub fn open(
    machine: &mut Machine,
    shape: &Shape,
    deadline: Deadline,
) -> anyhow::Result<Vec<Forward>> {
    let Some(backend) = user_network(shape) else {
        return Ok(Vec::new());
    };
    USUAL
        .iter()
        .map(|(host_port, guest_port)| {
            open_one(machine, &backend, *host_port, *guest_port, deadline)
        })
        .collect()
}

/// Opens a free port that leads to this one of the machine.
pub fn open_free(
    machine: &mut Machine,
    shape: &Shape,
    guest_port: u16,
    deadline: Deadline,
) -> anyhow::Result<Forward> {
    let backend = user_network(shape).context("the machine is on no network of QEMU's")?;
    open_one(machine, &backend, free_port()?, guest_port, deadline)
}

/// What stands behind the device on QEMU's own network.
fn user_network(shape: &Shape) -> Option<String> {
    let mut devices = shape.virtio.iter();
    let network = devices.find(|device| {
        matches!(
            device.role,
            Role::Network {
                backend: Backend::User,
                ..
            }
        )
    });
    network.map(|device| device.backend_name())
}

fn open_one(
    machine: &mut Machine,
    backend: &str,
    usual: u16,
    guest_port: u16,
    deadline: Deadline,
) -> anyhow::Result<Forward> {
    let mut host_port = usual;
    for _ in 0..ATTEMPTS_MAX {
        let line = format!("hostfwd_add {backend} tcp:127.0.0.1:{host_port}-:{guest_port}");
        let said = machine.qmp().execute(
            "human-monitor-command",
            json!({ "command-line": line }),
            deadline,
        )?;
        // The old monitor answers with text, and with none when all went well.
        if said.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Ok(Forward {
                host_port,
                guest_port,
            });
        }
        host_port = free_port()?;
    }
    bail!("no port of this host leads to the machine's port {guest_port}: QEMU gets none")
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}
