//! A slot of a PCI Express port: cards that come and go while the machine runs.
//!
//! PCI Express 5.0, 6.7. A press of the attention button asks for a card to be let go;
//! a card that is simply torn out is seen by its absence.

use super::address::Address;
use super::capabilities::{Capabilities, EXPRESS};
use super::config::ConfigSpace;
use super::enumerate::BusRange;
use super::function::{Function, Header};
use crate::base::time::{Duration, Instant};

const SLOT_CAPABILITIES: u8 = 0x14;
const SLOT_CONTROL: u8 = 0x18;
const SLOT_STATUS: u8 = 0x1a;

const HAS_SLOT: u16 = 1 << 8;
const ROOT_PORT: u16 = 4;
const DOWNSTREAM_PORT: u16 = 6;

const HAS_POWER_CONTROLLER: u32 = 1 << 1;
const IS_HOT_PLUG: u32 = 1 << 6;

const TELL_BUTTON: u16 = 1 << 0;
const TELL_PRESENCE: u16 = 1 << 3;
const TELL: u16 = 1 << 5;
const INDICATOR: u16 = 3 << 8;
const INDICATOR_ON: u16 = 1 << 8;
const INDICATOR_OFF: u16 = 3 << 8;
const POWER_OFF: u16 = 1 << 10;

const BUTTON_PRESSED: u16 = 1 << 0;
const PRESENCE_CHANGED: u16 = 1 << 3;
const PRESENT: u16 = 1 << 6;
/// All that is cleared by writing ones.
const EVENTS: u16 = 0x11f;

/// How long a card may take from its power to its first answer (6.6.1).
const WAKE_UP: Duration = Duration::from_millis(1_100);

/// The kind of port, when the function is part of PCI Express.
fn port_kind(capabilities: &Capabilities) -> Option<(u8, u16)> {
    let express = capabilities.find(EXPRESS)?;
    (express.place <= 0xe0).then_some((express.place, express.head))
}

/// Is there one link behind the bridge, and so one device at most?
pub fn has_one_device_behind(config: &dyn ConfigSpace, bridge: &Function) -> bool {
    let capabilities = Capabilities::read(config, bridge);
    let kind = port_kind(&capabilities).map(|(_, flags)| flags >> 4 & 0xf);
    matches!(kind, Some(ROOT_PORT | DOWNSTREAM_PORT))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Empty,
    /// A card has power and does not answer yet.
    Waking {
        until: Instant,
    },
    Running,
    /// A card is there without power, for somebody wants to take it.
    Released,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotEvent {
    /// A card answers behind the port.
    Plugged,
    /// Somebody wants to take the card; `release` lets it go.
    UnplugWanted,
    /// The card is not there any more.
    Gone,
    /// A card was put in and never answered.
    Silent,
}

/// One slot that can be plugged while the machine runs.
pub struct Slot {
    pub bridge: Function,
    pub buses: BusRange,
    place: u8,
    has_power_controller: bool,
    state: State,
}

impl Slot {
    /// `None` when the function is no port with such a slot.
    pub fn find(
        config: &dyn ConfigSpace,
        bridge: &Function,
        capabilities: &Capabilities,
    ) -> Option<Self> {
        if bridge.header != Header::Bridge {
            return None;
        }
        let (place, flags) = port_kind(capabilities)?;
        if flags & HAS_SLOT == 0 {
            return None;
        }
        let capabilities = config.read_u32(bridge.address, place + SLOT_CAPABILITIES);
        if capabilities & IS_HOT_PLUG == 0 {
            return None;
        }
        let buses = BusRange::read(config, bridge)?;
        let mut slot = Self {
            bridge: *bridge,
            buses,
            place,
            has_power_controller: capabilities & HAS_POWER_CONTROLLER != 0,
            state: State::Empty,
        };
        let is_present = slot.status(config) & PRESENT != 0;
        if is_present && slot.does_answer(config) {
            slot.state = State::Running;
        }
        Some(slot)
    }

    /// Lets the port interrupt when something happens to the slot.
    pub fn enable_events(&self, config: &dyn ConfigSpace) {
        config.write_u16(self.bridge.address, self.place + SLOT_STATUS, EVENTS);
        self.control(config, TELL_BUTTON | TELL_PRESENCE | TELL, 0);
    }

    fn status(&self, config: &dyn ConfigSpace) -> u16 {
        config.read_u16(self.bridge.address, self.place + SLOT_STATUS)
    }

    fn control(&self, config: &dyn ConfigSpace, on: u16, off: u16) {
        let place = self.place + SLOT_CONTROL;
        let control = config.read_u16(self.bridge.address, place);
        config.write_u16(self.bridge.address, place, control & !off | on);
    }

    fn does_answer(&self, config: &dyn ConfigSpace) -> bool {
        let address = Address::new(self.buses.first, 0, 0);
        address.is_some_and(|address| Function::read(config, address).is_some())
    }

    /// What has happened since the last look.
    pub fn look(&mut self, config: &dyn ConfigSpace, now: Instant) -> Option<SlotEvent> {
        let status = self.status(config);
        if status == u16::MAX {
            // The port itself is gone, and with it what is behind it.
            return self.lose();
        }
        if status & EVENTS != 0 {
            let place = self.place + SLOT_STATUS;
            config.write_u16(self.bridge.address, place, status & EVENTS);
        }
        let is_present = status & PRESENT != 0;
        let is_pressed = status & BUTTON_PRESSED != 0;
        let is_changed = status & PRESENCE_CHANGED != 0;
        match self.state {
            State::Empty if is_present => self.wake(config, now),
            State::Released if !is_present => {
                self.state = State::Empty;
                None
            }
            State::Released if is_pressed || is_changed => self.wake(config, now),
            State::Running | State::Waking { .. } if !is_present => {
                self.switch_off(config);
                self.lose()
            }
            State::Running if is_changed && !self.does_answer(config) => {
                // Another card than before, without power yet: the old one first.
                self.switch_off(config);
                self.lose()
            }
            State::Running if is_pressed => Some(SlotEvent::UnplugWanted),
            State::Waking { until } => self.greet(config, now, until),
            _ => None,
        }
    }

    /// When it wants to be looked at though nothing happens.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waking { until } => Some(until),
            _ => None,
        }
    }

    fn lose(&mut self) -> Option<SlotEvent> {
        let was_running = self.state == State::Running;
        self.state = State::Empty;
        was_running.then_some(SlotEvent::Gone)
    }

    fn wake(&mut self, config: &dyn ConfigSpace, now: Instant) -> Option<SlotEvent> {
        self.control(config, INDICATOR_ON, INDICATOR | self.power_bit());
        let until = now + WAKE_UP;
        self.state = State::Waking { until };
        self.greet(config, now, until)
    }

    fn greet(
        &mut self,
        config: &dyn ConfigSpace,
        now: Instant,
        until: Instant,
    ) -> Option<SlotEvent> {
        if self.does_answer(config) {
            self.state = State::Running;
            return Some(SlotEvent::Plugged);
        }
        if now < until {
            return None;
        }
        self.release(config);
        Some(SlotEvent::Silent)
    }

    /// Takes the card's power, once nobody uses it any more; then it may be taken.
    pub fn release(&mut self, config: &dyn ConfigSpace) {
        self.state = State::Released;
        self.switch_off(config);
    }

    fn switch_off(&self, config: &dyn ConfigSpace) {
        self.control(config, INDICATOR_OFF | self.power_bit(), INDICATOR);
    }

    const fn power_bit(&self) -> u16 {
        if self.has_power_controller {
            POWER_OFF
        } else {
            0
        }
    }
}
