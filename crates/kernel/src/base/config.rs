//! The configuration: `key=value` words from the command line or `rayos.cfg`.
//!
//! An unknown key or a bad value becomes a problem that boot and `status` show;
//! it never stops anything.

use crate::base::fixed::{Text, Vec};
use crate::base::log::Levels;
use crate::base::service::ServiceSet;
use crate::base::token::{self, Token};
use crate::limits::CONFIG_PROBLEMS_MAX;

/// What a panic ends in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnPanic {
    Reboot,
    Halt,
}

/// The keyboard's layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keymap {
    Us,
    De,
    Fr,
}

/// Who is on the other end of the serial line: a person or a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShellMode {
    Interactive,
    Framed,
    FramedJson,
}

#[derive(Clone, Debug)]
pub struct Config {
    /// The `debug` command may break the kernel on purpose.
    pub is_debug: bool,
    pub on_panic: OnPanic,
    pub keymap: Keymap,
    pub shell: ShellMode,
    pub log_levels: Levels,
    /// Services for measuring that are offered from the start.
    pub services: ServiceSet,
    /// Who shows it may change something by HTTP; without one nobody may.
    pub token: Option<Token>,
    pub problems: Vec<Problem, CONFIG_PROBLEMS_MAX>,
    /// Problems beyond those that are kept.
    pub problems_more: u64,
}

/// A word that was not understood, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub word: Text<48>,
    pub reason: &'static str,
}

impl Config {
    pub const fn new() -> Self {
        Self {
            is_debug: false,
            on_panic: OnPanic::Reboot,
            keymap: Keymap::Us,
            shell: ShellMode::Interactive,
            log_levels: Levels::new(),
            services: ServiceSet::NONE,
            token: None,
            problems: Vec::new(),
            problems_more: 0,
        }
    }

    /// Reads words apart by white space; `#` hides the rest of its line.
    pub fn parse(text: &str) -> Self {
        let mut config = Self::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            line.split_whitespace().for_each(|word| config.apply(word));
        }
        config
    }

    fn apply(&mut self, word: &str) {
        let result = match word.split_once('=') {
            Some((key, value)) => self.set(key, value),
            None => Err("not of the form key=value"),
        };
        if let Err(reason) = result {
            let problem = Problem {
                word: match token::is_secret(word) {
                    true => token::redacted(word),
                    false => Text::cut_from(word),
                },
                reason,
            };
            if self.problems.push(problem).is_err() {
                self.problems_more += 1;
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        match key {
            "debug" => self.is_debug = parse_switch(value)?,
            "panic" => self.on_panic = parse_on_panic(value)?,
            "keymap" => self.keymap = parse_keymap(value)?,
            "shell" => self.shell = parse_shell(value)?,
            "services" => self.services = ServiceSet::parse(value)?,
            "log" => self.log_levels = Levels::parse(value)?,
            "token" => self.token = Some(Token::parse(value)?),
            _ => return Err("unknown key"),
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

fn parse_switch(value: &str) -> Result<bool, &'static str> {
    match value {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err("the value is 0 or 1"),
    }
}

fn parse_on_panic(value: &str) -> Result<OnPanic, &'static str> {
    match value {
        "reboot" => Ok(OnPanic::Reboot),
        "halt" => Ok(OnPanic::Halt),
        _ => Err("the value is reboot or halt"),
    }
}

fn parse_keymap(value: &str) -> Result<Keymap, &'static str> {
    match value {
        "us" => Ok(Keymap::Us),
        "de" => Ok(Keymap::De),
        "fr" => Ok(Keymap::Fr),
        _ => Err("the value is us, de or fr"),
    }
}

fn parse_shell(value: &str) -> Result<ShellMode, &'static str> {
    match value {
        "interactive" => Ok(ShellMode::Interactive),
        "framed" => Ok(ShellMode::Framed),
        "framed-json" => Ok(ShellMode::FramedJson),
        _ => Err("the value is interactive, framed or framed-json"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_kept_and_stops_nothing() {
        let config = Config::parse("debug=1 nonsense panic=halt speed=9 keymap=xx\n# debug=0\n");
        assert!(config.is_debug);
        assert_eq!(config.on_panic, OnPanic::Halt);
        let words: std::vec::Vec<&str> = config
            .problems
            .iter()
            .map(|problem| problem.word.as_str())
            .collect();
        assert_eq!(words, ["nonsense", "speed=9", "keymap=xx"]);
    }

    #[test]
    fn a_token_is_kept_and_a_bad_one_is_not_shown() {
        let config = Config::parse("token=0123456789abcdef");
        assert!(
            config
                .token
                .is_some_and(|token| token.is(b"0123456789abcdef"))
        );
        let config = Config::parse("token=tooshor");
        assert_eq!(config.token, None);
        assert_eq!(config.problems[0].word.as_str(), "token=(hidden)");
    }

    #[test]
    fn problems_beyond_the_list_are_counted() {
        let config = Config::parse("a b c d e f g h i j");
        assert_eq!(
            (config.problems.len(), config.problems_more),
            (CONFIG_PROBLEMS_MAX, 2)
        );
    }
}
