//! Restarting and switching off: by the firmware's tables, else by custom.

use super::notes::log;
use crate::arch::{cpu, port};
use crate::base::log::Level;
use crate::base::sync::IrqLock;
use crate::drivers::acpi::{Acpi, PowerOff, Register, Reset, Space};
use crate::memory::DeviceByte;
use spin::Once;

/// A register as it can be written at any time, a panic included.
enum Target {
    Port(u16),
    Memory(IrqLock<DeviceByte>),
}

struct Ways {
    reset: Option<(Target, u8)>,
    off: Option<Off>,
}

enum Off {
    Control {
        a: u16,
        value_a: u16,
        b: Option<u16>,
        value_b: u16,
    },
    Sleep(Target, u8),
}

static WAYS: Once<Ways> = Once::new();

/// Keeps what the tables say, with registers in memory mapped.
pub fn set(acpi: &Acpi) {
    WAYS.call_once(|| Ways {
        reset: acpi
            .reset
            .and_then(|Reset { register, value }| Some((target(register)?, value))),
        off: acpi.power_off.and_then(|off| match off {
            PowerOff::Control {
                a,
                value_a,
                b,
                value_b,
            } => Some(Off::Control {
                a,
                value_a,
                b,
                value_b,
            }),
            PowerOff::Sleep { register, value } => Some(Off::Sleep(target(register)?, value)),
        }),
    });
}

fn target(register: Register) -> Option<Target> {
    match register.space {
        Space::Port => u16::try_from(register.address).ok().map(Target::Port),
        Space::Memory => match DeviceByte::map(register.address, "power registers") {
            Ok(byte) => Some(Target::Memory(IrqLock::new(byte))),
            Err(error) => {
                log(
                    Level::Warn,
                    format_args!("power registers cannot be mapped: {error}"),
                );
                None
            }
        },
    }
}

impl Target {
    fn write(&self, value: u8) {
        match self {
            Self::Port(port) => port::write_u8(*port, value),
            Self::Memory(byte) => {
                byte.try_with(|byte| byte.write(value));
            }
        }
    }
}

/// Restarts the machine by the first way that works.
pub fn reboot() -> ! {
    const RESET_CONTROL: u16 = 0xcf9;
    const KEYBOARD_COMMAND: u16 = 0x64;
    const PULSE_RESET: u8 = 0xfe;
    if let Some((register, value)) = WAYS.get().and_then(|ways| ways.reset.as_ref()) {
        register.write(*value);
        give_time();
    }
    port::write_u8(RESET_CONTROL, 0x06);
    give_time();
    port::write_u8(KEYBOARD_COMMAND, PULSE_RESET);
    give_time();
    cpu::triple_fault()
}

/// Switches the machine off; where it cannot be, says so and halts.
pub fn power_off() -> ! {
    match WAYS.get().and_then(|ways| ways.off.as_ref()) {
        Some(Off::Control {
            a,
            value_a,
            b,
            value_b,
        }) => {
            port::write_u16(*a, *value_a);
            if let Some(b) = b {
                port::write_u16(*b, *value_b);
            }
        }
        Some(Off::Sleep(register, value)) => register.write(*value),
        None => {}
    }
    give_time();
    crate::drivers::serial::write_in_emergency(
        b"\r\nthis machine cannot switch itself off; it is halted\r\n",
    );
    cpu::halt_forever()
}

/// A second or so by port reads: a virtual machine ends when its host gets round to it,
/// and the clock may be what is broken.
fn give_time() {
    (0..1_000_000).for_each(|_| {
        port::read_u8(0x80);
    });
}
