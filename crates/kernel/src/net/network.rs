//! The network of a machine: all its parts, and the order of their work.
//!
//! In each tick the kernel calls `receive`, then `step`, and `transmit` at its end.
//! Limits: `FRAMES_A_TICK_MAX` of each port a tick, ports in turn; the rest stays in
//! the device, so a flood on one port or for one tenant does not stop the others.

use super::dhcp;
use super::inlet::Inlet;
use super::interface::Medium;
use super::outlet::Outlet;
use super::ping::{PingId, PingRequest, PingView};
use super::ports::Ports;
use super::services::ServiceHost;
use super::stack::Stack;
use super::tcp::Tcp;
use crate::base::config::AddressSource;
use crate::base::fixed::{Full, Map};
use crate::base::network_port::PortFacts;
use crate::base::operation::OperationId;
use crate::base::service::ServiceSet;
use crate::base::time::Instant;
use crate::drivers::handlers::DeviceHandlers;
use crate::limits::{FRAMES_A_TICK_MAX, LOOPBACK_FRAMES_MAX, NETWORK_PORTS_MAX, PINGS_MAX};
use alloc::boxed::Box;
use core::net::Ipv4Addr;

/// What is known before there is a network.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Random, and nobody else's to know.
    pub secret: [u8; 32],
    /// What the buffers of all TCP connections may take together.
    pub tcp_buffer_bytes: usize,
    /// Where the address of the first port comes from.
    pub address: AddressSource,
    pub gateway: Option<Ipv4Addr>,
    /// What is offered from the start to measure the network.
    pub services: ServiceSet,
}

pub struct Network {
    pub(super) stack: Stack,
    pub(super) tcp: Tcp,
    pub(super) dhcp: dhcp::Clients,
    services: ServiceHost,
    pub(super) dhcp_outputs: Box<dhcp::Outputs>,
    pub(super) setup: Setup,
    /// What was last seen of each port.
    pub(super) known_ports: [Option<PortFacts>; NETWORK_PORTS_MAX],
    /// Did the last `receive` leave frames where they were?
    has_more: bool,
    /// Pings that somebody waits for as an operation.
    pub(super) awaited_pings: Map<OperationId, PingId, PINGS_MAX>,
}

impl Network {
    /// Takes all the memory that it will ever use.
    pub fn new(setup: Setup) -> Self {
        let [a, b, c, d, e, f, g, h, rest @ ..] = setup.secret;
        let mut secret = [0; 16];
        for (place, byte) in secret.iter_mut().zip(rest) {
            *place = byte;
        }
        Self {
            stack: Stack::new(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
            tcp: Tcp::new(secret, setup.tcp_buffer_bytes),
            dhcp: dhcp::Clients::new(),
            services: ServiceHost::new(setup.services),
            dhcp_outputs: Box::new(dhcp::Outputs::new()),
            setup,
            known_ports: [None; NETWORK_PORTS_MAX],
            has_more: false,
            awaited_pings: Map::new(),
        }
    }

    /// Looks after the ports and takes in what has arrived.
    pub fn receive(&mut self, now: Instant, ports: &mut dyn Ports, handlers: &mut DeviceHandlers) {
        self.watch_ports(now, ports, handlers);
        let mut is_empty = [false; NETWORK_PORTS_MAX];
        let mut inlet = self.inlet(now, ports, handlers);
        for _ in 0..FRAMES_A_TICK_MAX {
            for (index, is_empty) in is_empty.iter_mut().enumerate() {
                if *is_empty {
                    continue;
                }
                let port = inlet.out.ports.port(index);
                match port.and_then(|port| port.receive()) {
                    Some(frame) => inlet.on_frame(index, frame),
                    None => *is_empty = true,
                }
            }
        }
        for _ in 0..LOOPBACK_FRAMES_MAX {
            match inlet.out.stack.loopback.pop_front() {
                Some((tenant, carrier)) => inlet.on_loopback(tenant, carrier),
                None => break,
            }
        }
        self.has_more = is_empty.contains(&false);
    }

    /// Does what its time has come for.
    pub fn step(&mut self, now: Instant, ports: &mut dyn Ports, handlers: &mut DeviceHandlers) {
        let mut inlet = self.inlet(now, ports, handlers);
        inlet.step_neighbours();
        inlet.step_interfaces();
        inlet.step_reassembly();
        inlet.step_pings();
        for interface in &inlet.dhcp.due(now) {
            inlet.step_dhcp(*interface, dhcp::Input::Timer);
        }
        self.stack.firewall.step(now);
        let out = &mut Outlet {
            stack: &mut self.stack,
            ports,
            handlers,
            now,
        };
        self.services.step(&mut self.tcp, out);
    }

    /// Offers these services for measuring and no others.
    pub fn offer_services(
        &mut self,
        now: Instant,
        ports: &mut dyn Ports,
        handlers: &mut DeviceHandlers,
        wanted: ServiceSet,
    ) -> Result<(), &'static str> {
        let out = &mut Outlet {
            stack: &mut self.stack,
            ports,
            handlers,
            now,
        };
        self.services.offer(wanted, &mut self.tcp, out)
    }

    pub const fn services(&self) -> &ServiceHost {
        &self.services
    }

    /// Sends what connections have to send, and tells the devices.
    pub fn transmit(&mut self, now: Instant, ports: &mut dyn Ports, handlers: &mut DeviceHandlers) {
        let mut outlet = Outlet {
            stack: &mut self.stack,
            ports,
            handlers,
            now,
        };
        self.tcp.transmit(now, &mut outlet);
        for index in 0..NETWORK_PORTS_MAX {
            if let Some(port) = outlet.ports.port(index) {
                port.flush();
            }
        }
    }

    /// When it wants to be called again though nothing arrives; the past is at once.
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.has_more || self.services.has_more() || !self.stack.loopback.is_empty() {
            return Some(Instant::ZERO);
        }
        let stack = &self.stack;
        let interfaces = stack.interfaces.iter();
        let interfaces = interfaces.filter(|(_, known)| known.is_up);
        let addresses = interfaces.filter_map(|(_, known)| known.slaac.next_deadline());
        let own = [
            self.tcp.next_deadline(),
            self.dhcp.next_deadline(),
            stack.neighbours.next_deadline(),
            stack.reassembly.next_deadline(),
            stack.pings.next_deadline(),
            stack.firewall.next_deadline(),
        ];
        own.into_iter().flatten().chain(addresses).min()
    }

    /// The way out for services, between `receive` and `transmit`.
    pub fn outlet<'a>(
        &'a mut self,
        now: Instant,
        ports: &'a mut dyn Ports,
        handlers: &'a mut DeviceHandlers,
    ) -> Outlet<'a> {
        Outlet {
            stack: &mut self.stack,
            ports,
            handlers,
            now,
        }
    }

    pub(super) fn inlet<'a>(
        &'a mut self,
        now: Instant,
        ports: &'a mut dyn Ports,
        handlers: &'a mut DeviceHandlers,
    ) -> Inlet<'a> {
        Inlet {
            out: Outlet {
                stack: &mut self.stack,
                ports,
                handlers,
                now,
            },
            tcp: &mut self.tcp,
            dhcp: &mut self.dhcp,
            dhcp_outputs: &mut self.dhcp_outputs,
        }
    }

    pub const fn tcp(&self) -> &Tcp {
        &self.tcp
    }

    pub const fn tcp_mut(&mut self) -> &mut Tcp {
        &mut self.tcp
    }

    pub const fn dhcp(&self) -> &dhcp::Clients {
        &self.dhcp
    }

    pub const fn firewall(&self) -> &super::firewall::Firewall {
        &self.stack.firewall
    }

    pub const fn firewall_mut(&mut self) -> &mut super::firewall::Firewall {
        &mut self.stack.firewall
    }

    /// Begins to ask a host whether it is there; `stop_ping` forgets it.
    pub fn start_ping(&mut self, now: Instant, request: PingRequest) -> Result<PingId, Full> {
        self.stack.pings.start(now, request)
    }

    pub fn ping(&self, id: PingId) -> Option<PingView> {
        self.stack.pings.view(id)
    }

    pub fn stop_ping(&mut self, id: PingId) {
        self.stack.pings.stop(id);
    }

    /// A user wants something of the DHCP client of an interface, or of all clients.
    pub fn command_dhcp(
        &mut self,
        now: Instant,
        ports: &mut dyn Ports,
        handlers: &mut DeviceHandlers,
        interface: Option<usize>,
        command: dhcp::Command,
    ) -> Result<(), &'static str> {
        let mut result = Err("no DHCP client runs; it needs a network port, and ip=dhcp");
        for index in 0..self.stack.interfaces.len() {
            let is_meant = match interface {
                Some(chosen) => chosen == index,
                None => self.dhcp.views().any(|client| client.interface == index),
            };
            if is_meant {
                let mut inlet = self.inlet(now, ports, handlers);
                let answer = inlet.command_dhcp(index, command);
                // Of several clients, one that can is enough.
                result = result.or(answer);
            }
        }
        result
    }

    /// The interface with that name.
    pub fn find_interface(&self, name: &str) -> Option<usize> {
        let mut interfaces = self.stack.interfaces.iter();
        let found = interfaces.find(|(_, known)| known.name == *name);
        found.map(|(index, _)| index)
    }

    /// Interfaces of a port, the first one included.
    pub(super) fn interfaces_of(&self, port: usize) -> impl Iterator<Item = usize> {
        let interfaces = self.stack.interfaces.iter();
        let stands_there = move |medium: Medium| medium == Medium::Port(port);
        interfaces.filter_map(move |(index, known)| stands_there(known.medium).then_some(index))
    }
}
