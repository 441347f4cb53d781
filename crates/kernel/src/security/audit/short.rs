//! Text of a few bytes that takes no more memory than that.

use core::fmt;

/// What stands at the end of a text that was cut.
const MARK: &str = "...";

/// At most `N` bytes, below 256; a longer text ends in dots.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Short<const N: usize> {
    length: u8,
    bytes: [u8; N],
}

impl<const N: usize> Short<N> {
    pub fn new(text: &str) -> Self {
        const { assert!(N < 256 && N > MARK.len()) };
        let (kept, mark) = match text.len() <= N {
            true => (text, ""),
            false => (&text[..text.floor_char_boundary(N - MARK.len())], MARK),
        };
        let length = kept.len() + mark.len();
        let mut bytes = [0; N];
        bytes[..kept.len()].copy_from_slice(kept.as_bytes());
        bytes[kept.len()..length].copy_from_slice(mark.as_bytes());
        Self {
            length: length as u8,
            bytes,
        }
    }

    pub fn as_str(&self) -> &str {
        // It was cut between characters, so this never falls back.
        core::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl<const N: usize> Default for Short<N> {
    fn default() -> Self {
        Self::new("")
    }
}

impl<const N: usize> fmt::Display for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_marked() {
        assert_eq!(Short::<8>::new("12345678").as_str(), "12345678");
        assert_eq!(Short::<8>::new("123456789").as_str(), "12345...");
        assert_eq!(Short::<8>::new("1234€6789").as_str(), "1234...");
        assert_eq!(Short::<8>::new("").as_str(), "");
    }
}
