//! A user at a terminal, an editor, and a session between them.

use super::terminal::Terminal;
use crate::base::time::{Duration, Instant};
use crate::base::width::text_cells;
use crate::shell::editor::{Candidates, Complete, Event, LineEditor, Output, STEP_OUTPUT_MAX};
use crate::shell::parse::{Line, Scratch};
use std::boxed::Box;
use std::string::{String, ToString};

pub const PROMPT: &str = "rayos> ";
const CLEAR_SCREEN: &[u8] = b"\x1b[H\x1b[J";

pub struct Known;

impl Complete for Known {
    fn candidates(&self, words_before: &[&str], _prefix: &str, out: &mut Candidates<'_>) {
        let known: &[&str] = match words_before {
            [] => &["help", "status", "mem", "threads", "trace-ring", "echo"],
            ["mem"] => &["status", "pools"],
            ["echo"] => &["two words", "日本 語", "日本 人"],
            _ => &[],
        };
        known.iter().for_each(|word| out.offer(word));
    }
}

pub struct Rig {
    pub editor: Box<LineEditor>,
    pub terminal: Terminal,
    pub now: Instant,
    pub lines_run: u64,
    pub last_line: String,
    pub most_output: usize,
    columns: usize,
    out: Box<Output>,
    scratch: Box<Scratch>,
}

impl Rig {
    /// With the columns that the editor is told, 80 otherwise.
    pub fn new(columns: Option<u16>) -> Self {
        let cells = columns.unwrap_or(80).into();
        let mut rig = Self {
            editor: Box::default(),
            terminal: Terminal::new(cells),
            now: Instant::ZERO,
            lines_run: 0,
            last_line: String::new(),
            most_output: 0,
            columns: cells,
            out: Box::default(),
            scratch: Box::default(),
        };
        rig.editor.set_columns(columns);
        rig.start();
        rig
    }

    pub fn type_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.type_byte(*byte);
        }
    }

    pub fn type_byte(&mut self, byte: u8) -> Option<Event> {
        let event = self.editor.step(self.now, byte, &Known, &mut self.out);
        self.drain();
        match event {
            None => {}
            Some(Event::ClearScreen) => {
                self.terminal.write(CLEAR_SCREEN);
                self.editor.redraw(&mut self.out);
                self.drain();
            }
            Some(Event::Line) => {
                self.last_line.clear();
                self.last_line.push_str(self.editor.line());
                self.lines_run += 1;
                self.answer();
                self.start();
            }
            Some(Event::LineTooLong) => {
                self.terminal.write(b"too long\r\n");
                self.start();
            }
            Some(Event::Interrupt | Event::EndOfInput) => self.start(),
        }
        event
    }

    /// Nothing is typed for so long.
    pub fn wait(&mut self, span: Duration) {
        self.now = self.now + span;
        if self.editor.next_deadline().is_some_and(|at| self.now >= at) {
            self.editor.on_time(self.now, &mut self.out);
            self.drain();
        }
    }

    /// A key for which the session has less room than it promised.
    pub fn type_without_room(&mut self, byte: u8, room: usize) {
        while self.out.space() > room {
            let _ = self.out.push(b' ');
        }
        let event = self.editor.step(self.now, byte, &Known, &mut self.out);
        assert_eq!(event, None);
        self.out.clear();
    }

    /// Somebody else writes while a line is edited.
    pub fn interject(&mut self, text: &str) {
        self.editor.hide(&mut self.out);
        self.drain();
        self.terminal.write(text.as_bytes());
        self.terminal.write(b"\r\n");
        self.editor.redraw(&mut self.out);
        self.drain();
    }

    /// What the session does with a line: here it only says how it was understood.
    fn answer(&mut self) {
        let answer = match Line::parse(&self.last_line, &mut self.scratch) {
            Err(error) => error.to_string(),
            Ok(line) => {
                for command in line.commands() {
                    assert!(!command.words.is_empty(), "{}", self.last_line);
                }
                std::format!("{} run", line.commands().len())
            }
        };
        self.terminal.write(answer.as_bytes());
        self.terminal.write(b"\r\n");
    }

    fn start(&mut self) {
        self.editor.start(PROMPT, &mut self.out);
        self.drain();
    }

    fn drain(&mut self) {
        self.most_output = self.most_output.max(self.out.len());
        assert!(self.out.len() <= STEP_OUTPUT_MAX);
        while !self.out.is_empty() {
            let bytes = self.out.oldest();
            self.terminal.write(bytes);
            let count = bytes.len();
            self.out.skip(count);
        }
    }

    /// The terminal shows the line that the editor has, with the cursor where it says.
    pub fn check(&self) {
        let editor = &self.editor;
        let prompt = match &editor.search {
            None => PROMPT.to_string(),
            Some(search) => search.prompt().to_string(),
        };
        let (before, after) = self.terminal.around_cursor();
        assert_eq!(text_cells(&before), self.terminal.cursor());
        let (line_before, line_after) = editor.line().split_at(editor.cursor());
        let complain =
            || panic!("{prompt:?} {line_before:?} {line_after:?} is shown as {before:?} {after:?}");
        // What is left of the row when its last column stays empty.
        let room = self.columns - 1;
        let is_prompt_shown = text_cells(&prompt) + 8 <= room;
        let prompt = if is_prompt_shown { prompt.as_str() } else { "" };
        let Some(shown_before) = before.strip_prefix(prompt) else {
            return complain();
        };
        let after = after.trim_end();
        let is_whole = text_cells(editor.line()) + text_cells(prompt) <= room;
        let is_start_shown = shown_before == line_before;
        let is_end_shown = after == line_after.trim_end();
        if is_whole {
            if !is_start_shown || !is_end_shown {
                complain();
            }
            return;
        }
        let is_scrolled = shown_before
            .strip_prefix('<')
            .is_some_and(|shown| !shown.is_empty() && line_before.ends_with(shown));
        let is_cut = after
            .strip_suffix('>')
            .is_some_and(|shown| line_after.starts_with(shown) && shown.len() < line_after.len());
        if !(is_start_shown || is_scrolled) || !(is_end_shown || is_cut) {
            complain();
        }
        assert!(before.len() + after.len() > 0 && !(is_start_shown && is_end_shown));
        let cells = text_cells(&before) + text_cells(after);
        assert!(cells <= room, "{before:?} {after:?} fill {cells} cells");
    }
}
