//! The chain of capabilities of a function: followed once, as far as it is believable.

use super::config::ConfigSpace;
use super::function::{Function, Header, STATUS};
use crate::base::fixed::Vec;

pub const MESSAGE: u8 = 0x05;
pub const VENDOR: u8 = 0x09;
pub const EXPRESS: u8 = 0x10;
pub const MESSAGE_TABLE: u8 = 0x11;

const HAS_LIST: u16 = 1 << 4;
const POINTER: u8 = 0x34;
/// Behind the header; what points in front of it is no capability.
const FIRST: u8 = 0x40;
/// As many as fit between the header and the end.
const CHAIN_MAX: usize = 48;

/// A capability as the chain names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capability {
    pub kind: u8,
    pub place: u8,
    /// The half of its first word behind kind and next.
    pub head: u16,
    /// What stands behind the first word, of the kinds that are looked into.
    pub words: [u32; 4],
}

/// All capabilities of a function that fit between its header and its end.
#[derive(Clone, Debug, Default)]
pub struct Capabilities(Vec<Capability, CHAIN_MAX>);

impl Capabilities {
    /// Follows the chain; one that runs in a circle ends.
    pub fn read(config: &dyn ConfigSpace, function: &Function) -> Self {
        let address = function.address;
        let mut found = Self::default();
        let has_list = config.read_u16(address, STATUS) & HAS_LIST != 0;
        if !has_list || matches!(function.header, Header::Other(_)) {
            return found;
        }
        let mut place = config.read_u8(address, POINTER) & !3;
        while place >= FIRST && !found.0.is_full() {
            let head = config.read_u32(address, place);
            if head == u32::MAX {
                break;
            }
            let count = match head as u8 {
                VENDOR => 4,
                MESSAGE_TABLE => 1,
                _ => 0,
            };
            let mut words = [0; 4];
            for (index, word) in words.iter_mut().enumerate().take(count) {
                let offset = usize::from(place) + 4 + 4 * index;
                *word = u8::try_from(offset).map_or(0, |offset| config.read_u32(address, offset));
            }
            // There is room: the loop asks.
            let _ = found.0.push(Capability {
                kind: head as u8,
                place,
                head: (head >> 16) as u16,
                words,
            });
            place = (head >> 8) as u8 & !3;
        }
        found
    }

    pub fn iter(&self) -> impl Iterator<Item = &Capability> {
        self.0.iter()
    }

    /// The first one of a kind.
    pub fn find(&self, kind: u8) -> Option<&Capability> {
        self.iter().find(|capability| capability.kind == kind)
    }

    /// The ranges that virtio's registers and the table of messages lie in.
    pub fn needed_bars(&self) -> impl Iterator<Item = u8> {
        const REGISTERS: core::ops::RangeInclusive<u16> = 1..=4;
        self.iter().filter_map(|capability| match capability.kind {
            VENDOR if REGISTERS.contains(&(capability.head >> 8)) => {
                Some(capability.words[0] as u8)
            }
            MESSAGE_TABLE => Some((capability.words[0] & 7) as u8),
            _ => None,
        })
    }
}
