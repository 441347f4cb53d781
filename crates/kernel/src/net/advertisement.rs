//! What a router advertisement says (RFC 4861 4.2, RFC 8106 5.1).

use crate::base::fixed::Vec;
use crate::limits::{IPV6_ADDRESSES_MAX, ROUTER_NAME_SERVERS_MAX};
use core::net::Ipv6Addr;
use smoltcp::wire::{
    EthernetAddress, Icmpv6Packet, NdiscOption, NdiscOptionType, NdiscPrefixInfoFlags,
};

/// The option with name servers, which smoltcp knows by its number only.
const NAME_SERVERS: u8 = 25;
/// Options of one message; each is 8 bytes at least, so a frame bounds them, too.
const OPTIONS_MAX: usize = 64;
/// Reserved bytes and lifetime in front of the servers, and each server.
const NAME_SERVERS_START: usize = 6;
const ADDRESS_BYTES: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnnouncedPrefix {
    pub address: Ipv6Addr,
    pub length: u8,
    pub is_on_link: bool,
    pub is_for_addresses: bool,
    pub preferred_seconds: u32,
    pub valid_seconds: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Advertisement {
    /// 0 is unspecified.
    pub hop_limit: u8,
    /// How long it is a default router; 0 when it is none.
    pub router_seconds: u16,
    pub mtu: Option<u32>,
    pub hardware: Option<EthernetAddress>,
    /// What is more than we could use is left out.
    pub prefixes: Vec<AnnouncedPrefix, IPV6_ADDRESSES_MAX>,
    pub name_servers: Vec<(Ipv6Addr, u32), ROUTER_NAME_SERVERS_MAX>,
}

impl Advertisement {
    /// `None` when an option has no length or is longer than the message.
    pub fn parse(packet: &Icmpv6Packet<&[u8]>) -> Option<Self> {
        let mut told = Self {
            hop_limit: packet.current_hop_limit(),
            router_seconds: packet.router_lifetime().secs() as u16,
            ..Self::default()
        };
        visit_options(packet.payload(), |option| told.on_option(option))?;
        Some(told)
    }

    fn on_option(&mut self, option: &NdiscOption<&[u8]>) {
        match option.option_type() {
            NdiscOptionType::SourceLinkLayerAddr => self.hardware = hardware(option),
            NdiscOptionType::Mtu if option.data_len() == 1 => self.mtu = Some(option.mtu()),
            NdiscOptionType::PrefixInformation if option.data_len() == 4 => {
                let flags = option.prefix_flags();
                // A list that is full has all that we could use.
                let _ = self.prefixes.push(AnnouncedPrefix {
                    address: option.prefix(),
                    length: option.prefix_len(),
                    is_on_link: flags.contains(NdiscPrefixInfoFlags::ON_LINK),
                    is_for_addresses: flags.contains(NdiscPrefixInfoFlags::ADDRCONF),
                    preferred_seconds: seconds(option.preferred_lifetime().secs()),
                    valid_seconds: seconds(option.valid_lifetime().secs()),
                });
            }
            NdiscOptionType::Unknown(NAME_SERVERS) => self.on_name_servers(option.data()),
            _ => {}
        }
    }

    /// `data` is the option behind its type and length.
    fn on_name_servers(&mut self, data: &[u8]) {
        let Some((head, servers)) = data.split_at_checked(NAME_SERVERS_START) else {
            return;
        };
        let [_, _, a, b, c, d] = *head else {
            return;
        };
        let seconds = u32::from_be_bytes([a, b, c, d]);
        let (servers, _) = servers.as_chunks::<ADDRESS_BYTES>();
        for server in servers {
            // As with prefixes.
            let _ = self.name_servers.push((Ipv6Addr::from(*server), seconds));
        }
    }
}

fn seconds(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// The hardware address of a link-layer option on Ethernet.
pub fn hardware(option: &NdiscOption<&[u8]>) -> Option<EthernetAddress> {
    if option.data_len() != 1 {
        return None;
    }
    let bytes = option.data().get(..6)?;
    Some(EthernetAddress::from_bytes(bytes))
}

/// Options one after the other; `None` when one is cut off.
pub fn visit_options(mut bytes: &[u8], mut visit: impl FnMut(&NdiscOption<&[u8]>)) -> Option<()> {
    for _ in 0..OPTIONS_MAX {
        if bytes.is_empty() {
            return Some(());
        }
        let option = NdiscOption::new_checked(bytes).ok()?;
        let length = usize::from(option.data_len()) * 8;
        if length == 0 {
            return None;
        }
        visit(&option);
        bytes = bytes.get(length..)?;
    }
    None
}
