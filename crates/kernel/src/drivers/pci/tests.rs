//! What reading PCI promises, with functions of all kinds and of noise.

use super::address::Address;
use super::assign::{Window, Windows, assign, windows_of};
use super::bars;
use super::capabilities::{Capabilities, EXPRESS, VENDOR};
use super::config::ConfigSpace;
use super::enumerate::visit_all;
use super::fake::{FakeConfig, FakeFunction};
use super::function::{Function, Header};
use super::hot_plug::{Slot, SlotEvent};
use crate::base::prng::Prng;
use crate::base::time::{Duration, Instant};
use std::vec::Vec;

/// The address of a function that is named here.
fn at(bus: u8, device: u8, function: u8) -> Address {
    Address::new(bus, device, function).unwrap()
}

fn found(config: &dyn ConfigSpace) -> Vec<Function> {
    let mut found = Vec::new();
    visit_all(config, &mut |function| found.push(function));
    found
}

fn device() -> FakeFunction {
    FakeFunction::new(0x8086, 1, 0x0200)
}

#[test]
fn functions_are_found_behind_bridges_and_beside_each_other() {
    let mut first = device();
    first.bytes[0x0e] = 0x80;
    let config = FakeConfig::with([
        (at(0, 0, 0), first),
        (at(0, 0, 3), device()),
        (at(0, 1, 5), device()),
        (at(0, 2, 0), device().bridge(0, 1, 2)),
        (at(1, 4, 0), device().bridge(1, 2, 2)),
        (at(2, 31, 0), device()),
        (at(3, 0, 0), device()),
    ]);
    let addresses: Vec<_> = found(&config)
        .iter()
        .map(|f| std::format!("{}", f.address))
        .collect();
    // Without function 0 there is no device, without a bridge no bus.
    assert_eq!(
        addresses,
        ["00:00.0", "00:00.3", "00:02.0", "01:04.0", "02:1f.0"]
    );
}

#[test]
fn bridges_in_a_circle_are_passed_once() {
    let config = FakeConfig::with([
        (at(0, 0, 0), device().bridge(0, 1, 255)),
        (at(0, 1, 0), device().bridge(0, 1, 255)),
        (at(1, 0, 0), device().bridge(1, 1, 9)),
        (at(1, 1, 0), device().bridge(1, 0, 9)),
        (at(1, 2, 0), device().bridge(7, 2, 9)),
        (at(1, 3, 0), device().bridge(1, 9, 3)),
    ]);
    assert_eq!(found(&config).len(), 6);
}

#[test]
fn a_chain_of_capabilities_ends_whatever_it_says() {
    let circle = device().capability(0x40, &[0x09]).capability(0x50, &[0x10]);
    let mut own = device().capability(0x60, &[0x09]);
    own.set(0x60, 0x6009);
    let mut into_header = device().capability(0x60, &[0x09]);
    into_header.set(0x60, 0x1009);
    let mut at_the_end = device().capability(0xfc, &[0xfc09]);
    at_the_end.set(0xfc, 0xfc09);
    let mut closed = circle.clone();
    closed.set(0x40, 0x5009);
    for (function, least, most) in [
        (circle, 2, 2),
        (closed, 2, 48),
        (own, 1, 48),
        (into_header, 1, 1),
        (at_the_end, 1, 48),
    ] {
        let config = FakeConfig::with([(at(0, 0, 0), function)]);
        let function = Function::read(&config, at(0, 0, 0)).unwrap();
        let count = Capabilities::read(&config, &function).iter().count();
        assert!((least..=most).contains(&count), "{count}");
    }
}

#[test]
fn ranges_are_sized_and_left_as_they_were() {
    let fake = device()
        .range(0, 0xfeb0_0000, 0x1000, false)
        .range(4, 0x8_0000_4000, 0x4000, true);
    let config = FakeConfig::with([(at(0, 3, 0), fake.clone())]);
    let function = Function::read(&config, at(0, 3, 0)).unwrap();
    let sized = bars::size(&config, &function);
    let seen: Vec<_> = sized
        .iter()
        .map(|bar| (bar.index, bar.start, bar.bytes))
        .collect();
    assert_eq!(seen, [(0, 0xfeb0_0000, 0x1000), (4, 0x8_0000_4000, 0x4000)]);
    let left = config.space().functions[&at(0, 3, 0).index()].bytes;
    assert_eq!(left, fake.bytes);
    // Unsized, a range is at most as large as its place allows.
    let placed = bars::placed(&config, &function);
    assert_eq!((placed.len(), placed[1].bytes), (2, 0x4000));
    assert!(placed[0].bytes >= 0x1000);
}

#[test]
fn a_function_without_addresses_is_placed_in_the_bridges_windows() {
    let mut bridge = device().bridge(0, 1, 1);
    bridge.set(0x20, 0xfe10_fe00);
    bridge.set(0x24, 0x0011_0001);
    bridge.set(0x28, 8);
    bridge.set(0x2c, 8);
    let card = device()
        .range(1, 0, 0x1000, false)
        .range(4, 0, 0x4000, true);
    let config = FakeConfig::with([(at(0, 2, 0), bridge), (at(1, 0, 0), card)]);
    let bridge = Function::read(&config, at(0, 2, 0)).unwrap();
    let windows = windows_of(&config, &bridge);
    let window = |start, end, is_prefetchable| Window {
        start,
        end,
        is_prefetchable,
    };
    assert_eq!(
        &windows[..],
        [
            window(0xfe00_0000, 0xfe20_0000, false),
            window(0x8_0000_0000, 0x8_0020_0000, true)
        ]
    );
    let function = Function::read(&config, at(1, 0, 0)).unwrap();
    let mut sized = bars::size(&config, &function);
    let is_taken = |start: u64, _: u64| (start == 0xfe00_0000).then_some(0xfe00_0800);
    assert!(assign(&config, &function, &mut sized, &windows, &is_taken));
    let starts: Vec<_> = sized.iter().map(|bar| bar.start).collect();
    assert_eq!(starts, [0xfe00_1000, 0x8_0000_0000]);
    assert_eq!(bars::size(&config, &function), sized);
    let mut again = sized.clone();
    assert!(!assign(
        &config,
        &function,
        &mut again,
        &Windows::new(),
        &|_, _| None
    ));
}

/// A port with a slot that can be plugged, and its Express capability at 0x40.
fn port() -> FakeFunction {
    let mut port = device().bridge(0, 1, 1);
    port = port.capability(0x40, &[u32::from(EXPRESS) | 0x0142 << 16]);
    port.set(0x54, 1 << 6 | 1 << 1);
    port.cleared_by_ones.push((0x5a, 0x11f));
    port
}

fn slot(has_card: bool) -> (FakeConfig, Slot) {
    let config = FakeConfig::with([(at(0, 2, 0), port())]);
    config.space().slot = Some((at(0, 2, 0), 0x40, 1));
    if has_card {
        config.space().plug(device());
    }
    let bridge = Function::read(&config, at(0, 2, 0)).unwrap();
    let capabilities = Capabilities::read(&config, &bridge);
    let slot = Slot::find(&config, &bridge, &capabilities).unwrap();
    slot.enable_events(&config);
    (config, slot)
}

#[test]
fn a_card_is_let_go_after_the_button_and_comes_again() {
    let (config, mut slot) = slot(true);
    let now = Instant::ZERO;
    assert_eq!(slot.look(&config, now), None);
    config.space().press();
    assert_eq!(slot.look(&config, now), Some(SlotEvent::UnplugWanted));
    slot.release(&config);
    assert!(Function::read(&config, at(1, 0, 0)).is_none());
    assert_eq!(slot.look(&config, now), None);
    config.space().plug(device());
    assert_eq!(slot.look(&config, now), Some(SlotEvent::Plugged));
    assert_eq!(slot.look(&config, now), None);
}

#[test]
fn a_card_that_is_torn_out_is_missed() {
    let (config, mut slot) = slot(true);
    config.space().tear();
    assert_eq!(slot.look(&config, Instant::ZERO), Some(SlotEvent::Gone));
    assert_eq!(slot.look(&config, Instant::ZERO), None);
    config.space().plug(device());
    assert_eq!(slot.look(&config, Instant::ZERO), Some(SlotEvent::Plugged));
}

#[test]
fn a_card_that_never_answers_is_given_up() {
    let (config, mut slot) = slot(false);
    config.space().plug(device());
    config.space().functions.remove(&at(1, 0, 0).index());
    assert_eq!(slot.look(&config, Instant::ZERO), None);
    assert!(slot.next_deadline().is_some());
    let late = Instant::ZERO + Duration::from_secs(2);
    assert_eq!(slot.look(&config, late), Some(SlotEvent::Silent));
    assert_eq!(slot.look(&config, late), None);
}

#[test]
fn spaces_of_noise_are_read_to_their_end() {
    let mut prng = Prng::new(17);
    for _ in 0..300 {
        let mut functions = Vec::new();
        for _ in 0..1 + prng.below(40) {
            let mut noise = device();
            prng.fill(&mut noise.bytes);
            noise.sizes = core::array::from_fn(|_| prng.next_u64() >> prng.below(64));
            if prng.one_in(2) {
                // Likelier to be followed: a bridge or a device with capabilities.
                noise.bytes[0x0e] &= 0x81;
                noise.bytes[0x06] |= 0x10;
                noise.bytes[0x18] = prng.below(3) as u8;
                noise.bytes[0x19] = prng.below(4) as u8;
            }
            let address = at(
                prng.below(4) as u8,
                prng.below(32) as u8,
                prng.below(8) as u8,
            );
            functions.push((address, noise));
        }
        let config = FakeConfig::with(functions);
        for function in found(&config) {
            let capabilities = Capabilities::read(&config, &function);
            let _ = capabilities.find(VENDOR);
            let mut sized = bars::size(&config, &function);
            bars::placed(&config, &function);
            let windows = windows_of(&config, &function);
            assign(&config, &function, &mut sized, &windows, &|_, _| None);
            if function.header == Header::Bridge
                && let Some(mut slot) = Slot::find(&config, &function, &capabilities)
            {
                slot.look(&config, Instant::ZERO);
                slot.release(&config);
            }
        }
        assert!(config.space().reads < 200_000);
    }
}
