//! The secret that lets a request change something, kept from view.

use crate::base::fixed::Text;
use crate::limits::TOKEN_BYTES_MAX;
use core::fmt;
use core::fmt::Write;
use core::hint::black_box;

/// Shorter ones can be tried out.
pub const TOKEN_BYTES_MIN: usize = 8;
/// What stands in place of a token wherever settings are shown.
pub const HIDDEN: &str = "(hidden)";
const KEY: &str = "token=";

/// It has no face: neither `Display`, nor its own bytes in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    bytes: [u8; TOKEN_BYTES_MAX],
    length: usize,
}

impl Token {
    /// Visible ASCII of a sensible length, as it can stand in a header line.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !(TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&text.len()) || !is_visible {
            return Err("a token has 8 to 64 letters, digits and signs");
        }
        Ok(Self::padded(text.as_bytes()))
    }

    /// Its length says nothing of what it is.
    pub const fn byte_count(&self) -> usize {
        self.length
    }

    fn padded(text: &[u8]) -> Self {
        let mut bytes = [0; TOKEN_BYTES_MAX];
        let length = text.len().min(TOKEN_BYTES_MAX);
        bytes[..length].copy_from_slice(&text[..length]);
        Self { bytes, length }
    }

    /// Is it the same as `given`? Takes as long for every answer.
    pub fn is(&self, given: &[u8]) -> bool {
        let other = Self::padded(given);
        // A given text that was cut is longer than any token.
        let mut difference = self.length ^ given.len();
        for (own, others) in self.bytes.iter().zip(&other.bytes) {
            difference = black_box(difference | usize::from(own ^ others));
        }
        difference == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Is the word a setting that must not be shown?
pub fn is_secret(word: &str) -> bool {
    word.starts_with(KEY)
}

/// Settings as they may be shown: the value of each token is replaced.
pub fn redacted<const N: usize>(settings: &str) -> Text<N> {
    let mut shown = Text::new();
    for (index, line) in settings.split('\n').enumerate() {
        if index > 0 {
            shown.push_cut("\n");
        }
        let mut rest = line;
        while let Some(at) = rest.find(KEY) {
            let (before, secret) = rest.split_at(at);
            let end = secret.find(char::is_whitespace).unwrap_or(secret.len());
            // Writing to a `Text` cuts and never fails.
            let _ = write!(shown, "{before}{KEY}{HIDDEN}");
            rest = &secret[end..];
        }
        shown.push_cut(rest);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_token_is_equal_to_itself_only() {
        let token = Token::parse("correct-horse").unwrap();
        assert!(token.is(b"correct-horse"));
        let long = "x".repeat(TOKEN_BYTES_MAX + 8);
        for wrong in ["", "correct-hors", "correct-horse ", "Correct-horse", &long] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
        let longest = Token::parse(&long[..TOKEN_BYTES_MAX]).unwrap();
        assert!(longest.is(&long.as_bytes()[..TOKEN_BYTES_MAX]) && !longest.is(long.as_bytes()));
    }

    #[test]
    fn a_token_that_can_be_tried_out_or_not_be_sent_is_refused() {
        for bad in [
            "",
            "short12",
            "with blank",
            "umlaut-ä-token",
            &"x".repeat(65),
        ] {
            assert!(Token::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_face_shows_a_token() {
        let token = Token::parse("secret-secret").unwrap();
        assert_eq!(format!("{token:?}"), "(hidden)");
        let cases = [
            (
                "debug=1 token=secret-secret ip=dhcp",
                "debug=1 token=(hidden) ip=dhcp",
            ),
            ("token=secret-secret", "token=(hidden)"),
            (
                "a\ntoken=secret-secret\nb token=secret2\n",
                "a\ntoken=(hidden)\nb token=(hidden)\n",
            ),
            ("debug=1", "debug=1"),
        ];
        for (given, shown) in cases {
            assert_eq!(redacted::<256>(given).as_str(), shown);
        }
        assert!(!redacted::<20>("token=secret-secret token=secret-secret").contains("secret"));
    }
}
