//! Secrets of the configuration, kept from view.

use crate::base::digest::{Digest, sha256};
use crate::base::fixed::Text;
use crate::limits::TOKEN_BYTES_MAX;
use core::fmt;
use core::fmt::Write;
use core::hint::black_box;

/// Shorter ones can be tried out.
pub const TOKEN_BYTES_MIN: usize = 8;
/// What stands in place of a secret wherever settings are shown.
pub const HIDDEN: &str = "(hidden)";
/// Settings whose values are secrets.
const KEYS: [&str; 2] = ["token=", "tpm-owner="];
/// Makes trying out tokens against a published fingerprint slower.
const FINGERPRINT_ROUNDS: usize = 4096;

/// The secret that lets a request change something.
pub type Token = Secret;

/// It has no face: neither `Display`, nor its own bytes in `Debug`.
#[derive(Clone)]
pub struct Secret {
    bytes: [u8; TOKEN_BYTES_MAX],
    length: usize,
}

impl Secret {
    /// Visible ASCII of a sensible length, as it can stand in a header line.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() < TOKEN_BYTES_MIN || !is_possible(text) {
            return Err("a token has 8 to 64 letters, digits and signs");
        }
        Ok(Self::padded(text.as_bytes()))
    }

    /// One that another system has set, so a short one is taken as well.
    pub fn parse_foreign(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || !is_possible(text) {
            return Err("a secret has 1 to 64 letters, digits and signs");
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
        // A given text that was cut is longer than any secret.
        let mut difference = self.length ^ given.len();
        for (own, others) in self.bytes.iter().zip(&other.bytes) {
            difference = black_box(difference | usize::from(own ^ others));
        }
        difference == 0
    }

    /// What may be told of it: a digest that takes a while to compute.
    pub fn fingerprint(&self) -> Digest {
        let first = sha256(&[b"rayos token", self.expose()]);
        (0..FINGERPRINT_ROUNDS).fold(first, |digest, _| sha256(&[&digest, self.expose()]))
    }

    /// The secret itself, as a key for what proves that one knows it.
    pub fn expose(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.expose())
    }
}

impl Eq for Secret {}

fn is_possible(text: &str) -> bool {
    text.len() <= TOKEN_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Is the word a setting that must not be shown?
pub fn is_secret(word: &str) -> bool {
    KEYS.iter().any(|key| word.starts_with(key))
}

/// Does the text name such a setting?
pub fn is_told_in(text: &str) -> bool {
    KEYS.iter().any(|key| text.contains(key))
}

/// Settings as they may be shown: the value of each secret is replaced.
pub fn redacted<const N: usize>(settings: &str) -> Text<N> {
    let mut shown = Text::new();
    for (index, line) in settings.split('\n').enumerate() {
        if index > 0 {
            shown.push_cut("\n");
        }
        let mut rest = line;
        while let Some((at, key)) = first_key(rest) {
            let (before, secret) = rest.split_at(at);
            let end = secret.find(char::is_whitespace).unwrap_or(secret.len());
            // Writing to a `Text` cuts and never fails.
            let _ = write!(shown, "{before}{key}{HIDDEN}");
            rest = &secret[end..];
        }
        shown.push_cut(rest);
    }
    shown
}

/// Where the first secret's key begins, and which one it is.
fn first_key(text: &str) -> Option<(usize, &'static str)> {
    let places = KEYS.iter().filter_map(|key| Some((text.find(key)?, *key)));
    places.min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::Hex;
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
    fn a_fingerprint_is_the_one_that_a_verifier_calculates() {
        let token = Token::parse("correct-horse").unwrap();
        let known = "52a3015f1e8f54f4629ba825f206c43a9c7eb0ce6d7945aa892af3dff74a29ba";
        assert_eq!(
            format!("{}", crate::base::digest::Hex(&token.fingerprint())),
            known
        );
        let other = Token::parse("correct-hors3").unwrap();
        assert_ne!(token.fingerprint(), other.fingerprint());
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
    fn a_secret_of_another_system_may_be_short() {
        let secret = Secret::parse_foreign("x").unwrap();
        assert!(secret.is(b"x") && secret == secret.clone());
        assert_ne!(secret, Secret::parse_foreign("y").unwrap());
        for bad in ["", "with blank", &"x".repeat(65)] {
            assert!(Secret::parse_foreign(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_fingerprint_is_that_of_the_whole_token() {
        let of = |text| Token::parse(text).unwrap().fingerprint();
        // Computed with Python's hashlib.
        assert_eq!(
            format!("{}", Hex(&of("correct-horse"))),
            "52a3015f1e8f54f4629ba825f206c43a9c7eb0ce6d7945aa892af3dff74a29ba"
        );
        assert_ne!(of("correct-horse"), of("correct-hors"));
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
            (
                "tpm-owner=hunter2 token=secret-secret",
                "tpm-owner=(hidden) token=(hidden)",
            ),
            (
                "a token=x=tpm-owner=y tpm-owner=\nb",
                "a token=(hidden) tpm-owner=(hidden)\nb",
            ),
        ];
        for (given, shown) in cases {
            assert_eq!(redacted::<256>(given).as_str(), shown);
        }
        assert!(!redacted::<20>("token=secret-secret token=secret-secret").contains("secret"));
    }
}
