//! Names as people write them, told apart without their case.

use super::path::PathError;
use crate::base::fixed::Vec;
use core::fmt;

/// Units of UTF-16 that a name can have.
pub const NAME_UNITS_MAX: usize = 255;
/// Units of one slot, and slots that stand before the short name in one sector.
pub const PART_UNITS: usize = 13;
const PARTS_WRITTEN_MAX: usize = 15;
/// Of a name that is made here: all of its slots lie in one sector, which is written whole.
const WRITTEN_UNITS_MAX: usize = PART_UNITS * PARTS_WRITTEN_MAX;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LongName {
    units: Vec<u16, NAME_UNITS_MAX>,
}

impl LongName {
    /// A name that may be given to a file.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let is_forbidden =
            |character: char| character.is_control() || "\"*/:<>?\\|".contains(character);
        if let Some(character) = text.chars().find(|character| is_forbidden(*character)) {
            return Err(PathError::Character(character));
        }
        if text.ends_with(['.', ' ']) || text.starts_with(' ') || text.is_empty() {
            return Err(PathError::Edge);
        }
        let mut units = Vec::new();
        for unit in text.encode_utf16() {
            if units.len() == WRITTEN_UNITS_MAX || units.push(unit).is_err() {
                return Err(PathError::NameTooLong {
                    most: WRITTEN_UNITS_MAX,
                });
            }
        }
        Ok(Self { units })
    }

    /// What stands in a directory, cut where it is longer than it can be.
    pub fn from_units(from: impl Iterator<Item = u16>) -> Self {
        let mut units = Vec::new();
        for unit in from.take(NAME_UNITS_MAX) {
            // There is room for as many as are taken.
            let _ = units.push(unit);
        }
        Self { units }
    }

    pub fn units(&self) -> &[u16] {
        &self.units
    }

    /// Slots in front of the short name.
    pub fn parts(&self) -> usize {
        self.units.len().div_ceil(PART_UNITS)
    }

    pub fn is_of_a_device(&self) -> bool {
        let ended = |unit: &&u16| **unit != u16::from(b'.');
        let base = self.units.iter().take_while(ended);
        let mut letters = [b' '; PART_UNITS];
        if base.clone().count() > letters.len() {
            return false;
        }
        for (unit, place) in base.zip(&mut letters) {
            *place = u8::try_from(*unit).unwrap_or(0).to_ascii_uppercase();
        }
        let base = letters.trim_ascii_end();
        DEVICES.iter().any(|device| base == device.as_bytes())
            || matches!(base, [device @ .., b'1'..=b'9']
                if NUMBERED_DEVICES.iter().any(|numbered| device == numbered.as_bytes()))
    }

    /// Is it the same name to somebody who does not look at the case?
    pub fn is_alike(&self, other: &Self) -> bool {
        self.units.len() == other.units.len()
            && self
                .units
                .iter()
                .zip(other.units.iter())
                .all(|(one, other)| upper(*one) == upper(*other))
    }
}

/// What Windows takes for a device whatever stands behind the first dot, so that nobody
/// could open such a file there. Those with a number behind them have 1 to 9.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// The capital of a letter that has one of the same length and of its own: `ı` is not
/// `i` to Windows, so a host may have made a file of either name.
fn upper(unit: u16) -> u16 {
    let Some(character) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut capitals = character.to_uppercase();
    let (Some(capital), None) = (capitals.next(), capitals.next()) else {
        return unit;
    };
    let is_its_own = character == 'ς' || capital.to_lowercase().eq([character]);
    match u16::try_from(u32::from(capital)) {
        Ok(capital) if is_its_own => capital,
        _ => unit,
    }
}

impl fmt::Display for LongName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in char::decode_utf16(self.units.iter().copied()) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            let shown = match character.is_control() {
                true => char::REPLACEMENT_CHARACTER,
                false => character,
            };
            write!(f, "{shown}")?;
        }
        Ok(())
    }
}
