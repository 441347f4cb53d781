//! A name, checked and in lower case.

use crate::base::fixed::Text;
use crate::limits::DNS_NAME_MAX;
use core::fmt;

/// Bytes of one label (RFC 1035, 2.3.4).
pub const LABEL_MAX: usize = 63;

/// Labels with dots between them and none at the end; empty for the root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name(Text<DNS_NAME_MAX>);

impl Name {
    /// Letters, digits, hyphens and underscores, as names of machines and services have them.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let mut name = Self::root();
        for label in text.split('.') {
            let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if !label.bytes().all(is_known) || !name.push_label(label.as_bytes()) {
                return None;
            }
        }
        Some(name)
    }

    pub const fn root() -> Self {
        Self(Text::new())
    }

    /// Adds a label at the end; says whether that made a name.
    ///
    /// Bytes that are no visible signs are refused: nothing that is asked for has them.
    pub fn push_label(&mut self, label: &[u8]) -> bool {
        let is_fine = |byte: &u8| byte.is_ascii_graphic() && *byte != b'.';
        if label.is_empty() || label.len() > LABEL_MAX || !label.iter().all(is_fine) {
            return false;
        }
        let dot = if self.0.is_empty() { "" } else { "." };
        let mut lower = [0; LABEL_MAX];
        let lower = &mut lower[..label.len()];
        lower.copy_from_slice(label);
        lower.make_ascii_lowercase();
        let text = core::str::from_utf8(lower).unwrap_or_default();
        self.0.push_str(dot).is_ok() && self.0.push_str(text).is_ok()
    }

    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.split('.').filter(|label| !label.is_empty())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
