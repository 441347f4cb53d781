//! The network as the kernel's services see it: streams and datagrams.

use super::datagram_sockets::{Datagrams, SocketId};
use super::network::Network;
use super::outlet::Outlet;
use super::packet::{Endpoint, protocol};
use super::ports::Ports;
use super::segment::SegmentSink;
use super::stream::{ServicePorts, Streams, TcpStreams};
use crate::base::fixed::Vec;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::drivers::handlers::DeviceHandlers;
use crate::limits::NAME_SERVERS_MAX;
use core::cell::RefCell;
use core::net::IpAddr;

pub type NameServers = Vec<IpAddr, NAME_SERVERS_MAX>;

impl Network {
    /// Listens at a port of the kernel's, and lets the outside in.
    pub fn open_service(
        &mut self,
        services: &mut ServicePorts,
        port: u16,
        backlog: usize,
    ) -> Result<(), &'static str> {
        const FULL: &str = "the port cannot be opened; see net sockets and firewall list";
        let opened = services.listen(&mut self.tcp, port, backlog);
        opened.map_err(|_| FULL)?;
        let firewall = &mut self.stack.firewall;
        let offered = firewall.offer(Tenant::KERNEL, protocol::TCP, port);
        offered.map_err(|_| FULL)
    }

    /// Lends streams and datagrams to services, between `receive` and `transmit`.
    pub fn with_sockets(
        &mut self,
        now: Instant,
        (ports, handlers): (&mut dyn Ports, &mut DeviceHandlers),
        services: &ServicePorts,
        work: impl FnOnce(&mut dyn Streams, &mut dyn Datagrams),
    ) {
        let outlet = RefCell::new(Outlet {
            stack: &mut self.stack,
            ports,
            handlers,
            now,
        });
        let mut source_of = |to| {
            let route = outlet.borrow_mut().route(Tenant::KERNEL, None, to)?;
            Some(route.source)
        };
        let mut streams = TcpStreams {
            now,
            tcp: &mut self.tcp,
            ports: services,
            source_of: &mut source_of,
        };
        work(&mut streams, &mut OutletDatagrams(&outlet));
    }

    /// Servers for names: those of the configuration, or else of leases and routers.
    pub fn name_servers(&self, chosen: &[IpAddr]) -> NameServers {
        let mut servers = NameServers::new();
        let mut add = |server: IpAddr| {
            if !servers.contains(&server) {
                // More than there is room for are never asked.
                let _ = servers.push(server);
            }
        };
        chosen.iter().copied().for_each(&mut add);
        if chosen.is_empty() {
            for client in self.dhcp.views() {
                let lease = client.client.lease.iter();
                let leased = lease.flat_map(|lease| lease.parameters.name_servers.iter());
                leased.for_each(|server| add((*server).into()));
            }
            for (_, interface) in self.stack.interfaces.iter() {
                let known = interface.slaac.name_servers().iter();
                known.for_each(|server| add(server.address.into()));
            }
        }
        servers
    }

    /// Another number than before when `visit_gateways` may say something else.
    pub const fn neighbour_news(&self) -> u64 {
        self.stack.neighbours.news()
    }

    /// Routers whose hardware addresses are known.
    pub fn visit_gateways(&self, visit: &mut dyn FnMut(IpAddr, [u8; 6])) {
        for route in self.stack.routes.iter() {
            let Some(gateway) = route.gateway else {
                continue;
            };
            self.stack.neighbours.visit(&mut |neighbour| {
                let is_it = (neighbour.interface, neighbour.address) == (route.interface, gateway);
                if let (true, Some(hardware)) = (is_it, neighbour.hardware) {
                    visit(gateway, hardware.0);
                }
            });
        }
    }
}

/// UDP sockets of the kernel.
struct OutletDatagrams<'a, 'o>(&'a RefCell<Outlet<'o>>);

impl Datagrams for OutletDatagrams<'_, '_> {
    fn open(&mut self) -> Option<SocketId> {
        let mut outlet = self.0.borrow_mut();
        outlet.bind_udp(Tenant::KERNEL, None, 0).ok()
    }

    fn send(&mut self, socket: SocketId, to: Endpoint, payload: &[u8]) -> bool {
        self.0.borrow_mut().send_udp(socket, to, payload).is_ok()
    }

    fn receive(&mut self, socket: SocketId, take: &mut dyn FnMut(Endpoint, &[u8])) -> bool {
        let mut outlet = self.0.borrow_mut();
        let Some(datagram) = outlet.take_udp(socket) else {
            return false;
        };
        take(datagram.remote, datagram.payload());
        outlet.release_udp(datagram);
        true
    }

    fn close(&mut self, socket: SocketId) {
        self.0.borrow_mut().close_udp(socket);
    }
}
