//! Finding every function, through every bridge, each bus once.

use super::address::Address;
use super::config::ConfigSpace;
use super::function::{Function, Header};
use super::hot_plug::has_one_device_behind;
use crate::base::fixed::Queue;

const BUSES: u8 = 0x18;
/// Bridges whose buses wait to be looked at.
const BRIDGES_MAX: usize = 64;

/// The buses behind a bridge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusRange {
    /// The one right behind it.
    pub first: u8,
    /// The last one that can be reached through it.
    pub last: u8,
}

impl BusRange {
    /// `None` when the firmware has given it none, or nonsense.
    pub fn read(config: &dyn ConfigSpace, bridge: &Function) -> Option<Self> {
        let buses = config.read_u32(bridge.address, BUSES);
        let (primary, first, last) = (buses as u8, (buses >> 8) as u8, (buses >> 16) as u8);
        let is_below = primary == bridge.address.bus() && first > primary;
        let is_reachable = first <= last && last <= config.last_bus();
        (is_below && is_reachable).then_some(Self { first, last })
    }

    pub const fn contains(&self, bus: u8) -> bool {
        self.first <= bus && bus <= self.last
    }
}

/// Calls `found` for every function from bus 0 on.
pub fn visit_all(config: &dyn ConfigSpace, found: &mut dyn FnMut(Function)) {
    visit_bus(config, 0, Address::DEVICES, found);
}

/// Calls `found` for every function of a bus and of the buses behind it.
pub fn visit_bus(config: &dyn ConfigSpace, bus: u8, devices: u8, found: &mut dyn FnMut(Function)) {
    let mut seen = [0u64; 4];
    let mut waiting: Queue<(u8, u8), BRIDGES_MAX> = Queue::new();
    // One fits an empty queue.
    let _ = waiting.push((bus, devices));
    while let Some((bus, devices)) = waiting.pop() {
        let (word, bit) = (usize::from(bus / 64), 1u64 << (bus % 64));
        if seen[word] & bit != 0 {
            continue;
        }
        seen[word] |= bit;
        for device in 0..devices {
            visit_device(config, bus, device, &mut |function| {
                found(function);
                if function.header == Header::Bridge
                    && let Some(buses) = BusRange::read(config, &function)
                {
                    let devices = match has_one_device_behind(config, &function) {
                        true => 1,
                        false => Address::DEVICES,
                    };
                    // More bridges than places: their devices stay unseen.
                    let _ = waiting.push((buses.first, devices));
                }
            });
        }
    }
}

fn visit_device(config: &dyn ConfigSpace, bus: u8, device: u8, found: &mut dyn FnMut(Function)) {
    for number in 0..Address::FUNCTIONS {
        let function =
            Address::new(bus, device, number).and_then(|address| Function::read(config, address));
        match function {
            Some(function) => {
                found(function);
                if number == 0 && !function.has_more_functions {
                    return;
                }
            }
            None if number == 0 => return,
            None => {}
        }
    }
}
