//! What a console's driver promises.

use super::*;
use crate::drivers::virtio::fake::FakeDevice;

fn rig() -> (FakeDevice, ConsoleDriver) {
    let device = FakeDevice::new(3, SIZE, &80u32.to_le_bytes(), &[64, 64]);
    let mut driver = ConsoleDriver::new();
    driver.attach(device.transport(), Instant::ZERO).unwrap();
    (device, driver)
}

fn poll(driver: &mut ConsoleDriver) {
    driver.poll(Instant::ZERO, Event::default()).unwrap();
}

fn type_in(device: &FakeDevice, bytes: &[u8]) -> bool {
    match device.take(0) {
        Some(request) => {
            device.answer(0, &request, bytes);
            true
        }
        None => false,
    }
}

#[test]
fn what_is_typed_is_read_and_what_is_written_is_sent() {
    let (device, mut driver) = rig();
    assert_eq!(Console::columns(&driver), Some(80));
    type_in(&device, b"hel");
    type_in(&device, b"lo\r");
    poll(&mut driver);
    let mut bytes = [0; 4];
    assert_eq!(driver.read(&mut bytes), 4);
    assert_eq!(driver.read(&mut bytes), 2);
    assert_eq!(&bytes[..2], b"o\r");
    assert!(driver.is_drained());
    assert_eq!(driver.write(b"world"), 5);
    assert!(!driver.is_drained());
    let request = device.take(1).unwrap();
    assert_eq!(request.readable, b"world");
    device.answer(1, &request, &[]);
    poll(&mut driver);
    assert!(driver.is_drained());
    let view = Console::view(&driver);
    assert_eq!((view.received_bytes, view.sent_bytes), (6, 5));
}

#[test]
fn nothing_that_is_typed_is_lost_when_nobody_reads() {
    let (device, mut driver) = rig();
    let (mut typed, mut seen) = (0usize, 0usize);
    let line = |number: usize| std::vec![number as u8; BUFFER_BYTES];
    for _ in 0..40 {
        if type_in(&device, &line(typed)) {
            typed += 1;
        }
        poll(&mut driver);
    }
    assert_eq!(
        typed * BUFFER_BYTES,
        VIRTIO_CONSOLE_RECEIVE_BYTES + BUFFER_BYTES * VIRTIO_CONSOLE_BUFFERS
    );
    assert_eq!(driver.next_deadline(), None);
    let mut bytes = [0; BUFFER_BYTES];
    while seen < typed {
        assert_eq!(driver.read(&mut bytes), BUFFER_BYTES);
        assert_eq!(bytes.to_vec(), line(seen));
        seen += 1;
        assert!(seen + VIRTIO_CONSOLE_BUFFERS > typed || driver.next_deadline().is_some());
        poll(&mut driver);
    }
    assert_eq!(driver.read(&mut bytes), 0);
}

#[test]
fn a_device_that_takes_nothing_fills_the_buffer_and_no_more() {
    let (device, mut driver) = rig();
    let bytes = [b'x'; 1000];
    let mut taken = 0;
    loop {
        match driver.write(&bytes) {
            0 => break,
            count => taken += count,
        }
    }
    let at_device = VIRTIO_CONSOLE_BUFFERS * BUFFER_BYTES;
    assert!(
        taken >= VIRTIO_CONSOLE_TRANSMIT_BYTES + at_device / 2,
        "{taken}"
    );
    let mut sent = 0;
    while let Some(request) = device.take(1) {
        sent += request.readable.len();
        device.answer(1, &request, &[]);
        poll(&mut driver);
    }
    assert_eq!(sent, taken);
}

#[test]
fn absurd_widths_are_unknown() {
    for columns in [0u32, 1, 19, 1001, 0xffff] {
        let device = FakeDevice::new(3, SIZE, &columns.to_le_bytes(), &[8, 8]);
        let mut driver = ConsoleDriver::new();
        driver.attach(device.transport(), Instant::ZERO).unwrap();
        assert_eq!(Console::columns(&driver), None);
    }
    let device = FakeDevice::new(3, SIZE, &[80, 0], &[8, 8]);
    let mut driver = ConsoleDriver::new();
    driver.attach(device.transport(), Instant::ZERO).unwrap();
    assert_eq!(Console::columns(&driver), None);
}

#[test]
fn a_console_without_its_queues_is_refused_and_lies_are_named() {
    for sizes in [&[][..], &[8], &[8, 0], &[3, 8]] {
        let device = FakeDevice::new(3, 0, &[], sizes);
        let result = ConsoleDriver::new().attach(device.transport(), Instant::ZERO);
        assert!(result.is_err(), "{sizes:?}");
    }
    for (queue, id) in [(0, 99), (1, 0)] {
        let (device, mut driver) = rig();
        device.push_used(queue, id, 0);
        assert!(driver.poll(Instant::ZERO, Event::default()).is_err());
        driver.stop();
        driver.reclaim();
        assert!(Driver::console(&mut driver).is_none());
        assert_eq!(driver.write(b"into the void"), 13);
    }
}
