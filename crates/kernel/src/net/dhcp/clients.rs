//! The clients of a machine, one for each interface.

use super::client::Client;
use super::view::View;
use super::{Identity, Input, Outputs};
use crate::base::fixed::{self, Full, Text};
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::DHCP_CLIENTS_MAX;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

/// The name of an interface, as tables show it.
pub type InterfaceName = Text<16>;

pub type Interfaces = fixed::Vec<usize, DHCP_CLIENTS_MAX>;

/// What a user wants of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    Renew,
    Release,
    Inform,
}

impl Command {
    const fn input(self, address: Option<Ipv4Addr>) -> Input<'static> {
        match self {
            Self::Renew => Input::Renew,
            Self::Release => Input::Release,
            Self::Inform => Input::Inform { address },
        }
    }
}

/// At most `DHCP_CLIENTS_MAX`, in memory that is taken once.
pub struct Clients {
    entries: Vec<Entry>,
    refused: u64,
}

struct Entry {
    interface: usize,
    name: InterfaceName,
    tenant: Tenant,
    client: Client,
}

/// A client and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct ClientView<'a> {
    /// The interface's place in the table of interfaces.
    pub interface: usize,
    pub name: &'a str,
    pub tenant: Tenant,
    pub client: View<'a>,
}

impl Clients {
    pub fn new() -> Self {
        Self {
            entries: Vec::with_capacity(DHCP_CLIENTS_MAX),
            refused: 0,
        }
    }

    /// Gives the interface a client, which does nothing until `Start` and `LinkUp`; one that it
    /// had is replaced.
    pub fn add(
        &mut self,
        interface: usize,
        name: &str,
        tenant: Tenant,
        identity: Identity,
        seed: u64,
    ) -> Result<(), Full> {
        self.remove(interface);
        if self.entries.len() == DHCP_CLIENTS_MAX {
            self.refused += 1;
            return Err(Full);
        }
        self.entries.push(Entry {
            interface,
            name: Text::cut_from(name),
            tenant,
            client: Client::new(identity, seed),
        });
        Ok(())
    }

    /// Forgets the client; what it had configured is the caller's to undo (`LinkDown` first).
    pub fn remove(&mut self, interface: usize) {
        self.entries.retain(|entry| entry.interface != interface);
    }

    /// Lets the interface's client take a step; says whether it has one.
    pub fn step(
        &mut self,
        interface: usize,
        now: Instant,
        input: Input<'_>,
        out: &mut Outputs,
    ) -> bool {
        let mut entries = self.entries.iter_mut();
        let entry = entries.find(|entry| entry.interface == interface);
        if let Some(entry) = entry {
            entry.client.step(now, input, out);
            return true;
        }
        false
    }

    /// Does what a user wants of the interface's client; the reason when it cannot be done.
    ///
    /// `by_hand` is the address of an interface that has one without a lease.
    pub fn command(
        &mut self,
        interface: usize,
        command: Command,
        by_hand: Option<Ipv4Addr>,
        now: Instant,
        out: &mut Outputs,
    ) -> Result<(), &'static str> {
        let mut entries = self.entries.iter_mut();
        let entry = entries.find(|entry| entry.interface == interface);
        let entry = entry.ok_or("that interface has no DHCP client; dhcp status lists them")?;
        entry.client.can(command, by_hand)?;
        entry.client.step(now, command.input(by_hand), out);
        Ok(())
    }

    /// That interface, or all of those that have a client.
    pub fn interfaces(&self, only: Option<usize>) -> Interfaces {
        let all = self.entries.iter().map(|entry| entry.interface);
        collect(all.filter(|interface| only.is_none_or(|only| only == *interface)))
    }

    /// The interfaces whose clients want `Input::Timer` now.
    pub fn due(&self, now: Instant) -> Interfaces {
        let is_due = |entry: &&Entry| entry.client.next_deadline().is_some_and(|at| at <= now);
        let due = self.entries.iter().filter(is_due);
        collect(due.map(|entry| entry.interface))
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let entries = self.entries.iter();
        entries
            .filter_map(|entry| entry.client.next_deadline())
            .min()
    }

    pub fn views(&self) -> impl Iterator<Item = ClientView<'_>> {
        self.entries.iter().map(|entry| ClientView {
            interface: entry.interface,
            name: &entry.name,
            tenant: entry.tenant,
            client: entry.client.view(),
        })
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("DHCP_CLIENTS_MAX", DHCP_CLIENTS_MAX)
                .used(self.entries.len() as u64)
                .refused(self.refused),
        );
        for entry in &self.entries {
            visit(&entry.client.view().history.usage());
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self::new()
    }
}

fn collect(interfaces: impl Iterator<Item = usize>) -> Interfaces {
    let mut list = Interfaces::new();
    for interface in interfaces {
        let kept = list.push(interface);
        crate::invariant!(kept.is_ok(), "more DHCP clients than DHCP_CLIENTS_MAX");
    }
    list
}
