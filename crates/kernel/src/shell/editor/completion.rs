//! Tab: finds the word at the cursor, asks how it goes on, and puts that in.

use super::buffer::Buffer;
use super::candidates::Candidates;
use crate::base::fixed::{Text, Vec};
use crate::limits::{LINE_MAX, WORDS_MAX};
use crate::shell::filter::FILTER_NAMES;
use crate::shell::words::{Ending, Scratch, Token};
use core::ops::Range;

/// What the editor asks the session, which knows the commands.
pub trait Complete {
    /// Offers what may stand behind the words of a command; none: the commands themselves.
    fn candidates(&self, words_before: &[&str], prefix: &str, out: &mut Candidates<'_>);

    /// Offers the columns of what the command shows, for `where` and `sort`.
    fn columns(&self, _command: &[&str], _prefix: &str, _out: &mut Candidates<'_>) {}
}

/// What a Tab did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completion {
    Extended,
    /// There are several, and nothing more in common.
    Ambiguous,
    Nothing,
}

type Words<'s> = Vec<&'s str, WORDS_MAX>;

/// The word at the cursor and what stands before it.
struct Place<'s> {
    /// Where the word was typed, its quotes included.
    typed: Range<usize>,
    prefix: &'s str,
    has_open_quote: bool,
    command: Words<'s>,
    /// The words of the filter, when a bar stands before the cursor.
    filter: Option<Words<'s>>,
}

/// Completes the word before the cursor as far as it is certain.
pub fn extend(buffer: &mut Buffer, complete: &dyn Complete) -> Completion {
    let mut scratch = Scratch::new();
    let Some(place) = find_place(buffer.before_cursor(), &mut scratch) else {
        return Completion::Nothing;
    };
    let mut candidates = Candidates::new(place.prefix);
    place.ask(complete, &mut candidates);
    let common = candidates.common();
    if candidates.is_empty() {
        return Completion::Nothing;
    }
    let is_whole = candidates.is_unique();
    if !is_whole && common.len() == place.prefix.len() {
        return Completion::Ambiguous;
    }
    let Some(mut word) = typable(common, is_whole, place.has_open_quote) else {
        return Completion::Nothing;
    };
    if is_whole && !buffer.after_cursor().starts_with(' ') && word.push_str(" ").is_err() {
        return Completion::Nothing;
    }
    match buffer.replace(place.typed, &word) {
        Ok(()) => Completion::Extended,
        Err(_) => Completion::Nothing,
    }
}

/// Looks at the proposals for the word before the cursor, if there is such a place.
pub fn look(before: &str, complete: &dyn Complete, see: impl FnOnce(&Candidates<'_>)) {
    let mut scratch = Scratch::new();
    if let Some(place) = find_place(before, &mut scratch) {
        let mut candidates = Candidates::new(place.prefix);
        place.ask(complete, &mut candidates);
        see(&candidates);
    }
}

impl Place<'_> {
    fn ask(&self, complete: &dyn Complete, out: &mut Candidates<'_>) {
        let command = match &self.command[..] {
            ["watch"] => return,
            ["watch", _, command @ ..] => command,
            command => command,
        };
        match self.filter.as_deref() {
            None => complete.candidates(command, self.prefix, out),
            Some([]) => FILTER_NAMES.iter().for_each(|name| out.offer(name)),
            Some(["where" | "sort"]) => complete.columns(command, self.prefix, out),
            Some(["sort", _]) => out.offer("desc"),
            Some(_) => {}
        }
    }
}

fn find_place<'s>(before: &str, scratch: &'s mut Scratch) -> Option<Place<'s>> {
    let ending = scratch.cut(before).ok()?;
    if matches!(ending, Ending::InBackslash { .. }) {
        return None;
    }
    let text = scratch.text();
    let mut tokens = scratch.tokens();
    let mut typed = before.len()..before.len();
    let mut prefix = "";
    if let Some((Token::Word { text: word, raw }, others)) = tokens.split_last()
        && raw.end == before.len()
    {
        typed = raw.clone();
        prefix = &text[word.clone()];
        tokens = others;
    }
    let mut command = Words::new();
    let mut filter = None;
    for token in tokens {
        match token {
            Token::Semicolon { .. } => {
                command.clear();
                filter = None;
            }
            Token::Bar { .. } => filter = Some(Words::new()),
            Token::JsonFlag { .. } => {}
            Token::Word { text: word, .. } => {
                let words = filter.as_mut().unwrap_or(&mut command);
                words.push(&text[word.clone()]).ok()?;
            }
        }
    }
    Some(Place {
        typed,
        prefix,
        has_open_quote: ending != Ending::Whole,
        command,
        filter,
    })
}

/// The word as it must be typed, with quotes where it needs them; open while it may go on.
fn typable(word: &str, is_whole: bool, has_open_quote: bool) -> Option<Text<LINE_MAX>> {
    let mut typed = Text::new();
    let is_special = |c: char| matches!(c, ' ' | '|' | ';' | '"' | '\'' | '\\');
    if !word.contains(is_special) && (is_whole || !has_open_quote) {
        typed.push_str(word).ok()?;
        return Some(typed);
    }
    typed.push_str("\"").ok()?;
    for character in word.chars() {
        if matches!(character, '"' | '\\') {
            typed.push_str("\\").ok()?;
        }
        typed.push_str(character.encode_utf8(&mut [0; 4])).ok()?;
    }
    if is_whole {
        typed.push_str("\"").ok()?;
    }
    Some(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Complete for Known {
        fn candidates(&self, words_before: &[&str], _prefix: &str, out: &mut Candidates<'_>) {
            let known: &[&str] = match words_before {
                [] => &["help", "mem", "status", "start", "echo"],
                ["mem"] => &["status", "pools"],
                ["echo"] => &["two words", "two times", "a\"b", "it's"],
                _ => &[],
            };
            known.iter().for_each(|word| out.offer(word));
        }

        fn columns(&self, command: &[&str], _prefix: &str, out: &mut Candidates<'_>) {
            if command == ["mem", "pools"] {
                ["name", "used"].iter().for_each(|column| out.offer(column));
            }
        }
    }

    #[test]
    fn a_word_is_completed_as_far_as_it_is_certain() {
        use Completion::*;
        let cases = [
            ("h", Extended, "help "),
            ("st", Extended, "sta"),
            ("sta", Ambiguous, "sta"),
            ("stat", Extended, "status "),
            ("x", Nothing, "x"),
            ("", Ambiguous, ""),
            ("mem s", Extended, "mem status "),
            ("mem --json p", Extended, "mem --json pools "),
            ("help; mem p", Extended, "help; mem pools "),
            ("watch 2 mem p", Extended, "watch 2 mem pools "),
            ("watch ", Nothing, "watch "),
            ("echo t", Extended, "echo \"two "),
            ("echo \"two t", Extended, "echo \"two times\" "),
            ("echo two\\ w", Extended, "echo \"two words\" "),
            ("echo 'two w", Extended, "echo \"two words\" "),
            ("echo a", Extended, "echo \"a\\\"b\" "),
            ("echo i", Extended, "echo \"it's\" "),
            ("echo '", Ambiguous, "echo '"),
            ("echo \\", Nothing, "echo \\"),
            ("mem pools | w", Extended, "mem pools | where "),
            ("mem pools | where u", Extended, "mem pools | where used "),
            ("mem pools|sort n", Extended, "mem pools|sort name "),
            (
                "mem pools|sort name d",
                Extended,
                "mem pools|sort name desc ",
            ),
            ("mem pools|limit ", Nothing, "mem pools|limit "),
        ];
        for (line, completion, expected) in cases {
            let mut buffer = Buffer::new();
            buffer.set(line);
            assert_eq!(extend(&mut buffer, &Known), completion, "{line}");
            assert_eq!(buffer.before_cursor(), expected, "{line}");
        }
    }

    #[test]
    fn what_stands_behind_the_cursor_stays() {
        let mut buffer = Buffer::new();
        buffer.set("he mem");
        buffer.set_cursor(2);
        assert_eq!(extend(&mut buffer, &Known), Completion::Extended);
        assert_eq!(
            (buffer.before_cursor(), buffer.after_cursor()),
            ("help", " mem")
        );
    }

    #[test]
    fn a_completed_word_that_does_not_fit_is_left_as_it_was() {
        let mut buffer = Buffer::new();
        let line = std::format!("{};h", "x".repeat(LINE_MAX - 3));
        buffer.set(&line);
        assert_eq!(extend(&mut buffer, &Known), Completion::Nothing);
        assert_eq!(buffer.text(), line);
    }
}
