//! What was booted: the inputs of the first measurements, as boot found them.

use super::digest::{Digest, sha256};
use super::token;
use crate::limits::COMMAND_LINE_MAX;
use alloc::boxed::Box;
use sha2::{Digest as _, Sha256};

/// A digest, and of how many bytes it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    pub digest: Digest,
    pub bytes: u64,
}

impl Measured {
    /// Of bytes as they are.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            digest: sha256(&[bytes]),
            bytes: bytes.len() as u64,
        }
    }

    /// Of settings as they may be shown, so that nobody can try out secrets on the digest; of
    /// bytes that are no text as they are.
    pub fn of_settings(bytes: &[u8]) -> Self {
        let Ok(text) = core::str::from_utf8(bytes) else {
            return Self::of(bytes);
        };
        let mut hasher = Sha256::new();
        let mut length = 0;
        let mut add = |text: &str| {
            hasher.update(text);
            length += text.len() as u64;
        };
        // A secret ends where its word ends, so the text can be shown word by word.
        for word in text.split_inclusive(char::is_whitespace) {
            match word.contains('=') && word.len() <= COMMAND_LINE_MAX {
                true => add(&token::redacted::<{ 2 * COMMAND_LINE_MAX }>(word)),
                false => add(word),
            }
        }
        Self {
            digest: hasher.finalize().into(),
            bytes: length,
        }
    }
}

/// What a machine was booted with.
#[derive(Clone, Debug)]
pub struct BootInputs {
    /// The kernel's read-only segments, as far as its file holds them, in the order of their
    /// addresses. They do not change, so they are hashed later, a slice at a time.
    pub code: [&'static [u8]; 2],
    /// What the file holds of the writable segment, before the kernel changed it.
    pub data: Option<Measured>,
    /// The text after QEMU's `-append`, secrets hidden; empty where there is none.
    pub command_line: Measured,
    pub token: Option<Digest>,
    /// The module of PVH or the file `rayos.cfg`, secrets hidden where it is text.
    pub ramdisk: Option<Measured>,
    /// The firmware's log in the crypto-agile format (TCG PC Client Platform Firmware Profile,
    /// 10.2); empty where there is none.
    pub firmware_log: Box<[u8]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_measured_as_they_may_be_shown() {
        let given = "a=1 token=secret-secret\n\ttoken=secret-secre2 # x\r\n";
        let shown = token::redacted::<256>(given);
        assert_eq!(
            Measured::of_settings(given.as_bytes()),
            Measured::of(shown.as_bytes())
        );
        assert!(shown.contains("(hidden)") && !shown.contains("secret"));
        for plain in ["", "debug=1", " \n ü=\0"] {
            assert_eq!(
                Measured::of_settings(plain.as_bytes()),
                Measured::of(plain.as_bytes())
            );
        }
    }

    #[test]
    fn no_text_is_too_long_to_be_hidden() {
        let line = "token=secret-secret ";
        let (given, shown) = (line.repeat(5000), "token=(hidden) ".repeat(5000));
        assert_eq!(
            Measured::of_settings(given.as_bytes()),
            Measured::of(shown.as_bytes())
        );
    }
}
