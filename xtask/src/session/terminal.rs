//! The other end of an interactive shell: types bytes and waits for text, as a person at a terminal does.

use std::path::Path;
use std::time::Duration;

use super::failure::Failure;
use super::line::{Line, Received};
use crate::deadline::Deadline;
use crate::qemu::{Ending, Machine, Shape};

/// What the interactive shell says when it takes a line.
pub const PROMPT: &str = "rayos> ";

#[derive(Debug)]
pub struct Terminal {
    line: Line,
    /// What came and was not yet waited for.
    unread: Vec<u8>,
}

impl Terminal {
    /// Boots a machine with an interactive shell. Nothing is waited for yet.
    pub fn boot(shape: &Shape, within: Duration) -> Result<Terminal, Failure> {
        Line::boot(shape, within).map(Terminal::over)
    }

    pub fn over(line: Line) -> Terminal {
        Terminal {
            line,
            unread: Vec::new(),
        }
    }

    /// Types these bytes.
    pub fn send(&mut self, bytes: &[u8], within: Duration) -> Result<(), Failure> {
        self.line.send(bytes, Deadline::after(within))
    }

    /// Waits for this text and returns everything that came before it since the last wait.
    pub fn expect(&mut self, text: &str, within: Duration) -> Result<String, Failure> {
        let deadline = Deadline::after(within);
        let wanted = text.as_bytes();
        let mut searched = 0;
        loop {
            if let Some(at) = find(&self.unread[searched..], wanted) {
                let before: Vec<u8> = self.unread.drain(..searched + at + wanted.len()).collect();
                return Ok(
                    String::from_utf8_lossy(&before[..before.len() - wanted.len()]).into_owned(),
                );
            }
            searched = (self.unread.len() + 1).saturating_sub(wanted.len());
            match self.line.receive(deadline)? {
                Received::Bytes(bytes) => self.unread.extend(bytes),
                Received::End => return Err(Failure::Ended(self.line.ending())),
                Received::Nothing => {
                    let waiting_for = format!("{text:?} on the serial line");
                    return Err(Failure::TimedOut {
                        waiting_for,
                        after: within,
                    });
                }
            }
        }
    }

    /// Waits until the machine has ended, passing over what it still says.
    pub fn wait_for_end(&mut self, within: Duration) -> Result<Ending, Failure> {
        let deadline = Deadline::after(within);
        loop {
            match self.line.receive(deadline)? {
                Received::Bytes(bytes) => self.unread.extend(bytes),
                Received::End => return Ok(self.line.ending()),
                Received::Nothing => {
                    return Err(Failure::TimedOut {
                        waiting_for: "end of the machine".to_string(),
                        after: within,
                    });
                }
            }
        }
    }

    /// What came and was not yet waited for, as text.
    pub fn unread(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    pub fn serial_log(&self) -> &Path {
        self.line.log_path()
    }

    pub fn machine(&mut self) -> Option<&mut Machine> {
        self.line.machine()
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn text_is_found_across_the_cuts_between_bytes() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut terminal = Terminal::over(Line::over(ours).unwrap());
        let thread = std::thread::spawn(move || {
            for byte in b"boot\nrayos> hello\nrayos> rest" {
                (&theirs).write_all(&[*byte]).unwrap();
            }
        });
        assert_eq!(terminal.expect(PROMPT, PATIENCE).unwrap(), "boot\n");
        assert_eq!(terminal.expect(PROMPT, PATIENCE).unwrap(), "hello\n");
        thread.join().unwrap();
        assert!(matches!(
            terminal.expect(PROMPT, PATIENCE),
            Err(Failure::Ended(_))
        ));
        assert_eq!(terminal.unread(), "rest");
    }

    #[test]
    fn the_end_is_waited_for_past_the_last_words() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut terminal = Terminal::over(Line::over(ours).unwrap());
        assert!(terminal.wait_for_end(Duration::from_millis(50)).is_err());
        theirs.write_all(b"bye").unwrap();
        drop(theirs);
        assert!(terminal.wait_for_end(PATIENCE).is_ok());
        assert_eq!(terminal.unread(), "bye");
    }

    #[test]
    fn text_that_does_not_come_is_named() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mut terminal = Terminal::over(Line::over(ours).unwrap());
        let failure = terminal
            .expect("login", Duration::from_millis(50))
            .unwrap_err();
        assert_eq!(
            failure.to_string(),
            "no \"login\" on the serial line within 0.1 s"
        );
    }
}
