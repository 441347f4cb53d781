//! Long names out of their parts, which stand before their entry.

use super::LongName;
use super::entry::{Part, Short};
use super::name::PART_UNITS;
use super::short_name::{checksum, shown};

/// Parts of the longest name.
pub const PARTS_MAX: usize = 20;

/// Puts together what comes in the order of the disk: the last part first.
#[derive(Clone, Debug)]
pub struct Assembly {
    units: [u16; PARTS_MAX * PART_UNITS],
    parts: u8,
    /// The part that has to come next; 0 for the entry itself.
    next: u8,
    checksum: u8,
}

impl Default for Assembly {
    fn default() -> Self {
        Self {
            units: [0; PARTS_MAX * PART_UNITS],
            parts: 0,
            next: 0,
            checksum: 0,
        }
    }
}

impl Assembly {
    /// Takes a part; says whether it belongs to those before it.
    pub fn push(&mut self, part: &Part) -> bool {
        let is_first = part.is_last;
        if is_first {
            self.parts = part.number;
            self.next = part.number;
            self.checksum = part.checksum;
        }
        let fits = part.number > 0 && usize::from(part.number) <= PARTS_MAX;
        if !fits || part.number != self.next || part.checksum != self.checksum {
            self.clear();
            return false;
        }
        let at = usize::from(part.number - 1) * PART_UNITS;
        self.units[at..at + PART_UNITS].copy_from_slice(&part.units);
        self.next -= 1;
        true
    }

    pub fn clear(&mut self) {
        (self.parts, self.next) = (0, 0);
    }

    /// Does an entry that comes now have this long name?
    pub fn belongs_to(&self, short: &Short) -> bool {
        self.parts > 0 && self.next == 0 && self.checksum == checksum(&short.name)
    }

    /// The name of the entry that has come.
    pub fn name_of(&self, short: &Short) -> LongName {
        if !self.belongs_to(short) {
            return shown(&short.name, short.lower);
        }
        let units = &self.units[..usize::from(self.parts) * PART_UNITS];
        let ended = units.iter().copied().take_while(|unit| *unit != 0);
        LongName::from_units(ended)
    }
}

/// The part of a name with that number, from 1 on.
pub fn part(name: &LongName, number: usize, checksum: u8) -> Part {
    let units = name.units();
    let parts = name.parts();
    let first = (number - 1) * PART_UNITS;
    let unit = |at: usize| match units.get(first + at) {
        Some(unit) => *unit,
        // One zero ends the name, and the rest is filled.
        None if first + at == units.len() => 0,
        None => 0xffff,
    };
    Part {
        number: number as u8,
        is_last: number == parts,
        checksum,
        units: core::array::from_fn(unit),
    }
}
