//! Virtio over PCI (virtio 1.2, 4.1): the device's registers, found by its capabilities.

use super::lie::DeviceLie;
use super::transport::{QueuePlaces, StartError, Transport};
use crate::base::fixed::Vec;
use crate::base::registers::Registers;
use crate::drivers::pci::bars::Bars;
use crate::drivers::pci::capabilities::{Capabilities, VENDOR};
use crate::drivers::pci::config::SharedRegisters;
use crate::drivers::pci::function::Function;
use crate::drivers::pci::messages::Map;

const COMMON: u8 = 1;
const NOTIFY: u8 = 2;
const INTERRUPT: u8 = 3;
const DEVICE: u8 = 4;

const COMMON_BYTES: u64 = 0x38;
/// Longer regions are shortened to this; no device has as much to say.
const REGION_BYTES_MAX: u64 = 1 << 20;

const FEATURES_SELECT: usize = 0x00;
const FEATURES: usize = 0x04;
const ACCEPTED_SELECT: usize = 0x08;
const ACCEPTED: usize = 0x0c;
const CONFIG_VECTOR: usize = 0x10;
const QUEUES: usize = 0x12;
const STATUS: usize = 0x14;
const GENERATION: usize = 0x15;
const QUEUE_SELECT: usize = 0x16;
const QUEUE_SIZE: usize = 0x18;
const QUEUE_VECTOR: usize = 0x1a;
const QUEUE_ENABLE: usize = 0x1c;
const QUEUE_NOTIFY: usize = 0x1e;
const QUEUE_DESCRIPTORS: usize = 0x20;
const QUEUE_AVAILABLE: usize = 0x28;
const QUEUE_USED: usize = 0x30;

/// Entries of the table of messages: one for the configuration, one for all queues.
pub const CONFIG_MESSAGE: u16 = 0;
pub const QUEUES_MESSAGE: u16 = 1;
const NO_MESSAGE: u16 = 0xffff;

/// The most queues that a driver here starts.
const QUEUES_MAX: usize = 16;

/// A part of a function's memory.
#[derive(Clone)]
struct Region {
    registers: SharedRegisters,
    bytes: usize,
}

/// One handle; the table of devices keeps another, to reset the device with.
#[derive(Clone)]
pub struct PciTransport {
    kind: u16,
    common: Region,
    notify: Region,
    notify_step: usize,
    interrupt: Region,
    device: Option<Region>,
    has_messages: bool,
    /// Where in `notify` each started queue is told of.
    places: Vec<usize, QUEUES_MAX>,
}

/// A capability as the device wrote it.
#[derive(Clone, Copy)]
struct Place {
    bar: u8,
    offset: u64,
    bytes: u64,
    step: u32,
}

impl PciTransport {
    /// Finds and maps the registers; says what is missing or cannot be.
    pub fn find(
        function: &Function,
        capabilities: &Capabilities,
        bars: &Bars,
        map: Map<'_>,
    ) -> Result<Self, StartError> {
        let kind = function
            .virtio_kind()
            .ok_or(StartError::Lacks("a virtio identity"))?;
        let places = read_places(capabilities);
        let mut region = |place: Place, least: u64| region(bars, place, least, map);
        let modern = "virtio 1; attach it with disable-legacy=on";
        let [common, notify, interrupt, device] = places;
        let common = region(common.ok_or(StartError::Lacks(modern))?, COMMON_BYTES)?;
        let notify_place = notify.ok_or(StartError::Lacks("its notification registers"))?;
        let interrupt = interrupt.ok_or(StartError::Lacks("its interrupt register"))?;
        Ok(Self {
            kind,
            common,
            notify: region(notify_place, 2)?,
            notify_step: notify_place.step as usize,
            interrupt: region(interrupt, 1)?,
            device: device.map(|place| region(place, 1)).transpose()?,
            has_messages: false,
            places: Vec::new(),
        })
    }

    /// Says whether interrupts come as messages, in the two entries above.
    pub const fn set_messages(&mut self, has_messages: bool) {
        self.has_messages = has_messages;
    }

    /// Why a device pulls its line: bit 0 for a queue, bit 1 for its configuration.
    /// Reading lets the line go.
    pub fn take_interrupt_cause(&self) -> u8 {
        self.interrupt.registers.read_u8(0)
    }

    fn common(&self) -> &dyn Registers {
        self.common.registers.as_ref()
    }
}

/// The four capabilities, the first of each kind.
fn read_places(capabilities: &Capabilities) -> [Option<Place>; 4] {
    let mut places = [None; 4];
    for capability in capabilities.iter().filter(|found| found.kind == VENDOR) {
        // Length and type; then range, offset, length, and the notify step.
        let (length, kind) = (capability.head as u8, (capability.head >> 8) as u8);
        let [bar, offset, bytes, step] = capability.words;
        let least = if kind == NOTIFY { 20 } else { 16 };
        let slot = match kind {
            COMMON => 0,
            NOTIFY => 1,
            INTERRUPT => 2,
            DEVICE => 3,
            _ => continue,
        };
        if length >= least && places[slot].is_none() {
            places[slot] = Some(Place {
                bar: bar as u8,
                offset: u64::from(offset),
                bytes: u64::from(bytes),
                step,
            });
        }
    }
    places
}

fn region(bars: &Bars, place: Place, least: u64, map: Map<'_>) -> Result<Region, StartError> {
    let lie = |name, value| Err(StartError::Lie(DeviceLie::Field { name, value }));
    let Some(bar) = bars.iter().find(|bar| bar.index == place.bar) else {
        return lie("capability's range", u64::from(place.bar));
    };
    if bar.start == 0 {
        return Err(StartError::Lacks("an address; the firmware gave it none"));
    }
    let bytes = place.bytes.min(REGION_BYTES_MAX);
    if bytes < least || place.offset % 4 != 0 {
        return lie("capability's length", place.bytes);
    }
    if place.offset.saturating_add(bytes) > bar.bytes {
        return lie("capability's offset", place.offset);
    }
    let bytes = bytes as usize;
    let registers = map(bar.start + place.offset, bytes)?;
    Ok(Region { registers, bytes })
}

impl Transport for PciTransport {
    fn kind(&self) -> u16 {
        self.kind
    }

    fn offered_features(&mut self) -> u64 {
        let half = |select: u32| {
            self.common().write_u32(FEATURES_SELECT, select);
            u64::from(self.common().read_u32(FEATURES))
        };
        half(0) | half(1) << 32
    }

    fn accept_features(&mut self, features: u64) {
        for select in [0, 1] {
            self.common().write_u32(ACCEPTED_SELECT, select);
            let half = (features >> (32 * select)) as u32;
            self.common().write_u32(ACCEPTED, half);
        }
    }

    fn status(&mut self) -> u8 {
        self.common().read_u8(STATUS)
    }

    fn set_status(&mut self, status: u8) {
        self.common().write_u8(STATUS, status);
        if status == 0 {
            self.places.clear();
        }
    }

    fn queues(&mut self) -> u16 {
        self.common().read_u16(QUEUES)
    }

    fn queue_size_max(&mut self, queue: u16) -> u16 {
        self.common().write_u16(QUEUE_SELECT, queue);
        self.common().read_u16(QUEUE_SIZE)
    }

    fn start_queue(&mut self, queue: u16, places: &QueuePlaces) -> Result<(), StartError> {
        let index = usize::from(queue);
        if index >= QUEUES_MAX {
            return Err(StartError::NoQueue(queue));
        }
        let (common, message) = (self.common.registers.clone(), self.message(QUEUES_MESSAGE));
        if self.places.is_empty() {
            common.write_u16(CONFIG_VECTOR, self.message(CONFIG_MESSAGE));
        }
        common.write_u16(QUEUE_SELECT, queue);
        common.write_u16(QUEUE_SIZE, places.size);
        common.write_u16(QUEUE_VECTOR, message);
        // A device without room for the message says so by giving it back as none.
        if self.has_messages && common.read_u16(QUEUE_VECTOR) != message {
            return Err(StartError::Lacks("room for its interrupt message"));
        }
        common.write_u64(QUEUE_DESCRIPTORS, places.descriptors);
        common.write_u64(QUEUE_AVAILABLE, places.available);
        common.write_u64(QUEUE_USED, places.used);
        let step = usize::from(common.read_u16(QUEUE_NOTIFY));
        let place = step.saturating_mul(self.notify_step);
        if place.saturating_add(2) > self.notify.bytes {
            return Err(StartError::Lie(DeviceLie::Field {
                name: "queue notify offset",
                value: step as u64,
            }));
        }
        while self.places.len() <= index && self.places.push(usize::MAX).is_ok() {}
        self.places[index] = place;
        common.write_u16(QUEUE_ENABLE, 1);
        Ok(())
    }

    fn notify(&mut self, queue: u16) {
        if let Some(place) = self.places.get(usize::from(queue)) {
            self.notify.registers.write_u16(*place, queue);
        }
    }

    fn config_bytes(&self) -> usize {
        self.device.as_ref().map_or(0, |region| region.bytes)
    }

    fn config_u8(&mut self, offset: usize) -> u8 {
        let device = self.device.as_ref();
        device.map_or(u8::MAX, |region| region.registers.read_u8(offset))
    }

    fn config_u16(&mut self, offset: usize) -> u16 {
        let device = self.device.as_ref();
        device.map_or(u16::MAX, |region| region.registers.read_u16(offset))
    }

    fn config_u32(&mut self, offset: usize) -> u32 {
        let device = self.device.as_ref();
        device.map_or(u32::MAX, |region| region.registers.read_u32(offset))
    }

    fn write_config_u8(&mut self, offset: usize, value: u8) {
        if let Some(device) = &self.device {
            device.registers.write_u8(offset, value);
        }
    }

    fn write_config_u32(&mut self, offset: usize, value: u32) {
        if let Some(device) = &self.device {
            device.registers.write_u32(offset, value);
        }
    }

    fn config_generation(&mut self) -> u8 {
        self.common().read_u8(GENERATION)
    }
}

impl PciTransport {
    const fn message(&self, entry: u16) -> u16 {
        if self.has_messages { entry } else { NO_MESSAGE }
    }
}
