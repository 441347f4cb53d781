//! Proposals for a word: what they begin with in common, and their list.
//!
//! Limits: `CANDIDATES_MAX` and `CANDIDATES_BYTES` are listed; all count for what is in common.

use super::pen::Pen;
use crate::base::fixed::{Text, Vec};
use crate::base::width::{char_cells, text_cells};
use crate::limits::{CANDIDATES_BYTES, CANDIDATES_MAX, LINE_MAX};

/// Wider proposals are listed one in a row.
const LISTED_CELLS_MAX: usize = 30;
const LIST_GAP: usize = 2;

/// The most that one list writes.
pub const LIST_BYTES_MAX: usize = CANDIDATES_BYTES
    + CANDIDATES_MAX * (LISTED_CELLS_MAX + LIST_GAP + "\r\n".len())
    + "... and 18446744073709551615 more\r\n".len();

/// Filled by whoever knows the commands; keeps what begins with the typed prefix.
pub struct Candidates<'p> {
    prefix: &'p str,
    common: Text<LINE_MAX>,
    text: Text<CANDIDATES_BYTES>,
    ends: Vec<u16, CANDIDATES_MAX>,
    unlisted: u64,
}

impl<'p> Candidates<'p> {
    pub const fn new(prefix: &'p str) -> Self {
        Self {
            prefix,
            common: Text::new(),
            text: Text::new(),
            ends: Vec::new(),
            unlisted: 0,
        }
    }

    /// What was typed of the word so far.
    pub const fn prefix(&self) -> &'p str {
        self.prefix
    }

    /// Proposes a word; one that does not begin with the prefix is passed over.
    pub fn offer(&mut self, candidate: &str) {
        let begins_well = candidate.starts_with(self.prefix)
            && candidate.chars().next().is_some_and(|c| char_cells(c) > 0);
        let is_typable = candidate.len() < LINE_MAX && !candidate.contains(char::is_control);
        if !begins_well || !is_typable || self.iter().any(|other| other == candidate) {
            return;
        }
        if self.is_empty() {
            self.common.set_cut(candidate);
        } else {
            let same = common_bytes(&self.common, candidate);
            self.common.remove_range(same..self.common.len());
        }
        let end = self.text.len() + candidate.len();
        if self.ends.is_full() || self.text.push_str(candidate).is_err() {
            self.unlisted += 1;
            return;
        }
        let kept = self.ends.push(end as u16);
        crate::invariant!(kept.is_ok(), "a list that was not full is full");
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.unlisted == 0
    }

    pub fn is_unique(&self) -> bool {
        self.ends.len() == 1 && self.unlisted == 0
    }

    /// What all proposals begin with; the whole word when there is one.
    pub fn common(&self) -> &str {
        &self.common
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let candidate = &self.text[start..usize::from(*end)];
            start = usize::from(*end);
            candidate
        })
    }

    /// Writes the proposals in columns, each row ended.
    pub fn list(&self, columns: usize, pen: &mut Pen<'_>) {
        let widest = self.iter().map(text_cells).max().unwrap_or(0);
        let in_row = match widest {
            0..=LISTED_CELLS_MAX => ((columns - 1) / (widest + LIST_GAP)).max(1),
            _ => 1,
        };
        let mut rest = self.ends.len();
        for (index, candidate) in self.iter().enumerate() {
            rest -= 1;
            pen.text(candidate);
            if rest == 0 || (index + 1) % in_row == 0 {
                pen.new_row();
            } else {
                pen.blanks(widest + LIST_GAP - text_cells(candidate));
            }
        }
        if self.unlisted > 0 {
            pen.text("... and ");
            pen.number(self.unlisted);
            pen.text(" more");
            pen.new_row();
        }
    }
}

fn common_bytes(one: &str, other: &str) -> usize {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    same.map(|(character, _)| character.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::editor::Output;

    fn listed(candidates: &Candidates<'_>, columns: usize) -> std::string::String {
        let mut out = std::boxed::Box::new(Output::new());
        let mut pen = Pen::new(&mut out);
        candidates.list(columns, &mut pen);
        out.iter().map(|byte| char::from(*byte)).collect()
    }

    #[test]
    fn what_all_have_in_common_is_known_even_when_not_all_are_listed() {
        let mut candidates = Candidates::new("th");
        for number in 0..CANDIDATES_MAX + 5 {
            candidates.offer(&std::format!("threads{number}"));
        }
        candidates.offer("other");
        candidates.offer("threads1");
        assert_eq!(candidates.common(), "threads");
        candidates.offer("thrift");
        assert_eq!(candidates.common(), "thr");
        assert!(listed(&candidates, 80).ends_with("\r\n... and 6 more\r\n"));
    }

    #[test]
    fn a_list_has_columns_and_stays_in_the_bound() {
        let mut candidates = Candidates::new("");
        for name in ["mem", "status", "help"] {
            candidates.offer(name);
        }
        assert_eq!(listed(&candidates, 80), "mem     status  help\r\n");
        assert_eq!(listed(&candidates, 20), "mem     status\r\nhelp\r\n");
        let mut candidates = Candidates::new("");
        for number in 0..100 {
            candidates.offer(&std::format!("{number:030}"));
        }
        assert!(listed(&candidates, 80).len() <= LIST_BYTES_MAX);
    }

    #[test]
    fn what_cannot_be_typed_is_not_proposed() {
        let mut candidates = Candidates::new("");
        candidates.offer("a\x1b[2J");
        candidates.offer("\u{301}");
        candidates.offer("");
        assert!(candidates.is_empty());
    }
}
