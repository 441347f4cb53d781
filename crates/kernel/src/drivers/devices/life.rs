//! A device's life: found, started, caught at a lie, reset, lost.

use super::entry::{Entry, Interrupts, State};
use super::platform::Signals;
use super::slots::SlotEntry;
use super::{Devices, DriverSlot};
use crate::base::log::Level;
use crate::base::time::{Duration, Instant};
use crate::drivers::devices::driver::Event;
use crate::drivers::pci::assign::{Windows, assign, windows_of};
use crate::drivers::pci::bars;
use crate::drivers::pci::capabilities::Capabilities;
use crate::drivers::pci::class;
use crate::drivers::pci::enumerate::BusRange;
use crate::drivers::pci::function::{Function, Header};
use crate::drivers::virtio::features::{STATUS_GONE, STATUS_NEEDS_RESET};
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::transport::{StartError, Transport};
use crate::limits::{DEVICE_LIES_MAX, DRIVERS_MAX, PCI_FUNCTIONS_MAX};
use alloc::boxed::Box;
use core::fmt;

/// How long a device may take to reset; none that was seen takes a millisecond.
const RESET_PATIENCE: Duration = Duration::from_secs(1);

impl Devices {
    /// Takes a function that was found into the table and starts it, if it can be driven.
    pub(super) fn add(&mut self, function: Function, now: Instant) {
        let Some(index) = self.place_for(function, now) else {
            self.unlisted += 1;
            return;
        };
        if function.virtio_kind().is_some() {
            return self.start(index, now);
        }
        let config = self.setup.config.as_ref();
        let entry = &mut self.entries[index];
        if function.header == Header::Bridge {
            match BusRange::read(config, &function) {
                Some(_) => entry.become_state(State::Driven, now, format_args!("")),
                None => entry.become_state(
                    State::Refused,
                    now,
                    format_args!("the firmware gave no bus to what is behind it"),
                ),
            }
            return self.watch_slot(&function);
        }
        let reason = match class::needs_no_driver(function.class, function.subclass) {
            true => "it needs no driver",
            false => "there is no driver for it",
        };
        entry.become_state(State::Idle, now, format_args!("{reason}"));
    }

    /// The entry of a function: its former one, a new one, or that of one long gone.
    fn place_for(&mut self, function: Function, now: Instant) -> Option<usize> {
        let entry = Entry::new(function, now);
        if let Some(index) = self.find(function.address) {
            self.entries[index] = Entry {
                resets: self.entries[index].resets,
                ..entry
            };
            return Some(index);
        }
        if self.entries.len() < PCI_FUNCTIONS_MAX {
            self.entries.push(entry);
            return Some(self.entries.len() - 1);
        }
        let gone = self.entries.iter().enumerate();
        let gone = gone.filter(|(_, entry)| entry.state == State::Gone);
        let (oldest, _) = gone.min_by_key(|(_, entry)| entry.since)?;
        self.entries[oldest] = entry;
        Some(oldest)
    }

    /// Begins to drive a virtio device, if somebody can.
    pub(super) fn start(&mut self, index: usize, now: Instant) {
        let entry = &mut self.entries[index];
        let number = entry.function.virtio_kind().unwrap_or_default();
        let kind = self.setup.kinds.iter().find(|kind| kind.number == number);
        let Some(kind) = kind else {
            let reason = format_args!("there is no driver for this kind of virtio device");
            return entry.become_state(State::Idle, now, reason);
        };
        let made = self.driver_for(kind.number, kind.make);
        let Some(driver) = made else {
            let error = StartError::TooMany(kind.limit);
            return self.refuse(index, &error, now);
        };
        let name = self.drivers[driver].driver.name();
        self.drivers[driver].entry = Some(index);
        self.entries[index].driver = Some(driver);
        let function = self.entries[index].function;
        let capabilities = Capabilities::read(self.setup.config.as_ref(), &function);
        let linked = self.give_addresses(index, &capabilities).and_then(|()| {
            let config = self.setup.config.as_ref();
            let platform = self.setup.platform.as_mut();
            self.entries[index].link(config, platform, &capabilities, (index, name))
        });
        match linked {
            Ok(()) => self.tell_to_reset(index, now),
            Err(error) => self.refuse(index, &error, now),
        }
    }

    /// A driver without a device, of those that are there or a new one.
    fn driver_for(
        &mut self,
        kind: u16,
        make: fn(usize) -> Option<Box<dyn super::Driver>>,
    ) -> Option<usize> {
        let of_kind = |slot: &&DriverSlot| slot.kind == kind;
        let mut drivers = self.drivers.iter();
        let idle = drivers.position(|slot| slot.kind == kind && slot.entry.is_none());
        if idle.is_some() || self.drivers.len() == DRIVERS_MAX {
            return idle;
        }
        let driver = make(self.drivers.iter().filter(of_kind).count())?;
        self.drivers.push(DriverSlot {
            kind,
            driver,
            entry: None,
        });
        Some(self.drivers.len() - 1)
    }

    /// Reads where the function's ranges are, and places them where the firmware has not.
    fn give_addresses(
        &mut self,
        index: usize,
        capabilities: &Capabilities,
    ) -> Result<(), StartError> {
        let config = self.setup.config.as_ref();
        let function = self.entries[index].function;
        self.entries[index].bars = bars::placed(config, &function);
        if self.entries[index].is_placed(capabilities) {
            return Ok(());
        }
        self.entries[index].size(config);
        let bus = self.entries[index].function.address.bus();
        let windows = self.windows_of_bus(bus);
        let mut bars = self.entries[index].bars.clone();
        // The others of the bus are asked where they are, those that nobody drives too.
        for other in 0..self.entries.len() {
            let entry = &mut self.entries[other];
            let is_neighbour = other != index && entry.function.address.bus() == bus;
            let is_known = !entry.bars.is_empty() || entry.link.is_some();
            if is_neighbour && !is_known && entry.state != State::Gone {
                entry.size(config);
            }
        }
        let is_taken = |start: u64, end: u64| {
            let others = self.entries.iter().enumerate();
            let others = others.filter(|(other, entry)| {
                let is_neighbour = entry.function.address.bus() == bus;
                *other != index && is_neighbour && entry.state != State::Gone
            });
            let mut bars = others.flat_map(|(_, entry)| &entry.bars);
            let other = bars.find(|bar| bar.start != 0 && bar.start < end && start < bar.end());
            other.map(|bar| bar.end())
        };
        if !assign(config, &function, &mut bars, &windows, &is_taken) {
            return Err(StartError::Lacks("registers that fit the bridge's windows"));
        }
        self.entries[index].bars = bars;
        Ok(())
    }

    fn windows_of_bus(&self, bus: u8) -> Windows {
        let config = self.setup.config.as_ref();
        let bridge = self.entries.iter().find(|entry| {
            let is_bridge = entry.function.header == Header::Bridge;
            let buses = BusRange::read(config, &entry.function).filter(|_| is_bridge);
            buses.is_some_and(|buses| buses.first == bus)
        });
        match bridge {
            Some(entry) => windows_of(config, &entry.function),
            None => self.setup.windows.clone(),
        }
    }

    fn tell_to_reset(&mut self, index: usize, now: Instant) {
        let until = now + RESET_PATIENCE;
        let entry = &mut self.entries[index];
        entry.state = State::Resetting { until };
        if let Some(link) = &mut entry.link {
            link.transport.set_status(0);
        }
        self.continue_reset(index, now);
    }

    /// Goes on once the device says that it is reset.
    pub(super) fn continue_reset(&mut self, index: usize, now: Instant) {
        let entry = &mut self.entries[index];
        let (State::Resetting { until }, Some(link)) = (entry.state, &mut entry.link) else {
            return;
        };
        match link.transport.status() {
            STATUS_GONE => self.lose(index, "does not answer any more", false, now),
            0 => self.attach(index, now),
            _ if now >= until => self.refuse(index, &StartError::ResetHangs, now),
            _ => {}
        }
    }

    fn attach(&mut self, index: usize, now: Instant) {
        let entry = &mut self.entries[index];
        let (Some(driver), Some(link)) = (entry.driver, &entry.link) else {
            return;
        };
        let transport = Box::new(link.transport.clone());
        let driver = &mut self.drivers[driver].driver;
        // What it had before the reset comes back first.
        driver.reclaim();
        match driver.attach(transport, now) {
            Ok(()) => {
                entry.state = State::Driven;
                entry.since = now;
            }
            Err(error) => self.refuse(index, &error, now),
        }
    }

    /// Ends what could not be started.
    fn refuse(&mut self, index: usize, error: &StartError, now: Instant) {
        if let StartError::Lie(lie) = error {
            self.entries[index].last_lie = Some(*lie);
            self.entries[index].lies += 1;
        }
        self.end(index, true);
        self.entries[index].become_state(State::Refused, now, format_args!("{error}"));
        self.say(index, Level::Warn, now, format_args!("is refused: {error}"));
    }

    /// The device goes; `is_there` while it still answers.
    pub(super) fn lose(&mut self, index: usize, why: &str, is_there: bool, now: Instant) {
        self.say(index, Level::Warn, now, format_args!("is gone: it {why}"));
        let driver = self.entries[index].driver;
        let label = driver.map_or("", |driver| self.drivers[driver].driver.label());
        self.end(index, is_there);
        let name = if label.is_empty() { "it" } else { label };
        self.entries[index].become_state(State::Gone, now, format_args!("{name} {why}"));
    }

    /// Takes the device from its driver and everything back from the device.
    pub(super) fn end(&mut self, index: usize, is_there: bool) {
        let driver = self.entries[index].driver;
        if let Some(driver) = driver {
            self.drivers[driver].driver.stop();
        }
        let (config, platform) = (&self.setup.config, &mut self.setup.platform);
        let entry = &mut self.entries[index];
        if let Some(link) = entry.link.as_mut().filter(|_| is_there) {
            link.transport.set_status(0);
        }
        // Behind this the device reaches no memory, whether it has reset itself or not.
        entry.unlink(config.as_ref(), platform.as_mut(), is_there);
        entry.driver = None;
        if let Some(driver) = driver {
            self.drivers[driver].driver.reclaim();
            self.drivers[driver].entry = None;
        }
    }

    /// Brings a driven device down and up again.
    pub(super) fn begin_reset(&mut self, index: usize, now: Instant, why: fmt::Arguments<'_>) {
        self.say(index, Level::Warn, now, why);
        let entry = &mut self.entries[index];
        entry.resets += 1;
        entry.become_state(State::Driven, now, why);
        if let Some(driver) = entry.driver {
            self.drivers[driver].driver.stop();
        }
        self.tell_to_reset(index, now);
    }

    /// Names the lie and resets the device; a notorious liar is left alone.
    pub(super) fn on_lie(&mut self, index: usize, lie: DeviceLie, now: Instant) {
        let entry = &mut self.entries[index];
        entry.lies += 1;
        entry.last_lie = Some(lie);
        if entry.lies <= DEVICE_LIES_MAX as u64 {
            return self.begin_reset(index, now, format_args!("was reset, for it lied: {lie}"));
        }
        self.say(
            index,
            Level::Error,
            now,
            format_args!("lies too often: {lie}"),
        );
        self.end(index, true);
        let reason = format_args!("it lies too often: {lie}; device reset tries it again");
        self.entries[index].become_state(State::Refused, now, reason);
    }

    pub(super) fn poll_driven(
        &mut self,
        index: usize,
        now: Instant,
        signals: &Signals,
        is_look: bool,
    ) {
        let entry = &mut self.entries[index];
        let (Some(driver), Some(link)) = (entry.driver, &mut entry.link) else {
            return;
        };
        let is_in = |bits: u64| bits & 1 << index != 0;
        let cause = match &link.interrupts {
            Interrupts::Messages { .. } => {
                u8::from(is_in(signals.queues)) | u8::from(is_in(signals.configs)) << 1
            }
            Interrupts::Line(line) if signals.lines & 1 << line == 0 => 0,
            Interrupts::Line(_) | Interrupts::Polled => link.transport.take_interrupt_cause(),
        };
        let event = Event {
            has_used: cause & 1 != 0,
            has_config_changed: cause & 2 != 0,
        };
        if is_look || event.has_config_changed {
            match link.transport.status() {
                STATUS_GONE => return self.lose(index, "was torn out", false, now),
                status if status & STATUS_NEEDS_RESET != 0 => {
                    let why = format_args!("was reset, for it asked for it");
                    return self.begin_reset(index, now, why);
                }
                _ => {}
            }
        }
        if let Err(lie) = self.drivers[driver].driver.poll(now, event) {
            self.on_lie(index, lie, now);
        }
    }

    fn say(&self, index: usize, level: Level, now: Instant, what: fmt::Arguments<'_>) {
        let entry = &self.entries[index];
        let slot = entry.driver.and_then(|driver| self.drivers.get(driver));
        let label = slot.map_or("", |slot| slot.driver.label());
        let (address, name) = (entry.function.address, super::what(&entry.function));
        let gap = if label.is_empty() { "" } else { " " };
        let text = format_args!("{name} {address}{gap}{label} {what}");
        self.setup.platform.log(now, level, text);
    }

    fn watch_slot(&mut self, function: &Function) {
        let number = self.slots.len();
        if number < crate::limits::HOT_PLUG_SLOTS_MAX {
            let (config, platform) = (&self.setup.config, &mut self.setup.platform);
            let found = SlotEntry::find(config.as_ref(), platform.as_mut(), function, number);
            self.slots.extend(found);
        }
    }
}
