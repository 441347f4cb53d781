//! The fixed table (ACPI 6.5, 5.2.9): how to restart and how to switch off.

use super::Acpi;
use super::tables::{Reader, Table};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    Memory,
    Port,
}

/// A register of one byte or one word, somewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Register {
    pub space: Space,
    pub address: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reset {
    pub register: Register,
    pub value: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PowerOff {
    /// Write `value_a` and `value_b` to the two control blocks (the second may be absent).
    Control {
        a: u16,
        value_a: u16,
        b: Option<u16>,
        value_b: u16,
    },
    /// Hardware-reduced: one byte to the sleep control register.
    Sleep { register: Register, value: u8 },
}

const SLEEP_ENABLE: u16 = 1 << 13;
const SLEEP_ENABLE_REDUCED: u8 = 1 << 5;
const HARDWARE_REDUCED: u32 = 1 << 20;
const HAS_RESET: u32 = 1 << 10;
const HAS_KEYBOARD_CONTROLLER: u16 = 1 << 1;

pub fn parse(table: &Table, acpi: &mut Acpi, read: Reader<'_>) {
    let flags = table.u32_at(112).unwrap_or(0);
    if flags & HAS_RESET != 0
        && let Some(register) = register_at(table, 116)
        && let Some(value) = table.u8_at(128)
    {
        acpi.reset = Some(Reset { register, value });
    }
    let is_reduced = flags & HARDWARE_REDUCED != 0;
    if !is_reduced {
        let architecture = table.u16_at(109).unwrap_or(0);
        acpi.has_keyboard_controller = Some(architecture & HAS_KEYBOARD_CONTROLLER != 0);
    }
    acpi.power_off = sleep_types(table, read).and_then(|(type_a, type_b)| match is_reduced {
        true => register_at(table, 244).map(|register| PowerOff::Sleep {
            register,
            value: type_a << 2 | SLEEP_ENABLE_REDUCED,
        }),
        false => control_blocks(table).map(|(a, b)| PowerOff::Control {
            a,
            value_a: u16::from(type_a) << 10 | SLEEP_ENABLE,
            b,
            value_b: u16::from(type_b) << 10 | SLEEP_ENABLE,
        }),
    });
}

fn control_blocks(table: &Table) -> Option<(u16, Option<u16>)> {
    let port = |offset| {
        u16::try_from(table.u32_at(offset)?)
            .ok()
            .filter(|port| *port != 0)
    };
    Some((port(64)?, port(68)))
}

/// A generic address (5.2.3.2) in memory or among the ports.
fn register_at(table: &Table, offset: usize) -> Option<Register> {
    let space = match table.u8_at(offset)? {
        0 => Space::Memory,
        1 => Space::Port,
        _ => return None,
    };
    let address = table.u64_at(offset + 4)?;
    let is_sound = address != 0 && (space == Space::Memory || address <= 0xffff);
    is_sound.then_some(Register { space, address })
}

/// The values that mean "off", from the package `_S5_` of the big AML table.
fn sleep_types(table: &Table, read: Reader<'_>) -> Option<(u8, u8)> {
    let wide = table.u64_at(140).filter(|address| *address != 0);
    let address = wide.or_else(|| table.u32_at(40).map(u64::from))?;
    let aml = Table::read(address, read)?.bytes();
    let name = aml.windows(4).position(|window| window == b"_S5_")?;
    parse_package(aml.get(name + 4..)?)
}

/// PackageOp, its length, the number of elements, then integers (20.2.5).
fn parse_package(bytes: &[u8]) -> Option<(u8, u8)> {
    const PACKAGE: u8 = 0x12;
    let (&operator, rest) = bytes.split_first()?;
    if operator != PACKAGE {
        return None;
    }
    let length_bytes = 1 + usize::from(rest.first()? >> 6);
    let elements = rest.get(length_bytes + 1..)?;
    let (first, elements) = parse_integer(elements)?;
    let second = parse_integer(elements).map_or(first, |(second, _)| second);
    Some((first, second))
}

fn parse_integer(bytes: &[u8]) -> Option<(u8, &[u8])> {
    const BYTE: u8 = 0x0a;
    match bytes {
        [BYTE, value, rest @ ..] => Some((value & 7, rest)),
        [value @ 0..=1, rest @ ..] => Some((*value, rest)),
        _ => None,
    }
}
