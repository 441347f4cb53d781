//! Giving functions addresses where the firmware gave none.

use super::bars::{Bar, Bars, write};
use super::config::ConfigSpace;
use super::function::{COMMAND_MEMORY, Function};
use crate::base::fixed::Vec;

const MEMORY: u8 = 0x20;
const PREFETCHABLE: u8 = 0x24;
const PREFETCHABLE_HIGH: u8 = 0x28;
const PREFETCHABLE_LIMIT_HIGH: u8 = 0x2c;
const UNIT: u64 = 1 << 20;

/// Addresses that a bridge passes on, `start` included, `end` not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    pub start: u64,
    pub end: u64,
    pub is_prefetchable: bool,
}

pub type Windows = Vec<Window, 8>;

/// The windows of a bridge as the firmware has set them (PCI-to-PCI bridge 1.2, 3.2.5).
pub fn windows_of(config: &dyn ConfigSpace, bridge: &Function) -> Windows {
    let read = |offset| config.read_u32(bridge.address, offset);
    let window = |low: u32, base_high: u32, limit_high: u32, is_prefetchable| {
        let base = u64::from(low & 0xfff0) << 16 | u64::from(base_high) << 32;
        let limit = u64::from(low & 0xfff0_0000) | u64::from(limit_high) << 32;
        // A closed window has its limit below its base.
        (base != 0 && limit >= base).then_some(Window {
            start: base,
            end: limit.saturating_add(UNIT),
            is_prefetchable,
        })
    };
    let prefetchable = read(PREFETCHABLE);
    let is_64 = prefetchable & 0xf == 1;
    let high = |offset| if is_64 { read(offset) } else { 0 };
    let found = [
        window(read(MEMORY), 0, 0, false),
        window(
            prefetchable,
            high(PREFETCHABLE_HIGH),
            high(PREFETCHABLE_LIMIT_HIGH),
            true,
        ),
    ];
    let mut windows = Windows::new();
    for window in found.into_iter().flatten() {
        // Two fit.
        let _ = windows.push(window);
    }
    windows
}

/// Places every range of `bars` that has no place in a window; largest first.
///
/// `is_taken` says whether a range overlaps one that another function has, and where
/// that one ends. False when something does not fit; then nothing was changed.
pub fn assign(
    config: &dyn ConfigSpace,
    function: &Function,
    bars: &mut Bars,
    windows: &Windows,
    is_taken: &dyn Fn(u64, u64) -> Option<u64>,
) -> bool {
    let mut placed = bars.clone();
    for bar in placed.iter_mut() {
        if !windows.iter().any(|window| is_within(bar, window)) {
            bar.start = 0;
        }
    }
    let mut order: Vec<usize, 6> = Vec::new();
    for index in 0..placed.len() {
        let bytes = placed[index].bytes;
        let place = order
            .iter()
            .take_while(|other| placed[**other].bytes >= bytes);
        let place = place.count();
        // As many as there are ranges.
        let _ = order.insert(place, index);
    }
    for &index in &order {
        if placed[index].start != 0 {
            continue;
        }
        let bar = placed[index];
        let own = |start: u64, end: u64| {
            let other = placed
                .iter()
                .find(|other| other.start != 0 && other.start < end && start < other.end());
            other.map(Bar::end).or_else(|| is_taken(start, end))
        };
        match find_place(&bar, windows, &own) {
            Some(start) => placed[index].start = start,
            None => return false,
        }
    }
    function.command(config, 0, COMMAND_MEMORY);
    placed.iter().for_each(|bar| write(config, function, bar));
    *bars = placed;
    true
}

const fn is_within(bar: &Bar, window: &Window) -> bool {
    bar.start >= window.start && bar.end() <= window.end && bar.start != 0
}

/// The lowest free place; in a window of its own kind, else in one that is not
/// prefetchable, which suits every range.
fn find_place(
    bar: &Bar,
    windows: &Windows,
    is_taken: &dyn Fn(u64, u64) -> Option<u64>,
) -> Option<u64> {
    const TRIES_MAX: usize = 256;
    for is_prefetchable in [bar.is_prefetchable, false] {
        let fitting = windows
            .iter()
            .filter(|window| window.is_prefetchable == is_prefetchable);
        for window in fitting {
            let end = if bar.is_64 {
                window.end
            } else {
                window.end.min(1 << 32)
            };
            let mut start = window.start.checked_next_multiple_of(bar.bytes)?;
            for _ in 0..TRIES_MAX {
                match start.checked_add(bar.bytes) {
                    Some(last) if last <= end => match is_taken(start, last) {
                        None => return Some(start),
                        Some(next) => {
                            start = next.max(start + 1).checked_next_multiple_of(bar.bytes)?
                        }
                    },
                    _ => break,
                }
            }
        }
    }
    None
}
