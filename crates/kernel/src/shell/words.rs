//! A command line cut into words, bars and semicolons, its quotes undone.
//!
//! `'..'` keeps everything; `".."` keeps everything but `\"` and `\\`; outside of quotes a
//! backslash keeps the character behind it. Blanks, `|` and `;` separate only outside of quotes.

use super::parse_error::{ParseError, position};
use crate::base::fixed::{Text, Vec};
use crate::limits::{LINE_MAX, LINE_TOKENS_MAX};
use core::ops::Range;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    Word {
        /// Where the word without its quotes lies in `Scratch::text`.
        text: Range<usize>,
        /// Where it was typed.
        raw: Range<usize>,
    },
    /// The word `--json` without quotes, which belongs to no command.
    JsonFlag {
        raw: Range<usize>,
    },
    Bar {
        at: usize,
    },
    Semicolon {
        at: usize,
    },
}

impl Token {
    /// Where it was typed.
    pub fn raw(&self) -> Range<usize> {
        match self {
            Self::Word { raw, .. } | Self::JsonFlag { raw } => raw.clone(),
            Self::Bar { at } | Self::Semicolon { at } => *at..*at + 1,
        }
    }
}

/// What the line ended in the middle of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    Whole,
    InQuote { quote: char, at: usize },
    InBackslash { at: usize },
}

/// Room for the words of one line; used again for the next.
#[derive(Default)]
pub struct Scratch {
    /// The words one after the other, each followed by a blank, so that words
    /// that stand together can be read as one text.
    text: Text<{ LINE_MAX + 1 }>,
    tokens: Vec<Token, LINE_TOKENS_MAX>,
}

impl Scratch {
    pub const fn new() -> Self {
        Self {
            text: Text::new(),
            tokens: Vec::new(),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Cuts `line`; a line that ends inside a quote is cut as if it were closed there.
    pub fn cut(&mut self, line: &str) -> Result<Ending, ParseError> {
        self.text.clear();
        self.tokens.clear();
        if line.len() > LINE_MAX {
            return Err(ParseError::TooLong { bytes: line.len() });
        }
        if let Some(at) = line.find(|c: char| c.is_control() && c != '\t') {
            return Err(ParseError::ControlCharacter {
                position: position(line, at),
            });
        }
        let mut at = 0;
        while let Some(character) = line[at..].chars().next() {
            match character {
                ' ' | '\t' => at += 1,
                '|' => at = self.add_mark(Token::Bar { at }, at)?,
                ';' => at = self.add_mark(Token::Semicolon { at }, at)?,
                _ => {
                    let ending = self.add_word(line, &mut at)?;
                    if ending != Ending::Whole {
                        return Ok(ending);
                    }
                }
            }
        }
        Ok(Ending::Whole)
    }

    fn add_mark(&mut self, token: Token, at: usize) -> Result<usize, ParseError> {
        self.tokens
            .push(token)
            .map_err(|_| ParseError::TooManyTokens)?;
        Ok(at + 1)
    }

    /// Takes the word that begins at `at` and moves `at` behind it.
    fn add_word(&mut self, line: &str, at: &mut usize) -> Result<Ending, ParseError> {
        let raw_start = *at;
        let text_start = self.text.len();
        let mut state = Ending::Whole;
        let mut characters = line[raw_start..].char_indices();
        let mut raw_end = line.len();
        while let Some((offset, character)) = characters.next() {
            let here = raw_start + offset;
            match (state, character) {
                (Ending::Whole, ' ' | '\t' | '|' | ';') => {
                    raw_end = here;
                    break;
                }
                (Ending::Whole, quote @ ('\'' | '"')) => {
                    state = Ending::InQuote { quote, at: here };
                }
                (Ending::Whole, '\\') => match characters.next() {
                    Some((_, kept)) => self.keep(kept)?,
                    None => state = Ending::InBackslash { at: here },
                },
                (Ending::InQuote { quote, .. }, _) if character == quote => state = Ending::Whole,
                (Ending::InQuote { quote: '"', .. }, '\\') => {
                    let kept = characters.clone().next().map(|(_, kept)| kept);
                    if let Some(kept @ ('"' | '\\')) = kept {
                        characters.next();
                        self.keep(kept)?;
                    } else {
                        self.keep(character)?;
                    }
                }
                _ => self.keep(character)?,
            }
        }
        *at = raw_end;
        let raw = raw_start..raw_end;
        let text = text_start..self.text.len();
        let token = if line[raw.clone()] == *"--json" {
            self.text.remove_range(text);
            Token::JsonFlag { raw }
        } else {
            self.keep(' ')?;
            Token::Word { text, raw }
        };
        self.tokens
            .push(token)
            .map_err(|_| ParseError::TooManyTokens)?;
        Ok(state)
    }

    fn keep(&mut self, character: char) -> Result<(), ParseError> {
        // Undoing quotes only shortens and one blank a word fits, as the line itself does.
        self.text
            .push_str(character.encode_utf8(&mut [0; 4]))
            .map_err(|_| ParseError::TooLong {
                bytes: self.text.len(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec::Vec as List;

    fn words(line: &str) -> (List<String>, Ending) {
        let mut scratch = Scratch::new();
        let ending = scratch.cut(line).unwrap();
        let words = scratch.tokens().iter().map(|token| match token {
            Token::Word { text, .. } => scratch.text()[text.clone()].into(),
            Token::JsonFlag { .. } => "<json>".into(),
            Token::Bar { .. } => "<bar>".into(),
            Token::Semicolon { .. } => "<semicolon>".into(),
        });
        (words.collect(), ending)
    }

    #[test]
    fn quotes_and_backslashes_keep_what_separates() {
        let cases: [(&str, &[&str]); 11] = [
            ("", &[]),
            ("  a\tb  ", &["a", "b"]),
            ("a|b;c", &["a", "<bar>", "b", "<semicolon>", "c"]),
            ("'a b' \"c|d\" e\\;f", &["a b", "c|d", "e;f"]),
            ("a'b'\"c\"", &["abc"]),
            ("'' \"\"", &["", ""]),
            (r#""a\"b\\c\d""#, &[r#"a"b\c\d"#]),
            (r"'a\'", &[r"a\"]),
            (r"\\ \'", &[r"\", "'"]),
            ("日本 é", &["日本", "é"]),
            ("a --json '--json' b", &["a", "<json>", "--json", "b"]),
        ];
        for (line, expected) in cases {
            let (words, ending) = words(line);
            assert_eq!(words, expected, "{line}");
            assert_eq!(ending, Ending::Whole, "{line}");
        }
    }

    #[test]
    fn a_line_that_ends_inside_a_word_says_so() {
        assert_eq!(words("a 'b c").1, Ending::InQuote { quote: '\'', at: 2 });
        assert_eq!(words("a \"b\\").0, ["a", "b\\"]);
        assert_eq!(words("a b\\").1, Ending::InBackslash { at: 3 });
    }

    #[test]
    fn the_longest_line_of_single_letters_fits_or_is_refused_by_its_words() {
        let line = "a".repeat(LINE_MAX);
        assert_eq!(words(&line).0, [line]);
        let mut scratch = Scratch::new();
        let letters = "a ".repeat(LINE_MAX / 2);
        assert_eq!(scratch.cut(&letters), Err(ParseError::TooManyTokens));
        let long = "a".repeat(LINE_MAX + 1);
        assert!(matches!(
            scratch.cut(&long),
            Err(ParseError::TooLong { .. })
        ));
        assert!(matches!(
            scratch.cut("a\x03b"),
            Err(ParseError::ControlCharacter { position: 2 })
        ));
    }
}
