//! A writer that lets a piece of a text pass, so that a text can be continued.

use crate::base::width::text_cells;
use core::fmt;

/// Passes on what comes after the first `skip` bytes, as far as it fits.
///
/// Once it is full it answers an error, so that the writer stops early.
pub struct Window<'a> {
    skip: usize,
    out: &'a mut [u8],
    filled: usize,
}

impl<'a> Window<'a> {
    pub fn new(out: &'a mut [u8], skip: usize) -> Self {
        Self {
            skip,
            out,
            filled: 0,
        }
    }

    pub const fn filled(&self) -> usize {
        self.filled
    }
}

impl fmt::Write for Window<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let skipped = self.skip.min(text.len());
        self.skip -= skipped;
        let bytes = &text.as_bytes()[skipped..];
        let count = bytes.len().min(self.out.len() - self.filled);
        self.out[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
        self.filled += count;
        if count < bytes.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// Counts the cells that what is written takes on a screen.
#[derive(Default)]
pub struct Width(pub usize);

impl fmt::Write for Width {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text_cells(text);
        Ok(())
    }
}
