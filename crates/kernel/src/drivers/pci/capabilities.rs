//! The chain of capabilities of a function: followed as far as it is believable.

use super::config::ConfigSpace;
use super::function::{Function, Header, STATUS};

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

/// Calls `visit` with kind and place of each; a chain that runs in a circle ends.
pub fn visit(config: &dyn ConfigSpace, function: &Function, mut visit: impl FnMut(u8, u8)) {
    let address = function.address;
    let has_list = config.read_u16(address, STATUS) & HAS_LIST != 0;
    if !has_list || matches!(function.header, Header::Other(_)) {
        return;
    }
    let mut place = config.read_u8(address, POINTER) & !3;
    for _ in 0..CHAIN_MAX {
        if place < FIRST {
            return;
        }
        let head = config.read_u32(address, place);
        if head == u32::MAX {
            return;
        }
        visit(head as u8, place);
        place = (head >> 8) as u8 & !3;
    }
}

/// The place of the first one of a kind.
pub fn find(config: &dyn ConfigSpace, function: &Function, kind: u8) -> Option<u8> {
    let mut found = None;
    visit(config, function, |other, place| {
        if other == kind && found.is_none() {
            found = Some(place);
        }
    });
    found
}
