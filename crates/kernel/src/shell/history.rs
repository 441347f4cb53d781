//! The lines that a session remembers, newest last, in one fixed text.
//!
//! Limits: `HISTORY_MAX` lines, `HISTORY_BYTES` bytes; the oldest make room.

use crate::base::fixed::{Text, Vec};
use crate::base::token;
use crate::limits::{HISTORY_BYTES, HISTORY_MAX, LINE_MAX};

#[derive(Debug, Default)]
pub struct History {
    /// The lines one behind the other, oldest first.
    text: Text<HISTORY_BYTES>,
    lengths: Vec<u16, HISTORY_MAX>,
    forgotten: u64,
}

impl History {
    pub const fn new() -> Self {
        Self {
            text: Text::new(),
            lengths: Vec::new(),
            forgotten: 0,
        }
    }

    /// Remembers a line unless it is empty, begins with a blank, or repeats the newest. The
    /// secrets of settings that it names are left out, for others may read it later.
    pub fn add(&mut self, line: &str) {
        let shown: Text<{ 2 * LINE_MAX }>;
        let line = match token::is_told_in(line) {
            true => {
                shown = token::redacted(line);
                &shown
            }
            false => line,
        };
        if line.is_empty() || line.starts_with([' ', '\t']) || self.get(0) == Some(line) {
            return;
        }
        if line.len() > HISTORY_BYTES {
            self.forgotten += 1;
            return;
        }
        while self.lengths.is_full() || self.text.len() + line.len() > HISTORY_BYTES {
            self.forget_oldest();
        }
        let kept = self.text.push_str(line).is_ok() && self.lengths.push(line.len() as u16).is_ok();
        crate::invariant!(
            kept,
            "a history is full after its oldest lines were forgotten"
        );
    }

    fn forget_oldest(&mut self) {
        if let Some(length) = self.lengths.remove(0) {
            self.text.remove_range(0..length.into());
            self.forgotten += 1;
        }
    }

    /// The line that is `age` lines older than the newest.
    pub fn get(&self, age: usize) -> Option<&str> {
        self.newest_first().nth(age)
    }

    pub fn newest_first(&self) -> impl Iterator<Item = &str> {
        let mut end = self.text.len();
        self.lengths.iter().rev().map(move |length| {
            let line = &self.text[end - usize::from(*length)..end];
            end -= line.len();
            line
        })
    }

    /// As a user reads it, and as `history` numbers it.
    pub fn oldest_first(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.lengths.iter().map(move |length| {
            let line = &self.text[start..start + usize::from(*length)];
            start += line.len();
            line
        })
    }

    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// How many lines made room for newer ones.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub fn clear(&mut self) {
        self.text.clear();
        self.lengths.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_typed_is_not_remembered() {
        let mut history = History::new();
        history.add("echo token=correct-horse tpm-owner=battery-staple");
        let kept = history.get(0).unwrap();
        assert_eq!(kept, "echo token=(hidden) tpm-owner=(hidden)");
    }
    use std::string::String;
    use std::vec::Vec as List;

    fn lines(history: &History) -> List<String> {
        history.oldest_first().map(String::from).collect()
    }

    #[test]
    fn a_line_is_kept_once_in_a_row_and_not_behind_a_blank() {
        let mut history = History::new();
        for line in ["a", "a", "", " secret", "b", "a"] {
            history.add(line);
        }
        assert_eq!(lines(&history), ["a", "b", "a"]);
        assert_eq!(history.newest_first().collect::<List<_>>(), ["a", "b", "a"]);
        assert_eq!((history.get(1), history.get(3)), (Some("b"), None));
    }

    #[test]
    fn the_oldest_lines_make_room() {
        let mut history = History::new();
        for number in 0..HISTORY_MAX + 2 {
            history.add(&std::format!("line {number}"));
        }
        assert_eq!((history.len(), history.forgotten()), (HISTORY_MAX, 2));
        assert_eq!(history.oldest_first().next(), Some("line 2"));
        history.add(&"x".repeat(HISTORY_BYTES - 1));
        assert_eq!(history.len(), 1);
        history.add("y");
        assert_eq!(history.len(), 2);
        history.add("é");
        assert_eq!(lines(&history), ["y", "é"]);
    }
}
