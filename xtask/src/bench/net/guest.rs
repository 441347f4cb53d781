//! A guest on a network of its own with this host.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::linux_guest;
use super::load;
use crate::bench::guest::{self, cell, table};
use crate::bench::linux;
use crate::namespace::Namespace;
use crate::qemu::devices::{Backend, Device, HARDWARE_ADDRESS};
use crate::qemu::{Boot, Shape};

const ASK_WITHIN: Duration = Duration::from_secs(10);

const HOST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub const GUEST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const PREFIX: u8 = 24;
const TAP: &str = "tap0";

pub struct Guest {
    /// Dropped before the network that it is on.
    inner: guest::Guest,
    pub namespace: Namespace,
}

impl Guest {
    pub fn boot_rayos() -> anyhow::Result<Guest> {
        let namespace = network()?;
        let shape = shape(&namespace).setting(&format!(
            "ip={GUEST}/{PREFIX} services=discard,echo,chargen"
        ));
        Ok(Guest {
            inner: guest::Guest::boot_rayos(shape)?,
            namespace,
        })
    }

    /// `page_bytes` is how long nginx's page is.
    pub fn boot_linux(linux: &linux::Guest, page_bytes: usize) -> anyhow::Result<Guest> {
        let namespace = network()?;
        let shape = shape(&namespace).setting(&format!(
            "net.ifnames=0 address={GUEST}/{PREFIX} page_bytes={page_bytes}"
        ));
        let marker = linux_guest::MARKER;
        Ok(Guest {
            inner: guest::Guest::boot_linux(shape, &linux.kernel, &linux.initramfs, marker)?,
            namespace,
        })
    }

    pub fn command_line(&self) -> &str {
        self.inner.command_line()
    }

    /// Lets the guest run for as long as this takes.
    pub fn while_running<T>(
        &mut self,
        work: impl FnOnce(&mut Guest) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.inner.resume()?;
        let result = work(self);
        self.inner.pause()?;
        result
    }

    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.inner.pause()
    }

    /// Does this work on the guest's network.
    pub fn within<T: Send>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        self.namespace.within(work)?
    }

    /// How many datagrams its discard service has taken.
    pub fn discarded_datagrams(&mut self) -> anyhow::Result<u64> {
        if !self.inner.is_rayos() {
            return self.namespace.within(|| load::told_count(GUEST))?;
        }
        let document = self.inner.ask_rayos("net services", ASK_WITHIN)?;
        let count = table(&document, "services")
            .and_then(|table| cell(table, ("service", "discard"), "datagrams")?.as_u64());
        count.with_context(|| format!("`net services` counts no datagrams: {document}"))
    }
}

/// A network with a tap that belongs to the host's side.
fn network() -> anyhow::Result<Namespace> {
    let namespace = Namespace::new()?;
    namespace.add_tap(TAP)?;
    namespace.ip(&format!("addr add {HOST}/{PREFIX} dev {TAP}"))?;
    Ok(namespace)
}

fn shape(namespace: &Namespace) -> Shape {
    Shape::new(Boot::Pvh)
        .cores(1)
        .memory_mib(256)
        .in_namespace(Path::new(namespace.file()))
        .virtio(Device::network(
            "net0",
            Backend::Tap(TAP.to_string()),
            HARDWARE_ADDRESS,
        ))
}
