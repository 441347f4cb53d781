//! Which kinds of virtio devices are driven, and by whom.

use super::driver::{Driver, VirtioKind};
use crate::drivers::virtio::network::{self, NetworkCard};
use alloc::boxed::Box;

pub static KINDS: &[VirtioKind] = &[VirtioKind {
    number: network::KIND,
    limit: "NETWORK_PORTS_MAX",
    make: |place| NetworkCard::new(place).map(boxed),
}];

fn boxed<D: Driver + 'static>(driver: D) -> Box<dyn Driver> {
    Box::new(driver)
}
