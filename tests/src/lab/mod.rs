//! A network laboratory: a namespace, a bridge, a tap for QEMU, and real servers and peers on it.
//!
//! It is there as long as its handle is; what runs in it is killed by its own handle, and a test that panics leaves
//! nothing behind. Two laboratories do not see each other, so tests run side by side with the same addresses.

pub mod dhcp_server;
pub mod guest;
pub mod host;
pub mod server;
pub mod wire;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use xtask::deadline::Deadline;
use xtask::namespace::Namespace;
use xtask::process::{self, Said};
use xtask::qemu::devices::{Backend, Device, HARDWARE_ADDRESS};
use xtask::qemu::{Boot, Shape};
use xtask::workspace::Scratch;

use wire::{Impairments, Wire};

/// The laboratory's own addresses, and the one that a machine gets that is not told otherwise.
pub const HOST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub const GUEST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
pub const PREFIX: u8 = 24;
pub const HOST_V6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1);
pub const PREFIX_V6: u8 = 64;

/// The interface that servers listen on.
pub const BRIDGE: &str = "bridge0";
const TAP: &str = "tap0";
/// Beside the longest wait of a tool itself.
const TOOL_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Lab {
    namespace: Namespace,
    scratch: Scratch,
}

impl Lab {
    /// With packets of the usual size.
    pub fn new() -> anyhow::Result<Lab> {
        Lab::with_mtu(1500)
    }

    /// `mtu` is the size of the largest packet on every interface.
    pub fn with_mtu(mtu: u16) -> anyhow::Result<Lab> {
        let namespace = Namespace::new()?;
        // No spanning tree and no snooping: the bridge forwards from the first frame on.
        namespace.ip(&format!(
            "link add {BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
        ))?;
        namespace.add_tap(TAP)?;
        for interface in [TAP, BRIDGE] {
            namespace.ip(&format!("link set {interface} mtu {mtu}"))?;
        }
        namespace.ip(&format!("link set {TAP} master {BRIDGE}"))?;
        namespace.ip(&format!("addr add {HOST}/{PREFIX} dev {BRIDGE}"))?;
        namespace.ip(&format!(
            "addr add {HOST_V6}/{PREFIX_V6} dev {BRIDGE} nodad"
        ))?;
        namespace.ip(&format!("link set {BRIDGE} up"))?;
        let scratch = Scratch::new().context("no scratch directory can be made")?;
        Ok(Lab { namespace, scratch })
    }

    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// A machine that is directly on the tap: the host's side completes checksums and segments.
    pub fn shape(&self) -> Shape {
        self.shape_with(self.network_device())
    }

    /// The network device of `shape`, for those who change its features.
    pub fn network_device(&self) -> Device {
        Device::network("net0", Backend::Tap(TAP.to_string()), HARDWARE_ADDRESS)
    }

    pub fn shape_with(&self, network: Device) -> Shape {
        Shape::new(Boot::Pvh)
            .in_namespace(self.namespace.file())
            .virtio(network)
    }

    /// A machine behind a wire that treats frames badly, and that wire.
    pub fn shape_behind_wire(&self, impairments: Impairments) -> anyhow::Result<(Shape, Wire)> {
        let wire = Wire::new(self.scratch.path(), impairments)?;
        let mut shape = self.shape_with(wire.network_device());
        shape.devices.extend(wire.tap_arguments(TAP));
        Ok((shape, wire))
    }

    /// Runs a tool of the host inside, and returns what it says whether it succeeds or not.
    pub fn tool(&self, program: &str, arguments: &[&str]) -> anyhow::Result<Said> {
        let mut command: Command = self.namespace.command(program)?;
        command.args(arguments);
        process::ask(&mut command, Deadline::after(TOOL_WITHIN))
            .with_context(|| format!("{program} {arguments:?}"))
    }

    /// The same, and a failure is an error.
    pub fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let said = self.tool(program, arguments)?;
        ensure!(
            said.success,
            "{program} {arguments:?} fails: {}{}",
            said.stdout,
            said.stderr
        );
        Ok(said.stdout)
    }

    /// Does this work inside; sockets that it makes stay inside.
    pub fn within<T: Send>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        self.namespace.within(work)?
    }
}
