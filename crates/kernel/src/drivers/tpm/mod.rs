//! TPM 2.0: two ways to its registers, its language, and a client.

pub mod client;
pub mod codec;
pub mod crb;
mod end;
mod exchange;
#[cfg(test)]
mod tests;
mod timing;
pub mod tis;
mod transport;

use crate::base::registers::Registers;
use crate::base::tpm::TpmPort;
use crate::drivers::acpi::{TpmInterface, TpmTable};
use alloc::boxed::Box;
pub use end::{PATIENCE, shut_down};
pub use exchange::{ACCESSES_A_POLL_MAX, FAULTS_IN_A_ROW_MAX};

/// Where a PC has its TPM: five localities of a page each.
pub const REGISTERS_ADDRESS: u64 = 0xfed4_0000;
pub const REGISTERS_BYTES: usize = 0x5000;
/// Where a table that is right says that the control registers of a buffer are.
const CONTROL_ADDRESS: u64 = REGISTERS_ADDRESS + crb::register::REQUEST as u64;

/// The TPM behind these registers, by the way the table names.
pub fn open<R: Registers + Send + 'static>(
    registers: R,
    table: &TpmTable,
) -> Result<Box<dyn TpmPort + Send>, &'static str> {
    const SILENT: &str = "a table describes one, and nothing answers at its registers";
    const ELSEWHERE: &str = "its registers are not where a PC has them, and are left alone";
    match table.interface {
        // Those of a TPM that is a part of the processor may be anywhere in memory.
        Ok(TpmInterface::Crb) if table.control_address != CONTROL_ADDRESS => Err(ELSEWHERE),
        Ok(TpmInterface::Tis) => match tis::Tis::new(registers) {
            Some(port) => Ok(Box::new(port)),
            None => Err(SILENT),
        },
        Ok(TpmInterface::Crb) => match crb::Crb::new(registers, REGISTERS_ADDRESS) {
            Some(port) => Ok(Box::new(port)),
            None => Err(SILENT),
        },
        Err(other) => Err(other.reason()),
    }
}
