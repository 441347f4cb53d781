//! Line editor: keys become a line, with history, search and completion.
//!
//! Limits: a line of `LINE_MAX` bytes; one call writes at most `STEP_OUTPUT_MAX` bytes.
//! Invariants: the terminal's row shows prompt and line as `line()` and `cursor()` say,
//! as long as the session gives room for a step and calls `hide` before it writes.

mod bindings;
mod buffer;
mod candidates;
mod completion;
mod display;
mod pen;
mod recall;
mod search;
#[cfg(test)]
mod tests;

pub use candidates::Candidates;
pub use completion::Complete;
pub use pen::Output;

use crate::base::fixed::Text;
use crate::base::time::{Duration, Instant};
use crate::limits::{LINE_MAX, PROMPT_MAX, SESSION_OUTPUT_BYTES};
use crate::shell::history::History;
use crate::shell::keys::{Decoder, KeysView};
use buffer::{Buffer, Reach, Towards};
use display::Display;
use pen::Pen;
use recall::Recall;
use search::Search;

/// The most that one call of the editor writes: two keys, each with a bell, a list and a row.
pub const STEP_OUTPUT_MAX: usize = 2
    * (display::SHOW_BYTES_MAX
        + candidates::LIST_BYTES_MAX
        + pen::MOVE_BYTES_MAX
        + "\x07^C\r\n".len());
const _: () = assert!(STEP_OUTPUT_MAX <= SESSION_OUTPUT_BYTES);

/// A paste without its end is over when nothing came for so long.
const PASTE_SILENCE: Duration = Duration::from_secs(1);

/// What the session has to do; `start` begins the next line where one has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// `line()` is to be run.
    Line,
    /// The line was longer than `LINE_MAX` and is not to be run.
    LineTooLong,
    /// Ctrl-C; the line is gone.
    Interrupt,
    /// Ctrl-D on an empty line.
    EndOfInput,
    /// Ctrl-L; to be answered with an empty screen and `redraw`.
    ClearScreen,
}

/// What came in and what was refused since boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EditorView {
    pub keys: KeysView,
    pub lines: u64,
    /// Characters that did not fit into a line.
    pub refused_characters: u64,
    pub refused_lines: u64,
    /// Keys that mean nothing here.
    pub ignored_keys: u64,
    /// Output for which the session gave no room.
    pub lost_output_bytes: u64,
    pub history_lines: usize,
    pub history_forgotten: u64,
}

#[derive(Debug)]
struct Paste {
    /// A line ended inside of the paste and more may follow.
    has_line_end: bool,
    over_at: Instant,
}

#[derive(Debug)]
pub struct LineEditor {
    decoder: Decoder,
    prompt: Text<PROMPT_MAX>,
    buffer: Buffer,
    display: Display,
    history: History,
    /// The line as it was before Up, Down or a search replaced it.
    unsaved: Text<LINE_MAX>,
    recall: Option<Recall>,
    search: Option<Search>,
    paste: Option<Paste>,
    /// The line has ended and the next one was not started.
    is_over: bool,
    /// Characters of this line were refused and no key since then says that the user saw it.
    is_overlong: bool,
    /// The last key was a Tab that found several candidates.
    is_list_next: bool,
    /// The last key rang; a run of refused keys rings once.
    has_rung: bool,
    view: EditorView,
}

/// Knows nothing: what ends by time never asks for a completion.
struct Nobody;

impl Complete for Nobody {
    fn candidates(&self, _: &[&str], _: &str, _: &mut Candidates<'_>) {}
}

impl Default for LineEditor {
    fn default() -> Self {
        Self::new()
    }
}

impl LineEditor {
    pub const fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            prompt: Text::new(),
            buffer: Buffer::new(),
            display: Display::new(),
            history: History::new(),
            unsaved: Text::new(),
            recall: None,
            search: None,
            paste: None,
            is_over: true,
            is_overlong: false,
            is_list_next: false,
            has_rung: false,
            view: EditorView {
                keys: Decoder::new().view(),
                lines: 0,
                refused_characters: 0,
                refused_lines: 0,
                ignored_keys: 0,
                lost_output_bytes: 0,
                history_lines: 0,
                history_forgotten: 0,
            },
        }
    }

    /// How wide the terminal is; 80 columns are assumed where nobody knows.
    pub fn set_columns(&mut self, columns: Option<u16>) {
        self.display.set_columns(columns);
    }

    /// Begins a line. The cursor of the terminal must stand on a new row.
    pub fn start(&mut self, prompt: &str, out: &mut Output) {
        self.prompt.set_cut(prompt);
        self.display.on_new_row();
        self.begin_line();
        let mut pen = Pen::new(out);
        self.show(&mut pen);
        self.settle(&pen);
    }

    /// Takes one byte. To be called while `out` has room for `STEP_OUTPUT_MAX`.
    pub fn step(
        &mut self,
        now: Instant,
        byte: u8,
        complete: &dyn Complete,
        out: &mut Output,
    ) -> Option<Event> {
        let mut pen = Pen::new(out);
        let mut event = None;
        for key in &self.decoder.step(now, byte) {
            event = event.or(self.on_key(*key, complete, &mut pen));
        }
        if let Some(paste) = &mut self.paste {
            paste.over_at = now + PASTE_SILENCE;
        }
        self.settle(&pen);
        event
    }

    /// When `on_time` has something to do.
    pub fn next_deadline(&self) -> Option<Instant> {
        let paste = self.paste.as_ref().map(|paste| paste.over_at);
        let deadlines = [self.decoder.next_deadline(), paste];
        deadlines.into_iter().flatten().min()
    }

    /// Ends what only silence ends. To be called when no received byte is waiting, else a
    /// sequence that waits for its turn would be taken for the Escape key.
    pub fn on_time(&mut self, now: Instant, out: &mut Output) {
        let mut pen = Pen::new(out);
        if let Some(key) = self.decoder.on_time(now) {
            let event = self.on_key(key, &Nobody, &mut pen);
            crate::invariant!(event.is_none(), "a silence ended a line");
        }
        if self
            .paste
            .as_ref()
            .is_some_and(|paste| now >= paste.over_at)
        {
            self.paste = None;
        }
        self.settle(&pen);
    }

    /// Takes prompt and line off the terminal, so that others can write there.
    pub fn hide(&mut self, out: &mut Output) {
        let mut pen = Pen::new(out);
        if !self.is_over {
            self.display.hide(&mut pen);
        }
        self.settle(&pen);
    }

    /// Shows prompt and line again, behind `hide` and what others wrote.
    pub fn redraw(&mut self, out: &mut Output) {
        let mut pen = Pen::new(out);
        if !self.is_over {
            self.display.on_disturbed();
            self.show(&mut pen);
        }
        self.settle(&pen);
    }

    /// The line as it stands; behind `Event::Line` the one to run, up to the next `start`.
    pub fn line(&self) -> &str {
        self.buffer.text()
    }

    /// The byte of `line()` before which the cursor stands.
    pub const fn cursor(&self) -> usize {
        self.buffer.cursor()
    }

    pub const fn history(&self) -> &History {
        &self.history
    }

    pub fn view(&self) -> EditorView {
        EditorView {
            keys: self.decoder.view(),
            history_lines: self.history.len(),
            history_forgotten: self.history.forgotten(),
            ..self.view
        }
    }

    fn begin_line(&mut self) {
        self.buffer.set("");
        self.recall = None;
        self.search = None;
        self.is_over = false;
        self.is_overlong = false;
    }

    fn show(&mut self, pen: &mut Pen<'_>) {
        let (line, cursor) = (self.buffer.text(), self.buffer.cursor());
        match &self.search {
            None => self.display.show(&self.prompt, line, cursor, pen),
            Some(search) => self.display.show(&search.prompt(), line, cursor, pen),
        }
    }

    fn settle(&mut self, pen: &Pen<'_>) {
        if pen.lost() > 0 {
            self.view.lost_output_bytes += pen.lost();
            self.display.on_disturbed();
        }
    }
}
