//! Reads a rule as it is typed.
//!
//! `[at NUMBER] EFFECT SUBJECT VERBS OBJECT`, as in `allow tenant-* read,write device:*`.
//! After any number of words the parser knows what may follow; completion asks for it.

use super::context::{is_context_name, parse_id};
use super::level::Level;
use super::object::{Class, Name, is_of_a_name};
use super::rule::{Effect, NamePattern, ObjectPattern, Rule, SubjectPattern};
use super::shipped;
use super::verb::{Verb, VerbSet};
use super::word_error::{Missing, WordError, shown};
use crate::limits::{POLICY_NAME_MAX, POLICY_RULES_MAX};

/// A rule, and the number that it is to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    pub rule: Rule,
    pub number: Option<usize>,
}

const STAR: &str = "*";
const AT: &str = "at";
const LEVEL: &str = "level>=";
const USER: &str = "uid=";
/// How subjects are written that are not contexts by their names, for completion.
const SUBJECTS: [&str; 7] = [
    STAR,
    "tenant-*",
    "level>=public",
    "level>=internal",
    "level>=private",
    "level>=isolated",
    USER,
];

#[derive(Default)]
struct Parser {
    state: State,
    number: Option<usize>,
    effect: Option<Effect>,
    subject: Option<SubjectPattern>,
    verbs: Option<VerbSet>,
    object: Option<ObjectPattern>,
}

/// What the next word is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    /// `at`, or the effect.
    #[default]
    Begin,
    Number,
    Effect,
    Subject,
    Verbs,
    Object,
    End,
}

/// Reads what stands behind `security rule add`.
pub fn parse_rule(words: &[&str]) -> Result<Wish, WordError> {
    Parser::read(words)?.finish()
}

/// Offers every word that may stand behind these, as far as words have names.
pub fn offer_next(words: &[&str], offer: &mut dyn FnMut(&'static str)) {
    if let Ok(parser) = Parser::read(words) {
        parser.offer_next(offer);
    }
}

impl Parser {
    fn read(words: &[&str]) -> Result<Self, WordError> {
        let mut parser = Self::default();
        for word in words {
            parser.take(word)?;
        }
        Ok(parser)
    }

    fn take(&mut self, word: &str) -> Result<(), WordError> {
        self.state = match self.state {
            State::Begin if word == AT => State::Number,
            State::Number => {
                let numbers = 1..=POLICY_RULES_MAX;
                let number = word.parse().ok().filter(|number| numbers.contains(number));
                self.number = Some(number.ok_or_else(|| WordError::NoNumber(shown(word)))?);
                State::Effect
            }
            State::Begin | State::Effect => {
                let effect = Effect::parse(word);
                self.effect = Some(effect.ok_or_else(|| WordError::NoEffect(shown(word)))?);
                State::Subject
            }
            State::Subject => {
                self.subject = Some(parse_subject(word)?);
                State::Verbs
            }
            State::Verbs => {
                self.verbs = Some(parse_verbs(word)?);
                State::Object
            }
            State::Object => {
                let object = parse_object(word);
                self.object = Some(object.ok_or_else(|| WordError::NoObject(shown(word)))?);
                State::End
            }
            State::End => return Err(WordError::TooMuch(shown(word))),
        };
        Ok(())
    }

    fn offer_next(&self, offer: &mut dyn FnMut(&'static str)) {
        match self.state {
            State::Begin => {
                offer_effects(offer);
                offer(AT);
            }
            State::Effect => offer_effects(offer),
            State::Subject => {
                SUBJECTS.into_iter().for_each(&mut *offer);
                shipped::CONTEXT_NAMES.into_iter().for_each(offer);
            }
            State::Verbs => {
                offer(STAR);
                Verb::NAMES.into_iter().for_each(offer);
            }
            State::Object => {
                offer(STAR);
                Class::STARS.into_iter().for_each(offer);
            }
            State::Number | State::End => {}
        }
    }

    fn finish(self) -> Result<Wish, WordError> {
        let missing = |missing| move || WordError::Missing(missing);
        if self.state == State::Number {
            return Err(WordError::Missing(Missing::Number));
        }
        Ok(Wish {
            rule: Rule {
                effect: self.effect.ok_or_else(missing(Missing::Effect))?,
                subject: self.subject.ok_or_else(missing(Missing::Subject))?,
                verbs: self.verbs.ok_or_else(missing(Missing::Verbs))?,
                object: self.object.ok_or_else(missing(Missing::Object))?,
            },
            number: self.number,
        })
    }
}

fn offer_effects(offer: &mut dyn FnMut(&'static str)) {
    Effect::ALL.iter().for_each(|effect| offer(effect.name()));
}

fn parse_subject(word: &str) -> Result<SubjectPattern, WordError> {
    if let Some(level) = word.strip_prefix(LEVEL) {
        let level = Level::parse(level).ok_or_else(|| WordError::NoLevel(shown(level)))?;
        return Ok(SubjectPattern::LevelAtLeast(level));
    }
    if let Some(uid) = word.strip_prefix(USER) {
        let uid = parse_id(uid).ok_or_else(|| WordError::NoUser(shown(uid)))?;
        return Ok(SubjectPattern::User(uid));
    }
    let (name, is_prefix) = split_star(word);
    let is_everybody = name.is_empty() && is_prefix;
    if !is_everybody && !is_context_name(name) {
        return Err(WordError::NoSubject(shown(word)));
    }
    Ok(SubjectPattern::Context(NamePattern {
        name: Name::cut_from(name),
        is_prefix,
    }))
}

fn parse_verbs(word: &str) -> Result<VerbSet, WordError> {
    if word == STAR {
        return Ok(VerbSet::ALL);
    }
    let mut verbs = VerbSet::NONE;
    for name in word.split(',') {
        let verb = Verb::parse(name).ok_or_else(|| WordError::NoVerb(shown(name)))?;
        if verbs.contains(verb) {
            return Err(WordError::Twice(shown(name)));
        }
        verbs = verbs.with(verb);
    }
    Ok(verbs)
}

fn parse_object(word: &str) -> Option<ObjectPattern> {
    if word == STAR {
        return Some(ObjectPattern::Any);
    }
    let (class, name) = word.split_once(':')?;
    let class = Class::parse(class)?;
    let (name, is_prefix) = split_star(name);
    let is_said = is_prefix || !name.is_empty();
    let is_name = name.len() <= POLICY_NAME_MAX && name.bytes().all(is_of_a_name);
    (is_said && is_name).then(|| {
        let name = Name::cut_from(name);
        ObjectPattern::Of(class, NamePattern { name, is_prefix })
    })
}

fn split_star(word: &str) -> (&str, bool) {
    match word.strip_suffix('*') {
        Some(name) => (name, true),
        None => (word, false),
    }
}
