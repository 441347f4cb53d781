//! Slots that are plugged while the machine runs, and what that means for the devices.

use super::Devices;
use super::entry::State;
use super::platform::{Platform, Signal};
use crate::base::fixed;
use crate::base::log::Level;
use crate::base::time::Instant;
use crate::drivers::pci::bars;
use crate::drivers::pci::capabilities::Capabilities;
use crate::drivers::pci::config::ConfigSpace;
use crate::drivers::pci::enumerate::visit_bus;
use crate::drivers::pci::function::{COMMAND_MASTER, COMMAND_MEMORY, Function};
use crate::drivers::pci::hot_plug::{Slot, SlotEvent};
use crate::drivers::pci::messages::{Message, MessageTable, set_single};
use crate::limits::PCI_FUNCTIONS_MAX;

pub struct SlotEntry {
    pub slot: Slot,
    /// `None` when the port cannot say anything, and is looked at once a second.
    pub message: Option<Message>,
}

impl SlotEntry {
    /// `None` when there is no such slot behind the function.
    pub fn find(
        config: &dyn ConfigSpace,
        platform: &mut dyn Platform,
        function: &Function,
        number: usize,
    ) -> Option<Self> {
        let capabilities = Capabilities::read(config, function);
        let slot = Slot::find(config, function, &capabilities)?;
        let message = platform
            .allocate_message("pcie slot", Signal::Slot(number))
            .and_then(|message| {
                match connect(config, platform, (function, &capabilities), &message) {
                    true => Some(message),
                    false => {
                        platform.release_message(message);
                        None
                    }
                }
            });
        slot.enable_events(config);
        Some(Self { slot, message })
    }

    /// How the port says that something has happened.
    pub const fn interrupts(&self) -> &'static str {
        match self.message {
            Some(_) => "message",
            None => "polled",
        }
    }
}

/// Lets a port send its message, by a table or the simple way.
fn connect(
    config: &dyn ConfigSpace,
    platform: &dyn Platform,
    (function, capabilities): (&Function, &Capabilities),
    message: &Message,
) -> bool {
    let bars = bars::placed(config, function);
    let map = &mut |physical, bytes| platform.map(physical, bytes);
    function.command(config, COMMAND_MEMORY | COMMAND_MASTER, 0);
    if let Some(table) = MessageTable::find(function, capabilities, &bars, map) {
        table.set(0, message);
        table.switch(config, true);
        return true;
    }
    set_single(config, function, capabilities, message)
}

impl Devices {
    /// Looks at the slots that have said something, or at all of them.
    pub(super) fn poll_slots(&mut self, now: Instant, signalled: u64, is_look: bool) {
        for index in 0..self.slots.len() {
            let is_waking = self.slots[index].slot.next_deadline().is_some();
            if signalled & 1 << index == 0 && !is_look && !is_waking {
                continue;
            }
            let config = self.setup.config.as_ref();
            match self.slots[index].slot.look(config, now) {
                Some(SlotEvent::Plugged) => self.on_plugged(index, now),
                Some(SlotEvent::UnplugWanted) => {
                    self.lose_behind(index, "was unplugged", true, now);
                    let config = self.setup.config.as_ref();
                    self.slots[index].slot.release(config);
                }
                Some(SlotEvent::Gone) => self.lose_behind(index, "was torn out", false, now),
                Some(SlotEvent::Silent) => {
                    let port = self.slots[index].slot.bridge.address;
                    let text = format_args!("the card behind {port} does not answer; unplug it");
                    self.setup.platform.log(now, Level::Warn, text);
                }
                None => {}
            }
        }
    }

    fn on_plugged(&mut self, index: usize, now: Instant) {
        let bus = self.slots[index].slot.buses.first;
        let mut found: fixed::Vec<Function, PCI_FUNCTIONS_MAX> = fixed::Vec::new();
        let mut unlisted = 0;
        visit_bus(self.setup.config.as_ref(), bus, 1, &mut |function| {
            unlisted += u64::from(found.push(function).is_err());
        });
        self.unlisted += unlisted;
        for function in &found {
            let (address, what) = (function.address, super::what(function));
            let text = format_args!("{what} {address} was plugged in");
            self.setup.platform.log(now, Level::Info, text);
            self.add(*function, now);
        }
    }

    /// Ends every device behind a slot; `is_there` while it still answers.
    fn lose_behind(&mut self, index: usize, why: &str, is_there: bool, now: Instant) {
        let buses = self.slots[index].slot.buses;
        for entry in 0..self.entries.len() {
            let function = self.entries[entry].function;
            let is_behind = buses.contains(function.address.bus());
            if !is_behind || self.entries[entry].state == State::Gone {
                continue;
            }
            self.lose(entry, why, is_there, now);
        }
    }
}
