//! Which handler a device's interrupt line reaches.

use crate::arch::{apic, interrupts, io_apic};
use crate::drivers::acpi::Acpi;

/// Routes a legacy interrupt to the first core; says in words why not.
pub(super) fn route(
    acpi: &Acpi,
    irq: u8,
    source: &'static str,
    run: fn(usize),
) -> Result<(), &'static str> {
    let line = acpi.line_of(irq);
    let vector = interrupts::allocate(source, Some(line.line), 0, run, 0)
        .ok_or("no interrupt vector is left")?;
    let signal = io_apic::Signal {
        is_active_low: line.is_active_low,
        is_level: line.is_level,
    };
    match io_apic::route(line.line, vector, apic::id(), signal) {
        true => Ok(()),
        false => Err("no I/O APIC has its interrupt line"),
    }
}
