//! The devices of this machine: its buses, its interrupts, and the table of all of them.

use super::control;
use super::notes::{LOG, Missing, note};
use crate::arch::{apic, clock, interrupts, io_apic};
use crate::base::fixed::Vec;
use crate::base::log::Level;
use crate::base::time::Instant;
use crate::drivers::acpi::{Acpi, Override};
use crate::drivers::devices::kinds::KINDS;
use crate::drivers::devices::platform::{Platform, Signal, Signals};
use crate::drivers::devices::{Devices, Setup};
use crate::drivers::pci::assign::Windows;
use crate::drivers::pci::config::{BUS_BYTES, ConfigSpace, Ecam, SharedRegisters};
use crate::drivers::pci::legacy::LegacyPorts;
use crate::drivers::pci::messages::Message;
use crate::limits::DEVICE_LINES_MAX;
use crate::memory::{DeviceRegisters, MemoryError};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::*};

/// What interrupts have said since somebody looked.
static CONFIGS: AtomicU64 = AtomicU64::new(0);
static QUEUES: AtomicU64 = AtomicU64::new(0);
static SLOTS: AtomicU64 = AtomicU64::new(0);
static LINES: AtomicU64 = AtomicU64::new(0);

/// Prepares to find all devices, which the control loop does once the shell has greeted.
pub fn start(acpi: &Acpi, missing: &mut Missing) -> Option<Devices> {
    let Some((config, access)) = find_config(acpi) else {
        note(missing, "pci", "the machine has no such bus, or hides it");
        return None;
    };
    let setup = Setup {
        config,
        access,
        platform: Box::new(Metal {
            overrides: acpi.overrides.clone(),
            lines: Vec::new(),
        }),
        windows: Windows::new(),
        kinds: KINDS,
    };
    Some(Devices::new(setup, clock::now()))
}

fn find_config(acpi: &Acpi) -> Option<(Box<dyn ConfigSpace>, &'static str)> {
    let memory = acpi.pci.and_then(|memory| {
        let buses = usize::from(memory.last_bus - memory.first_bus) + 1;
        let bytes = buses * BUS_BYTES;
        let registers = DeviceRegisters::map(memory.address, bytes, "pci configuration").ok()?;
        let ecam = Ecam::new(Arc::new(registers), memory.first_bus, memory.last_bus);
        Some(Box::new(ecam) as Box<dyn ConfigSpace>)
    });
    match memory {
        Some(config) => Some((config, "memory")),
        None => Some((Box::new(LegacyPorts::find()?), "ports")),
    }
}

/// A legacy interrupt that devices share.
#[derive(Clone, Copy)]
struct Line {
    irq: u8,
    /// The I/O APIC's input.
    input: u32,
}

struct Metal {
    overrides: Vec<Override, 16>,
    lines: Vec<Line, DEVICE_LINES_MAX>,
}

/// The inputs of the lines, for the handler.
static INPUTS: [AtomicU64; DEVICE_LINES_MAX] = [const { AtomicU64::new(0) }; DEVICE_LINES_MAX];

fn on_config(function: usize) {
    CONFIGS.fetch_or(1 << function, Release);
    control::wake();
}

fn on_queues(function: usize) {
    QUEUES.fetch_or(1 << function, Release);
    control::wake();
}

fn on_slot(slot: usize) {
    SLOTS.fetch_or(1 << slot, Release);
    control::wake();
}

/// The line stays pulled until its devices were asked, which the loop does.
fn on_line(line: usize) {
    if let Some(input) = INPUTS.get(line) {
        io_apic::set_masked(input.load(Relaxed) as u32, true);
    }
    LINES.fetch_or(1 << line, Release);
    control::wake();
}

/// A write here interrupts the core whose number stands in bits 12 to 19.
const MESSAGE_ADDRESS: u64 = 0xfee0_0000;

impl Platform for Metal {
    fn map(&self, physical: u64, bytes: usize) -> Result<SharedRegisters, MemoryError> {
        let registers = DeviceRegisters::map(physical, bytes, "pci device")?;
        Ok(Arc::new(registers))
    }

    fn allocate_message(&mut self, source: &'static str, signal: Signal) -> Option<Message> {
        let (run, argument): (fn(usize), usize) = match signal {
            Signal::Config(function) => (on_config, function),
            Signal::Queues(function) => (on_queues, function),
            Signal::Slot(slot) => (on_slot, slot),
        };
        // Eight bits: a core with a larger number cannot be named this way.
        let core = u8::try_from(apic::id()).ok()?;
        let vector = interrupts::allocate(source, None, 0, run, argument)?;
        Some(Message {
            address: MESSAGE_ADDRESS | u64::from(core) << 12,
            data: u32::from(vector),
            vector,
        })
    }

    fn release_message(&mut self, message: Message) {
        interrupts::release(message.vector);
    }

    fn count(&self, message: &Message) -> u64 {
        interrupts::count_of(message.vector)
    }

    fn connect_line(&mut self, irq: u8) -> Option<u8> {
        let known = self.lines.iter().position(|line| line.irq == irq);
        if let Some(index) = known {
            return Some(index as u8);
        }
        let index = self.lines.len();
        let own = self.overrides.iter().find(|entry| entry.legacy == irq);
        let input = own.map_or(u32::from(irq), |entry| entry.line);
        let line = Line { irq, input };
        if index == DEVICE_LINES_MAX {
            return None;
        }
        let vector = interrupts::allocate("pci line", Some(input), 0, on_line, index)?;
        INPUTS[index].store(u64::from(input), Relaxed);
        let signal = io_apic::Signal {
            is_active_low: own.is_some_and(|entry| entry.is_active_low),
            is_level: true,
        };
        if !io_apic::route(input, vector, apic::id(), signal) {
            interrupts::release(vector);
            return None;
        }
        // There is room: the length was looked at above.
        let _ = self.lines.push(line);
        Some(index as u8)
    }

    fn open_line(&mut self, line: u8) {
        if let Some(line) = self.lines.get(usize::from(line)) {
            io_apic::set_masked(line.input, false);
        }
    }

    fn take_signals(&mut self) -> Signals {
        let take = |bits: &AtomicU64| match bits.load(Relaxed) {
            0 => 0,
            _ => bits.swap(0, AcqRel),
        };
        Signals {
            configs: take(&CONFIGS),
            queues: take(&QUEUES),
            slots: take(&SLOTS),
            lines: take(&LINES),
        }
    }

    fn log(&self, now: Instant, level: Level, text: fmt::Arguments<'_>) {
        LOG.write(now, level, "devices", text);
    }
}
