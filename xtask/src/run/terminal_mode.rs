//! The terminal in raw mode, and back in its own mode on every way out.

use std::io::{IsTerminal, Stdin};

use anyhow::Context;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Every key comes at once and as it is, Ctrl-C included, as long as this lives.
pub struct RawMode<'a> {
    stdin: &'a Stdin,
    before: Termios,
}

impl<'a> RawMode<'a> {
    /// `None` when the input is no terminal.
    pub fn enter(stdin: &'a Stdin) -> anyhow::Result<Option<Self>> {
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(stdin).context("the terminal's mode cannot be read")?;
        let mut raw = before.clone();
        raw.make_raw();
        let mode = RawMode { stdin, before };
        tcsetattr(stdin, OptionalActions::Now, &raw)
            .context("the terminal's mode cannot be set")?;
        Ok(Some(mode))
    }
}

impl Drop for RawMode<'_> {
    fn drop(&mut self) {
        // It fails only when the terminal is gone.
        let _ = tcsetattr(self.stdin, OptionalActions::Now, &self.before);
    }
}
