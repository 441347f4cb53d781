//! The audit trail goes to a log, behind the entries of earlier boots.

use crate::base::time::Instant;
use crate::security::audit::kept::{Past, Point, beginning, entry};
use crate::security::audit::{AuditTrail, Event, Link};
use crate::storage::log::{Log, Lsn};

/// Entries that are given to the log in one tick.
const ENTRIES_A_TICK: usize = 64;

#[derive(Default)]
pub struct TrailKeeper {
    /// What was on the disk of earlier boots when it was taken into use.
    past: Past,
    /// The newest boot that was there.
    newest: Option<Newest>,
    /// The number of this boot, once its beginning is in the log, and where that is.
    begun: Option<Begun>,
    /// Entries of this boot that left the ring before a disk could have them.
    missed: u64,
    /// Entries before that one were kept at some time, or are counted as missed.
    reached: u64,
    kept: u64,
    /// The log takes no more at the moment.
    is_blocked: bool,
}

/// Where its records begin, and what was there before them.
#[derive(Clone, Copy)]
struct Newest {
    lsn: Lsn,
    before: Past,
}

#[derive(Clone, Copy)]
struct Begun {
    boot: u64,
    lsn: Lsn,
    /// A record at or behind this one says the number of this boot.
    named: Lsn,
    /// Behind the newest entry that the log has.
    at: Link,
}

impl TrailKeeper {
    pub fn learn(&mut self, lsn: Lsn, record: &[u8]) {
        let before = self.past;
        self.past.learn(record);
        if self.past.boots != before.boots {
            self.newest = Some(Newest { lsn, before });
        }
    }

    /// The disk is not in use any more; the next one is learned anew.
    pub fn leave(&mut self) {
        self.past = Past::default();
        self.newest = None;
        self.begun = None;
    }

    pub fn step(&mut self, now: Instant, log: &mut Log, trail: &mut AuditTrail) {
        self.is_blocked = false;
        if !log.is_open() {
            return;
        }
        if self.begun.is_none() && !self.go_on(trail) {
            self.begin(now, log, trail);
        }
        for _ in 0..ENTRIES_A_TICK {
            if self.is_blocked || !self.keep_next(log, trail) {
                return;
            }
        }
    }

    /// A disk that has failed for a while has entries of this boot: they are not kept twice.
    /// Says whether it is so.
    fn go_on(&mut self, trail: &AuditTrail) -> bool {
        let (Some(last), Some(newest)) = (self.past.last, self.newest) else {
            return false;
        };
        if trail.chain().hash_at(last.link.entries) != Some(&last.link.hash) {
            return false;
        }
        self.begun = Some(Begun {
            boot: last.boot.max(1),
            lsn: newest.lsn,
            named: newest.lsn,
            at: last.link,
        });
        self.past = newest.before;
        true
    }

    /// Puts the beginning of this boot's entries behind what is there.
    fn begin(&mut self, now: Instant, log: &mut Log, trail: &mut AuditTrail) {
        let before = self.past.last;
        let boot = before.map_or(0, |point| point.boot) + 1;
        let link = trail.chain().base();
        if let Some(lsn) = self.append(log, &beginning(&Point { boot, link }, before.as_ref())) {
            let at = link;
            self.miss(link.entries);
            let named = lsn;
            self.begun = Some(Begun {
                boot,
                lsn,
                named,
                at,
            });
            // It is an entry of the chain, so nobody can change what it names.
            trail.append(now, Event::joined(before.as_ref()));
        }
    }

    /// Says whether there was one.
    fn keep_next(&mut self, log: &mut Log, trail: &AuditTrail) -> bool {
        let Some(begun) = self.begun else {
            return false;
        };
        let (boot, base) = (begun.boot, trail.chain().base());
        if begun.at.entries < base.entries {
            let before = Point {
                boot,
                link: begun.at,
            };
            let from = Point { boot, link: base };
            if let Some(named) = self.append(log, &beginning(&from, Some(&before))) {
                self.miss(base.entries);
                let at = base;
                self.begun = Some(Begun { named, at, ..begun });
            }
            return true;
        }
        // The record that says which boot this is has made room: it is said again.
        if begun.named < log.first_lsn() {
            let link = begun.at;
            let here = Point { boot, link };
            if let Some(named) = self.append(log, &beginning(&here, Some(&here))) {
                self.begun = Some(Begun { named, ..begun });
            }
            return true;
        }
        let Some(sealed) = trail.chain().iter_from(begun.at.entries).next() else {
            return false;
        };
        if self.append(log, &entry(sealed)).is_some() {
            self.kept += 1;
            let at = Link::behind(&sealed.entry, sealed.hash);
            self.reached = self.reached.max(at.entries);
            self.begun = Some(Begun { at, ..begun });
        }
        true
    }

    /// Entries before that one left the ring.
    fn miss(&mut self, below: u64) {
        self.missed += below.saturating_sub(self.reached);
        self.reached = self.reached.max(below);
    }

    fn append(&mut self, log: &mut Log, record: &[u8]) -> Option<Lsn> {
        let appended = log.append_newest(record);
        self.is_blocked = appended.is_err();
        appended.ok()
    }

    /// Could it go on now?
    pub fn is_due(&self, log: &Log, trail: &AuditTrail) -> bool {
        let has_more = self.begun.is_none() || self.next() < trail.head().entries;
        log.is_open() && has_more && !self.is_blocked
    }

    /// The number of the entry that is kept next.
    pub fn next(&self) -> u64 {
        self.begun.map_or(0, |begun| begun.at.entries)
    }

    /// The records of earlier boots, the newest so many.
    pub fn earlier(&self, log: &Log, count: u64) -> Option<(Lsn, Lsn)> {
        let end = self.begun?.lsn.0;
        let first = log.first_lsn().0.max(end.saturating_sub(count));
        (first < end).then(|| (Lsn(first), Lsn(end - 1)))
    }

    pub fn boot(&self) -> Option<u64> {
        Some(self.begun?.boot)
    }

    pub const fn past(&self) -> &Past {
        &self.past
    }

    pub const fn kept(&self) -> u64 {
        self.kept
    }

    pub const fn missed(&self) -> u64 {
        self.missed
    }
}
