//! Every driver against devices that say anything at all.

use super::fake::FakeDevice;
use crate::base::disk::{DiskOperation, DiskRequest};
use crate::base::input::KeyboardLights;
use crate::base::prng::Prng;
use crate::base::time::{Duration, Instant};
use crate::drivers::devices::driver::{Driver, Event, VirtioKind};
use crate::drivers::devices::kinds::KINDS;
use crate::drivers::virtio::network;
use crate::memory::allocate_buffer;
use std::boxed::Box;
use std::vec::Vec;

/// A device that is right in some things and wrong in others.
fn device(kind: &VirtioKind, prng: &mut Prng) -> FakeDevice {
    let mut config = std::vec![0; prng.below(200) as usize];
    match prng.below(3) {
        0 => prng.fill(&mut config),
        1 => config.fill(0xff),
        _ => config.iter_mut().step_by(8).for_each(|byte| *byte = 4),
    }
    let sizes: Vec<u16> = (0..prng.below(4))
        .map(|_| match prng.below(3) {
            0 => prng.next_u64() as u16,
            _ => 1 << prng.below(9),
        })
        .collect();
    let device = FakeDevice::new(kind.number, prng.next_u64(), &config, &sizes);
    device.state().is_config_restless = prng.one_in(20);
    device
}

/// Uses what the driver offers, as the floors above do.
fn use_driver(driver: &mut dyn Driver, prng: &mut Prng) {
    if let Some(disk) = driver.disk() {
        let operations = [
            DiskOperation::Read,
            DiskOperation::Write,
            DiskOperation::Flush,
            DiskOperation::Discard,
            DiskOperation::WriteZeroes,
        ];
        let _ = disk.submit(DiskRequest {
            tag: prng.next_u64(),
            operation: operations[prng.below(5) as usize],
            sector: prng.below(4),
            sectors: prng.below(4),
            data: prng
                .one_in(2)
                .then(|| allocate_buffer(4096).ok())
                .flatten()
                .into(),
        });
        disk.kick();
        while disk.completed().is_some() {}
    }
    if let Some(console) = driver.console() {
        let mut bytes = [0; 100];
        console.read(&mut bytes);
        console.write(&bytes[..prng.below(100) as usize]);
        assert!(console.columns().is_none_or(|columns| columns >= 20));
    }
    if let Some(entropy) = driver.entropy() {
        entropy.take(&mut [0; 32]);
    }
    if let Some(display) = driver.display() {
        display.text().write(b"something");
        display.draw(Instant::from_nanos(prng.next_u64() >> 8), 50);
    }
    if let Some(input) = driver.input() {
        while input.next_event().is_some() {}
        input.set_lights(KeyboardLights::default());
    }
}

/// What the device does to its queues, right or wrong.
fn act(device: &FakeDevice, prng: &mut Prng) {
    let queues = device.state().queues.len() as u64;
    if queues == 0 {
        return;
    }
    let queue = prng.below(queues) as usize;
    match prng.below(6) {
        0 => device.set_used_index(queue, prng.next_u64() as u16),
        1 => device.push_used(queue, prng.below(16) as u32, prng.below(600) as u32),
        _ => {
            if let Some(request) = device.take(queue) {
                let mut bytes = std::vec![0; prng.below(600) as usize];
                prng.fill(&mut bytes);
                if let Some(last) = bytes.last_mut()
                    && prng.one_in(2)
                {
                    *last = 0;
                }
                device.answer(queue, &request, &bytes);
            }
        }
    }
}

#[test]
fn no_device_whatever_it_says_does_harm() {
    let rounds = match std::env::var_os("RAYOS_LONG") {
        Some(_) => 100_000,
        None => {
            std::println!("shortened: 2,000 devices of each kind, RAYOS_LONG=1 takes 100,000");
            2_000
        }
    };
    // Network cards have a storm of their own.
    for kind in KINDS.iter().filter(|kind| kind.number != network::KIND) {
        let mut prng = Prng::new(u64::from(kind.number));
        let (mut attached, mut lies) = (0u32, 0u32);
        let mut driver: Box<dyn Driver> = (kind.make)(0).unwrap();
        for _ in 0..rounds {
            let device = device(kind, &mut prng);
            let mut now = Instant::ZERO;
            if driver.attach(device.transport(), now).is_err() {
                driver.stop();
                driver.reclaim();
                continue;
            }
            attached += 1;
            for _ in 0..prng.below(30) {
                use_driver(driver.as_mut(), &mut prng);
                act(&device, &mut prng);
                let event = Event {
                    has_used: true,
                    has_config_changed: prng.one_in(10),
                };
                now = now + Duration::from_millis(prng.below(10_000));
                if driver.poll(now, event).is_err() {
                    lies += 1;
                    break;
                }
            }
            driver.stop();
            use_driver(driver.as_mut(), &mut prng);
            driver.reclaim();
            use_driver(driver.as_mut(), &mut prng);
        }
        assert!(
            attached > 50 && lies > 20,
            "{}: {attached} {lies}",
            kind.number
        );
    }
}
