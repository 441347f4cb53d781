//! The messages that a client sends, as RFC 2131 table 5 wants them.

use super::Identity;
use super::options::code;
use super::repr::{MessageType, Repr};
use super::state::{Exchange, Offer};
use crate::base::fixed::{Text, Vec};
use core::net::Ipv4Addr;

/// What is asked for; classless routes before routers (RFC 3442).
const PARAMETERS: [u8; 12] = [
    code::SUBNET_MASK,
    code::ROUTES,
    code::ROUTERS,
    code::NAME_SERVERS,
    code::HOST_NAME,
    code::DOMAIN_NAME,
    code::INTERFACE_MTU,
    code::BROADCAST_ADDRESS,
    code::TIME_SERVERS,
    code::RENEW_TIME,
    code::REBIND_TIME,
    code::DOMAIN_SEARCH,
];

const VENDOR_CLASS: &str = "RayOS";
/// An IP packet as long as every Ethernet carries.
const MESSAGE_BYTES_MAX: u16 = 1500;

impl Identity {
    pub(super) fn discover(&self, exchange: &Exchange, wanted: Option<Ipv4Addr>) -> Repr {
        Repr {
            requested_address: wanted,
            ..self.question(MessageType::Discover, exchange)
        }
    }

    pub(super) fn request_offered(&self, exchange: &Exchange, offer: &Offer) -> Repr {
        Repr {
            requested_address: Some(offer.address),
            server: Some(offer.server),
            ..self.question(MessageType::Request, exchange)
        }
    }

    pub(super) fn request_of_before(&self, exchange: &Exchange, address: Ipv4Addr) -> Repr {
        Repr {
            requested_address: Some(address),
            ..self.question(MessageType::Request, exchange)
        }
    }

    /// To renew and to rebind: who has an address says so in `ciaddr`.
    pub(super) fn request_extension(&self, exchange: &Exchange, address: Ipv4Addr) -> Repr {
        Repr {
            client_address: address,
            is_broadcast: false,
            ..self.question(MessageType::Request, exchange)
        }
    }

    pub(super) fn inform(&self, exchange: &Exchange, address: Ipv4Addr) -> Repr {
        Repr {
            client_address: address,
            is_broadcast: false,
            ..self.question(MessageType::Inform, exchange)
        }
    }

    pub(super) fn decline(&self, transaction: u32, address: Ipv4Addr, server: Ipv4Addr) -> Repr {
        Repr {
            requested_address: Some(address),
            server: Some(server),
            message: Text::cut_from("another station uses this address"),
            ..self.notice(MessageType::Decline, transaction)
        }
    }

    pub(super) fn release(&self, transaction: u32, address: Ipv4Addr, server: Ipv4Addr) -> Repr {
        Repr {
            client_address: address,
            server: Some(server),
            ..self.notice(MessageType::Release, transaction)
        }
    }

    /// A message that is answered.
    fn question(&self, kind: MessageType, exchange: &Exchange) -> Repr {
        let mut repr = self.notice(kind, exchange.transaction);
        repr.seconds = exchange.seconds;
        // Answers come to the hardware address. Where something on the way cannot do that,
        // every second question asks for a broadcast.
        repr.is_broadcast = exchange.sent % 2 == 1;
        repr.message_bytes_max = Some(MESSAGE_BYTES_MAX);
        repr.vendor_class = Text::cut_from(VENDOR_CLASS);
        repr.parameters.host_name = self.host_name.clone();
        repr.parameter_list = Vec::new();
        let kept = repr.parameter_list.extend_from_slice(&PARAMETERS);
        crate::invariant!(
            kept.is_ok(),
            "more parameters are asked for than there is room"
        );
        repr
    }

    /// A message that is not.
    fn notice(&self, kind: MessageType, transaction: u32) -> Repr {
        Repr {
            client_id: self.client_id.clone(),
            ..Repr::new(kind, transaction, self.hardware_address)
        }
    }
}
