//! Short names: eight capitals and three beside each long name.

use super::LongName;

pub type ShortName = [u8; 11];

/// Short names that are tried for one long name: numbered, then numbered with a hash.
pub const CANDIDATES: usize = 18;
const NUMBERS: usize = 9;

fn is_allowed(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'0'..=b'9') || b"!#$%&'()-@^_`{}~".contains(&byte)
}

/// The short name that says the same as the long one, so that no long one is needed.
pub fn exact(name: &LongName) -> Option<ShortName> {
    let mut short = [b' '; 11];
    let (mut at, mut end) = (0, 8);
    for unit in name.units() {
        match u8::try_from(*unit).ok()? {
            b'.' if end == 8 && at > 0 => (at, end) = (8, 11),
            byte if is_allowed(byte) && at < end => {
                short[at] = byte;
                at += 1;
            }
            _ => return None,
        }
    }
    Some(short)
}

/// The short names that may stand for a long one.
pub fn candidates(name: &LongName) -> [ShortName; CANDIDATES] {
    let units = name.units();
    let dot = units.iter().rposition(|unit| *unit == u16::from(b'.'));
    let dot = dot.filter(|at| *at > 0);
    let (base, extension) = match dot {
        Some(at) => (&units[..at], &units[at + 1..]),
        None => (units, &[][..]),
    };
    let mut all = [[b' '; 11]; CANDIDATES];
    for (index, short) in all.iter_mut().enumerate() {
        fill(&mut short[8..], extension);
        let number = b'1' + (index % NUMBERS) as u8;
        if index < NUMBERS {
            let used = fill(&mut short[..6], base);
            short[used..used + 2].copy_from_slice(&[b'~', number]);
        } else {
            let used = fill(&mut short[..2], base);
            let hash = hash(units);
            for digit in 0..4 {
                let nibble = (hash >> (12 - 4 * digit) & 0xf) as usize;
                short[used + digit] = b"0123456789ABCDEF"[nibble];
            }
            short[used + 4..used + 6].copy_from_slice(&[b'~', number]);
        }
    }
    all
}

/// Copies what is allowed, with `_` for the rest; says how much it was.
fn fill(place: &mut [u8], units: &[u16]) -> usize {
    let wanted = units.iter().filter(|unit| !matches!(**unit, 0x20 | 0x2e));
    let mut used = 0;
    for (place, unit) in place.iter_mut().zip(wanted) {
        let byte = u8::try_from(*unit).unwrap_or(b'_').to_ascii_uppercase();
        *place = if is_allowed(byte) { byte } else { b'_' };
        used += 1;
    }
    used
}

fn hash(units: &[u16]) -> u16 {
    units
        .iter()
        .fold(0, |hash: u16, unit| hash.wrapping_mul(31) ^ unit)
}

/// What each part of a long name carries of the short one that it belongs to.
pub fn checksum(short: &ShortName) -> u8 {
    short
        .iter()
        .fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// As it is shown; `lower` says whether base and extension are meant in small letters.
pub fn shown(short: &ShortName, lower: (bool, bool)) -> LongName {
    let unit = |byte: &u8, is_lower: bool| match *byte {
        byte if is_lower => u16::from(byte.to_ascii_lowercase()),
        byte if byte.is_ascii() => u16::from(byte),
        // Which letter it is depends on a country that nobody told us.
        _ => 0xfffd,
    };
    let end = |part: &[u8]| {
        let last = part.iter().rposition(|byte| *byte != b' ');
        last.map_or(0, |last| last + 1)
    };
    let (base, extension) = short.split_at(8);
    let (base, extension) = (&base[..end(base)], &extension[..end(extension)]);
    let dot = (!extension.is_empty()).then_some(u16::from(b'.'));
    let base = base.iter().map(|byte| unit(byte, lower.0));
    let extension = extension.iter().map(|byte| unit(byte, lower.1));
    LongName::from_units(base.chain(dot).chain(extension))
}
