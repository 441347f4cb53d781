//! All devices that were found: who drives which, and what became of the others.
//!
//! Every function of every bus has an entry and is driven, idle, refused or gone, with a
//! reason. Drivers outlive their devices: what is unplugged and plugged in again finds
//! the driver, the name and the memory that it had.

pub mod driver;
mod entry;
pub mod kinds;
mod life;
mod offers;
pub mod platform;
mod slots;
pub mod view;

use crate::base::fixed;
use crate::base::log::Level;
use crate::base::metric::Usage;
use crate::base::network_port::NetworkPort;
use crate::base::time::{Duration, Instant};
use crate::drivers::pci::address::Address;
use crate::drivers::pci::assign::Windows;
use crate::drivers::pci::class;
use crate::drivers::pci::config::ConfigSpace;
use crate::drivers::pci::enumerate::visit_all;
use crate::drivers::pci::function::{Function, Header};
use crate::drivers::virtio::network;
use crate::limits::{DRIVERS_MAX, HOT_PLUG_SLOTS_MAX, PCI_FUNCTIONS_MAX};
use alloc::boxed::Box;
use alloc::vec::Vec;
use driver::{Driver, VirtioKind};
use entry::{Entry, Interrupts, State};
use platform::Platform;
use slots::SlotEntry;
use view::{DeviceView, DevicesView};

/// How often devices are looked at that do not interrupt.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How often it is asked whether devices are still there and well.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A driver, and the entry whose device it drives.
struct DriverSlot {
    kind: u16,
    driver: Box<dyn Driver>,
    entry: Option<usize>,
}

/// What the machine hands over: its buses, and what can be driven on them.
pub struct Setup {
    pub config: Box<dyn ConfigSpace>,
    /// How configuration space is reached, in words.
    pub access: &'static str,
    pub platform: Box<dyn Platform>,
    /// Addresses for functions of the first bus that the firmware gave none.
    pub windows: Windows,
    pub kinds: &'static [VirtioKind],
}

pub struct Devices {
    setup: Setup,
    entries: Vec<Entry>,
    drivers: Vec<DriverSlot>,
    slots: Vec<SlotEntry>,
    start: Start,
    unlisted: u64,
    next_look: Instant,
}

/// How far the first start of everything is.
enum Start {
    Waiting,
    Searching,
    /// These are still to be taken into the table.
    Adding(Vec<Function>),
    Done,
}

/// Why a device is not reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResetError {
    NoSuchDevice,
    Gone,
    NoDriver,
}

impl ResetError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoSuchDevice => "there is no device at that address; see device list",
            Self::Gone => "the device at that address was unplugged; plug it in again",
            Self::NoDriver => "nobody drives the device at that address, so nobody can reset it",
        }
    }
}

impl Devices {
    /// Nothing is touched yet; `poll` finds and starts the devices, one at a time.
    pub fn new(setup: Setup, now: Instant) -> Self {
        Self {
            setup,
            entries: Vec::with_capacity(PCI_FUNCTIONS_MAX),
            drivers: Vec::with_capacity(DRIVERS_MAX),
            slots: Vec::with_capacity(HOT_PLUG_SLOTS_MAX),
            start: Start::Waiting,
            unlisted: 0,
            next_look: now + LOOK_INTERVAL,
        }
    }

    /// Was every function that the machine came with found and tried?
    pub const fn are_started(&self) -> bool {
        matches!(self.start, Start::Done)
    }

    /// Goes one step on with the first start. The first call does nothing: the shell is
    /// to greet before buses are searched.
    fn go_on_starting(&mut self, now: Instant) {
        match &mut self.start {
            Start::Waiting => self.start = Start::Searching,
            Start::Searching => {
                let mut found = Vec::with_capacity(PCI_FUNCTIONS_MAX);
                visit_all(
                    self.setup.config.as_ref(),
                    &mut |function| match found.len() < PCI_FUNCTIONS_MAX {
                        true => found.push(function),
                        false => self.unlisted += 1,
                    },
                );
                // The last one is the next to be started.
                found.reverse();
                self.start = Start::Adding(found);
            }
            Start::Adding(found) => match found.pop() {
                Some(function) => self.add(function, now),
                None => {
                    self.start = Start::Done;
                    let (all, driven) = (self.entries.len(), self.drivers.len());
                    let text = format_args!("{all} functions found, {driven} virtio devices");
                    self.setup.platform.log(now, Level::Debug, text);
                }
            },
            Start::Done => {}
        }
    }

    /// Looks after every device: what has interrupted, what is due, what has changed.
    pub fn poll(&mut self, now: Instant) {
        self.go_on_starting(now);
        let signals = self.setup.platform.take_signals();
        let is_look = now >= self.next_look;
        for index in 0..self.entries.len() {
            match self.entries[index].state {
                State::Driven => self.poll_driven(index, now, &signals, is_look),
                State::Resetting { .. } => self.continue_reset(index, now),
                _ => {}
            }
        }
        for line in 0..u8::BITS as u8 * 8 {
            if signals.lines & 1 << line != 0 {
                self.setup.platform.open_line(line);
            }
        }
        self.poll_slots(now, signals.slots, is_look);
        if is_look {
            self.next_look = now + LOOK_INTERVAL;
        }
    }

    /// The loop is about to sleep; true when a device has something already.
    pub fn rest(&mut self, now: Instant) -> bool {
        let mut has_more = !self.are_started();
        for index in 0..self.drivers.len() {
            match self.drivers[index].driver.rest() {
                Ok(more) => has_more |= more,
                Err(lie) => {
                    if let Some(entry) = self.drivers[index].entry {
                        self.on_lie(entry, lie, now);
                    }
                }
            }
        }
        has_more
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let mut next = (!self.entries.is_empty()).then_some(self.next_look);
        let mut earliest = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        for entry in &self.entries {
            let polled =
                matches!(&entry.link, Some(link) if matches!(link.interrupts, Interrupts::Polled));
            if polled || matches!(entry.state, State::Resetting { .. }) {
                earliest(now + POLL_INTERVAL);
            }
        }
        for slot in &self.drivers {
            if let Some(at) = slot.driver.next_deadline() {
                earliest(at);
            }
        }
        for slot in &self.slots {
            if slot.slot.next_deadline().is_some() {
                earliest(now + POLL_INTERVAL);
            }
        }
        next
    }

    /// The driver of a kind that was made as the `place`th, whether it has a device or not.
    pub fn of_kind(&mut self, kind: u16, place: usize) -> Option<&mut (dyn Driver + 'static)> {
        let mut of_kind = self.drivers.iter_mut().filter(|slot| slot.kind == kind);
        of_kind.nth(place).map(|slot| slot.driver.as_mut())
    }

    /// Network port `index`; it stays when its card is unplugged.
    pub fn port(&mut self, index: usize) -> Option<&mut dyn NetworkPort> {
        self.of_kind(network::KIND, index)?.network_port()
    }

    /// Brings a device up anew.
    pub fn reset(&mut self, address: Address, now: Instant) -> Result<(), ResetError> {
        let index = self.find(address).ok_or(ResetError::NoSuchDevice)?;
        match self.entries[index].state {
            State::Gone => Err(ResetError::Gone),
            State::Idle => Err(ResetError::NoDriver),
            State::Resetting { .. } => Ok(()),
            State::Driven => {
                self.begin_reset(index, now, format_args!("was reset as asked"));
                Ok(())
            }
            State::Refused => {
                self.entries[index].lies = 0;
                self.start(index, now);
                Ok(())
            }
        }
    }

    pub fn view(&self, view: &mut DevicesView) {
        view.devices.clear();
        view.unlisted = self.unlisted;
        view.access = self.setup.access;
        for entry in &self.entries {
            // Both tables have the same capacity.
            let _ = view.devices.push(self.view_of(entry));
        }
        view.devices.sort_unstable_by_key(|device| device.address);
    }

    fn view_of(&self, entry: &Entry) -> DeviceView {
        let slot = entry.driver.and_then(|index| self.drivers.get(index));
        let function = &entry.function;
        let interrupts = entry.link.as_ref().map(|link| &link.interrupts);
        let counts = |message| self.setup.platform.count(message);
        let port = self.slot_of(entry);
        let mut view = DeviceView {
            address: function.address,
            vendor: function.vendor,
            device: function.device,
            what: what(function),
            driver: slot.map_or(self.bridge_driver(entry), |slot| slot.driver.name()),
            label: slot.map_or("", |slot| slot.driver.label()),
            state: entry.state.name(),
            reason: entry.reason.clone(),
            since: entry.since,
            interrupts: match (interrupts, port) {
                (Some(interrupts), _) => interrupts.name(),
                (None, Some(port)) => port.interrupts(),
                (None, None) => "",
            },
            interrupts_count: match (interrupts, port) {
                (Some(Interrupts::Messages { config, queues, .. }), _) => {
                    Some(counts(config) + counts(queues))
                }
                (_, Some(port)) => port.message.as_ref().map(counts),
                _ => None,
            },
            resets: entry.resets,
            lies: entry.lies,
            last_lie: entry.last_lie.map_or("", |lie| lie.field()),
            queues: fixed::Vec::new(),
        };
        if let Some(slot) = slot {
            slot.driver.visit_queues(&mut |queue| {
                // What does not fit is left out of the table.
                let _ = view.queues.push(*queue);
            });
        }
        view
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("PCI_FUNCTIONS_MAX", PCI_FUNCTIONS_MAX)
                .used(self.entries.len() as u64)
                .refused(self.unlisted),
        );
        visit(&Usage::of("DRIVERS_MAX", DRIVERS_MAX).used(self.drivers.len() as u64));
        visit(&Usage::of("HOT_PLUG_SLOTS_MAX", HOT_PLUG_SLOTS_MAX).used(self.slots.len() as u64));
        let ports = self
            .drivers
            .iter()
            .filter(|slot| slot.kind == network::KIND);
        let limit = crate::limits::NETWORK_PORTS_MAX;
        visit(&Usage::of("NETWORK_PORTS_MAX", limit).used(ports.count() as u64));
    }

    fn find(&self, address: Address) -> Option<usize> {
        let mut entries = self.entries.iter();
        entries.position(|entry| entry.function.address == address)
    }

    fn slot_of(&self, entry: &Entry) -> Option<&SlotEntry> {
        let address = entry.function.address;
        let mut slots = self.slots.iter();
        slots.find(|slot| slot.slot.bridge.address == address)
    }

    fn bridge_driver(&self, entry: &Entry) -> &'static str {
        match entry.function.header {
            Header::Bridge if self.slot_of(entry).is_some() => "pcie-hot-plug",
            Header::Bridge => "pci-bridge",
            _ => "",
        }
    }
}

/// What a function is, in words.
fn what(function: &Function) -> &'static str {
    match function.virtio_kind() {
        Some(kind) => class::virtio_name(kind),
        None => class::name(function.class, function.subclass),
    }
}
