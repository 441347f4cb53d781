//! A shell session: one console, one line at a time, one answer at a time.
//!
//! Limits: `SESSION_INPUT_BYTES` typed ahead, `SESSION_OUTPUT_BYTES` not yet taken.
//! Invariants: nothing here waits; what the console does not take stays in `output`,
//! and a report is rendered only as fast as that empties.

mod asking;
mod complete;
mod framed;
mod front;
mod notices;
mod output;
mod printing;
mod run;
mod script;

use crate::base::asker::Asker;
use crate::base::config::ShellMode;
use crate::base::console::Console;
use crate::base::fixed::{Queue, Text};
use crate::base::metric::Usage;
use crate::base::operation::OperationId;
use crate::base::report::Report;
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use crate::base::verdict::Verdict;
use crate::limits::{LINE_MAX, SESSION_INPUT_BYTES, SESSION_OUTPUT_BYTES};
use crate::shell::gate::{Gate, Permitted};
use crate::shell::inspect::Inspect;
use crate::shell::parse::Scratch;
use crate::shell::render::{Face, Rendering};
use alloc::boxed::Box;
use alloc::vec::Vec;
pub use asking::Tried;
use complete::Completing;
use front::{CLEAR_SCREEN, Front, Typed};
use notices::{NOTICE_BYTES_MAX, News};
use output::Output;
use run::{Asking, Ran};
use script::Script;

const CTRL_C: u8 = 0x03;
/// A report is rendered in pieces of so many bytes.
const CHUNK: usize = 256;
/// Kept free for prompts and frames while a report is printed.
const OUTPUT_RESERVE: usize = 2 * LINE_MAX;
const _: () = assert!(SESSION_OUTPUT_BYTES >= 2 * (Output::worst_case(CHUNK) + OUTPUT_RESERVE));
const _: () = assert!(SESSION_OUTPUT_BYTES >= 2 * NOTICE_BYTES_MAX);
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
    /// The command wants something that the kernel tries before it is answered.
    Asking {
        progress: Progress,
        ran: Ran,
    },
    /// The answer is what comes of an operation that runs.
    Awaiting {
        progress: Progress,
        ran: Ran,
        id: OperationId,
    },
    Printing {
        progress: Progress,
        ran: Ran,
    },
    /// A watched command waits for its next turn.
    Waiting {
        progress: Progress,
        until: Instant,
    },
    /// The answer goes out; then the kernel is asked to act.
    Leaving {
        permitted: Permitted,
        deadline: Instant,
    },
}

/// How far a line has been run.
#[derive(Clone, Copy, Default)]
struct Progress {
    command: usize,
    verdict: Verdict,
    /// The command is watched and has been shown before.
    is_again: bool,
}

pub struct Session {
    mode: ShellMode,
    front: Front,
    columns: Option<u16>,
    state: State,
    /// Typed ahead.
    input: Box<Queue<u8, SESSION_INPUT_BYTES>>,
    /// The console had more than `input` had room for.
    has_more_input: bool,
    /// The line that runs.
    line: Box<Text<LINE_MAX>>,
    scratch: Box<Scratch>,
    report: Box<Report>,
    /// How far the report has been rendered.
    rendering: Rendering,
    output: Output,
    news: News,
    /// Ctrl-C was received while a line ran.
    is_interrupted: bool,
    /// A line begins to run, and nobody has asked for it yet.
    has_begun: bool,
    /// Scripts that run, each within the one before it.
    scripts: Vec<Script>,
    /// An operation whose answer nobody waits for any more.
    abandoned: Option<OperationId>,
    /// Whose commands these are.
    asker: Asker,
    /// Says in which way a command failed; hosts of a console know only that it did.
    is_for_requests: bool,
}

impl Session {
    pub fn new(mode: ShellMode) -> Self {
        Self {
            mode,
            front: Front::new(mode),
            columns: None,
            state: State::Away,
            input: Box::default(),
            has_more_input: false,
            line: Box::default(),
            scratch: Box::default(),
            report: Box::default(),
            rendering: Rendering::new(Face::Json),
            output: Output::new(mode == ShellMode::Interactive),
            news: News::new(),
            is_interrupted: false,
            has_begun: false,
            scripts: Vec::new(),
            abandoned: None,
            asker: Asker::new(Subject::KERNEL),
            is_for_requests: false,
        }
    }

    /// A session that runs commands of requests, whose senders may do less than a person
    /// at the machine, and want to know in which way a command failed.
    pub fn for_requests() -> Self {
        Self {
            is_for_requests: true,
            asker: Asker::looking(Subject::Visitor),
            ..Self::new(ShellMode::FramedJson)
        }
    }

    /// Whose commands the next lines are.
    pub const fn set_asker(&mut self, asker: Asker) {
        self.asker = asker;
    }

    pub const fn mode(&self) -> ShellMode {
        self.mode
    }

    /// Has it ever waited for a line?
    pub const fn has_been_ready(&self) -> bool {
        !matches!(self.state, State::Away)
    }

    /// Can its next step run a command? One that waits for a line cannot.
    pub fn may_run(&self) -> bool {
        match self.state {
            State::Away => false,
            State::Editing => !self.input.is_empty(),
            _ => true,
        }
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(&self.output.usage());
        visit(
            &Usage::of("SESSION_INPUT_BYTES", SESSION_INPUT_BYTES)
                .used((SESSION_INPUT_BYTES - self.input.space()) as u64)
                .ring(),
        );
        self.report.usages().iter().for_each(&mut *visit);
        self.front.visit_usages(visit);
    }

    /// Takes what the console has received, as far as there is room for it.
    pub fn receive(&mut self, console: &mut dyn Console) {
        if self.columns != console.columns() {
            self.columns = console.columns();
            self.front.set_columns(self.columns);
        }
        let mut bytes = [0; 256];
        loop {
            self.has_more_input = self.input.space() == 0;
            if self.has_more_input {
                return;
            }
            let room = self.input.space().min(bytes.len());
            let count = console.read(&mut bytes[..room]);
            self.input.push_some(&bytes[..count]);
            self.watch_for_interrupt(&bytes[..count]);
            if count < room {
                return;
            }
        }
    }

    /// A Ctrl-C ends what runs, and what was typed before it is void.
    fn watch_for_interrupt(&mut self, received: &[u8]) {
        let is_typing = matches!(self.state, State::Away | State::Editing);
        let Some(at) = received.iter().rposition(|byte| *byte == CTRL_C) else {
            return;
        };
        if !is_typing {
            self.input.clear();
            self.input.push_some(&received[at + 1..]);
            self.is_interrupted = true;
        }
    }

    /// Gives the console what it takes; answers an intent whose answer has gone out.
    pub fn send(&mut self, now: Instant, console: &mut dyn Console) -> Option<Permitted> {
        self.output.send(console);
        match core::mem::replace(&mut self.state, State::Editing) {
            State::Leaving {
                permitted,
                deadline,
            } => {
                let is_out = self.output.is_empty() && console.is_drained();
                if is_out || now >= deadline {
                    self.become_editing();
                    return Some(permitted);
                }
                self.state = State::Leaving {
                    permitted,
                    deadline,
                };
            }
            state => self.state = state,
        }
        None
    }

    /// Goes on with its line as far as one tick allows.
    pub fn step(&mut self, now: Instant, desk: &mut dyn Gate) {
        // The line that is about to run is to be seen first.
        if self.has_begun {
            return;
        }
        for _ in 0..STEPS_A_TICK {
            if !self.maybe_step(now, desk) {
                return;
            }
        }
    }

    /// When it wants the next tick though nothing arrives; `now` for at once.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        if self.has_more_input && self.input.space() > 0 {
            return Some(now);
        }
        match &self.state {
            State::Away => None,
            State::Editing if self.input.is_empty() => self.front.next_deadline(),
            State::Editing => self.has_room_for_byte().then_some(now),
            State::Running(_) | State::Asking { .. } => Some(now),
            State::Printing { .. } => self.has_room_to_print().then_some(now),
            State::Waiting { until, .. } => Some(*until),
            State::Awaiting { .. } => self.is_interrupted.then_some(now),
            State::Leaving { deadline, .. } => Some((*deadline).min(now + DRAIN_POLL)),
        }
    }

    /// Does one thing; says whether there may be more to do now.
    fn maybe_step(&mut self, now: Instant, desk: &mut dyn Gate) -> bool {
        match core::mem::replace(&mut self.state, State::Editing) {
            State::Away => {
                if self.front.is_person() {
                    notices::greet(desk.boot(), &mut self.output);
                }
                self.become_editing();
                // The prompt goes out before anything else is done.
                return false;
            }
            State::Editing => {
                self.maybe_show_news(desk);
                return self.take_input(now, desk);
            }
            State::Running(progress) => {
                self.run(progress, desk);
                // A line of a script waits for the next tick, as one that was typed.
                return !self.has_begun;
            }
            State::Printing { progress, ran } => return self.print(now, progress, ran),
            State::Waiting { progress, until } => return self.wait(now, progress, until),
            State::Awaiting { id, .. } if self.is_interrupted => {
                self.abandoned = Some(id);
                self.stop();
            }
            others_turn @ (State::Awaiting { .. }
            | State::Asking { .. }
            | State::Leaving { .. }) => {
                self.state = others_turn;
                return false;
            }
        }
        true
    }

    fn become_editing(&mut self) {
        self.is_interrupted = false;
        self.scripts.clear();
        self.front.begin_line(&mut self.output);
        self.state = State::Editing;
    }

    /// Puts bad news above the line that is being typed.
    fn maybe_show_news(&mut self, inspect: &dyn Inspect) {
        let room = NOTICE_BYTES_MAX + self.front.room_for_byte();
        let has_room = self.output.space() >= room.min(SESSION_OUTPUT_BYTES);
        if self.front.is_person() && has_room && self.news.is_waiting(inspect) {
            self.front.hide(&mut self.output);
            self.news.show(inspect, &mut self.output);
            self.front.redraw(&mut self.output);
        }
    }

    fn has_room_for_byte(&self) -> bool {
        self.output.space() >= self.front.room_for_byte()
    }

    /// Takes bytes until one of them changes more than the line.
    fn take_input(&mut self, now: Instant, inspect: &mut dyn Inspect) -> bool {
        while self.has_room_for_byte()
            && let Some(byte) = self.input.pop()
        {
            let complete = Completing::new(inspect, &mut self.report);
            let typed = self.front.take(now, byte, &complete, &mut self.output);
            if !matches!(typed, Typed::Nothing) {
                self.on_typed(typed);
                // A line waits for the next tick, for it is remembered before it runs.
                return !self.has_begun;
            }
        }
        if self.input.is_empty() {
            self.front.on_time(now, &mut self.output);
        }
        false
    }

    fn on_typed(&mut self, typed: Typed) {
        match typed {
            Typed::Nothing => {}
            Typed::Line => {
                self.begin_answer();
                self.line.set_cut(self.front.line());
                self.has_begun = true;
                self.state = State::Running(Progress::default());
            }
            Typed::Refused(reason) => {
                self.begin_answer();
                self.line.clear();
                self.report.begin("");
                self.report.fail(format_args!("{reason}"));
                let ran = Ran {
                    on_failure: Verdict::Malformed,
                    ..Ran::default()
                };
                self.become_printing(Progress::default(), ran);
            }
            Typed::Abandoned => self.become_editing(),
            Typed::EndOfInput => {
                self.output
                    .push_lines(b"poweroff switches the machine off\n");
                self.become_editing();
            }
            Typed::ClearScreen => {
                self.output.push(CLEAR_SCREEN);
                self.front.redraw(&mut self.output);
            }
        }
    }

    fn begin_answer(&mut self) {
        if !self.front.is_person() {
            self.output.push(framed::ANSWER);
        }
    }

    fn end_answer(&mut self, verdict: Verdict) {
        if !self.front.is_person() {
            let verdict = match self.is_for_requests {
                true => verdict,
                false => verdict.coarse(),
            };
            self.output.push(&[framed::END, verdict.digit()]);
        }
    }

    fn end_line(&mut self, verdict: Verdict) {
        self.end_answer(verdict);
        self.become_editing();
    }

    fn run(&mut self, progress: Progress, desk: &mut dyn Gate) {
        if self.is_interrupted {
            return self.stop();
        }
        let asking = Asking {
            line: &self.line,
            command: progress.command,
            history: self.front.history(),
            is_person: self.front.is_person(),
            scripts: self.scripts_running(),
            asker: self.asker,
        };
        match asking.run(&mut self.scratch, desk, &mut self.report) {
            Some(ran)
                if ran
                    .permitted
                    .as_ref()
                    .is_some_and(Permitted::can_be_refused) =>
            {
                self.state = State::Asking { progress, ran };
            }
            Some(ran) => self.become_printing(progress, ran),
            None if self.scripts.is_empty() => self.end_line(progress.verdict),
            None => self.on_script_line(progress.verdict),
        }
    }

    /// How many scripts run, where any may.
    fn scripts_running(&self) -> Option<usize> {
        (!self.is_for_requests).then_some(self.scripts.len())
    }

    fn become_printing(&mut self, progress: Progress, ran: Ran) {
        let columns = self.columns;
        self.rendering = Rendering::new(match ran.is_json || self.mode == ShellMode::FramedJson {
            true => Face::Json,
            false => Face::Text { columns },
        });
        if ran.watch.is_some() {
            self.output.set_overpainting(true);
            self.output.push(if progress.is_again {
                HOME
            } else {
                CLEAR_SCREEN
            });
        }
        self.state = State::Printing { progress, ran };
    }

    /// A watched command is shown again when it is time, until any key.
    fn wait(&mut self, now: Instant, progress: Progress, until: Instant) -> bool {
        if self.is_interrupted || !self.input.is_empty() {
            self.input.clear();
            match self.scripts.is_empty() {
                true => self.end_line(progress.verdict),
                false => self.on_script_line(progress.verdict),
            }
            return !self.has_begun;
        }
        if now >= until {
            self.state = State::Running(Progress {
                is_again: true,
                ..progress
            });
            return true;
        }
        self.state = State::Waiting { progress, until };
        false
    }

    /// Ctrl-C: what has not been shown is not going to be.
    fn stop(&mut self) {
        self.output.set_overpainting(false);
        if self.front.is_person() {
            self.output.clear();
            self.output.push_lines(b"\n^C\n");
        }
        self.end_line(Verdict::Failed);
    }
}

const HOME: &[u8] = b"\x1b[H";
const ERASE_BELOW: &[u8] = b"\x1b[J";
