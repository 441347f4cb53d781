//! Which vector means what.

/// The legacy controllers stand here, masked: what comes is spurious.
pub const LEGACY_FIRST: u8 = 0x20;
pub const DEVICE_FIRST: u8 = 0x30;
pub const DEVICE_LAST: u8 = 0xef;
pub const TIMER: u8 = 0xf0;
pub const RESCHEDULE: u8 = 0xf1;
pub const SPURIOUS: u8 = 0xff;

pub const EXCEPTION_NAMES: [&str; 32] = [
    "divide error",
    "debug",
    "non-maskable interrupt",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "device not available",
    "double fault",
    "coprocessor overrun",
    "invalid task state",
    "segment not present",
    "stack segment",
    "general protection",
    "page fault",
    "reserved (15)",
    "floating point",
    "alignment check",
    "machine check",
    "vector floating point",
    "virtualization",
    "control protection",
    "reserved (22)",
    "reserved (23)",
    "reserved (24)",
    "reserved (25)",
    "reserved (26)",
    "reserved (27)",
    "hypervisor injection",
    "vmm communication",
    "security",
    "reserved (31)",
];

pub const PAGE_FAULT: u64 = 14;

/// Vectors for which the processor pushes an error code.
pub const fn has_error_code(vector: u8) -> bool {
    matches!(vector, 8 | 10..=14 | 17 | 21 | 29 | 30)
}
