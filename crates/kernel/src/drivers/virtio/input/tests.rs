//! What an input device's driver promises.

use super::*;
use crate::base::input::InputClass;
use crate::drivers::virtio::fake::FakeDevice;

fn device() -> FakeDevice {
    let mut config = std::vec![0; 136];
    config[SIZE_AT] = 9;
    config[ANSWER_AT..ANSWER_AT + 9].copy_from_slice(b"A\x07 Board\xff");
    FakeDevice::new(18, 0, &config, &[64, 64])
}

fn rig() -> (FakeDevice, InputDriver) {
    let device = device();
    let mut driver = InputDriver::new(0).unwrap();
    driver.attach(device.transport(), Instant::ZERO).unwrap();
    (device, driver)
}

fn poll(driver: &mut InputDriver) {
    driver.poll(Instant::ZERO, Event::default()).unwrap();
}

fn send(device: &FakeDevice, kind: u16, code: u16, value: i32) -> bool {
    let Some(request) = device.take(0) else {
        return false;
    };
    let mut bytes = std::vec::Vec::new();
    bytes.extend(kind.to_le_bytes());
    bytes.extend(code.to_le_bytes());
    bytes.extend(value.to_le_bytes());
    device.answer(0, &request, &bytes);
    true
}

#[test]
fn events_come_in_order_and_are_counted_by_kind() {
    let (device, mut driver) = rig();
    assert_eq!(driver.view().name.as_str(), "A Board");
    send(&device, event::KEY, 30, 1);
    send(&device, event::RELATIVE, 0, -5);
    send(&device, event::SYNCHRONIZE, 0, 0);
    poll(&mut driver);
    let key = driver.next_event().unwrap();
    assert_eq!(
        (key.class(), key.code, key.value),
        (InputClass::Keyboard, 30, 1)
    );
    let moved = driver.next_event().unwrap();
    assert_eq!((moved.class(), moved.value), (InputClass::Pointer, -5));
    assert_eq!(driver.next_event().unwrap().class(), InputClass::Other);
    assert_eq!(driver.next_event(), None);
    let view = driver.view();
    assert_eq!((view.keys, view.movements, view.others), (1, 1, 1));
}

#[test]
fn what_nobody_takes_stays_with_the_device() {
    let (device, mut driver) = rig();
    let mut sent = 0;
    for _ in 0..300 {
        sent += i32::from(send(&device, event::RELATIVE, 0, sent));
        poll(&mut driver);
    }
    assert_eq!(sent as usize, 2 * VIRTIO_INPUT_EVENTS_MAX);
    for value in 0..sent {
        assert_eq!(driver.next_event().unwrap().value, value);
        poll(&mut driver);
    }
}

#[test]
fn lights_go_out_one_group_at_a_time() {
    let (device, mut driver) = rig();
    let lights = |is_caps_lock| KeyboardLights {
        is_num_lock: true,
        is_caps_lock,
    };
    driver.set_lights(lights(true));
    poll(&mut driver);
    let group: std::vec::Vec<_> = core::iter::from_fn(|| device.take(1)).collect();
    let bytes: std::vec::Vec<u8> = group
        .iter()
        .flat_map(|event| event.readable.clone())
        .collect();
    assert_eq!(bytes[..8], [0x11, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(bytes[8..16], [0x11, 0, 1, 0, 1, 0, 0, 0]);
    driver.set_lights(lights(false));
    poll(&mut driver);
    assert!(device.take(1).is_none());
    // As QEMU does it: what was read is counted as written.
    group
        .iter()
        .for_each(|event| device.push_used(1, u32::from(event.head), 8));
    poll(&mut driver);
    assert!(device.take(1).is_some());
}

#[test]
fn an_event_of_another_length_is_a_lie() {
    for bytes in [&[][..], &[1; 7]] {
        let (device, mut driver) = rig();
        let request = device.take(0).unwrap();
        device.answer(0, &request, bytes);
        let lie = driver.poll(Instant::ZERO, Event::default()).unwrap_err();
        assert_eq!(lie.field(), "input event length");
        driver.stop();
        driver.reclaim();
        assert!(Driver::input(&mut driver).is_none());
    }
}

#[test]
fn a_device_without_lights_is_driven_and_one_without_events_is_not() {
    let device = FakeDevice::new(18, 0, &[], &[64]);
    let mut driver = InputDriver::new(0).unwrap();
    driver.attach(device.transport(), Instant::ZERO).unwrap();
    driver.set_lights(KeyboardLights::default());
    poll(&mut driver);
    let device = FakeDevice::new(18, 0, &[], &[]);
    assert!(driver.attach(device.transport(), Instant::ZERO).is_err());
}
