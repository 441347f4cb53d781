//! How a driver reaches its device, whatever bus it hangs on.

use super::lie::DeviceLie;
use crate::memory::MemoryError;
use core::fmt;

/// Where a device finds the three parts of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueuePlaces {
    pub size: u16,
    pub descriptors: u64,
    pub available: u64,
    pub used: u64,
}

/// The registers of a virtio device (virtio 1.2, 4.1.4). None of these waits.
pub trait Transport: Send {
    /// The number of this kind of device: 1 is a network card, 2 a disk.
    fn kind(&self) -> u16;
    fn offered_features(&mut self) -> u64;
    fn accept_features(&mut self, features: u64);
    /// Reads as `STATUS_GONE` when the device is not there any more.
    fn status(&mut self) -> u8;
    fn set_status(&mut self, status: u8);
    /// How many queues the device has.
    fn queues(&mut self) -> u16;
    /// The most entries that a queue can have; 0 when there is no such queue.
    fn queue_size_max(&mut self, queue: u16) -> u16;
    /// Gives the device a queue and connects its interrupt.
    fn start_queue(&mut self, queue: u16, places: &QueuePlaces) -> Result<(), StartError>;
    /// Tells the device to look at a queue. Only of a queue that was started.
    fn notify(&mut self, queue: u16);
    /// Bytes of the device's own configuration.
    fn config_bytes(&self) -> usize;
    /// One byte of it; all ones where there is none.
    fn config_u8(&mut self, offset: usize) -> u8;
    fn config_u16(&mut self, offset: usize) -> u16;
    fn config_u32(&mut self, offset: usize) -> u32;
    fn write_config_u8(&mut self, offset: usize, value: u8);
    fn write_config_u32(&mut self, offset: usize, value: u32);
    /// Changes whenever the configuration changes.
    fn config_generation(&mut self) -> u8;
}

/// Why a device could not be brought up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartError {
    /// It does not offer what its driver needs.
    Lacks(&'static str),
    /// It said no to features that it had offered.
    FeaturesRefused,
    /// It does not come out of its reset.
    ResetHangs,
    /// It has not the queue that its kind must have.
    NoQueue(u16),
    Memory(MemoryError),
    /// No more devices of this kind are kept at the same time.
    TooMany(&'static str),
    Lie(DeviceLie),
    /// It is not there any more.
    Gone,
}

impl From<MemoryError> for StartError {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

impl From<DeviceLie> for StartError {
    fn from(lie: DeviceLie) -> Self {
        Self::Lie(lie)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks(what) => write!(f, "the device does not offer {what}"),
            Self::FeaturesRefused => f.write_str("the device refuses features that it offered"),
            Self::ResetHangs => f.write_str("the device does not come out of its reset"),
            Self::NoQueue(queue) => write!(f, "the device has no queue {queue}"),
            Self::Memory(error) => error.fmt(f),
            Self::TooMany(limit) => write!(f, "no more of them are kept; see {limit} in limits"),
            Self::Lie(lie) => write!(f, "the device lied: {lie}"),
            Self::Gone => f.write_str("the device is not there any more"),
        }
    }
}

/// Reads of the configuration that may be torn before it counts as a lie.
const TORN_READS_MAX: usize = 8;

/// Reads several fields of the configuration as of one moment (2.5.1).
pub fn read_config<T>(
    transport: &mut dyn Transport,
    mut read: impl FnMut(&mut dyn Transport) -> T,
) -> Result<T, DeviceLie> {
    for _ in 0..TORN_READS_MAX {
        let before = transport.config_generation();
        let value = read(transport);
        if transport.config_generation() == before {
            return Ok(value);
        }
    }
    Err(DeviceLie::Field {
        name: "config generation",
        value: TORN_READS_MAX as u64,
    })
}
