//! What the firmware's table says decides which registers are touched.

use crate::base::registers::Registers;
use crate::drivers::acpi::{OtherStart, TpmInterface, TpmTable};
use crate::drivers::tpm::{REGISTERS_ADDRESS, open};

/// All registers are one, which each interface takes for a TPM of its own kind.
struct Ones;

impl Registers for Ones {
    fn bytes(&self) -> usize {
        0x5000
    }

    fn read_u8(&self, _: usize) -> u8 {
        1
    }

    fn read_u16(&self, _: usize) -> u16 {
        1
    }

    fn read_u32(&self, _: usize) -> u32 {
        1
    }

    fn write_u8(&self, _: usize, _: u8) {}

    fn write_u16(&self, _: usize, _: u16) {}

    fn write_u32(&self, _: usize, _: u32) {}
}

fn opened(interface: Result<TpmInterface, OtherStart>, control_address: u64) -> &'static str {
    let table = TpmTable {
        interface,
        control_address,
        log: None,
    };
    open(Ones, &table).map_or_else(|reason| reason, |port| port.facts().interface)
}

#[test]
fn a_buffer_whose_registers_are_elsewhere_is_left_alone() {
    let usual = REGISTERS_ADDRESS + 0x40;
    assert_eq!(opened(Ok(TpmInterface::Crb), usual), "crb");
    for elsewhere in [0, REGISTERS_ADDRESS, usual + 0x1000, 0xbd00_0000, u64::MAX] {
        let reason = opened(Ok(TpmInterface::Crb), elsewhere);
        assert!(reason.contains("not where a PC has them"), "{elsewhere:#x}");
    }
}

#[test]
fn a_fifo_has_one_place_and_other_ways_are_refused() {
    assert_eq!(opened(Ok(TpmInterface::Tis), 0), "tis");
    let reason = opened(Err(OtherStart(2)), REGISTERS_ADDRESS + 0x40);
    assert!(reason.contains("ACPI method"), "{reason}");
}
