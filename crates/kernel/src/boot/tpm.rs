//! The TPM of this machine, where a table describes one.

use super::notes::{Missing, note};
use crate::base::config::Config;
use crate::base::tpm::TpmPort;
use crate::drivers::acpi::Acpi;
use crate::drivers::tpm::{self, REGISTERS_ADDRESS, REGISTERS_BYTES};
use crate::memory::DeviceRegisters;
use alloc::boxed::Box;

/// Maps it and looks whether it is there; commands come later.
pub fn start(
    acpi: &Acpi,
    config: &Config,
    missing: &mut Missing,
) -> Option<Box<dyn TpmPort + Send>> {
    let table = acpi.tpm?;
    if !config.is_tpm_used {
        note(
            missing,
            "tpm",
            "the configuration leaves it alone (tpm=off)",
        );
        return None;
    }
    let registers = match DeviceRegisters::map(REGISTERS_ADDRESS, REGISTERS_BYTES, "tpm") {
        Ok(registers) => registers,
        Err(_) => {
            note(missing, "tpm", "its registers cannot be mapped");
            return None;
        }
    };
    match tpm::open(registers, &table) {
        Ok(port) => Some(port),
        Err(reason) => {
            note(missing, "tpm", reason);
            None
        }
    }
}
