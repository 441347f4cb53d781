//! Feature bits of no special kind of device, and the bits of a status.

/// Indirect descriptor tables.
pub const INDIRECT: u64 = 1 << 28;
/// Each side says at which index it wants to be told.
pub const EVENT_INDEX: u64 = 1 << 29;
/// Virtio 1.x; without it a device speaks a language that is not spoken here.
pub const VERSION_1: u64 = 1 << 32;
/// A queue can be reset alone.
pub const RING_RESET: u64 = 1 << 40;

pub const STATUS_ACKNOWLEDGE: u8 = 1;
pub const STATUS_DRIVER: u8 = 2;
pub const STATUS_DRIVER_OK: u8 = 4;
pub const STATUS_FEATURES_OK: u8 = 8;
pub const STATUS_NEEDS_RESET: u8 = 64;
pub const STATUS_FAILED: u8 = 128;
/// What a bus without a device reads as.
pub const STATUS_GONE: u8 = 0xff;
