//! What the firmware's ACPI tables say: cores, interrupts, timer, power.
//!
//! Tables are read once, at boot, and copied into plain data. They are checked as
//! if they came from a stranger: lengths, checksums and counts. No AML is run; the
//! one value of it that switching off needs is looked for by its bytes.

mod madt;
mod mcfg;
mod power;
mod tables;
mod tpm2;

pub use mcfg::PciMemory;
pub use power::{PowerOff, Register, Reset, Space};
pub use tpm2::{LogArea, OtherStart, TpmInterface, TpmTable};

use crate::base::fixed::Vec;
use crate::limits::CORES_MAX;
use tables::{Reader, Table};

/// An interrupt line of an I/O APIC that differs from the legacy one of its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Override {
    pub legacy: u8,
    pub line: u32,
    pub is_active_low: bool,
    pub is_level: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IoApic {
    pub address: u64,
    pub first_line: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Acpi {
    pub local_apic: u64,
    /// Local APIC numbers of the usable cores, in the table's order.
    pub cores: Vec<u32, CORES_MAX>,
    /// Usable cores beyond `CORES_MAX`.
    pub cores_more: usize,
    pub io_apics: Vec<IoApic, 8>,
    pub overrides: Vec<Override, 16>,
    pub hpet: Option<u64>,
    /// Where PCI's configuration space is seen in memory.
    pub pci: Option<PciMemory>,
    pub tpm: Option<TpmTable>,
    pub reset: Option<Reset>,
    pub power_off: Option<PowerOff>,
    /// Does the machine have a keyboard controller, where the tables say?
    pub has_keyboard_controller: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AcpiError {
    NoRoot,
    BadRoot,
    NoInterruptTable,
}

impl AcpiError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoRoot => "the boot loader names no ACPI root and none was found",
            Self::BadRoot => "the ACPI root or its list of tables is damaged",
            Self::NoInterruptTable => "the ACPI tables do not describe interrupts (no MADT)",
        }
    }
}

impl Acpi {
    /// Reads the tables from the root at `root`, or from where PCs keep one.
    pub fn read(root: Option<u64>, read: Reader<'_>) -> Result<Self, AcpiError> {
        let root = root
            .filter(|root| *root != 0)
            .or_else(|| tables::search_root(read));
        let root = root.ok_or(AcpiError::NoRoot)?;
        let list = tables::list(root, read).ok_or(AcpiError::BadRoot)?;
        let mut acpi = Self::default();
        let mut has_madt = false;
        for address in list.addresses() {
            let Some(table) = Table::read(address, read) else {
                continue;
            };
            match table.signature() {
                b"APIC" => {
                    has_madt = true;
                    madt::parse(&table, &mut acpi);
                }
                b"HPET" => acpi.hpet = table.u64_at(44).filter(|address| *address != 0),
                b"MCFG" => acpi.pci = mcfg::parse(&table),
                b"TPM2" => acpi.tpm = tpm2::parse(&table),
                b"FACP" => power::parse(&table, &mut acpi, read),
                _ => {}
            }
        }
        if has_madt {
            Ok(acpi)
        } else {
            Err(AcpiError::NoInterruptTable)
        }
    }

    /// How the legacy interrupt `irq` reaches the I/O APIC.
    pub fn line_of(&self, irq: u8) -> Override {
        let own = self.overrides.iter().find(|entry| entry.legacy == irq);
        own.copied().unwrap_or(Override {
            legacy: irq,
            line: u32::from(irq),
            is_active_low: false,
            is_level: false,
        })
    }
}

#[cfg(test)]
mod tests;
