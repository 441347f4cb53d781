//! A shell session: one console, one line at a time, one answer at a time.
//!
//! Limits: `SESSION_INPUT_BYTES` typed ahead, `SESSION_OUTPUT_BYTES` not yet taken.
//! Invariants: nothing here waits; what the console does not take stays in `output`,
//! and a report is rendered only as fast as that empties.

mod framed;
mod output;
mod run;

use crate::base::config::ShellMode;
use crate::base::console::Console;
use crate::base::fixed::{Queue, Text};
use crate::base::metric::Usage;
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use crate::limits::{LINE_MAX, SESSION_INPUT_BYTES};
use crate::shell::catalog::Intent;
use crate::shell::inspect::Inspect;
use crate::shell::parse::Scratch;
use crate::shell::render::{Face, Rendering};
use alloc::boxed::Box;
use framed::FramedLine;
use output::Output;
use run::Ran;

const CTRL_C: u8 = 0x03;
/// A report is rendered in pieces of so many bytes.
const CHUNK: usize = 256;
/// Kept free for prompts, frames and echo while a report is printed.
const OUTPUT_RESERVE: usize = 2 * LINE_MAX;
/// What a session does in one tick at most, so that no session holds up the loop.
const STEPS_A_TICK: usize = 32;
/// How long an intent waits for the console to take the answer.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// How often it looks whether the console has.
const DRAIN_POLL: Duration = Duration::from_micros(500);

enum State {
    /// The console has not been seen yet.
    Away,
    /// A line is being typed or received.
    Editing,
    /// A command of the line is to run.
    Running(Progress),
    Printing {
        progress: Progress,
        ran: Ran,
    },
    /// The answer goes out; then the kernel is asked to act.
    Leaving {
        intent: Intent,
        deadline: Instant,
    },
}

/// How far a line has been run.
#[derive(Clone, Copy, Default)]
struct Progress {
    command: usize,
    has_failed: bool,
}

pub struct Session {
    mode: ShellMode,
    columns: Option<u16>,
    state: State,
    /// Typed ahead.
    input: Box<Queue<u8, SESSION_INPUT_BYTES>>,
    framed: Box<FramedLine>,
    /// The line that runs.
    line: Box<Text<LINE_MAX>>,
    scratch: Box<Scratch>,
    report: Box<Report>,
    /// How far the report has been rendered.
    rendering: Rendering,
    output: Output,
    is_interrupted: bool,
}

impl Session {
    pub fn new(mode: ShellMode) -> Self {
        Self {
            mode,
            columns: None,
            state: State::Away,
            input: Box::default(),
            framed: Box::default(),
            line: Box::default(),
            scratch: Box::default(),
            report: Box::default(),
            rendering: Rendering::new(Face::Json),
            output: Output::new(mode == ShellMode::Interactive),
            is_interrupted: false,
        }
    }

    pub const fn mode(&self) -> ShellMode {
        self.mode
    }

    /// Has it ever waited for a line?
    pub const fn has_been_ready(&self) -> bool {
        !matches!(self.state, State::Away)
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(&self.output.usage());
    }

    /// Takes what the console has received, as far as there is room for it.
    pub fn receive(&mut self, console: &mut dyn Console) {
        self.columns = console.columns();
        let mut bytes = [0; 256];
        while self.input.space() > 0 {
            let room = self.input.space().min(bytes.len());
            let count = console.read(&mut bytes[..room]);
            self.input.push_some(&bytes[..count]);
            self.watch_for_interrupt(&bytes[..count]);
            if count < room {
                return;
            }
        }
    }

    /// A Ctrl-C ends what is printed, and what was typed before it is void.
    fn watch_for_interrupt(&mut self, received: &[u8]) {
        let is_busy = matches!(self.state, State::Running(_) | State::Printing { .. });
        let Some(at) = received.iter().rposition(|byte| *byte == CTRL_C) else {
            return;
        };
        if is_busy {
            self.input.clear();
            self.input.push_some(&received[at + 1..]);
            self.is_interrupted = true;
        }
    }

    /// Gives the console what it takes; answers an intent whose answer has gone out.
    pub fn send(&mut self, now: Instant, console: &mut dyn Console) -> Option<Intent> {
        self.output.send(console);
        let State::Leaving { intent, deadline } = self.state else {
            return None;
        };
        let is_out = self.output.is_empty() && console.is_drained();
        if !is_out && now < deadline {
            return None;
        }
        self.become_editing();
        Some(intent)
    }

    /// Goes on with its line as far as one tick allows.
    pub fn step(&mut self, now: Instant, inspect: &mut dyn Inspect) {
        for _ in 0..STEPS_A_TICK {
            if !self.maybe_step(now, inspect) {
                return;
            }
        }
    }

    /// When it wants the next tick though nothing arrives; `now` for at once.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        match self.state {
            State::Away => None,
            State::Editing => (!self.input.is_empty()).then_some(now),
            State::Running(_) => Some(now),
            State::Printing { .. } => self.has_room_to_print().then_some(now),
            State::Leaving { deadline, .. } => Some(deadline.min(now + DRAIN_POLL)),
        }
    }

    /// Does one thing; says whether there may be more to do now.
    fn maybe_step(&mut self, now: Instant, inspect: &mut dyn Inspect) -> bool {
        match core::mem::replace(&mut self.state, State::Editing) {
            State::Away => self.become_editing(),
            State::Editing => return self.take_input(),
            State::Running(progress) => self.run(progress, inspect),
            State::Printing { progress, ran } => return self.print(now, progress, ran),
            leaving @ State::Leaving { .. } => {
                self.state = leaving;
                return false;
            }
        }
        true
    }

    fn become_editing(&mut self) {
        self.output.push(framed::READY);
        self.framed.clear();
        self.state = State::Editing;
    }

    fn take_input(&mut self) -> bool {
        while let Some(byte) = self.input.pop() {
            if self.framed.push(byte) {
                self.begin_line();
                return true;
            }
        }
        false
    }

    fn begin_line(&mut self) {
        self.output.push(framed::ANSWER);
        self.line.clear();
        match self.framed.text() {
            Ok(text) => {
                self.line.push_cut(text);
                self.state = State::Running(Progress::default());
            }
            Err(error) => {
                self.report.begin("");
                self.report.fail(format_args!("{error}"));
                self.become_printing(Progress::default(), Ran::default());
            }
        }
    }

    fn run(&mut self, progress: Progress, inspect: &mut dyn Inspect) {
        let ran = run::run_command(
            &self.line,
            progress.command,
            self.mode == ShellMode::Interactive,
            &mut self.scratch,
            inspect,
            &mut self.report,
        );
        match ran {
            Some(ran) => self.become_printing(progress, ran),
            None => self.end_line(progress.has_failed),
        }
    }

    fn become_printing(&mut self, progress: Progress, ran: Ran) {
        let columns = self.columns;
        self.rendering = Rendering::new(match ran.is_json || self.mode == ShellMode::FramedJson {
            true => Face::Json,
            false => Face::Text { columns },
        });
        self.state = State::Printing { progress, ran };
    }

    fn has_room_to_print(&self) -> bool {
        self.output.space() >= Output::worst_case(CHUNK) + OUTPUT_RESERVE
    }

    /// Renders as much as there is room for, then turns to what comes after.
    fn print(&mut self, now: Instant, progress: Progress, ran: Ran) -> bool {
        if self.is_interrupted {
            self.is_interrupted = false;
            self.end_line(true);
            return true;
        }
        if !self.rendering.is_done() {
            let has_room = self.has_room_to_print();
            if has_room {
                let mut chunk = [0; CHUNK];
                let count = self.rendering.render(&self.report, &mut chunk);
                self.output.push_lines(&chunk[..count]);
            }
            self.state = State::Printing { progress, ran };
            return has_room;
        }
        let has_failed = progress.has_failed || self.report.error().is_some();
        match ran.intent {
            Some(intent @ (Intent::Power(_) | Intent::Debug(_))) => {
                self.end_answer(has_failed);
                self.state = State::Leaving {
                    intent,
                    deadline: now + DRAIN_LIMIT,
                };
            }
            Some(Intent::ClearScreen) | None => {
                self.state = State::Running(Progress {
                    command: progress.command + 1,
                    has_failed,
                });
            }
        }
        true
    }

    fn end_line(&mut self, has_failed: bool) {
        self.end_answer(has_failed);
        self.become_editing();
    }

    fn end_answer(&mut self, has_failed: bool) {
        self.output.push(match has_failed {
            true => framed::FAILED,
            false => framed::SUCCEEDED,
        });
    }
}
