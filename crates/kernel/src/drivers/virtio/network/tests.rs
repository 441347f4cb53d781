//! What a port promises, with a card that does its part or lies.

use super::frames::{FRAME_START, HEADER_START, Plan, buffer_bytes};
use super::{KIND, NetworkCard};
use crate::base::network_port::{Checksums, NetworkPort, Offload};
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::drivers::devices::driver::{Driver, Event};
use crate::drivers::virtio::fake::FakeDevice;
use crate::drivers::virtio::features::EVENT_INDEX;
use crate::drivers::virtio::transport::StartError;
use crate::limits::NETWORK_RECEIVE_FRAMES_MAX;

const CHECKSUM: u64 = 1;
const GUEST_CHECKSUM: u64 = 2;
const MTU: u64 = 1 << 3;
const MAC: u64 = 1 << 5;
const GUEST_TSO: u64 = 3 << 7;
const HOST_TSO: u64 = 3 << 11;
const STATUS: u64 = 1 << 16;
const ALL: u64 = CHECKSUM | GUEST_CHECKSUM | MTU | MAC | GUEST_TSO | HOST_TSO | STATUS;
const NOW: Instant = Instant::ZERO;

/// Address, status, pairs of queues, MTU.
const CONFIG: [u8; 12] = [0x52, 0x54, 0, 1, 2, 3, 1, 0, 1, 0, 0xdc, 5];

fn device(features: u64) -> FakeDevice {
    FakeDevice::new(KIND, features | EVENT_INDEX, &CONFIG, &[256, 256])
}

fn attached(device: &FakeDevice) -> NetworkCard {
    let mut card = NetworkCard::new(0).unwrap();
    card.attach(device.transport(), NOW).unwrap();
    card
}

/// Lets a frame arrive behind a header with these flags.
fn arrive(device: &FakeDevice, flags: u8, bytes: &[u8]) {
    let request = device.take(0).unwrap();
    let mut whole = std::vec![flags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    whole.extend(bytes);
    device.answer(0, &request, &whole);
}

#[test]
fn a_card_says_what_it_is() {
    let device = device(ALL);
    let card = attached(&device);
    let facts = card.facts();
    assert_eq!(facts.hardware_address, [0x52, 0x54, 0, 1, 2, 3]);
    assert_eq!(
        (facts.name, facts.mtu, facts.is_link_up),
        ("eth0", 1500, true)
    );
    assert!(facts.completes_checksums && facts.segments_bytes_max > 60_000);
    let plain = attached(&self::device(MAC)).facts();
    assert!(!plain.completes_checksums && plain.segments_bytes_max == 0);
}

#[test]
fn a_frame_goes_in_and_out_where_it_lies() {
    let device = device(ALL);
    let mut card = attached(&device);
    arrive(&device, 1, &[7; 60]);
    let frame = card.receive().unwrap();
    assert_eq!((frame.len(), frame.bytes()[59]), (60, 7));
    assert_eq!(frame.checksums, Checksums::Trusted);
    let place = frame.buffer().device_address();
    card.transmit(frame, Offload::Nothing);
    card.flush();
    let request = device.take(1).unwrap();
    assert_eq!(
        (request.readable.len(), &request.readable[12..]),
        (72, &[7; 60][..])
    );
    device.answer(1, &request, &[]);
    assert_eq!(card.rest(), Ok(false));
    // The buffer is free and goes round again.
    let mut seen = false;
    while let Some(request) = device.take(0) {
        seen |= request.writable[0].device_address == place + HEADER_START as u64;
    }
    assert!(seen);
    let counters = card.counters();
    assert_eq!((counters.received_bytes, counters.sent_bytes), (60, 60));
}

#[test]
fn a_card_that_was_not_asked_about_checksums_is_not_believed() {
    let device = device(MAC);
    let mut card = attached(&device);
    arrive(&device, 3, &[0; 20]);
    assert_eq!(card.receive().unwrap().checksums, Checksums::Unchecked);
}

#[test]
fn a_joined_segment_arrives_in_one_piece() {
    let device = device(ALL);
    let mut card = attached(&device);
    let segment = std::vec![9; 65_535 + 14];
    arrive(&device, 1, &segment);
    assert_eq!(card.receive().unwrap().bytes(), segment);
    // To send one as large there is a frame, too.
    assert_eq!(card.take_frame(65_535).unwrap().len(), 65_535);
    assert!(card.take_frame(70_000).is_none());
}

#[test]
fn what_is_no_frame_is_counted_and_passed_over() {
    let device = device(ALL);
    let mut card = attached(&device);
    for length in [0, 5, 12, 12 + 13] {
        let request = device.take(0).unwrap();
        device.answer(0, &request, &std::vec![0; length]);
    }
    arrive(&device, 0, &[1; 14]);
    assert_eq!(card.receive().unwrap().len(), 14);
    assert_eq!(card.counters().receive_errors, 4);
    assert!(card.receive().is_none());
    assert_eq!(card.poll(NOW, Event::default()), Ok(()));
}

#[test]
fn sending_never_takes_what_receiving_needs() {
    for features in [MAC, ALL] {
        let device = device(features);
        let mut card = attached(&device);
        let mut taken = std::vec::Vec::new();
        while let Some(frame) = card.take_frame(60) {
            taken.push(frame);
        }
        assert!(taken.len() >= 256, "{}", taken.len());
        // The whole queue arrives and is let go; the card is as able as before.
        for round in 0..3 {
            for _ in 0..NETWORK_RECEIVE_FRAMES_MAX {
                arrive(&device, 0, &[round; 60]);
            }
            for _ in 0..NETWORK_RECEIVE_FRAMES_MAX {
                let frame = card.receive().unwrap();
                card.recycle(frame);
            }
            assert_eq!(card.rest(), Ok(false));
        }
        let count = taken.len();
        taken.drain(..).for_each(|frame| card.recycle(frame));
        assert!((0..count).all(|_| card.take_frame(60).map(|frame| taken.push(frame)).is_some()));
        assert!(card.take_frame(60).is_none());
    }
}

#[test]
fn one_bell_a_batch_and_buffers_come_back_when_they_are_needed() {
    let device = device(MAC | STATUS);
    let mut card = attached(&device);
    for round in 0..1_000 {
        for _ in 0..20 {
            let frame = card.take_frame(100).unwrap();
            card.transmit(frame, Offload::Nothing);
        }
        card.flush();
        while let Some(request) = device.take(1) {
            device.answer(1, &request, &[]);
        }
        let next = device.state().queues[1].next_available;
        device.want_notification_at(1, next);
        assert_eq!(device.notifications(1), round + 1);
    }
    assert_eq!(card.counters().sent_frames, 20_000);
}

#[test]
fn who_waits_for_a_buffer_is_told_when_half_of_them_are_back() {
    let device = device(MAC);
    let mut card = attached(&device);
    while let Some(frame) = card.take_frame(60) {
        card.transmit(frame, Offload::Nothing);
    }
    card.flush();
    assert_eq!(card.rest(), Ok(false));
    let wanted = device.interrupt_wanted_at(1).unwrap();
    assert!(wanted > 100, "{wanted}");
    for _ in 0..=wanted {
        let request = device.take(1).unwrap();
        device.answer(1, &request, &[]);
    }
    assert!(card.take_frame(60).is_some());
}

#[test]
fn every_lie_of_the_configuration_is_named() {
    let refused = |features: u64, config: &[u8], sizes: &[u16]| {
        let device = FakeDevice::new(KIND, features, config, sizes);
        let mut card = NetworkCard::new(0).unwrap();
        match card.attach(device.transport(), NOW) {
            Err(StartError::Lie(lie)) => lie.field(),
            other => panic!("{other:?}"),
        }
    };
    let with = |place: usize, value: u8| {
        let mut config = CONFIG;
        config[place] = value;
        config
    };
    assert_eq!(refused(ALL, &with(0, 1), &[8, 8]), "hardware address");
    assert_eq!(refused(ALL, &[0; 12], &[8, 8]), "hardware address");
    assert_eq!(refused(ALL, &[], &[8, 8]), "hardware address");
    let mut narrow = with(11, 0);
    narrow[10] = 67;
    assert_eq!(refused(ALL, &narrow, &[8, 8]), "mtu");
    assert_eq!(refused(ALL, &CONFIG, &[7, 8]), "queue size");
    let restless = device(ALL);
    restless.state().is_config_restless = true;
    let mut card = NetworkCard::new(0).unwrap();
    let error = card.attach(restless.transport(), NOW).unwrap_err();
    assert!(matches!(error, StartError::Lie(lie) if lie.field() == "config generation"));
}

#[test]
fn what_is_missing_is_said() {
    let attach = |device: &FakeDevice| {
        let mut card = NetworkCard::new(0).unwrap();
        card.attach(device.transport(), NOW).unwrap_err()
    };
    assert!(matches!(attach(&device(STATUS)), StartError::Lacks(_)));
    let legacy = device(ALL);
    legacy.state().offered = ALL;
    assert!(matches!(attach(&legacy), StartError::Lacks(_)));
    let stubborn = device(ALL);
    stubborn.state().refuses_features = true;
    assert_eq!(attach(&stubborn), StartError::FeaturesRefused);
    let gone = device(ALL);
    gone.state().is_gone = true;
    assert_eq!(attach(&gone), StartError::Gone);
    let half = FakeDevice::new(KIND, ALL, &CONFIG, &[256]);
    assert_eq!(attach(&half), StartError::NoQueue(1));
    assert!(NetworkCard::new(99).is_none());
}

#[test]
fn a_lie_stops_the_port_until_it_is_attached_again_with_nothing_lost() {
    let device = device(ALL);
    let mut card = attached(&device);
    let sent = card.take_frame(60).unwrap();
    card.transmit(sent, Offload::Nothing);
    device.push_used(0, 4_000, 60);
    assert!(card.receive().is_none());
    let lie = card.poll(NOW, Event::default()).unwrap_err();
    assert_eq!(lie.field(), "used id");
    let refused = card.take_frame(60).unwrap();
    card.transmit(refused, Offload::Nothing);
    assert_eq!(card.counters().send_refused, 1);
    card.stop();
    assert!(!card.facts().is_link_up);
    device.reset();
    card.reclaim();
    card.attach(device.transport(), NOW).unwrap();
    assert!(card.facts().is_link_up);
    let mut count = 0;
    while device.take(0).is_some() {
        count += 1;
    }
    assert_eq!(count, NETWORK_RECEIVE_FRAMES_MAX);
    let mut frames = std::vec::Vec::new();
    while let Some(frame) = card.take_frame(60) {
        frames.push(frame);
    }
    assert_eq!(frames.len(), 256);
}

#[test]
fn a_cable_that_is_pulled_is_noticed_and_nothing_is_sent_then() {
    let device = device(ALL);
    let mut card = attached(&device);
    device.state().config[6] = 0;
    let changed = Event {
        has_config_changed: true,
        ..Event::default()
    };
    card.poll(NOW, changed).unwrap();
    assert!(!card.facts().is_link_up);
    let frame = card.take_frame(60).unwrap();
    card.transmit(frame, Offload::Nothing);
    assert_eq!(card.counters().send_refused, 1);
    device.state().config[6] = 1;
    card.poll(NOW, changed).unwrap();
    assert!(card.facts().is_link_up);
}

#[test]
fn a_small_machine_gets_fewer_buffers_and_a_tiny_one_small_ones() {
    let plan = Plan {
        packet_bytes: 1500,
        receives_large: true,
        sends_large: true,
        receive: 256,
        send_small: 256,
        send_large: 64,
    };
    assert_eq!(plan.fit(1 << 30), plan);
    let small = plan.fit(50 << 20);
    assert!(small.receives_large && small.receive < 256);
    let tiny = plan.fit(2 << 20);
    assert!(!tiny.receives_large && !tiny.sends_large && tiny.receive >= 16);
}

#[test]
fn a_jumbo_card_gets_buffers_for_its_frames() {
    let mut config = CONFIG;
    config[10..].copy_from_slice(&9_000u16.to_le_bytes());
    let device = FakeDevice::new(KIND, MAC | MTU, &config, &[64, 64]);
    let mut card = attached(&device);
    assert_eq!(card.facts().mtu, 9_000);
    let room = device.take(0).unwrap().writable[0].bytes as usize;
    assert!(room >= buffer_bytes(9_000) - FRAME_START + 12);
    assert!(card.take_frame(9_014).is_some());
}

#[test]
fn a_storm_of_noise_from_the_card_ends_in_frames_or_a_lie() {
    let mut prng = Prng::new(5);
    for _ in 0..150 {
        let device = device(MAC | GUEST_CHECKSUM);
        let mut card = attached(&device);
        for _ in 0..40 {
            let id = prng.below(300) as u32;
            match prng.below(5) {
                0 => device.push_used(0, id, prng.below(5_000) as u32),
                1 => device.push_used(1, id, prng.below(3) as u32),
                2 => device.set_used_index(0, prng.next_u64() as u16),
                3 => arrive(&device, prng.next_u64() as u8, &[1; 30]),
                _ => {
                    if let Some(frame) = card.take_frame(60) {
                        card.transmit(frame, Offload::Nothing);
                    }
                    card.flush();
                }
            }
            while let Some(frame) = card.receive() {
                card.recycle(frame);
            }
            if card.rest().is_err() || card.poll(NOW, Event::default()).is_err() {
                card.stop();
                device.reset();
                card.reclaim();
                card.attach(device.transport(), NOW).unwrap();
            }
        }
    }
}
