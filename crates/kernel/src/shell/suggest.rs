//! "Did you mean": the known word that a mistyped one is nearest to.

use crate::base::fixed::Vec;

/// Longer words are compared with nothing: they are not slips of the finger.
const WORD_CHARS_MAX: usize = 32;

type Row = [u8; WORD_CHARS_MAX + 1];

/// The candidate with the fewest slips from `word`, if it is near enough to be meant.
///
/// Of equally near ones the first; upper case counts as lower case.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = letters(word)?;
    let allowed = allowed_slips(word.len());
    let mut best = None;
    let mut best_slips = allowed + 1;
    for candidate in candidates {
        let Some(letters) = letters(candidate) else {
            continue;
        };
        let slips = distance(&word, &letters);
        // A word that shares nothing with what was typed is no correction of it.
        if slips < best_slips && slips < word.len().max(letters.len()) {
            best_slips = slips;
            best = Some(candidate);
        }
    }
    best
}

/// Short words turn into each other too easily to allow many.
const fn allowed_slips(length: usize) -> usize {
    match length {
        0..=2 => 1,
        3..=6 => 2,
        _ => 3,
    }
}

fn letters(word: &str) -> Option<Vec<char, WORD_CHARS_MAX>> {
    let mut letters = Vec::new();
    for letter in word.chars() {
        letters.push(letter.to_ascii_lowercase()).ok()?;
    }
    Some(letters)
}

/// Insertions, deletions, changes and swaps of neighbours that lead from one word
/// to the other (Damerau-Levenshtein, no letter touched twice).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last: Row = [0; WORD_CHARS_MAX + 1];
    let mut last: Row = core::array::from_fn(|index| index as u8);
    for (i, letter) in from.iter().enumerate() {
        let mut row: Row = [0; WORD_CHARS_MAX + 1];
        row[0] = i as u8 + 1;
        for (j, other) in to.iter().enumerate() {
            let changed = last[j] + u8::from(letter != other);
            let mut slips = changed.min(last[j + 1] + 1).min(row[j] + 1);
            let is_swap = i > 0 && j > 0 && *letter == to[j - 1] && from[i - 1] == *other;
            if is_swap {
                slips = slips.min(before_last[j - 1] + 1);
            }
            row[j + 1] = slips;
        }
        before_last = last;
        last = row;
    }
    usize::from(last[to.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: [&str; 9] = [
        "help", "status", "version", "uptime", "cpu", "mem", "threads", "reboot", "log",
    ];

    #[test]
    fn slips_lead_back_to_the_command() {
        let cases = [
            ("staus", Some("status")),
            ("stauts", Some("status")),
            ("STATUS", Some("status")),
            ("hlep", Some("help")),
            ("cpus", Some("cpu")),
            ("pcu", Some("cpu")),
            ("rebot", Some("reboot")),
            ("thread", Some("threads")),
            ("xyzzy", None),
            ("", None),
            ("q", None),
            ("a_word_that_is_far_longer_than_any_command", None),
        ];
        for (word, expected) in cases {
            assert_eq!(closest(word, COMMANDS), expected, "{word}");
        }
    }

    #[test]
    fn the_distance_is_that_of_the_textbook() {
        let letters = |word: &str| word.chars().collect::<std::vec::Vec<_>>();
        for (from, to, slips) in [
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("ca", "abc", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("same", "same", 0),
        ] {
            assert_eq!(distance(&letters(from), &letters(to)), slips, "{from} {to}");
        }
    }
}
