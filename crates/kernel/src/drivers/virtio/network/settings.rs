//! What a network card and its driver have agreed on.

use crate::drivers::virtio::features::EVENT_INDEX;
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::negotiation::negotiate;
use crate::drivers::virtio::transport::{StartError, Transport, read_config};

const CHECKSUM: u64 = 1 << 0;
const GUEST_CHECKSUM: u64 = 1 << 1;
const MTU: u64 = 1 << 3;
const MAC: u64 = 1 << 5;
const GUEST_TSO4: u64 = 1 << 7;
const GUEST_TSO6: u64 = 1 << 8;
const HOST_TSO4: u64 = 1 << 11;
const HOST_TSO6: u64 = 1 << 12;
const STATUS: u64 = 1 << 16;

const MAC_AT: usize = 0;
const STATUS_AT: usize = 6;
const MTU_AT: usize = 10;
const LINK_UP: u16 = 1;

pub const USUAL_MTU: usize = 1500;
/// Below this no IPv4 host may be (RFC 791); what says so has no idea of a network.
const LEAST_MTU: usize = 68;
/// Above this no frame fits what a segment's length can say.
const LARGEST_MTU: usize = 65_535;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    features: u64,
    pub hardware_address: [u8; 6],
    pub mtu: usize,
    pub is_link_up: bool,
}

impl Settings {
    /// Settles the features and reads the card's configuration.
    pub fn agree(
        transport: &mut dyn Transport,
        offered: u64,
        has_large_buffers: bool,
    ) -> Result<Self, StartError> {
        let mut wanted = EVENT_INDEX | CHECKSUM | GUEST_CHECKSUM | MTU | STATUS;
        // Each needs the other (virtio 1.2, 5.1.3.1).
        if offered & CHECKSUM != 0 {
            wanted |= HOST_TSO4 | HOST_TSO6;
        }
        if offered & GUEST_CHECKSUM != 0 && has_large_buffers {
            wanted |= GUEST_TSO4 | GUEST_TSO6;
        }
        let required = [(MAC, "a hardware address; attach it with mac=")];
        let features = negotiate(transport, wanted, &required)?;
        let fields = read_config(transport, |transport| {
            let address: [u8; 6] =
                core::array::from_fn(|index| transport.config_u8(MAC_AT + index));
            let mtu = transport.config_u16(MTU_AT);
            (address, mtu, transport.config_u16(STATUS_AT))
        });
        let (hardware_address, mtu, status) = fields?;
        let is_group = hardware_address[0] & 1 != 0;
        if is_group || hardware_address == [0; 6] {
            return Err(StartError::Lie(DeviceLie::Field {
                name: "hardware address",
                value: u64::from(hardware_address[0]),
            }));
        }
        let mtu = match features & MTU {
            0 => USUAL_MTU,
            _ => usize::from(mtu),
        };
        if !(LEAST_MTU..=LARGEST_MTU).contains(&mtu) {
            return Err(StartError::Lie(DeviceLie::Field {
                name: "mtu",
                value: mtu as u64,
            }));
        }
        Ok(Self {
            features,
            hardware_address,
            mtu,
            is_link_up: features & STATUS == 0 || status & LINK_UP != 0,
        })
    }

    const fn has(&self, features: u64) -> bool {
        self.features & features == features
    }

    pub const fn has_event_index(&self) -> bool {
        self.has(EVENT_INDEX)
    }

    pub const fn completes_checksums(&self) -> bool {
        self.has(CHECKSUM)
    }

    /// Does the card cut segments of both IP versions?
    pub const fn cuts_segments(&self) -> bool {
        self.has(CHECKSUM | HOST_TSO4 | HOST_TSO6)
    }

    /// May what it receives be several segments joined to one?
    pub const fn joins_segments(&self) -> bool {
        self.features & (GUEST_TSO4 | GUEST_TSO6) != 0
    }

    /// Does it say what it knows of checksums?
    pub const fn tells_checksums(&self) -> bool {
        self.has(GUEST_CHECKSUM)
    }

    /// Is the link up now?
    pub fn read_link(&self, transport: &mut dyn Transport) -> bool {
        !self.has(STATUS) || transport.config_u16(STATUS_AT) & LINK_UP != 0
    }

    /// Would the card join segments, if there were large buffers for them?
    pub const fn offers_joined_segments(offered: u64) -> bool {
        offered & GUEST_CHECKSUM != 0 && offered & (GUEST_TSO4 | GUEST_TSO6) != 0
    }

    pub const fn offers_to_cut_segments(offered: u64) -> bool {
        let both = CHECKSUM | HOST_TSO4 | HOST_TSO6;
        offered & both == both
    }
}
