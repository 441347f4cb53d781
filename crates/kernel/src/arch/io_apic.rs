//! The I/O APICs: which interrupt line goes to which vector and core.

use crate::base::fixed::Vec;
use crate::base::sync::IrqLock;

/// One controller, mapped at `registers`, for the lines from `first_line` on.
#[derive(Clone, Copy)]
struct Controller {
    registers: u64,
    first_line: u32,
    lines: u32,
}

/// How a line signals, from the firmware's overrides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal {
    pub is_active_low: bool,
    pub is_level: bool,
}

static CONTROLLERS: IrqLock<Vec<Controller, 8>> = IrqLock::new(Vec::new());

const VERSION: u32 = 1;
const TABLE: u32 = 0x10;
const MASKED: u32 = 1 << 16;

impl Controller {
    fn read(self, register: u32) -> u32 {
        // SAFETY: the page is mapped uncached for this kernel's life; the lock
        // around the list keeps the two accesses together.
        unsafe {
            (self.registers as *mut u32).write_volatile(register);
            ((self.registers + 0x10) as *const u32).read_volatile()
        }
    }

    fn write(self, register: u32, value: u32) {
        // SAFETY: as for reading.
        unsafe {
            (self.registers as *mut u32).write_volatile(register);
            ((self.registers + 0x10) as *mut u32).write_volatile(value);
        }
    }
}

/// Adds a controller and masks its lines; false when the list is full.
pub fn add(registers: u64, first_line: u32) -> bool {
    let mut controller = Controller {
        registers,
        first_line,
        lines: 0,
    };
    CONTROLLERS.with(|controllers| {
        controller.lines = (controller.read(VERSION) >> 16 & 0xff) + 1;
        for line in 0..controller.lines {
            controller.write(TABLE + 2 * line, MASKED);
        }
        controllers.push(controller).is_ok()
    })
}

/// Silences a line, or lets it speak again; one that was never routed stays silent.
pub fn set_masked(line: u32, is_masked: bool) {
    CONTROLLERS.with(|controllers| {
        let owner = controllers.iter().find(|controller| {
            (controller.first_line..controller.first_line + controller.lines).contains(&line)
        });
        if let Some(controller) = owner {
            let entry = TABLE + 2 * (line - controller.first_line);
            let bits = controller.read(entry);
            let mask = if is_masked { MASKED } else { 0 };
            controller.write(entry, bits & !MASKED | mask);
        }
    });
}

/// Sends `line` to `vector` on the core `apic_id`; false when no controller has it.
pub fn route(line: u32, vector: u8, apic_id: u32, signal: Signal) -> bool {
    CONTROLLERS.with(|controllers| {
        let owner = controllers.iter().find(|controller| {
            (controller.first_line..controller.first_line + controller.lines).contains(&line)
        });
        let Some(controller) = owner else {
            return false;
        };
        let entry = TABLE + 2 * (line - controller.first_line);
        let bits = u32::from(vector)
            | u32::from(signal.is_active_low) << 13
            | u32::from(signal.is_level) << 15;
        controller.write(entry + 1, apic_id << 24);
        controller.write(entry, bits);
        true
    })
}
