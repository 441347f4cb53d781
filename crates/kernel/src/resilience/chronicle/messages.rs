//! The kernel's messages go to a log, one by one.

use crate::base::fixed::Vec;
use crate::base::log::{Level, Log as Messages, Record};
use crate::base::time::Instant;
use crate::limits::{CHRONICLE_SHOWN_MAX, LOG_TEXT_MAX};
use crate::storage::log::{Log, Lsn};

/// Messages that are copied in one go: their ring is locked meanwhile, with interrupts off.
const MESSAGES_A_VISIT: usize = 16;
const SOURCE_BYTES_MAX: usize = 32;
const HEADER_BYTES: usize = 3 * 8 + 2;

#[derive(Default)]
pub struct MessageKeeper {
    /// The newest boot of which the disk has messages.
    last: Option<Boot>,
    boots: u64,
    /// The newest message of it, and the boot before it.
    newest: Option<u64>,
    before: Option<Boot>,
    /// The number of this boot, once the log is open.
    boot: Option<u64>,
    next: u64,
    /// Whose log it is that the number is of.
    identity: u64,
    /// The log that was in use before, and the number that this boot had there.
    left: Option<(u64, u64)>,
    kept: u64,
    /// Messages that left the ring before a disk could have them.
    missed: u64,
    /// Messages before that one were kept at some time, or are counted as missed.
    reached: u64,
    is_blocked: bool,
}

#[derive(Clone, Copy)]
struct Boot {
    number: u64,
    first: Lsn,
    last: Lsn,
}

/// A message as it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// Boots are counted from 1 on.
    pub boot: u64,
    pub number: u64,
    pub at: Instant,
    pub level: Level,
    pub source: &'a str,
    pub text: &'a str,
}

type Bytes = Vec<u8, { HEADER_BYTES + SOURCE_BYTES_MAX + LOG_TEXT_MAX }>;

impl<'a> Message<'a> {
    /// What is no message is none.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (boot, rest) = bytes.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (at, rest) = rest.split_first_chunk()?;
        let ([level, length], rest) = rest.split_first_chunk()?;
        let (source, text) = rest.split_at_checked(usize::from(*length))?;
        Some(Self {
            boot: u64::from_le_bytes(*boot),
            number: u64::from_le_bytes(*number),
            at: Instant::from_nanos(u64::from_le_bytes(*at)),
            level: *Level::ALL.get(usize::from(*level))?,
            source: str::from_utf8(source).ok()?,
            text: str::from_utf8(text).ok()?,
        })
    }
}

fn emit(boot: u64, record: &Record) -> Bytes {
    let source = record.source.as_bytes();
    let source = &source[..source.len().min(SOURCE_BYTES_MAX)];
    let level = Level::ALL.iter().position(|level| *level == record.level);
    let mut bytes = Bytes::new();
    let mut put = |part: &[u8]| {
        let kept = bytes.extend_from_slice(part);
        crate::invariant!(kept.is_ok(), "a message is longer than planned");
    };
    put(&boot.to_le_bytes());
    put(&record.number.to_le_bytes());
    put(&record.at.as_nanos().to_le_bytes());
    put(&[level.unwrap_or(0) as u8, source.len() as u8]);
    put(source);
    put(record.text.as_str().as_bytes());
    bytes
}

impl MessageKeeper {
    /// The disk had this message when it was taken into use.
    pub fn learn(&mut self, lsn: Lsn, record: &[u8]) {
        let Some(message) = Message::parse(record) else {
            return;
        };
        let first = match self.last.filter(|last| last.number == message.boot) {
            Some(last) => last.first,
            None => {
                self.boots += 1;
                self.before = self.last;
                lsn
            }
        };
        self.newest = Some(message.number);
        self.last = Some(Boot {
            number: message.boot,
            first,
            last: lsn,
        });
    }

    /// The disk is not in use any more; the next one is learned anew.
    pub fn leave(&mut self) {
        self.last = None;
        self.boots = 0;
        self.newest = None;
        self.before = None;
        let left = self.boot.take().map(|boot| (self.identity, boot));
        self.left = left.or(self.left);
    }

    /// A disk that has failed for a while has messages of this boot: they are not kept
    /// twice. The number that this boot has there.
    fn go_on(&mut self, log: &Log) -> Option<u64> {
        let is_own = |last: &Boot| self.left == Some((log.identity(), last.number));
        let last = self.last.filter(is_own)?;
        self.next = self.newest? + 1;
        self.boots -= 1;
        self.last = self.before;
        Some(last.number)
    }

    pub fn step(&mut self, log: &mut Log, messages: &Messages) {
        self.is_blocked = false;
        if !log.is_open() {
            return;
        }
        let known = self.boot.or_else(|| self.go_on(log));
        let boot = known.unwrap_or_else(|| {
            self.next = 0;
            self.last.map_or(0, |last| last.number) + 1
        });
        self.boot = Some(boot);
        self.identity = log.identity();
        let mut visited = 0;
        messages.visit_from(self.next, |record| {
            if visited == MESSAGES_A_VISIT || self.is_blocked {
                return;
            }
            visited += 1;
            if log.append_newest(&emit(boot, record)).is_err() {
                self.is_blocked = true;
                return;
            }
            self.missed += record.number.saturating_sub(self.next.max(self.reached));
            self.next = record.number + 1;
            self.reached = self.reached.max(self.next);
            self.kept += 1;
        });
    }

    /// Could it go on now?
    pub fn is_due(&self, log: &Log, messages: &Messages) -> bool {
        log.is_open() && !self.is_blocked && self.next < messages.view().written
    }

    /// The number of the message that is kept next.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The newest messages of the boot before this one.
    pub fn earlier(&self, log: &Log) -> Option<(Lsn, Lsn)> {
        let last = self.last?;
        let shown = last.last.0.saturating_sub(CHRONICLE_SHOWN_MAX as u64 - 1);
        // The oldest may have made room meanwhile.
        let first = last.first.max(Lsn(shown)).max(log.first_lsn());
        (first <= last.last).then_some((first, last.last))
    }

    /// Is it known what the disk had of earlier boots?
    pub const fn is_begun(&self) -> bool {
        self.boot.is_some()
    }

    /// Boots of which the disk had messages.
    pub const fn boots(&self) -> u64 {
        self.boots
    }

    pub const fn kept(&self) -> u64 {
        self.kept
    }

    pub const fn missed(&self) -> u64 {
        self.missed
    }
}
