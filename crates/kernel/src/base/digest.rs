//! SHA-256, and bytes as hexadecimal digits.

use core::fmt;
use sha2::{Digest as _, Sha256};

pub const DIGEST_BYTES: usize = 32;

/// The SHA-256 of something.
pub type Digest = [u8; DIGEST_BYTES];

/// Of all parts, one behind the other.
pub fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// Of parts that come one after the other.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

/// Bytes as lower-case hexadecimal digits.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Reads digits of either case into `bytes`; `None` for an odd one, a stranger, or too many.
pub fn parse_hex<'b>(text: &str, bytes: &'b mut [u8]) -> Option<&'b [u8]> {
    let digits = text.as_bytes();
    let bytes = bytes.get_mut(..digits.len() / 2)?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_digest_is_that_of_the_standard() {
        let digest = sha256(&[b"a", b"", b"bc"]);
        let mut hasher = Hasher::default();
        for part in [&b"ab"[..], b"", b"c"] {
            hasher.update(part);
        }
        assert_eq!(hasher.finish(), digest);
        let text = format!("{}", Hex(&digest));
        assert_eq!(
            text,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let mut read = [0; DIGEST_BYTES];
        assert_eq!(parse_hex(&text, &mut read), Some(&digest[..]));
    }

    #[test]
    fn what_is_no_row_of_whole_bytes_is_refused() {
        let mut bytes = [0; 2];
        for bad in ["0", "0g", "+1", "000000", "ä"] {
            assert_eq!(parse_hex(bad, &mut bytes), None, "{bad}");
        }
        assert_eq!(parse_hex("", &mut bytes), Some(&[][..]));
        assert_eq!(parse_hex("0aFF", &mut bytes), Some(&[0x0a, 0xff][..]));
    }
}
