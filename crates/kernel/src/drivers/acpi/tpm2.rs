//! The table of a TPM 2.0 (TCG ACPI Specification 1.4, 8).

use super::tables::Table;

/// How commands reach the TPM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TpmInterface {
    /// The FIFO at the usual address.
    Tis,
    /// The command response buffer at the usual address.
    Crb,
}

/// A start method that is not driven here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OtherStart(pub u32);

impl OtherStart {
    pub const fn reason(self) -> &'static str {
        match self.0 {
            2 | 8 => "its commands are started by an ACPI method, and none is run here",
            11 | 15 => "its commands are started by a call to the firmware",
            13 => "it is another processor behind a mailbox",
            _ => "its table names a start method that is not known",
        }
    }
}

/// The firmware's log of measurements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogArea {
    pub address: u64,
    pub bytes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TpmTable {
    pub interface: Result<TpmInterface, OtherStart>,
    /// Where the table says that the control registers are; 0 for a FIFO.
    pub control_address: u64,
    /// Only where the table is long enough to name one.
    pub log: Option<LogArea>,
}

/// Behind the platform class and two reserved bytes.
const CONTROL_AT: usize = 40;
const START_METHOD_AT: usize = 48;
/// Behind twelve bytes of the start method's own.
const LOG_BYTES_AT: usize = 64;
const LOG_ADDRESS_AT: usize = 68;

/// `None` for a table that ends before its start method.
pub fn parse(table: &Table) -> Option<TpmTable> {
    let interface = match table.u32_at(START_METHOD_AT)? {
        6 => Ok(TpmInterface::Tis),
        7 => Ok(TpmInterface::Crb),
        other => Err(OtherStart(other)),
    };
    let log = table.u32_at(LOG_BYTES_AT).zip(table.u64_at(LOG_ADDRESS_AT));
    let log = log.filter(|(bytes, address)| *bytes != 0 && *address != 0);
    Some(TpmTable {
        interface,
        control_address: table.u64_at(CONTROL_AT)?,
        log: log.map(|(bytes, address)| LogArea { address, bytes }),
    })
}
