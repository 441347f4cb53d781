//! UDP for services: bind, send, take, release, close.

use super::dhcp_link::write_udp;
use super::ip::HOP_LIMIT;
use super::outlet::{Content, Outlet};
use super::packet::{Endpoint, protocol};
use super::segment::SendError;
use super::udp::{Datagram, UdpError, UdpSocket};
use crate::base::tenant::Tenant;
use core::net::IpAddr;

const UDP_HEADER_BYTES: usize = 8;

impl Outlet<'_> {
    /// Listens on a port; port 0 asks for a free one that is hard to guess.
    pub fn bind_udp(
        &mut self,
        tenant: Tenant,
        address: Option<IpAddr>,
        port: u16,
    ) -> Result<UdpSocket, UdpError> {
        let stack = &mut *self.stack;
        stack.udp.bind(tenant, address, port, &mut stack.prng)
    }

    /// Sends a datagram; the payload is copied once, into the frame.
    pub fn send_udp(
        &mut self,
        socket: UdpSocket,
        to: Endpoint,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let local = self.stack.udp.local(socket);
        let (tenant, address, port) = local.ok_or(SendError::Unreachable)?;
        let leg = self.leg(tenant, address, to.address, None);
        let leg = leg.ok_or(SendError::Unreachable)?;
        let content = Content {
            protocol: protocol::UDP,
            hop_limit: HOP_LIMIT,
            congestion: 0,
            bytes: UDP_HEADER_BYTES + payload.len(),
        };
        if content.bytes > usize::from(u16::MAX) {
            return Err(SendError::TooLarge);
        }
        self.send_packet(&leg, content, &mut |bytes| {
            write_udp(bytes, port, to.port, payload);
        })?;
        self.stack.udp.on_sent(socket, payload.len());
        Ok(())
    }

    /// The oldest datagram of a socket, in the frame in which it came; give it to `release_udp`.
    pub fn take_udp(&mut self, socket: UdpSocket) -> Option<Datagram> {
        self.stack.udp.take(socket)
    }

    /// Gives the memory of a datagram back.
    pub fn release_udp(&mut self, datagram: Datagram) {
        self.stack.udp.on_released();
        self.recycle(datagram.into_carrier());
    }

    pub fn close_udp(&mut self, socket: UdpSocket) {
        while let Some(datagram) = self.take_udp(socket) {
            self.release_udp(datagram);
        }
        self.stack.udp.close(socket);
    }
}
