//! Base address registers: where a function's registers are, and how large.

use super::config::ConfigSpace;
use super::function::{COMMAND, COMMAND_MEMORY, Function, Header};
use crate::base::fixed::Vec;

pub const BARS: usize = 6;
const FIRST: u8 = 0x10;
const IS_PORT: u32 = 1;
const KIND: u32 = 6;
const KIND_64: u32 = 4;
const PREFETCHABLE: u32 = 8;

/// A range of memory that a function decodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bar {
    pub index: u8,
    /// 0 when nobody has given it one.
    pub start: u64,
    /// Where it was not sized, the most that its place allows.
    pub bytes: u64,
    pub is_64: bool,
    pub is_prefetchable: bool,
}

impl Bar {
    pub const fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes)
    }
}

pub type Bars = Vec<Bar, BARS>;

const fn offset(index: u8) -> u8 {
    FIRST + 4 * index
}

/// Reads the memory ranges that have a place, without disturbing the function: each is
/// taken to be as large as its start is aligned, up to the next one.
pub fn placed(config: &dyn ConfigSpace, function: &Function) -> Bars {
    let count = count_of(function);
    let mut bars = Bars::new();
    let mut index = 0;
    while index < count {
        let low = config.read_u32(function.address, offset(index));
        let is_64 = low & (IS_PORT | KIND) == KIND_64 && index + 1 < count;
        let high = match is_64 {
            true => config.read_u32(function.address, offset(index + 1)),
            false => 0,
        };
        let start = u64::from(high) << 32 | u64::from(low & !0xf);
        if low & IS_PORT == 0 && start != 0 {
            // There are as many places as indices.
            let _ = bars.push(Bar {
                index,
                start,
                bytes: 1 << start.trailing_zeros(),
                is_64,
                is_prefetchable: low & PREFETCHABLE != 0,
            });
        }
        index += 1 + u8::from(is_64);
    }
    let starts = bars.clone();
    for bar in bars.iter_mut() {
        let others = starts.iter().map(|other| other.start);
        let next = others.filter(|start| *start > bar.start).min();
        bar.bytes = next.map_or(bar.bytes, |next| bar.bytes.min(next - bar.start));
    }
    bars
}

const fn count_of(function: &Function) -> u8 {
    match function.header {
        Header::Device => BARS as u8,
        Header::Bridge => 2,
        Header::Other(_) => 0,
    }
}

/// Reads and sizes the memory ranges of a function (PCI 3.0, 6.2.5.1). It decodes
/// nothing meanwhile, so nobody may use it at the time.
pub fn size(config: &dyn ConfigSpace, function: &Function) -> Bars {
    let count = count_of(function);
    let command = config.read_u16(function.address, COMMAND);
    config.write_u16(function.address, COMMAND, command & !COMMAND_MEMORY);
    let mut bars = Bars::new();
    let mut index = 0;
    while index < count {
        let bar = read_one(config, function, index, count);
        index += 1 + u8::from(bar.is_some_and(|bar| bar.is_64));
        if let Some(bar) = bar.filter(|bar| bar.bytes > 0) {
            // There are as many places as indices.
            let _ = bars.push(bar);
        }
    }
    config.write_u16(function.address, COMMAND, command);
    bars
}

/// `None` for a range of ports.
fn read_one(config: &dyn ConfigSpace, function: &Function, index: u8, count: u8) -> Option<Bar> {
    let address = function.address;
    let low = config.read_u32(address, offset(index));
    if low & IS_PORT != 0 {
        return None;
    }
    let is_64 = low & KIND == KIND_64 && index + 1 < count;
    let low_mask = probe(config, function, index) & !0xf;
    let (high, high_mask) = match is_64 {
        true => {
            let high = config.read_u32(address, offset(index + 1));
            (high, probe(config, function, index + 1))
        }
        false => (0, u32::MAX),
    };
    let mask = u64::from(high_mask) << 32 | u64::from(low_mask);
    // Nothing but ones above a run of zeroes is a size.
    let size = mask.wrapping_neg();
    let is_there = low_mask != 0 || (is_64 && high_mask != 0);
    let bytes = if is_there && size.is_power_of_two() {
        size
    } else {
        0
    };
    Some(Bar {
        index,
        start: u64::from(high) << 32 | u64::from(low & !0xf),
        bytes,
        is_64,
        is_prefetchable: low & PREFETCHABLE != 0,
    })
}

/// Which bits can be set; leaves the register as it was.
fn probe(config: &dyn ConfigSpace, function: &Function, index: u8) -> u32 {
    let address = function.address;
    let before = config.read_u32(address, offset(index));
    config.write_u32(address, offset(index), u32::MAX);
    let mask = config.read_u32(address, offset(index));
    config.write_u32(address, offset(index), before);
    mask
}

/// Gives a range its place. The function must not decode at the time.
pub fn write(config: &dyn ConfigSpace, function: &Function, bar: &Bar) {
    config.write_u32(function.address, offset(bar.index), bar.start as u32);
    if bar.is_64 {
        let high = (bar.start >> 32) as u32;
        config.write_u32(function.address, offset(bar.index + 1), high);
    }
}
