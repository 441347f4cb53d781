//! L3: the network, from the frame of a port to the byte of a connection.
//!
//! `Network` owns everything; the kernel owns it and calls, in each tick,
//! `receive`, `step` and `transmit`, each with the ports and the device handlers.
//!
//! Whoever wants to send between these calls borrows an `Outlet` from `Network::outlet`:
//! it builds packets in place in frames of the port, and the device hears of them when
//! `transmit` flushes. It is the `SegmentSink` of TCP and the way out of UDP.
//!
//! What is expected of the neighbours in this folder:
//!
//! - TCP: `receive(now, &Arrival, &mut dyn SegmentSink)` for every segment that the
//!   firewall let in, `step(now, &mut dyn SegmentSink)`, `next_deadline()`, and
//!   `on_unreachable(now, local, remote)` when a host on the way says so.
//! - DHCP: one machine an interface. Its packets are UDP payloads that come by
//!   reference; it hears of the link, of ARP packets about its candidate address,
//!   and answers with payloads to send, addresses to probe, to use and to drop.
//! - Firewall: `check(now, &PacketFacts) -> verdict` for each IP packet, whole.

pub mod address;
pub mod advertisement;
mod arp;
pub mod carrier;
pub mod checksum;
pub mod counters;
pub mod datagram_sockets;
mod datagrams;
pub mod dhcp;
mod dhcp_link;
mod discovery;
pub mod dns;
pub mod firewall;
mod frame_port;
pub mod http;
mod icmp;
pub mod inlet;
pub mod interface;
pub mod ip;
mod links;
pub mod neighbours;
pub mod network;
pub mod outbound;
pub mod outlet;
pub mod packet;
pub mod path_mtu;
pub mod ping;
mod ping_operation;
pub mod ports;
pub mod reassembly;
mod reject;
pub mod routes;
pub mod segment;
mod segments;
pub mod service_sockets;
pub mod services;
pub mod slaac;
pub mod stack;
pub mod stream;
pub mod tcp;
mod timers;
pub mod transport;
pub mod udp;
pub mod view;

#[cfg(test)]
mod tests;
