//! Text of at most `N` bytes; what does not fit is cut at a character.

use super::Full;
use core::fmt;
use core::ops::{Deref, Range};

#[derive(Clone, PartialEq, Eq)]
pub struct Text<const N: usize> {
    inner: heapless::String<N>,
    cut: bool,
}

impl<const N: usize> Text<N> {
    pub const fn new() -> Self {
        Self {
            inner: heapless::String::new(),
            cut: false,
        }
    }

    /// As much of `text` as fits; `is_cut` says whether that was all.
    pub fn cut_from(text: &str) -> Self {
        let mut result = Self::new();
        result.push_cut(text);
        result
    }

    /// What the format yields, cut to the capacity.
    pub fn format(arguments: fmt::Arguments<'_>) -> Self {
        let mut result = Self::new();
        // Writing to a `Text` cuts and never fails.
        let _ = fmt::write(&mut result, arguments);
        result
    }

    /// Adds all of `text`, or nothing.
    pub fn push_str(&mut self, text: &str) -> Result<(), Full> {
        self.inner.push_str(text).map_err(|_| Full)
    }

    /// Adds as many whole characters of `text` as fit.
    pub fn push_cut(&mut self, text: &str) {
        for character in text.chars() {
            if self.cut || self.inner.push(character).is_err() {
                self.cut = true;
                return;
            }
        }
    }

    /// Puts all of `text` before the byte `at`, or nothing; `at` must be the edge of a character.
    pub fn insert_str(&mut self, at: usize, text: &str) -> Result<(), Full> {
        self.inner.insert_str(at, text).map_err(|_| Full)
    }

    /// Takes the bytes of `range` out; its ends must be edges of characters.
    pub fn remove_range(&mut self, range: Range<usize>) {
        drop(self.inner.drain(range));
    }

    /// Takes the last character off.
    pub fn pop(&mut self) -> Option<char> {
        self.inner.pop()
    }

    /// Replaces the whole text, cut to the capacity.
    pub fn set_cut(&mut self, text: &str) {
        self.clear();
        self.push_cut(text);
    }

    pub fn as_str(&self) -> &str {
        &self.inner
    }

    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    pub fn clear(&mut self) {
        self.inner.clear();
        self.cut = false;
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.inner
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_cut(text);
        Ok(())
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.inner)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        let text: Text<4> = Text::cut_from("aé€");
        assert_eq!((text.as_str(), text.is_cut()), ("aé", true));
    }

    #[test]
    fn text_goes_in_whole_or_not_at_all() {
        let mut text: Text<6> = Text::cut_from("a€");
        assert_eq!(text.insert_str(1, "bcd"), Err(Full));
        assert_eq!(text.insert_str(1, "bc"), Ok(()));
        assert_eq!(text.as_str(), "abc€");
        text.remove_range(1..3);
        assert_eq!(text.as_str(), "a€");
    }

    #[test]
    fn nothing_follows_after_a_cut() {
        let text: Text<4> = Text::format(format_args!("{}{}", "abc€", "d"));
        assert_eq!(text.as_str(), "abc");
    }
}
