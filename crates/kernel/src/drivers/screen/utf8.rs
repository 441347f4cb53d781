//! UTF-8 a byte at a time; what is not UTF-8 becomes U+FFFD.

/// The part of a character that has been seen.
#[derive(Clone, Copy, Debug)]
pub struct Utf8Decoder {
    value: u32,
    bytes_left: u8,
    /// The next byte's bounds: they keep out overlong forms, surrogates and values
    /// beyond U+10FFFF (Unicode, table 3-7).
    next_min: u8,
    next_max: u8,
}

/// What one byte meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Utf8Step {
    Character(char),
    /// More bytes belong to it.
    Unfinished,
    /// The byte cannot stand here, and is used up.
    Invalid,
    /// The character before was cut short; feed the byte once more.
    CutShort,
}

impl Utf8Decoder {
    pub const fn new() -> Self {
        Self {
            value: 0,
            bytes_left: 0,
            next_min: 0x80,
            next_max: 0xbf,
        }
    }

    pub fn feed(&mut self, byte: u8) -> Utf8Step {
        if self.bytes_left == 0 {
            return self.begin(byte);
        }
        if !(self.next_min..=self.next_max).contains(&byte) {
            *self = Self::new();
            return Utf8Step::CutShort;
        }
        self.value = self.value << 6 | u32::from(byte & 0x3f);
        self.bytes_left -= 1;
        (self.next_min, self.next_max) = (0x80, 0xbf);
        if self.bytes_left > 0 {
            return Utf8Step::Unfinished;
        }
        char::from_u32(self.value).map_or(Utf8Step::Invalid, Utf8Step::Character)
    }

    fn begin(&mut self, byte: u8) -> Utf8Step {
        let (bytes_left, next_min, next_max) = match byte {
            0x00..=0x7f => return Utf8Step::Character(char::from(byte)),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            _ => return Utf8Step::Invalid,
        };
        *self = Self {
            value: u32::from(byte) & (0x3f >> bytes_left),
            bytes_left,
            next_min,
            next_max,
        };
        Utf8Step::Unfinished
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use alloc::string::String;

    fn decode(bytes: &[u8]) -> String {
        let mut decoder = Utf8Decoder::new();
        let mut text = String::new();
        for &byte in bytes {
            let mut step = decoder.feed(byte);
            if step == Utf8Step::CutShort {
                text.push(char::REPLACEMENT_CHARACTER);
                step = decoder.feed(byte);
            }
            match step {
                Utf8Step::Character(character) => text.push(character),
                Utf8Step::Invalid => text.push(char::REPLACEMENT_CHARACTER),
                Utf8Step::Unfinished => {}
                Utf8Step::CutShort => panic!("a byte was cut short twice"),
            }
        }
        if decoder.bytes_left > 0 {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        text
    }

    #[test]
    fn soup_is_decoded_as_the_standard_library_does() {
        let mut prng = Prng::new(7);
        for _ in 0..20_000 {
            let mut bytes = [0; 12];
            prng.fill(&mut bytes);
            for byte in &mut bytes {
                // Mostly bytes that matter to UTF-8, so that long forms happen.
                if prng.one_in(2) {
                    *byte |= 0x80;
                }
            }
            assert_eq!(
                decode(&bytes),
                String::from_utf8_lossy(&bytes),
                "{bytes:02x?}"
            );
        }
    }

    #[test]
    fn every_length_of_character_comes_through() {
        let text = "aé€\u{10ffff}z";
        assert_eq!(decode(text.as_bytes()), text);
    }
}
