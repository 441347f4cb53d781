//! A worker: types one command line into its session, holds the answer.
//!
//! To the session it is a console. What comes back stands between STX and ETX, with the
//! verdict behind it; see the serial protocol.

use super::line::Line;
use crate::base::asker::Asker;
use crate::base::console::{Console, ConsoleView};
use crate::base::fixed::Queue;
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use crate::base::verdict::Verdict;
use crate::limits::API_ANSWER_BYTES;
use alloc::boxed::Box;

const ENQ: u8 = 0x05;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// A command may run so long.
const COMMAND_TIME: Duration = Duration::from_secs(60);
/// The answer to `poweroff` gets so long to leave the machine.
const SETTLE_TIME: Duration = Duration::from_millis(200);
/// From here on an answer is sent though its end is not known.
const STREAM_BYTES: usize = API_ANSWER_BYTES / 2;

/// Where the session's output stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Answer,
    /// The next byte is the verdict.
    Verdict,
}

/// How the answer's end has come about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Verdict(Verdict),
    TimedOut,
}

pub struct Worker {
    /// The session waits for a line.
    is_ready: bool,
    /// Works for a request, until that releases it; the command has so long.
    busy_until: Option<Instant>,
    line: Line,
    /// Bytes of the line, its end included, that the session has not taken yet.
    untyped: usize,
    place: Place,
    answer: Box<Queue<u8, API_ANSWER_BYTES>>,
    end: Option<End>,
    asker: Asker,
    /// The session is to forget what it does; it finds no console until it has.
    is_away: bool,
    /// When the last request was released, until that is long enough ago.
    released: Option<Instant>,
    view: ConsoleView,
}

impl Worker {
    pub fn new() -> Self {
        Self {
            is_ready: false,
            busy_until: None,
            line: Line::new(),
            untyped: 0,
            place: Place::Outside,
            answer: Box::default(),
            end: None,
            asker: Asker::looking(Subject::Visitor),
            is_away: false,
            released: None,
            view: ConsoleView {
                name: "api",
                ..ConsoleView::default()
            },
        }
    }

    pub const fn is_free(&self) -> bool {
        self.is_ready && self.busy_until.is_none() && !self.is_away
    }

    pub const fn is_busy(&self) -> bool {
        self.busy_until.is_some()
    }

    pub fn begin(&mut self, now: Instant, line: &Line, asker: Asker) {
        self.is_ready = false;
        self.busy_until = Some(now + COMMAND_TIME);
        self.line.clone_from(line);
        self.untyped = line.len() + 1;
        self.answer.clear();
        self.end = None;
        self.asker = asker;
    }

    /// Whose command it is.
    pub const fn asker(&self) -> Asker {
        self.asker
    }

    /// How it ended, once it has.
    pub const fn end(&self) -> Option<End> {
        self.end
    }

    /// Is there so much that it should be sent before the end is known?
    pub fn is_streaming(&self) -> bool {
        self.answer.len() >= STREAM_BYTES
    }

    pub fn answer(&self) -> &[u8] {
        self.answer.oldest()
    }

    /// Is what `answer` shows all that there will be?
    pub fn is_whole(&self) -> bool {
        self.end.is_some() && self.answer.oldest().len() == self.answer.len()
    }

    pub fn consume(&mut self, count: usize) {
        self.answer.skip(count);
    }

    /// The request is over; says whether its command was still running.
    pub fn release(&mut self, now: Instant) -> bool {
        let was_running = self.end.is_none();
        self.is_away |= was_running;
        self.busy_until = None;
        self.answer.clear();
        self.released = Some(now);
        was_running
    }

    pub const fn is_away(&self) -> bool {
        self.is_away
    }

    /// The session has forgotten what it did, and will ask for a line.
    pub const fn on_left(&mut self) {
        self.is_away = false;
        self.is_ready = false;
        self.untyped = 0;
        self.place = Place::Outside;
    }

    /// Says whether the command has run too long; then `error` is its answer.
    pub fn on_time(&mut self, now: Instant, error: &[u8]) -> bool {
        let is_settled = |released| now >= released + SETTLE_TIME;
        self.released = self.released.filter(|released| !is_settled(*released));
        let is_late = self.busy_until.is_some_and(|deadline| deadline <= now);
        if self.end.is_some() || !is_late {
            return false;
        }
        self.answer.clear();
        self.answer.push_some(error);
        self.end = Some(End::TimedOut);
        self.is_away = true;
        true
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        if self.is_away || (self.is_busy() && self.untyped > 0) {
            return Some(now);
        }
        let settled = self.released.map(|released| released + SETTLE_TIME);
        let late = self.busy_until.filter(|_| self.end.is_none());
        settled.into_iter().chain(late).min()
    }

    fn take_output(&mut self, bytes: &[u8]) -> usize {
        let first = bytes.first().copied().unwrap_or_default();
        match self.place {
            Place::Answer => {
                let end = bytes.iter().position(|byte| *byte == ETX);
                let kept = self.answer.push_some(&bytes[..end.unwrap_or(bytes.len())]);
                if Some(kept) != end {
                    return kept;
                }
                self.place = Place::Verdict;
                return kept + 1;
            }
            Place::Verdict => {
                let verdict = Verdict::of_digit(first).unwrap_or(Verdict::Failed);
                self.end = self.end.or(Some(End::Verdict(verdict)));
                self.place = Place::Outside;
            }
            Place::Outside if first == STX => self.place = Place::Answer,
            Place::Outside => self.is_ready |= first == ENQ,
        }
        1
    }
}

impl Console for Worker {
    fn name(&self) -> &'static str {
        self.view.name
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let typed = self.line.len() + 1 - self.untyped.min(self.line.len() + 1);
        let rest = self.line.as_bytes()[typed.min(self.line.len())..].iter();
        let rest = rest.chain(b"\n").take(self.untyped);
        let count = buffer.len().min(self.untyped);
        buffer
            .iter_mut()
            .zip(rest)
            .for_each(|(to, from)| *to = *from);
        self.untyped -= count;
        self.view.received_bytes += count as u64;
        count
    }

    fn write_space(&self) -> usize {
        match self.place {
            Place::Answer => self.answer.space(),
            Place::Outside | Place::Verdict => API_ANSWER_BYTES,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && self.write_space() > 0 {
            taken += self.take_output(&bytes[taken..]);
        }
        self.view.sent_bytes += taken as u64;
        taken
    }

    /// An answer behind which the machine stops must have left it before.
    fn is_drained(&self) -> bool {
        !self.is_busy() && self.released.is_none()
    }

    fn columns(&self) -> Option<u16> {
        None
    }

    fn view(&self) -> ConsoleView {
        self.view
    }
}
