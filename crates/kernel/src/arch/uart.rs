//! The first serial port, as a register block that only one owner has.

use core::sync::atomic::{AtomicBool, Ordering::AcqRel};
use uart_16550::Uart16550;
use uart_16550::backend::PioBackend;

pub type Uart = Uart16550<PioBackend>;

const COM1: u16 = 0x3f8;
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// COM1, once; whether a device is there is for the driver to find out.
pub fn take_com1() -> Option<Uart> {
    if IS_TAKEN.swap(true, AcqRel) {
        return None;
    }
    // SAFETY: COM1's eight ports belong to no one else, and the flag above sees
    // to it that they have one owner.
    unsafe { Uart16550::new_port(COM1).ok() }
}
