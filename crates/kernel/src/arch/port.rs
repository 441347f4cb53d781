//! Port input and output, one word at a time.

use x86_64::instructions::port::Port;

pub fn read_u8(port: u16) -> u8 {
    // SAFETY: reading a port moves no memory of ours; the callers are drivers of
    // the device behind the port.
    unsafe { Port::new(port).read() }
}

pub fn write_u8(port: u16, value: u8) {
    // SAFETY: as for reading; no device driven through ports here does DMA.
    unsafe { Port::new(port).write(value) }
}

pub fn write_u16(port: u16, value: u16) {
    // SAFETY: as for one byte.
    unsafe { Port::new(port).write(value) }
}

pub fn read_u32(port: u16) -> u32 {
    // SAFETY: as for one byte.
    unsafe { Port::new(port).read() }
}

pub fn write_u32(port: u16, value: u32) {
    // SAFETY: as for one byte.
    unsafe { Port::new(port).write(value) }
}
