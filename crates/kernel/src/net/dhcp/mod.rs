//! DHCP client: obtains, keeps and gives back an IPv4 address.
//!
//! RFC 2131 and 2132 with the address conflict detection of RFC 5227, client
//! identifiers of RFC 4361, classless routes of RFC 3442 and, as long as no server
//! answers, a link-local address of RFC 3927.

mod client;
mod clients;
mod conflict;
mod counters;
mod domain_names;
mod emit;
mod events;
mod history;
mod lease;
mod link_local;
mod messages;
mod notes;
mod options;
mod parameters;
mod replies;
mod repr;
mod state;
mod timing;
mod view;

pub use client::Client;
pub use clients::{ClientView, Clients, Command, InterfaceName, Interfaces};
pub use counters::{Flaw, Flaws};
pub use history::{Event, EventKind, History};
pub use lease::{LEASE_FOR_EVER, LEASE_ROUTES_TOTAL_MAX, LEASE_SECONDS_LEAST, Lease, LeaseTimes};
pub use options::code;
pub use parameters::{Addresses, LeasedRoute, Name, Parameters};
pub use repr::{
    CLIENT_MESSAGE_BYTES_MAX, CLIENT_PORT, COOKIE, HEADER_BYTES, MESSAGE_BYTES_LEAST, MessageType,
    Repr, SERVER_PORT,
};
pub use view::{Messages, View};

use crate::base::fixed::{Outbox, Vec};
use crate::limits::DHCP_OUTPUTS_MAX;
use core::net::Ipv4Addr;

/// What a client does in one step.
pub type Outputs = Outbox<Output, DHCP_OUTPUTS_MAX>;

/// Who a client is; the same after every boot.
#[derive(Clone, Debug)]
pub struct Identity {
    pub hardware_address: [u8; 6],
    /// Type 255, IAID, DUID (RFC 4361 6.1).
    pub client_id: Vec<u8, 32>,
    /// What it would like to be called; may be empty.
    pub host_name: Name,
}

impl Identity {
    /// `machine` is the hardware address by which the whole machine is known, `interface` the
    /// number of the interface on it.
    pub fn new(
        hardware_address: [u8; 6],
        machine: [u8; 6],
        interface: u32,
        host_name: &str,
    ) -> Self {
        let mut client_id = Vec::new();
        let [a, b, c, d] = interface.to_be_bytes();
        let [m, a1, a2, a3, a4, a5] = machine;
        // A DUID of type 3: by the address of an Ethernet (type 1) port.
        let bytes = [255, a, b, c, d, 0, 3, 0, 1, m, a1, a2, a3, a4, a5];
        let kept = client_id.extend_from_slice(&bytes);
        crate::invariant!(kept.is_ok(), "a client identifier of 15 bytes has no room");
        Self {
            hardware_address,
            client_id,
            host_name: Name::cut_from(host_name),
        }
    }
}

/// Where a datagram came from: the source of its frame and of its IP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sender {
    pub hardware_address: [u8; 6],
    pub address: Ipv4Addr,
}

#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The interface is to have an address; one that it had before is asked for again.
    Start {
        remembered: Option<Ipv4Addr>,
    },
    LinkUp,
    LinkDown,
    /// The payload of a UDP datagram for port 68, to the interface's hardware address or to all.
    Datagram {
        bytes: &'a [u8],
        sender: Sender,
    },
    /// An ARP packet on the link, request or reply, whomever it is for.
    ArpSeen {
        sender_mac: [u8; 6],
        sender_ip: Ipv4Addr,
        target_ip: Ipv4Addr,
    },
    /// Asks for a new lease time now, or for a lease.
    Renew,
    /// Gives the address back; `Renew` or `Start` begin anew.
    Release,
    /// Asks for the parameters of the network only; `address` is the one set by hand where
    /// none is leased.
    Inform {
        address: Option<Ipv4Addr>,
    },
    /// A deadline has come.
    Timer,
}

#[derive(Clone, Debug)]
pub enum Output {
    /// A datagram from port 68 to port 67. `source` is to be used as it is, even if the
    /// interface does not have it (any more).
    SendDatagram {
        source: Ipv4Addr,
        destination: Ipv4Addr,
        repr: Repr,
    },
    /// An ARP request for the address, from 0.0.0.0.
    ArpProbe { address: Ipv4Addr },
    /// An ARP request for the address from itself, to all.
    ArpAnnounce { address: Ipv4Addr },
    /// The interface has this address and these parameters, instead of what it had.
    Configure(Lease),
    /// The interface has this address in 169.254.0.0/16, with no router.
    ConfigureLinkLocal { address: Ipv4Addr },
    /// The interface no longer has this address.
    Deconfigure { address: Ipv4Addr },
    /// An answer to `Inform` on an interface whose address was set by hand.
    Informed(Parameters),
    /// Something that `history` shows and the log may want.
    History(Event),
}

/// Puts it into the outbox; no step has more to say than fits, and what does not is counted there.
fn put(out: &mut Outputs, output: Output) {
    let _ = out.push(output);
}

#[cfg(test)]
mod tests;
