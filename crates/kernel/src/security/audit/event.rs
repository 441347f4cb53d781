//! What is worth an entry: one constructor a kind of occurrence.

use super::anchors::AnchorRecord;
use super::entry::{Object, Sentence};
use super::kept::{Past, Point};
use super::verify::Finding;
use super::words::{Kind, Level, Outcome, Verb};
use crate::base::fixed::Text;
use crate::base::subject::Subject;
use crate::base::token::{is_told_in, redacted};
use crate::limits::{AUDIT_TEXT_MAX, LINE_MAX};
use core::fmt;

/// An entry before it has a number and a place in the chain. It holds no secrets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    pub level: Level,
    pub kind: Kind,
    pub subject: Subject,
    pub verb: Verb,
    pub object: Object,
    pub outcome: Outcome,
    pub times: u32,
    pub text: Sentence,
}

impl Event {
    /// Done by the kernel itself, worth a note; the other parts are set behind it.
    pub fn new(kind: Kind, verb: Verb, object: &str) -> Self {
        Self {
            level: Level::Info,
            kind,
            subject: Subject::KERNEL,
            verb,
            object: Object::new(object),
            outcome: Outcome::Done,
            times: 1,
            text: Sentence::default(),
        }
    }

    pub const fn level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    pub const fn by(self, subject: Subject) -> Self {
        Self { subject, ..self }
    }

    pub const fn outcome(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// So many of them at once.
    pub const fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    pub fn text(self, text: fmt::Arguments<'_>) -> Self {
        Self {
            text: sentence(text),
            ..self
        }
    }

    /// A line was typed or sent; its commands are judged later.
    pub fn line(subject: Subject, line: &str) -> Self {
        Self::new(Kind::User, Verb::Type, "shell")
            .by(subject)
            .text(format_args!("{}", redacted::<LINE_MAX>(line)))
    }

    /// A command was run, or denied. `name` is that of the command, `line` what was written.
    pub fn command(subject: Subject, name: &str, line: &str, outcome: Outcome) -> Self {
        let event = Self::new(Kind::User, Verb::Run, name)
            .by(subject)
            .outcome(outcome)
            .text(format_args!("{}", redacted::<LINE_MAX>(line)));
        match outcome {
            Outcome::Denied => event.level(Level::Warning).kind(Kind::Security),
            Outcome::Failed => event.level(Level::Notice),
            _ => event,
        }
    }

    /// What a command wanted of the kernel was done, denied, or could not be done.
    pub fn intent(subject: Subject, name: &str, result: Result<(), &str>) -> Self {
        let event = Self::new(Kind::System, Verb::Perform, name).by(subject);
        match result {
            Ok(()) => event.level(Level::Notice),
            Err(reason) => event
                .level(Level::Error)
                .outcome(Outcome::Failed)
                .text(format_args!("{reason}")),
        }
    }

    /// Somebody showed a token that is not the machine's; `from` is where he came from.
    pub fn wrong_token(subject: Subject, from: fmt::Arguments<'_>) -> Self {
        Self::from_outside(Verb::LogIn, from)
            .by(subject)
            .outcome(Outcome::Denied)
            .text(format_args!("the token is wrong"))
    }

    /// Somebody wanted to change something, or came from afar, and showed no token.
    pub fn no_token(subject: Subject, from: fmt::Arguments<'_>) -> Self {
        Self::from_outside(Verb::LogIn, from)
            .by(subject)
            .outcome(Outcome::Denied)
            .text(format_args!("no token was shown"))
    }

    /// An address that showed too many wrong ones is not listened to for a while.
    pub fn shut_out(from: fmt::Arguments<'_>) -> Self {
        Self::from_outside(Verb::ShutOut, from)
            .level(Level::Error)
            .outcome(Outcome::Denied)
            .text(format_args!("too many wrong tokens"))
    }

    fn from_outside(verb: Verb, from: fmt::Arguments<'_>) -> Self {
        let from: Text<AUDIT_TEXT_MAX> = Text::format(from);
        Self::new(Kind::Security, verb, &from).level(Level::Warning)
    }

    /// The TPM is in another state than before.
    pub fn tpm(state: &str, is_well: bool, why: fmt::Arguments<'_>) -> Self {
        let event = Self::new(Kind::Security, Verb::Tpm, state).text(why);
        match is_well {
            true => event.level(Level::Notice),
            false => event.level(Level::Error).outcome(Outcome::Failed),
        }
    }

    /// A part of the boot is over.
    pub fn boot(phase: &str, text: fmt::Arguments<'_>) -> Self {
        Self::new(Kind::System, Verb::Boot, phase).text(text)
    }

    /// From here on entries are kept behind those of earlier boots.
    pub fn joined(before: Option<&Point>) -> Self {
        let event = Self::new(Kind::Security, Verb::Join, "kept trail").level(Level::Notice);
        match before {
            Some(point) => event.text(format_args!("{}", Past::sentence(point))),
            None => event.text(format_args!("nothing was kept before")),
        }
    }

    /// Anchors reach a register again, or do so no longer.
    pub(super) fn anchored(record: &AnchorRecord) -> Self {
        let event = Self::new(Kind::Security, Verb::Anchor, "pcr 12");
        let entries = record.anchor.entries;
        match record.result {
            Ok(place) => event.level(Level::Notice).text(format_args!(
                "the head of {entries} entries is in {}",
                place.name()
            )),
            Err(error) => event
                .level(Level::Error)
                .outcome(Outcome::Failed)
                .text(format_args!("{entries} entries: {}", error.reason())),
        }
    }

    /// A verification found something that it had not found before.
    pub(super) fn finding(finding: &Finding) -> Self {
        Self::new(Kind::Security, Verb::Verify, "audit trail")
            .level(Level::Critical)
            .outcome(Outcome::Failed)
            .text(format_args!("{finding}"))
    }

    /// Is it one of those that the gate and the device handlers count?
    pub(super) fn is_operation_denied(&self) -> bool {
        self.outcome == Outcome::Denied && self.verb.is_operation()
    }

    const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Without what looks like a secret, whoever made it.
    pub(super) fn without_secrets(self) -> Self {
        let (object, text) = (self.object.as_str(), self.text.as_str());
        if !is_told_in(object) && !is_told_in(text) {
            return self;
        }
        Self {
            object: Object::new(&redacted::<LINE_MAX>(object)),
            text: Sentence::new(&redacted::<LINE_MAX>(text)),
            ..self
        }
    }
}

fn sentence(text: fmt::Arguments<'_>) -> Sentence {
    Sentence::new(&Text::<LINE_MAX>::format(text))
}
