//! Tables made by hand, whole and damaged.

use super::*;
use crate::base::prng::Prng;

/// Memory at `BASE`, built table by table.
struct Memory(std::vec::Vec<u8>);

const BASE: u64 = 0x10_0000;

fn sealed(mut bytes: std::vec::Vec<u8>, checksum_at: usize) -> std::vec::Vec<u8> {
    bytes[checksum_at] = 0;
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[checksum_at] = 0u8.wrapping_sub(sum);
    bytes
}

fn table(signature: &[u8; 4], body: &[u8]) -> std::vec::Vec<u8> {
    let mut bytes = signature.to_vec();
    bytes.extend((36 + body.len() as u32).to_le_bytes());
    bytes.resize(36, 0);
    bytes.extend(body);
    sealed(bytes, 9)
}

impl Memory {
    fn add(&mut self, bytes: &[u8]) -> u64 {
        let address = BASE + self.0.len() as u64;
        self.0.extend(bytes);
        address
    }

    fn read(bytes: &'static [u8]) -> impl Fn(u64, usize) -> Option<&'static [u8]> {
        move |address, length| {
            let start = usize::try_from(address.checked_sub(BASE)?).ok()?;
            bytes.get(start..start.checked_add(length)?)
        }
    }
}

/// A TPM's table behind its header; with a log's length and address, or without.
fn tpm_body(start_method: u32, log: Option<(u32, u64)>) -> std::vec::Vec<u8> {
    let mut body = 0u32.to_le_bytes().to_vec();
    body.extend(0xfed4_0040u64.to_le_bytes());
    body.extend(start_method.to_le_bytes());
    body.extend([0; 12]);
    if let Some((bytes, address)) = log {
        body.extend(bytes.to_le_bytes());
        body.extend(address.to_le_bytes());
    }
    body
}

/// A machine with two cores, one I/O APIC, one override, reset and `_S5_`.
fn machine() -> (u64, std::vec::Vec<u8>) {
    let mut memory = Memory(std::vec::Vec::new());
    let mut madt = 0xfee0_0000u32.to_le_bytes().to_vec();
    madt.extend(1u32.to_le_bytes());
    madt.extend([0, 8, 0, 0, 1, 0, 0, 0]);
    madt.extend([0, 8, 1, 1, 1, 0, 0, 0]);
    madt.extend([0, 8, 2, 2, 0, 0, 0, 0]);
    madt.extend([1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
    madt.extend([2, 10, 0, 9, 9, 0, 0, 0, 13, 0]);
    let madt = memory.add(&table(b"APIC", &madt));
    let dsdt = memory.add(&table(b"DSDT", b"\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00"));
    let mut fadt = vec![0; 244 - 36];
    let mut put =
        |offset: usize, bytes: &[u8]| fadt[offset - 36..][..bytes.len()].copy_from_slice(bytes);
    put(40, &(dsdt as u32).to_le_bytes());
    put(64, &0x604u32.to_le_bytes());
    put(109, &2u16.to_le_bytes());
    put(112, &(1u32 << 10).to_le_bytes());
    put(116, &[1, 8, 0, 0, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0]);
    put(128, &[0x0f]);
    let fadt = memory.add(&table(b"FACP", &fadt));
    let tpm = memory.add(&table(b"TPM2", &tpm_body(7, Some((0x1_0000, 0x7fff_0000)))));
    let list: std::vec::Vec<u8> = [madt, fadt, tpm]
        .iter()
        .flat_map(|at| (*at as u32).to_le_bytes())
        .collect();
    let list = memory.add(&table(b"RSDT", &list));
    let mut root = b"RSD PTR \0RAYOS \0".to_vec();
    root.extend((list as u32).to_le_bytes());
    let root = memory.add(&sealed(root, 8));
    (root, memory.0)
}

#[test]
fn a_machine_is_read_from_its_tables() {
    let (root, bytes) = machine();
    let acpi = Acpi::read(Some(root), &Memory::read(bytes.leak())).unwrap();
    assert_eq!(&acpi.cores[..], &[0, 1]);
    assert_eq!(acpi.local_apic, 0xfee0_0000);
    assert_eq!(
        &acpi.io_apics[..],
        &[IoApic {
            address: 0xfec0_0000,
            first_line: 0
        }]
    );
    assert!(acpi.line_of(9).is_level && !acpi.line_of(9).is_active_low);
    assert_eq!(acpi.line_of(4).line, 4);
    let register = Register {
        space: Space::Port,
        address: 0xcf9,
    };
    assert_eq!(
        acpi.reset,
        Some(Reset {
            register,
            value: 0x0f
        })
    );
    let off = PowerOff::Control {
        a: 0x604,
        value_a: 5 << 10 | 1 << 13,
        b: None,
        value_b: 1 << 13,
    };
    assert_eq!(acpi.power_off, Some(off));
    assert_eq!(acpi.has_keyboard_controller, Some(true));
    let tpm = TpmTable {
        interface: Ok(TpmInterface::Crb),
        control_address: 0xfed4_0040,
        log: Some(LogArea {
            address: 0x7fff_0000,
            bytes: 0x1_0000,
        }),
    };
    assert_eq!(acpi.tpm, Some(tpm));
}

#[test]
fn a_tpm_is_driven_only_in_the_ways_that_are_known() {
    let read = |body: &[u8]| {
        let bytes: &'static [u8] = table(b"TPM2", body).leak();
        let table = Table::read(BASE, &Memory::read(bytes)).unwrap();
        tpm2::parse(&table)
    };
    let short = read(&tpm_body(6, None)).unwrap();
    assert_eq!((short.interface, short.log), (Ok(TpmInterface::Tis), None));
    let empty = read(&tpm_body(6, Some((0, 0)))).unwrap();
    assert_eq!(empty.log, None);
    for other in [0, 2, 8, 11, 13, 15, u32::MAX] {
        let table = read(&tpm_body(other, None)).unwrap();
        assert_eq!(table.interface, Err(OtherStart(other)));
    }
    // Cut anywhere: before the start method there is no TPM, behind it there is no log.
    let whole = tpm_body(7, Some((1, 1)));
    for length in 0..whole.len() {
        let table = read(&whole[..length]);
        assert_eq!(table.is_some(), length >= 16, "{length}");
        assert!(table.is_none_or(|table| table.log.is_none()), "{length}");
    }
}

#[test]
fn a_root_that_is_not_there_is_said() {
    let nothing = |_: u64, _: usize| None;
    assert_eq!(Acpi::read(None, &nothing).err(), Some(AcpiError::NoRoot));
    assert_eq!(
        Acpi::read(Some(BASE), &nothing).err(),
        Some(AcpiError::BadRoot)
    );
}

#[test]
fn damage_never_reaches_a_panic() {
    let (root, bytes) = machine();
    let mut prng = Prng::new(11);
    for _ in 0..3_000 {
        let mut damaged = bytes.clone();
        for _ in 0..=prng.below(4) {
            let place = prng.below(damaged.len() as u64) as usize;
            damaged[place] = prng.next_u64() as u8;
        }
        // Checksums set right again, so that the damage gets past them.
        for start in (0..damaged.len() - 36)
            .filter(|start| {
                [b"APIC", b"FACP", b"TPM2"]
                    .iter()
                    .any(|name| damaged[*start..].starts_with(*name))
            })
            .collect::<std::vec::Vec<_>>()
        {
            let length =
                u32::from_le_bytes(damaged[start + 4..start + 8].try_into().unwrap()) as usize;
            if let Some(table) = damaged
                .get(start..)
                .and_then(|rest| rest.get(..length))
                .filter(|table| table.len() > 36)
            {
                let fixed = sealed(table.to_vec(), 9);
                damaged[start..start + length].copy_from_slice(&fixed);
            }
        }
        let _ = Acpi::read(Some(root), &Memory::read(damaged.leak()));
    }
}
