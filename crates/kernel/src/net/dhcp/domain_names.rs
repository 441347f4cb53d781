//! Domain names in binary form (RFC 1035 4.1.4), as in option 119.

use super::counters::Flaw;
use super::parameters::Name;

/// Labels of one name; a name of 64 bytes has no more.
const LABELS_MAX: usize = 32;

pub(super) const fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

/// The names one after the other; behind a mistake comes nothing.
pub(super) fn parse(bytes: &[u8]) -> impl Iterator<Item = Result<Name, Flaw>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let result = parse_one(bytes, at);
        at = match &result {
            Ok((_, behind)) => *behind,
            Err(_) => bytes.len(),
        };
        Some(result.map(|(name, _)| name))
    })
}

/// The name at `at`, and where the next one begins.
fn parse_one(bytes: &[u8], mut at: usize) -> Result<(Name, usize), Flaw> {
    let mut name = Name::new();
    let mut behind = None;
    // Pointers lead backwards only, so that they cannot lead in a circle.
    let mut lowest = at;
    for _ in 0..LABELS_MAX {
        let length = *bytes.get(at).ok_or(Flaw::OptionLength)?;
        match length {
            0 if name.is_empty() => return Err(Flaw::OptionText),
            0 => return Ok((name, behind.unwrap_or(at + 1))),
            1..=63 => {
                let label = bytes.get(at + 1..at + 1 + usize::from(length));
                push_label(&mut name, label.ok_or(Flaw::OptionLength)?)?;
                at += 1 + usize::from(length);
            }
            0xc0.. => {
                let low = *bytes.get(at + 1).ok_or(Flaw::OptionLength)?;
                let target = usize::from(length & 0x3f) << 8 | usize::from(low);
                if target >= lowest {
                    return Err(Flaw::OptionText);
                }
                behind.get_or_insert(at + 2);
                (at, lowest) = (target, target);
            }
            _ => return Err(Flaw::OptionText),
        }
    }
    Err(Flaw::OptionText)
}

fn push_label(name: &mut Name, label: &[u8]) -> Result<(), Flaw> {
    let is_label = label.iter().all(|byte| is_in_name(*byte) && *byte != b'.');
    let label = core::str::from_utf8(label).ok().filter(|_| is_label);
    let label = label.ok_or(Flaw::OptionText)?;
    if !name.is_empty() {
        name.push_str(".").map_err(|_| Flaw::OptionText)?;
    }
    name.push_str(label).map_err(|_| Flaw::OptionText)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8]) -> std::vec::Vec<std::string::String> {
        parse(bytes)
            .map(|name| name.map_or("flaw".into(), |name| name.as_str().into()))
            .collect()
    }

    #[test]
    fn names_are_read_with_their_pointers() {
        // The example of RFC 3397: eng.apple.com and marketing.apple.com.
        let bytes = b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04";
        assert_eq!(names(bytes), ["eng.apple.com", "marketing.apple.com"]);
    }

    #[test]
    fn circles_and_impossible_labels_end_the_list() {
        for bytes in [
            &b"\xc0\x00"[..],
            b"\x01a\xc0\x00",
            b"\x01a\x00\x01b\xc0\x05",
            b"\x05ab",
            b"\x01 \x00",
            b"\x80a\x00",
            b"\x00",
            b"\xc0",
        ] {
            assert_eq!(
                names(bytes).last().map(|name| &name[..]),
                Some("flaw"),
                "{bytes:?}"
            );
        }
        let long = [&[63][..], &[b'a'; 63], &[63], &[b'b'; 63], &[0]].concat();
        assert_eq!(names(&long), ["flaw"]);
    }
}
