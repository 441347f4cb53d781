//! Which kinds of virtio devices are driven, and by whom.

use super::driver::{Driver, VirtioKind};
use crate::drivers::virtio::block::{self, BlockDriver};
use crate::drivers::virtio::console::{self, ConsoleDriver};
use crate::drivers::virtio::entropy::{self, EntropyDriver};
use crate::drivers::virtio::gpu::{self, GpuDriver};
use crate::drivers::virtio::input::{self, InputDriver};
use crate::drivers::virtio::network::{self, NetworkCard};
use crate::limits::{DISPLAYS_MAX, ENTROPY_SOURCES_MAX, VIRTIO_CONSOLES_MAX};
use alloc::boxed::Box;

pub static KINDS: &[VirtioKind] = &[
    VirtioKind {
        number: network::KIND,
        limit: "NETWORK_PORTS_MAX",
        make: |place| NetworkCard::new(place).map(boxed),
    },
    VirtioKind {
        number: block::KIND,
        limit: "DISKS_MAX",
        make: |place| BlockDriver::new(place).map(boxed),
    },
    VirtioKind {
        number: console::KIND,
        limit: "VIRTIO_CONSOLES_MAX",
        make: |place| (place < VIRTIO_CONSOLES_MAX).then(|| boxed(ConsoleDriver::new())),
    },
    VirtioKind {
        number: entropy::KIND,
        limit: "ENTROPY_SOURCES_MAX",
        make: |place| (place < ENTROPY_SOURCES_MAX).then(|| boxed(EntropyDriver::new())),
    },
    VirtioKind {
        number: gpu::KIND,
        limit: "DISPLAYS_MAX",
        make: |place| (place < DISPLAYS_MAX).then(|| boxed(GpuDriver::new())),
    },
    VirtioKind {
        number: input::KIND,
        limit: "INPUT_DEVICES_MAX",
        make: |place| InputDriver::new(place).map(boxed),
    },
];

fn boxed<D: Driver + 'static>(driver: D) -> Box<dyn Driver> {
    Box::new(driver)
}
