//! A DHCP message and what it means (RFC 2131 2, RFC 2132); `emit` writes it.

use super::counters::{Flaw, Flaws};
use super::options::{Options, code};
use super::parameters::{self, Parameters, array};
use crate::base::fixed::{Text, Vec};
use crate::limits::LEASE_NAME_MAX;
use core::net::Ipv4Addr;

pub const SERVER_PORT: u16 = 67;
pub const CLIENT_PORT: u16 = 68;

/// The fixed part with the magic cookie; options follow.
pub const HEADER_BYTES: usize = 240;
/// What older relays want a message to have at least (RFC 951).
pub const MESSAGE_BYTES_LEAST: usize = 300;
/// Every client message fits: the least that a server must take (RFC 2131 2) without its headers.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 548;
/// Says that it is DHCP and not BOOTP.
pub const COOKIE: [u8; 4] = [99, 130, 83, 99];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageType {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
}

impl MessageType {
    pub const ALL: [Self; 8] = [
        Self::Discover,
        Self::Offer,
        Self::Request,
        Self::Decline,
        Self::Ack,
        Self::Nak,
        Self::Release,
        Self::Inform,
    ];

    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Offer => "offer",
            Self::Request => "request",
            Self::Decline => "decline",
            Self::Ack => "ack",
            Self::Nak => "nak",
            Self::Release => "release",
            Self::Inform => "inform",
        }
    }

    pub const fn is_of_server(self) -> bool {
        matches!(self, Self::Offer | Self::Ack | Self::Nak)
    }
}

/// What the names of its fields say; `None` and empty where the option is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repr {
    pub kind: MessageType,
    pub transaction: u32,
    /// Since the client began.
    pub seconds: u16,
    /// The client cannot be reached by its hardware address before it has an IP address.
    pub is_broadcast: bool,
    pub client_address: Ipv4Addr,
    pub your_address: Ipv4Addr,
    pub next_server: Ipv4Addr,
    pub relay: Ipv4Addr,
    pub hardware_address: [u8; 6],
    pub requested_address: Option<Ipv4Addr>,
    pub lease_seconds: Option<u32>,
    pub renew_seconds: Option<u32>,
    pub rebind_seconds: Option<u32>,
    pub server: Option<Ipv4Addr>,
    pub parameter_list: Vec<u8, 16>,
    pub message: Text<LEASE_NAME_MAX>,
    pub message_bytes_max: Option<u16>,
    pub vendor_class: Text<16>,
    pub client_id: Vec<u8, 32>,
    pub is_rapid_commit: bool,
    pub parameters: Parameters,
}

impl Repr {
    /// A message of that kind with nothing in it.
    pub fn new(kind: MessageType, transaction: u32, hardware_address: [u8; 6]) -> Self {
        Self {
            kind,
            transaction,
            seconds: 0,
            is_broadcast: false,
            client_address: Ipv4Addr::UNSPECIFIED,
            your_address: Ipv4Addr::UNSPECIFIED,
            next_server: Ipv4Addr::UNSPECIFIED,
            relay: Ipv4Addr::UNSPECIFIED,
            hardware_address,
            requested_address: None,
            lease_seconds: None,
            renew_seconds: None,
            rebind_seconds: None,
            server: None,
            parameter_list: Vec::new(),
            message: Text::new(),
            message_bytes_max: None,
            vendor_class: Text::new(),
            client_id: Vec::new(),
            is_rapid_commit: false,
            parameters: Parameters::default(),
        }
    }

    /// Reads a message; options that mean nothing are counted and left out.
    pub fn parse(bytes: &[u8], flaws: &mut Flaws) -> Result<Self, Flaw> {
        let (header, options) = bytes.split_at_checked(HEADER_BYTES).ok_or(Flaw::TooShort)?;
        let fixed = Fixed::parse(header)?;
        let options = Options::new_checked(options, &header[108..236], &header[44..108], flaws)?;
        let kind = options.array::<1>(code::MESSAGE_TYPE, flaws);
        let kind = kind.and_then(|[number]| MessageType::from_number(number));
        let kind = kind.filter(|kind| kind.is_of_server() == fixed.is_reply);
        let kind = kind.ok_or(Flaw::MessageType)?;
        let mut repr = Self::new(kind, fixed.transaction, fixed.hardware_address);
        repr.seconds = fixed.seconds;
        repr.is_broadcast = fixed.is_broadcast;
        [
            repr.client_address,
            repr.your_address,
            repr.next_server,
            repr.relay,
        ] = fixed.addresses;
        repr.read_options(&options, flaws);
        Ok(repr)
    }

    fn read_options(&mut self, options: &Options<'_>, flaws: &mut Flaws) {
        let mut address = |code| options.array::<4>(code, flaws).map(Ipv4Addr::from);
        self.requested_address = address(code::REQUESTED_ADDRESS);
        self.server = address(code::SERVER);
        let mut seconds = |code| options.array(code, flaws).map(u32::from_be_bytes);
        self.lease_seconds = seconds(code::LEASE_TIME);
        self.renew_seconds = seconds(code::RENEW_TIME);
        self.rebind_seconds = seconds(code::REBIND_TIME);
        let bytes_max = options.array(code::MESSAGE_BYTES_MAX, flaws);
        self.message_bytes_max = bytes_max.map(u16::from_be_bytes);
        self.is_rapid_commit = options.array::<0>(code::RAPID_COMMIT, flaws).is_some();
        if let Some(message) = options.value(code::MESSAGE, flaws) {
            self.message = parameters::shown(&message);
        }
        if let Some(class) = options.value(code::VENDOR_CLASS, flaws) {
            self.vendor_class = parameters::shown(&class);
        }
        self.parameter_list = bounded(options, code::PARAMETER_LIST, flaws);
        self.client_id = bounded(options, code::CLIENT_ID, flaws);
        self.parameters = Parameters::parse(options, flaws);
    }
}

/// The bytes of an option that has room for `N`; longer ones are counted and left out.
fn bounded<const N: usize>(options: &Options<'_>, code: u8, flaws: &mut Flaws) -> Vec<u8, N> {
    let mut bytes = Vec::new();
    if let Some(value) = options.value(code, flaws)
        && bytes.extend_from_slice(&value).is_err()
    {
        flaws.count(Flaw::OptionLength);
    }
    bytes
}

/// The part of a message that BOOTP has, too.
struct Fixed {
    is_reply: bool,
    transaction: u32,
    seconds: u16,
    is_broadcast: bool,
    addresses: [Ipv4Addr; 4],
    hardware_address: [u8; 6],
}

impl Fixed {
    /// `header` has `HEADER_BYTES`.
    fn parse(header: &[u8]) -> Result<Self, Flaw> {
        let [operation, hardware_type, hardware_length] = array(header, 0);
        let is_ethernet = (hardware_type, hardware_length) == (1, 6);
        let is_message = matches!(operation, 1 | 2) && array(header, 236) == COOKIE;
        if !is_ethernet || !is_message {
            return Err(Flaw::NotDhcp);
        }
        let flags = u16::from_be_bytes(array(header, 10));
        Ok(Self {
            is_reply: operation == 2,
            transaction: u32::from_be_bytes(array(header, 4)),
            seconds: u16::from_be_bytes(array(header, 8)),
            is_broadcast: flags & 0x8000 != 0,
            addresses: [12, 16, 20, 24].map(|at| Ipv4Addr::from(array::<4>(header, at))),
            hardware_address: array(header, 28),
        })
    }
}
