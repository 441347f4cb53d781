//! From a line to commands with their filters.
//!
//! A line is `watch SECONDS CMD WORD... | FILTER | FILTER ; CMD ...`; `--json` may stand
//! anywhere as a word of its own.

pub use super::parse_error::{ParseError, Shown};
use super::parse_error::{position, shown};
pub use super::words::Scratch;
use super::words::{Ending, Token};
use crate::base::fixed::Vec;
use crate::base::time::Duration;
use crate::limits::{FILTERS_MAX, LINE_COMMANDS_MAX, LINE_FILTERS_MAX, LINE_TOKENS_MAX, WORDS_MAX};
use crate::shell::filter::{Asked, Filter};
use core::ops::Range;

const WATCH_MILLIS_MIN: u64 = 100;
const WATCH_MILLIS_MAX: u64 = 86_400_000;

/// One command of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command<'l> {
    /// How often it is to run again until the user stops it.
    pub watch: Option<Duration>,
    /// At least one; quotes undone, `watch SECONDS` and `--json` taken away.
    pub words: &'l [&'l str],
    pub filters: &'l [Filter<'l>],
    /// Asked for by `--json` or by `| json`.
    pub is_json: bool,
    /// As it was typed, filters included.
    pub source: &'l str,
}

/// The commands of one line, in their order; none in an empty line.
#[derive(Debug)]
pub struct Line<'a> {
    words: Vec<&'a str, LINE_TOKENS_MAX>,
    filters: Vec<Filter<'a>, LINE_FILTERS_MAX>,
    commands: Vec<Parts<'a>, LINE_COMMANDS_MAX>,
}

#[derive(Debug)]
struct Parts<'a> {
    watch: Option<Duration>,
    words: Range<usize>,
    filters: Range<usize>,
    is_json: bool,
    source: &'a str,
}

impl<'a> Line<'a> {
    pub fn parse(text: &'a str, scratch: &'a mut Scratch) -> Result<Self, ParseError> {
        match scratch.cut(text)? {
            Ending::Whole => {}
            Ending::InQuote { quote, at } => {
                return Err(ParseError::UnclosedQuote {
                    quote,
                    position: position(text, at),
                });
            }
            Ending::InBackslash { at } => {
                return Err(ParseError::NothingBehindBackslash {
                    position: position(text, at),
                });
            }
        }
        let mut line = Self {
            words: Vec::new(),
            filters: Vec::new(),
            commands: Vec::new(),
        };
        let source = Source {
            typed: text,
            words: scratch.text(),
        };
        let tokens = scratch.tokens();
        for tokens in tokens.split(|token| matches!(token, Token::Semicolon { .. })) {
            // Nothing between two semicolons asks for nothing.
            if !tokens.is_empty() {
                line.add_command(&source, tokens)?;
            }
        }
        Ok(line)
    }

    pub fn commands(&self) -> impl ExactSizeIterator<Item = Command<'_>> {
        self.commands.iter().map(|parts| Command {
            watch: parts.watch,
            words: &self.words[parts.words.clone()],
            filters: &self.filters[parts.filters.clone()],
            is_json: parts.is_json,
            source: parts.source,
        })
    }

    fn add_command(&mut self, source: &Source<'a>, tokens: &[Token]) -> Result<(), ParseError> {
        let mut stages = tokens.split(|token| matches!(token, Token::Bar { .. }));
        let command = stages.next().unwrap_or_default();
        let words_start = self.words.len();
        self.add_words(source, command)?;
        let (watch, skipped) = watch_prefix(&self.words[words_start..])?;
        let words = words_start + skipped..self.words.len();
        if words.is_empty() {
            return Err(match tokens.get(command.len()) {
                Some(bar) => ParseError::NoCommandBeforeBar {
                    position: position(source.typed, bar.raw().start),
                },
                None => ParseError::NoCommand,
            });
        }
        let filters_start = self.filters.len();
        let mut is_json = tokens.iter().any(|t| matches!(t, Token::JsonFlag { .. }));
        let mut stage_end = command.len();
        for stage in stages {
            if stage.is_empty() {
                return Err(ParseError::NoFilter {
                    position: position(source.typed, tokens[stage_end].raw().start),
                });
            }
            stage_end += 1 + stage.len();
            is_json |= self.add_filter(source, stage)?;
            if self.filters.len() - filters_start > FILTERS_MAX {
                return Err(ParseError::TooManyFilters);
            }
        }
        self.commands
            .push(Parts {
                watch,
                words,
                filters: filters_start..self.filters.len(),
                is_json,
                source: source.typed_as(tokens),
            })
            .map_err(|_| ParseError::TooManyCommands)
    }

    fn add_words(&mut self, source: &Source<'a>, tokens: &[Token]) -> Result<(), ParseError> {
        let start = self.words.len();
        for token in tokens {
            let Token::Word { text, raw } = token else {
                continue;
            };
            if self.words.len() - start == WORDS_MAX {
                return Err(ParseError::TooManyWords {
                    position: position(source.typed, raw.start),
                });
            }
            self.words
                .push(&source.words[text.clone()])
                .map_err(|_| ParseError::TooManyTokens)?;
        }
        Ok(())
    }

    /// Keeps a filter; says whether it asked for JSON instead.
    fn add_filter(&mut self, source: &Source<'a>, stage: &[Token]) -> Result<bool, ParseError> {
        let start = self.words.len();
        self.add_words(source, stage)?;
        if self.words.len() == start {
            return Ok(false);
        }
        let asked = Filter::parse(&self.words[start..], source.arguments(stage))?;
        self.words.truncate(start);
        if let Asked::Step(filter) = asked {
            self.filters
                .push(filter)
                .map_err(|_| ParseError::TooManyFilters)?;
        }
        Ok(asked == Asked::Json)
    }
}

/// The line as it was typed, and its words without quotes.
struct Source<'a> {
    typed: &'a str,
    words: &'a str,
}

impl<'a> Source<'a> {
    /// All words of a stage but the first, as one text.
    fn arguments(&self, stage: &[Token]) -> &'a str {
        let mut ranges = stage.iter().filter_map(|token| match token {
            Token::Word { text, .. } => Some(text),
            _ => None,
        });
        let _name = ranges.next();
        match (ranges.next(), ranges.next_back()) {
            (Some(first), Some(last)) => &self.words[first.start..last.end],
            (Some(only), None) => &self.words[only.clone()],
            (None, _) => "",
        }
    }

    fn typed_as(&self, tokens: &[Token]) -> &'a str {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => &self.typed[first.raw().start..last.raw().end],
            _ => "",
        }
    }
}

/// The period of `watch SECONDS ...` and how many words say it; none in front of other commands.
fn watch_prefix(words: &[&str]) -> Result<(Option<Duration>, usize), ParseError> {
    match words {
        ["watch"] | ["watch", _] => Err(ParseError::WatchUsage),
        ["watch", _, "watch", ..] => Err(ParseError::WatchInWatch),
        ["watch", seconds, ..] => match period(seconds) {
            Some(period) => Ok((Some(period), 2)),
            None => Err(ParseError::WatchSeconds {
                given: shown(seconds),
            }),
        },
        _ => Ok((None, 0)),
    }
}

/// Seconds with at most three decimals, within what `watch` takes.
fn period(seconds: &str) -> Option<Duration> {
    let (whole, decimals) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > 3 {
        return None;
    }
    let scale = [100, 10, 1][decimals.len() - 1];
    let millis = decimals.parse::<u64>().ok()? * scale;
    let millis = whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1000)?
        .checked_add(millis)?;
    (WATCH_MILLIS_MIN..=WATCH_MILLIS_MAX)
        .contains(&millis)
        .then_some(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::filter::Relation;
    use std::string::{String, ToString};

    fn check(line: &str, look: impl FnOnce(&[Command<'_>])) {
        let mut scratch = Scratch::new();
        let line = Line::parse(line, &mut scratch).unwrap();
        let commands: std::vec::Vec<_> = line.commands().collect();
        look(&commands);
    }

    fn error(line: &str) -> String {
        let mut scratch = Scratch::new();
        Line::parse(line, &mut scratch).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_line_asks_for_nothing() {
        for line in ["", "  ", ";", " ; ;"] {
            check(line, |commands| assert!(commands.is_empty(), "{line}"));
        }
    }

    #[test]
    fn commands_have_words_and_filters_of_their_own() {
        let line = "mem status | where used > 10 | sort used desc|limit 3;; echo 'a;b' ";
        check(line, |commands| {
            let [mem, echo] = commands else {
                panic!("{commands:?}");
            };
            assert_eq!(mem.words, ["mem", "status"]);
            let used = Filter::Where {
                column: "used",
                relation: Relation::Greater,
                value: "10",
            };
            let sorted = Filter::Sort {
                column: "used",
                is_descending: true,
            };
            assert_eq!(mem.filters, [used, sorted, Filter::Limit(3)]);
            assert_eq!(
                mem.source,
                "mem status | where used > 10 | sort used desc|limit 3"
            );
            assert_eq!((mem.is_json, mem.watch), (false, None));
            assert_eq!(echo.words, ["echo", "a;b"]);
            assert_eq!(echo.source, "echo 'a;b'");
            assert!(echo.filters.is_empty());
        });
    }

    #[test]
    fn json_is_asked_for_as_a_word_or_as_a_filter() {
        for line in [
            "--json cpu",
            "cpu --json",
            "cpu|json",
            "cpu | sort core --json",
        ] {
            check(line, |commands| {
                assert_eq!(commands[0].words, ["cpu"], "{line}");
                assert!(commands[0].is_json, "{line}");
            });
        }
        check("echo '--json'; cpu --json", |commands| {
            assert_eq!(commands[0].words, ["echo", "--json"]);
            assert_eq!([commands[0].is_json, commands[1].is_json], [false, true]);
        });
    }

    #[test]
    fn watch_is_a_prefix_with_seconds() {
        check("watch 0.5 cpu | limit 1; watch 2 --json mem", |commands| {
            assert_eq!(commands[0].watch, Some(Duration::from_millis(500)));
            assert_eq!(commands[0].words, ["cpu"]);
            assert_eq!(commands[1].watch, Some(Duration::from_secs(2)));
            assert_eq!(
                (commands[1].words, commands[1].is_json),
                (&["mem"][..], true)
            );
        });
        check("help watch", |commands| {
            assert_eq!((commands[0].watch, commands[0].words.len()), (None, 2));
        });
    }

    #[test]
    fn a_match_takes_all_its_words_as_one_text() {
        check("log | match 'raft  :' vote", |commands| {
            assert_eq!(commands[0].filters, [Filter::Match("raft  : vote")]);
        });
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_a_way_out() {
        let many_words = "a ".repeat(WORDS_MAX + 1);
        let many_filters = std::format!("a{}", "|limit 1".repeat(FILTERS_MAX + 1));
        let many_commands = "a;".repeat(LINE_COMMANDS_MAX + 1);
        let long = "a".repeat(2000);
        let cases = [
            (
                "echo é 'b",
                "the quote ' at character 8 is not closed; add another ' where the text ends",
            ),
            (
                "echo \\",
                "the backslash at character 6 has nothing behind it; write \\\\ for a backslash",
            ),
            (
                "| limit 1",
                "the bar at character 1 has no command before it",
            ),
            (
                "--json | limit 1",
                "the bar at character 8 has no command before it",
            ),
            ("--json", "a command is missing; help lists them all"),
            (
                "cpu | | limit 1",
                "the bar at character 5 has no filter behind it; the filters are where, sort, limit, match, json",
            ),
            (
                "cpu |",
                "the bar at character 5 has no filter behind it; the filters are where, sort, limit, match, json",
            ),
            (
                "cpu | srot core",
                "unknown filter \"srot\"; did you mean \"sort\"?",
            ),
            (
                "cpu | xyzzy",
                "unknown filter \"xyzzy\"; the filters are where, sort, limit, match, json",
            ),
            (
                "cpu | limit",
                "incomplete or too long filter; write limit N",
            ),
            (
                "cpu | limit ten",
                "limit takes a number of rows, not \"ten\"",
            ),
            (
                "cpu | sort core down",
                "incomplete or too long filter; write sort COLUMN [desc]",
            ),
            (
                "cpu | where core",
                "incomplete or too long filter; write where COLUMN=VALUE (or != < > <= >=)",
            ),
            (
                "watch 2",
                "watch takes seconds and a command, as in watch 2 status",
            ),
            (
                "watch soon cpu",
                "watch takes 0.1 to 86400 seconds, not \"soon\"",
            ),
            ("watch 0 cpu", "watch takes 0.1 to 86400 seconds, not \"0\""),
            (
                "watch 1 watch 2 cpu",
                "watch cannot watch itself; leave one of the two out",
            ),
            (
                "echo a\x07",
                "character 7 of the line cannot be shown; leave it out",
            ),
            (
                &many_words,
                "the word at character 129 is one too many; a command takes at most 64",
            ),
            (
                &many_filters,
                "too many filters; a command takes at most 8, a line 32",
            ),
            (
                &many_commands,
                "too many commands in one line; it takes at most 16",
            ),
            (&long, "the line has 2000 bytes; at most 1024 are taken"),
        ];
        for (line, expected) in cases {
            assert_eq!(error(line), expected, "{line}");
        }
    }
}
