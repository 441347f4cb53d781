//! When the head of the trail goes into a PCR, and what became of that.
//!
//! Limits: the last `AUDIT_ANCHORS_MAX` are remembered.
//! Invariants: one anchor is on its way at a time; an anchor that is never heard of
//! again counts as failed.

use super::entry::Link;
use crate::base::digest::Digest;
use crate::base::fixed::Ring;
use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::limits::{AUDIT_ANCHORS_MAX, AUDIT_ENTRIES_MAX};

/// So many entries without an anchor are due: half of what is kept, so that none leaves
/// without having been under one.
pub const ANCHOR_ENTRIES: u64 = AUDIT_ENTRIES_MAX as u64 / 2;
/// The oldest entry without an anchor may be so old.
pub const ANCHOR_PERIOD: Duration = Duration::from_secs(3600);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long after a refusal it is tried again, at least.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// What is to be extended into PCR 12.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchor {
    pub head: Digest,
    /// How many entries lie before the head.
    pub entries: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnchoredIn {
    Tpm,
    /// The bank that the kernel keeps itself where there is no TPM.
    Software,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnchorError {
    /// The measurement log takes no more events.
    LogFull,
    /// The TPM would not.
    Refused,
    /// Nobody said what became of it.
    Lost,
}

impl AnchoredIn {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tpm => "tpm",
            Self::Software => "software",
        }
    }
}

impl AnchorError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::LogFull => "the measurement log is full; reboot to begin a new one",
            Self::Refused => "the TPM refused; see tpm status",
            Self::Lost => "no answer came; see tpm status",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnchorRecord {
    pub number: u64,
    pub anchor: Anchor,
    /// When it was heard what became of it.
    pub at: Instant,
    pub result: Result<AnchoredIn, AnchorError>,
}

#[derive(Default)]
pub struct Anchors {
    records: Ring<AnchorRecord, AUDIT_ANCHORS_MAX>,
    next: u64,
    on_its_way: Option<(Anchor, Instant)>,
    is_wanted: bool,
    retry_at: Instant,
    /// The newest that reached a register.
    newest: Option<AnchorRecord>,
    refused: u64,
    is_refused: bool,
}

impl Anchors {
    /// Asks for one now.
    pub const fn want(&mut self) {
        self.is_wanted = true;
    }

    /// Hands out an anchor when one is due.
    pub fn due(&mut self, now: Instant, head: &Link) -> Option<Anchor> {
        let due_at = self.due_at(head)?;
        if now < due_at || self.on_its_way.is_some() {
            return None;
        }
        let anchor = Anchor {
            head: head.hash,
            entries: head.entries,
        };
        self.is_wanted = false;
        self.on_its_way = Some((anchor, now + PATIENCE));
        Some(anchor)
    }

    /// When the next is due, as things stand.
    fn due_at(&self, head: &Link) -> Option<Instant> {
        if self.entries_behind(head) == 0 {
            return None;
        }
        if self.is_wanted {
            return Some(Instant::ZERO);
        }
        let is_many = self.entries_behind(head) >= ANCHOR_ENTRIES;
        let at = match is_many {
            true => Instant::ZERO,
            false => self.anchored_at() + ANCHOR_PERIOD,
        };
        Some(at.max(self.retry_at))
    }

    pub fn next_deadline(&self, head: &Link) -> Option<Instant> {
        match self.on_its_way {
            Some((_, patience_ends_at)) => Some(patience_ends_at),
            None => self.due_at(head),
        }
    }

    /// The time in which an answer could have come may be over.
    pub fn on_time(&mut self, now: Instant) -> Option<AnchorRecord> {
        match self.on_its_way {
            Some((anchor, until)) if now >= until => {
                self.on_anchored(now, anchor, Err(AnchorError::Lost))
            }
            _ => None,
        }
    }

    /// Remembers what became of an anchor; says so if that is news.
    pub fn on_anchored(
        &mut self,
        now: Instant,
        anchor: Anchor,
        result: Result<AnchoredIn, AnchorError>,
    ) -> Option<AnchorRecord> {
        if self.on_its_way.is_some_and(|(other, _)| other == anchor) {
            self.on_its_way = None;
        }
        let record = AnchorRecord {
            number: self.next,
            anchor,
            at: now,
            result,
        };
        self.next += 1;
        let was_refused = core::mem::replace(&mut self.is_refused, result.is_err());
        // Refusals in a row are one line, so that they do not push out what was reached.
        match was_refused && self.is_refused {
            true => self.records.replace_newest(record),
            false => self.records.push(record),
        }
        if result.is_ok() {
            self.newest = Some(record);
        } else {
            self.refused += 1;
            self.retry_at = now + RETRY_AFTER;
        }
        (was_refused != self.is_refused).then_some(record)
    }

    /// Oldest first.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &AnchorRecord> {
        self.records.iter()
    }

    pub const fn newest(&self) -> Option<&AnchorRecord> {
        self.newest.as_ref()
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub const fn is_on_its_way(&self) -> bool {
        self.on_its_way.is_some()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("AUDIT_ANCHORS_MAX", AUDIT_ANCHORS_MAX)
            .used(self.records.len() as u64)
            .ring()
    }

    /// Entries that are under an anchor.
    pub fn entries_anchored(&self) -> u64 {
        self.newest.map_or(0, |record| record.anchor.entries)
    }

    pub fn entries_behind(&self, head: &Link) -> u64 {
        head.entries.saturating_sub(self.entries_anchored())
    }

    /// Boot, as long as there is none.
    pub fn anchored_at(&self) -> Instant {
        self.newest.map_or(Instant::ZERO, |record| record.at)
    }
}
