//! The services on a network: their open doors and the way through.

use super::{Datagrams, Doors, Reply, ServiceView, Services};
use crate::base::fixed::Map;
use crate::base::metric::Usage;
use crate::base::service::{Service, ServiceSet};
use crate::base::tenant::Tenant;
use crate::limits::SERVICE_CONNECTIONS_MAX;
use crate::net::firewall::Firewall;
use crate::net::outlet::Outlet;
use crate::net::packet::{Endpoint, protocol};
use crate::net::stream::{ServicePorts, TcpStreams};
use crate::net::tcp::Tcp;
use crate::net::udp::{UdpError, UdpSocket};

/// Connections that wait to be served.
const BACKLOG: usize = SERVICE_CONNECTIONS_MAX / 4;

type Sockets = Map<u16, UdpSocket, { Service::ALL.len() }>;

pub struct ServiceHost {
    services: Services,
    listeners: ServicePorts,
    sockets: Sockets,
    /// What is to be offered; `None` once that was tried.
    wanted: Option<ServiceSet>,
    has_more: bool,
}

impl ServiceHost {
    pub fn new(wanted: ServiceSet) -> Self {
        Self {
            services: Services::new(),
            listeners: ServicePorts::default(),
            sockets: Map::new(),
            wanted: (wanted != ServiceSet::NONE).then_some(wanted),
            has_more: false,
        }
    }

    /// Offers what is wanted and nothing else.
    pub fn offer(
        &mut self,
        wanted: ServiceSet,
        tcp: &mut Tcp,
        out: &mut Outlet<'_>,
    ) -> Result<(), &'static str> {
        self.wanted = None;
        let doors = &mut NetworkDoors {
            listeners: &mut self.listeners,
            sockets: &mut self.sockets,
            tcp,
            out,
        };
        self.services.offer(wanted, doors)
    }

    pub fn step(&mut self, tcp: &mut Tcp, out: &mut Outlet<'_>) {
        if let Some(wanted) = self.wanted {
            // A port that is taken is shown as not offered.
            let _ = self.offer(wanted, tcp, out);
        }
        if self.services.is_idle() {
            return;
        }
        let streams = &mut TcpStreams {
            now: out.now,
            tcp,
            ports: &self.listeners,
            source_of: &mut |_| None,
        };
        let datagrams = &mut NetworkDatagrams {
            sockets: &self.sockets,
            out,
        };
        self.has_more = self.services.step(streams, datagrams);
    }

    /// Did the last step leave something undone that can be done at once?
    pub const fn has_more(&self) -> bool {
        self.has_more || self.wanted.is_some()
    }

    pub const fn offered(&self) -> ServiceSet {
        self.services.offered()
    }

    pub fn visit(&self, visit: &mut dyn FnMut(&ServiceView)) {
        self.services.visit(visit);
    }

    pub fn usage(&self) -> Usage {
        self.services.usage()
    }
}

struct NetworkDoors<'a, 'b> {
    listeners: &'a mut ServicePorts,
    sockets: &'a mut Sockets,
    tcp: &'a mut Tcp,
    out: &'a mut Outlet<'b>,
}

impl NetworkDoors<'_, '_> {
    fn firewall(&mut self) -> &mut Firewall {
        &mut self.out.stack.firewall
    }
}

impl Doors for NetworkDoors<'_, '_> {
    fn open(&mut self, port: u16) -> Result<(), &'static str> {
        let socket = self.out.bind_udp(Tenant::KERNEL, None, port);
        let socket = socket.map_err(|error| match error {
            UdpError::Full => "all UDP sockets are in use; see net sockets",
            UdpError::PortInUse { .. } => "something listens on that UDP port; see net sockets",
        })?;
        if self.listeners.listen(self.tcp, port, BACKLOG).is_err() {
            self.out.close_udp(socket);
            return Err("something listens on that TCP port; see net sockets");
        }
        if self.sockets.insert(port, socket).is_err() {
            self.listeners.unlisten(self.tcp, port);
            self.out.close_udp(socket);
            return Err("more services are offered than there are");
        }
        for number in [protocol::TCP, protocol::UDP] {
            // Without a place among the offers the firewall's rules decide alone.
            let _ = self.firewall().offer(Tenant::KERNEL, number, port);
        }
        Ok(())
    }

    fn close(&mut self, port: u16) {
        self.listeners.unlisten(self.tcp, port);
        if let Some(socket) = self.sockets.remove(&port) {
            self.out.close_udp(socket);
        }
        for number in [protocol::TCP, protocol::UDP] {
            self.firewall().withdraw(Tenant::KERNEL, number, port);
        }
    }
}

struct NetworkDatagrams<'a, 'b> {
    sockets: &'a Sockets,
    out: &'a mut Outlet<'b>,
}

impl Datagrams for NetworkDatagrams<'_, '_> {
    fn answer(
        &mut self,
        port: u16,
        generated: &[u8],
        judge: &mut dyn FnMut(Endpoint, &[u8]) -> Reply,
    ) -> bool {
        let Some(socket) = self.sockets.get(&port).copied() else {
            return false;
        };
        let Some(datagram) = self.out.take_udp(socket) else {
            return false;
        };
        let reply = match judge(datagram.remote, datagram.payload()) {
            Reply::Nothing => None,
            Reply::Same => Some(datagram.payload()),
            Reply::Generated => Some(generated),
        };
        if let Some(bytes) = reply {
            // An answer that cannot go out is a lost datagram, as on any network.
            let _ = self.out.send_udp(socket, datagram.remote, bytes);
        }
        self.out.release_udp(datagram);
        true
    }
}
