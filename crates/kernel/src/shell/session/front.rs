//! The other end of a console: a person with an editor, or a program.

use super::framed::{self, FramedLine};
use super::output::Output;
use crate::base::config::ShellMode;
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::limits::{HISTORY_MAX, LINE_MAX};
use crate::shell::editor::{Complete, Event, LineEditor, STEP_OUTPUT_MAX};
use crate::shell::history::History;
use alloc::boxed::Box;
use core::fmt;

pub const PROMPT: &str = "rayos> ";
pub const CLEAR_SCREEN: &[u8] = b"\x1b[H\x1b[2J\x1b[3J";

pub enum Front {
    Person(Box<LineEditor>),
    Program(Box<FramedLine>),
}

/// What a byte has brought about.
pub enum Typed {
    Nothing,
    /// `line` is to be run.
    Line,
    /// A line that is not to be run; why not.
    Refused(Refusal),
    /// Nothing is to be run, and the next line is to be begun.
    Abandoned,
    EndOfInput,
    ClearScreen,
}

pub enum Refusal {
    TooLong,
    Framed(framed::LineError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(
                f,
                "the line is too long; at most {LINE_MAX} bytes are taken"
            ),
            Self::Framed(error) => error.fmt(f),
        }
    }
}

impl Front {
    pub fn new(mode: ShellMode) -> Self {
        match mode {
            ShellMode::Interactive => Self::Person(Box::default()),
            ShellMode::Framed | ShellMode::FramedJson => Self::Program(Box::default()),
        }
    }

    pub const fn is_person(&self) -> bool {
        matches!(self, Self::Person(_))
    }

    pub fn set_columns(&mut self, columns: Option<u16>) {
        if let Self::Person(editor) = self {
            editor.set_columns(columns);
        }
    }

    /// Asks for a line.
    pub fn begin_line(&mut self, output: &mut Output) {
        match self {
            Self::Person(editor) => editor.start(PROMPT, output.queue()),
            Self::Program(line) => {
                line.clear();
                output.push(framed::READY);
            }
        }
    }

    /// Room that the output must have before a byte is taken.
    pub const fn room_for_byte(&self) -> usize {
        match self {
            Self::Person(_) => STEP_OUTPUT_MAX,
            Self::Program(_) => framed::ANSWER.len(),
        }
    }

    pub fn take(
        &mut self,
        now: Instant,
        byte: u8,
        complete: &dyn Complete,
        output: &mut Output,
    ) -> Typed {
        match self {
            Self::Person(editor) => match editor.step(now, byte, complete, output.queue()) {
                None => Typed::Nothing,
                Some(Event::Line) => Typed::Line,
                Some(Event::LineTooLong) => Typed::Refused(Refusal::TooLong),
                Some(Event::Interrupt) => Typed::Abandoned,
                Some(Event::EndOfInput) => Typed::EndOfInput,
                Some(Event::ClearScreen) => Typed::ClearScreen,
            },
            Self::Program(line) => match (line.push(byte), line.text()) {
                (false, _) => Typed::Nothing,
                (true, Ok(_)) => Typed::Line,
                (true, Err(error)) => Typed::Refused(Refusal::Framed(error)),
            },
        }
    }

    /// The line behind `Typed::Line`.
    pub fn line(&self) -> &str {
        match self {
            Self::Person(editor) => editor.line(),
            Self::Program(line) => line.text().unwrap_or_default(),
        }
    }

    pub fn history(&self) -> Option<&History> {
        match self {
            Self::Person(editor) => Some(editor.history()),
            Self::Program(_) => None,
        }
    }

    /// When silence ends something.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self {
            Self::Person(editor) => editor.next_deadline(),
            Self::Program(_) => None,
        }
    }

    pub fn on_time(&mut self, now: Instant, output: &mut Output) {
        if let Self::Person(editor) = self
            && editor
                .next_deadline()
                .is_some_and(|deadline| deadline <= now)
        {
            editor.on_time(now, output.queue());
        }
    }

    /// Takes the line that is being typed off the screen, and with `redraw` back again.
    pub fn hide(&mut self, output: &mut Output) {
        if let Self::Person(editor) = self {
            editor.hide(output.queue());
        }
    }

    pub fn redraw(&mut self, output: &mut Output) {
        if let Self::Person(editor) = self {
            editor.redraw(output.queue());
        }
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        match self {
            Self::Person(editor) => {
                let view = editor.view();
                visit(
                    &Usage::of("LINE_MAX", LINE_MAX)
                        .used(editor.line().len() as u64)
                        .refused(view.refused_characters),
                );
                visit(
                    &Usage::of("HISTORY_MAX", HISTORY_MAX)
                        .used(view.history_lines as u64)
                        .ring(),
                );
            }
            Self::Program(line) => visit(&line.usage()),
        }
    }
}
