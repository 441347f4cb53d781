//! What a driver is for the table of devices, and what it gives to the floors above.

use crate::base::console::Console;
use crate::base::disk::Disk;
use crate::base::display::Display;
use crate::base::entropy::EntropySource;
use crate::base::input::InputDevice;
use crate::base::network_port::NetworkPort;
use crate::base::time::Instant;
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::queue::QueueView;
use crate::drivers::virtio::transport::{StartError, Transport};
use alloc::boxed::Box;

/// A driver and what it keeps, for as long as the kernel runs: its device may be reset,
/// unplugged and replaced by another of its kind meanwhile.
///
/// The table calls, in this order: `attach`; `poll` at every tick and `rest` at its end; then `stop`, once the
/// device is to be reset or is gone; `reclaim`, once it can reach no memory any more; and
/// `attach` again when there is a device again.
pub trait Driver: Send {
    /// `virtio-net`: what `device list` shows.
    fn name(&self) -> &'static str;

    /// What it is for the floors above: `eth0`, `disk0`; empty when it has no name.
    fn label(&self) -> &'static str {
        ""
    }

    /// Brings up a device that was just reset.
    fn attach(&mut self, transport: Box<dyn Transport>, now: Instant) -> Result<(), StartError>;

    /// Looks after the device; `event` says why. A lie ends the session.
    fn poll(&mut self, now: Instant, event: Event) -> Result<(), DeviceLie>;

    /// The loop is about to sleep: asks the device to interrupt at its next answer. True
    /// when there is one already, so that the loop goes round once more.
    fn rest(&mut self) -> Result<bool, DeviceLie> {
        Ok(false)
    }

    /// When it wants to be polled though nothing happens.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// From now on the device's registers are not touched, and nothing more is asked.
    fn stop(&mut self);

    /// The device can reach no memory any more: takes back all that it had.
    fn reclaim(&mut self);

    /// Calls `visit` for each queue.
    fn visit_queues(&self, visit: &mut dyn FnMut(&QueueView));

    fn network_port(&mut self) -> Option<&mut dyn NetworkPort> {
        None
    }

    fn disk(&mut self) -> Option<&mut dyn Disk> {
        None
    }

    fn console(&mut self) -> Option<&mut dyn Console> {
        None
    }

    fn display(&mut self) -> Option<&mut dyn Display> {
        None
    }

    fn entropy(&mut self) -> Option<&mut dyn EntropySource> {
        None
    }

    fn input(&mut self) -> Option<&mut dyn InputDevice> {
        None
    }
}

/// Why a driver is polled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Event {
    /// The device has interrupted because of a queue.
    pub has_used: bool,
    /// The device says that its configuration has changed.
    pub has_config_changed: bool,
}

/// Makes the driver of one kind of virtio device.
pub struct VirtioKind {
    /// The number of the kind (virtio 1.2, 5).
    pub number: u16,
    /// The name in `limits.rs` of how many there can be.
    pub limit: &'static str,
    /// A new driver without a device; `place` is how many of this kind there are already.
    pub make: fn(place: usize) -> Option<Box<dyn Driver>>,
}
