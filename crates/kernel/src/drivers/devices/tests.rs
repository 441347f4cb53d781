//! What becomes of devices: found, started, caught, reset, unplugged, back.

use super::kinds::KINDS;
use super::platform::{Platform, Signal, Signals};
use super::view::{DeviceView, DevicesView};
use super::{Devices, ResetError, Setup};
use crate::base::log::Level;
use crate::base::network_port::Offload;
use crate::base::registers::Registers;
use crate::base::time::{Duration, Instant};
use crate::drivers::pci::address::Address;
use crate::drivers::pci::assign::Windows;
use crate::drivers::pci::config::SharedRegisters;
use crate::drivers::pci::fake::{FakeConfig, FakeFunction};
use crate::drivers::pci::messages::Message;
use crate::drivers::virtio::fake::FakeDevice;
use crate::drivers::virtio::features::EVENT_INDEX;
use crate::drivers::virtio::transport::QueuePlaces;
use crate::memory::MemoryError;
use std::boxed::Box;
use std::collections::BTreeSet;
use std::string::String;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::vec::Vec;

/// The address of a function that is named here.
fn at(bus: u8, device: u8, function: u8) -> Address {
    Address::new(bus, device, function).unwrap()
}

const BAR: u64 = 0xfe00_0000;
const NOW: Instant = Instant::ZERO;

/// A card's registers, 16 KiB of them, as QEMU lays them out.
struct FakeBar {
    device: FakeDevice,
    words: Mutex<[u32; 16]>,
    offset: usize,
    bytes: usize,
}

impl FakeBar {
    fn read(&self, offset: usize, size: usize) -> u32 {
        let mut transport = self.device.transport();
        let place = self.offset + offset;
        if self.device.state().is_gone || offset + size > self.bytes {
            return u32::MAX;
        }
        let words = self.words.lock().unwrap();
        let queue = words[5] as u16;
        match place {
            0x04 => (transport.offered_features() >> (32 * words[0])) as u32,
            0x12 => u32::from(transport.queues()),
            0x14 => u32::from(transport.status()),
            0x15 => u32::from(transport.config_generation()),
            0x18 => u32::from(transport.queue_size_max(queue)),
            0x1a => words[6],
            0x1e => u32::from(queue),
            0x2000.. if size == 1 => u32::from(transport.config_u8(place - 0x2000)),
            0x2000.. => u32::from(transport.config_u16(place - 0x2000)),
            _ => 0,
        }
    }

    fn write(&self, offset: usize, value: u32) {
        let mut transport = self.device.transport();
        let mut words = self.words.lock().unwrap();
        match self.offset + offset {
            0x00 => words[0] = value,
            0x08 => words[1] = value,
            0x0c if words[1] == 0 => words[2] = value,
            0x0c => {
                let low = u64::from(words[2]);
                transport.accept_features(low | u64::from(value) << 32);
            }
            0x14 => transport.set_status(value as u8),
            0x16 => words[5] = value,
            0x18 => words[4] = value,
            0x1a => words[6] = value,
            place @ 0x20..0x38 => words[8 + (place - 0x20) / 4] = value,
            0x1c => {
                let wide =
                    |index: usize| u64::from(words[index]) | u64::from(words[index + 1]) << 32;
                let places = QueuePlaces {
                    size: words[4] as u16,
                    descriptors: wide(8),
                    available: wide(10),
                    used: wide(12),
                };
                transport.start_queue(words[5] as u16, &places).unwrap();
            }
            0x3000.. => transport.notify(value as u16),
            _ => {}
        }
    }
}

impl Registers for FakeBar {
    fn bytes(&self) -> usize {
        self.bytes
    }
    fn read_u8(&self, offset: usize) -> u8 {
        self.read(offset, 1) as u8
    }
    fn read_u16(&self, offset: usize) -> u16 {
        self.read(offset, 2) as u16
    }
    fn read_u32(&self, offset: usize) -> u32 {
        self.read(offset, 4)
    }
    fn write_u8(&self, offset: usize, value: u8) {
        self.write(offset, u32::from(value));
    }
    fn write_u16(&self, offset: usize, value: u16) {
        self.write(offset, u32::from(value));
    }
    fn write_u32(&self, offset: usize, value: u32) {
        self.write(offset, value);
    }
}

/// What the platform has given out, and what a test lets happen.
#[derive(Default)]
struct Given {
    vectors: Mutex<BTreeSet<u8>>,
    queues: AtomicU64,
    slots: AtomicU64,
    log: Mutex<Vec<String>>,
}

struct FakePlatform {
    card: FakeDevice,
    given: Arc<Given>,
}

impl Platform for FakePlatform {
    fn map(&self, physical: u64, bytes: usize) -> Result<SharedRegisters, MemoryError> {
        let offset = physical
            .checked_sub(BAR)
            .ok_or(MemoryError::NoRegisters(physical))?;
        Ok(Arc::new(FakeBar {
            device: self.card.clone(),
            words: Mutex::default(),
            offset: offset as usize,
            bytes,
        }))
    }

    fn allocate_message(&mut self, _: &'static str, _: Signal) -> Option<Message> {
        let mut vectors = self.given.vectors.lock().unwrap();
        let vector = (48..60).find(|vector| !vectors.contains(vector))?;
        vectors.insert(vector);
        Some(Message {
            address: 0xfee0_0000,
            data: u32::from(vector),
            vector,
        })
    }

    fn release_message(&mut self, message: Message) {
        assert!(self.given.vectors.lock().unwrap().remove(&message.vector));
    }

    fn count(&self, _: &Message) -> u64 {
        0
    }

    fn connect_line(&mut self, _: u8) -> Option<u8> {
        None
    }

    fn open_line(&mut self, _: u8) {}

    fn take_signals(&mut self) -> Signals {
        Signals {
            queues: self.given.queues.swap(0, Relaxed),
            slots: self.given.slots.swap(0, Relaxed),
            ..Signals::default()
        }
    }

    fn log(&self, _: Instant, _: Level, text: core::fmt::Arguments<'_>) {
        self.given.log.lock().unwrap().push(std::format!("{text}"));
    }
}

fn card() -> FakeFunction {
    let vendor = |kind: u32, length: u32| 0x09 | length << 16 | kind << 24;
    FakeFunction::new(0x1af4, 0x1041, 0x0200)
        .range(4, 0, 0x4000, true)
        .capability(0x40, &[vendor(1, 16), 4, 0, 0x38])
        .capability(0x54, &[vendor(3, 16), 4, 0x1000, 1])
        .capability(0x64, &[vendor(4, 16), 4, 0x2000, 0x1000])
        .capability(0x74, &[vendor(2, 20), 4, 0x3000, 0x1000, 4])
        .capability(0x90, &[0x11 | 2 << 16, 4, 0x1800])
}

/// A port at 00:02.0 with a slot, and bus 1 behind it.
fn port() -> FakeFunction {
    let mut port = FakeFunction::new(0x1b36, 12, 0x0604).bridge(0, 1, 1);
    port = port.capability(0x40, &[0x10 | 0x0142 << 16]);
    port.set(0x20, 0xfe00_fe00);
    port.set(0x54, 1 << 6 | 1 << 1);
    port.cleared_by_ones.push((0x5a, 0x11f));
    port
}

struct Rig {
    config: FakeConfig,
    card: FakeDevice,
    given: Arc<Given>,
    devices: Devices,
}

/// A machine whose slot holds the card, with everything started.
fn rig() -> Rig {
    let config = FakeConfig::with([
        (at(0, 0, 0), FakeFunction::new(0x8086, 1, 0x0600)),
        (at(0, 2, 0), port()),
        (at(0, 31, 0), FakeFunction::new(0x8086, 2, 0x0106)),
    ]);
    config.space().slot = Some((at(0, 2, 0), 0x40, 1));
    config.space().plug(card());
    let address = [0x52, 0x54, 0, 0, 0, 1, 1, 0, 1, 0, 0xdc, 5];
    let device = FakeDevice::new(1, EVENT_INDEX | 1 << 5 | 1 << 16, &address, &[64, 64]);
    let given = Arc::new(Given::default());
    let platform = FakePlatform {
        card: device.clone(),
        given: given.clone(),
    };
    let setup = Setup {
        config: Box::new(config.clone()),
        access: "test",
        platform: Box::new(platform),
        windows: Windows::new(),
        kinds: KINDS,
    };
    let mut devices = Devices::new(setup, NOW);
    let steps = (0..20).take_while(|_| {
        devices.poll(NOW);
        !devices.are_started()
    });
    assert!(steps.count() < 19);
    Rig {
        config,
        card: device,
        given,
        devices,
    }
}

impl Rig {
    fn row(&self, bus: u8, device: u8, function: u8) -> DeviceView {
        let mut view = Box::new(DevicesView::default());
        self.devices.view(&mut view);
        let address = at(bus, device, function);
        let row = view.devices.iter().find(|row| row.address == address);
        row.unwrap().clone()
    }

    fn is_up(&mut self) -> bool {
        self.devices.port(0).unwrap().facts().is_link_up
    }

    fn slot_speaks(&mut self) {
        self.given.slots.store(1, Relaxed);
        self.devices.poll(NOW);
    }

    fn vectors(&self) -> usize {
        self.given.vectors.lock().unwrap().len()
    }
}

#[test]
fn every_function_ends_driven_or_idle_with_a_reason() {
    let mut rig = rig();
    let states = [(0, 0, 0), (0, 31, 0)].map(|(bus, device, function)| {
        let row = rig.row(bus, device, function);
        (row.state, String::from(row.reason.as_str()))
    });
    assert_eq!(states[0], ("idle", "it needs no driver".into()));
    assert_eq!(states[1], ("idle", "there is no driver for it".into()));
    let card = rig.row(1, 0, 0);
    assert_eq!(
        (card.state, card.label, card.interrupts),
        ("driven", "eth0", "msi-x")
    );
    assert_eq!((card.driver, card.reason.as_str()), ("virtio-net", ""));
    assert!(rig.is_up());
    assert_eq!(rig.card.state().queues[0].notifications, 1);
    // Driven, it is not asked for its configuration again.
    let reads = rig.config.space().reads;
    for _ in 0..100 {
        rig.devices.poll(NOW);
        rig.devices.rest(NOW);
    }
    assert_eq!(rig.config.space().reads, reads);
}

#[test]
fn a_card_that_lies_is_reset_and_named_until_it_lies_too_often() {
    let mut rig = rig();
    for lie in 1..=5 {
        rig.card.push_used(0, 9_999, 60);
        assert!(rig.devices.port(0).unwrap().receive().is_none());
        rig.devices.poll(NOW);
        let row = rig.row(1, 0, 0);
        assert_eq!((row.state, row.lies, row.resets), ("driven", lie, lie));
        assert_eq!(row.last_lie, "used id");
        assert!(row.reason.as_str().contains("used id 9999 is in no table"));
        assert!(rig.is_up());
    }
    rig.card.push_used(0, 9_999, 60);
    assert!(rig.devices.port(0).unwrap().receive().is_none());
    rig.devices.poll(NOW);
    assert_eq!(rig.row(1, 0, 0).state, "refused");
    assert!(!rig.is_up());
    assert_eq!(rig.devices.reset(at(1, 0, 0), NOW), Ok(()));
    assert_eq!(rig.row(1, 0, 0).state, "driven");
    assert!(rig.is_up());
}

#[test]
fn a_card_is_unplugged_and_plugged_again_for_ever_without_a_leak() {
    let mut rig = rig();
    let vectors = rig.vectors();
    for round in 0..20 {
        let frame = rig.devices.port(0).unwrap().take_frame(60).unwrap();
        rig.devices
            .port(0)
            .unwrap()
            .transmit(frame, Offload::Nothing);
        match round % 2 {
            0 => rig.config.space().press(),
            _ => {
                rig.card.state().is_gone = true;
                rig.config.space().tear();
            }
        }
        rig.slot_speaks();
        let row = rig.row(1, 0, 0);
        let expected = ["eth0 was unplugged", "eth0 was torn out"][round % 2];
        assert_eq!((row.state, row.reason.as_str()), ("gone", expected));
        assert!(!rig.is_up());
        assert_eq!(rig.vectors(), vectors - 2);
        let error = rig.devices.reset(at(1, 0, 0), NOW);
        assert_eq!(error, Err(ResetError::Gone));
        rig.card.state().is_gone = false;
        rig.card.reset();
        rig.config.space().plug(card());
        rig.slot_speaks();
        assert_eq!(rig.row(1, 0, 0).label, "eth0");
        assert!(rig.is_up());
        assert_eq!(rig.vectors(), vectors);
        assert_eq!(rig.row(1, 0, 0).queues[0].in_flight, 64);
    }
    let said = rig.given.log.lock().unwrap().join("\n");
    assert!(said.contains("eth0 is gone: it was unplugged"), "{said}");
}

#[test]
fn a_card_that_vanishes_or_asks_for_a_reset_is_seen_within_a_second() {
    let mut rig = rig();
    let later = |seconds| NOW + Duration::from_secs(seconds);
    rig.card.state().status |= 64;
    rig.devices.poll(later(1));
    let row = rig.row(1, 0, 0);
    assert_eq!((row.state, row.resets), ("driven", 1));
    rig.card.state().is_gone = true;
    rig.devices.poll(later(2));
    assert_eq!(rig.row(1, 0, 0).state, "gone");
    assert_eq!(rig.devices.next_deadline(later(2)), Some(later(3)));
}

#[test]
fn registers_outside_of_their_range_are_refused_by_name() {
    let mut rig = rig();
    rig.config.space().press();
    rig.slot_speaks();
    let mut liar = card();
    liar.set(0x40 + 8, 0x0001_0000);
    rig.config.space().plug(liar);
    rig.slot_speaks();
    let row = rig.row(1, 0, 0);
    assert_eq!(
        (row.state, row.last_lie),
        ("refused", "capability's offset")
    );
    assert!(!rig.is_up());
    let error = rig.devices.reset(at(0, 31, 0), NOW);
    assert_eq!(error, Err(ResetError::NoDriver));
    let error = rig.devices.reset(at(9, 0, 0), NOW);
    assert_eq!(error, Err(ResetError::NoSuchDevice));
}
