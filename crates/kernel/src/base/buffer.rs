//! Memory that the kernel and a device hand to each other.
//!
//! Whoever holds a `Buffer` may touch it; giving it to a driver gives it away
//! until the driver returns it. So bytes are moved between floors, not copied.

/// A piece of memory in one run, for the whole life of the machine.
#[derive(Debug)]
pub struct Buffer {
    bytes: &'static mut [u8],
    device_address: u64,
}

impl Buffer {
    /// `device_address` is where a device finds the first byte.
    pub const fn new(bytes: &'static mut [u8], device_address: u64) -> Self {
        Self {
            bytes,
            device_address,
        }
    }

    pub const fn device_address(&self) -> u64 {
        self.device_address
    }

    pub const fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub const fn bytes(&self) -> &[u8] {
        self.bytes
    }

    pub const fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// The memory itself, for a pool that takes it back.
    pub const fn into_bytes(self) -> &'static mut [u8] {
        self.bytes
    }
}
