//! The audit trail: what was done and by whom, as a chain of entries.
//!
//! Limits: the newest `AUDIT_ENTRIES_MAX` entries; their memory is taken once.
//! Invariants: numbers have no gaps; the hash behind an entry is that of the hash before
//! it and of the entry; what leaves the ring leaves its hash as the base of the rest.
//!
//! It is in memory and ends with the boot. Whoever can write the kernel's memory can
//! make a new chain, but none that fits an anchor in a PCR.

mod anchors;
mod bridge;
mod chain;
pub mod compliance;
mod entry;
mod event;
mod export;
mod filter;
pub mod kept;
mod repeats;
mod short;
mod tamper;
mod verification;
mod verify;
mod words;

#[cfg(test)]
mod tests;

pub use anchors::{
    ANCHOR_ENTRIES, ANCHOR_PERIOD, Anchor, AnchorError, AnchorRecord, AnchoredIn, Anchors,
};
pub use bridge::from_device_record;
pub use chain::{Chain, Sealed};
pub use entry::{Entry, Link, Object, Sentence};
pub use event::Event;
pub use export::{BaseLine, EntryLine, HeadLine};
pub use filter::{Filter, FilterError, OFFERED as FILTERS_OFFERED};
pub use tamper::Tamper;
pub use verification::{LIMIT as VERIFY_LIMIT, VERIFY_PERIOD, Verification, Verified, Whole};
pub use verify::{Check, Finding, Kept, Linked, verify};
pub use words::{Kind, Level, Outcome, Verb};

use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::drivers::handlers::DeviceHandlers;
use crate::limits::AUDIT_ENTRIES_MAX;
use bridge::DeviceCursor;
use repeats::Repeats;

/// What can be asked of the trail besides entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Makes an anchor due.
    Anchor,
    /// Breaks it on purpose.
    Tamper { how: Tamper, number: u64 },
}

pub struct AuditTrail {
    chain: Chain,
    counts: Counts,
    repeats: Repeats,
    anchors: Anchors,
    devices: DeviceCursor,
    verification: Verification,
    /// Entries that left the ring and were under no anchor.
    left_unanchored: u64,
}

/// How often everything happened, those times included that were gathered into one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub by_level: [u64; Level::ALL.len()],
    pub by_kind: [u64; Kind::ALL.len()],
    pub by_outcome: [u64; Outcome::ALL.len()],
    /// Operations, as the gate and the device handlers count them.
    pub operations_denied: u64,
}

impl AuditTrail {
    /// Takes all the memory that it will ever use. `boot` is something that only this boot knows.
    pub fn new(boot: &[u8]) -> Self {
        Self::over(Chain::new(boot))
    }

    /// A trail for measuring, which is full after so many entries.
    pub fn of_entries(count: usize) -> Self {
        Self::over(Chain::of_entries(count, &[]))
    }

    fn over(chain: Chain) -> Self {
        Self {
            chain,
            counts: Counts::default(),
            repeats: Repeats::default(),
            anchors: Anchors::default(),
            devices: DeviceCursor::default(),
            verification: Verification::default(),
            left_unanchored: 0,
        }
    }

    /// Begins the chain with something that only this boot knows, as long as it is empty.
    pub fn begin(&mut self, boot: &[u8; 32]) {
        if self.chain.head().entries == 0 {
            self.chain.begin(boot);
        }
    }

    /// Makes an entry of it, and says its number. The same refusal again within a second
    /// is gathered: then it is the number of the first, and the rest has an entry later.
    pub fn append(&mut self, now: Instant, event: Event) -> u64 {
        let event = event.without_secrets();
        self.close_repeats(now);
        if let Some(number) = self.repeats.gather(now, &event) {
            return number;
        }
        let number = self.seal(now, &event);
        self.repeats.open(now, &event, number);
        number
    }

    fn close_repeats(&mut self, now: Instant) {
        while let Some(event) = self.repeats.take_over(now) {
            self.seal(now, &event);
        }
    }

    /// The one place where entries are made, of events without secrets.
    fn seal(&mut self, now: Instant, event: &Event) -> u64 {
        let number = self.chain.head().entries;
        self.counts.add(event);
        let left = self.chain.push(Entry {
            number,
            at: now,
            times: event.times,
            level: event.level,
            kind: event.kind,
            subject: event.subject,
            verb: event.verb,
            outcome: event.outcome,
            object: event.object,
            text: event.text,
        });
        if let Some(left) = left {
            self.verification.on_left(self.chain.base());
            let is_anchored = left.number < self.anchors.entries_anchored();
            self.left_unanchored += u64::from(!is_anchored);
        }
        number
    }

    /// What time does: gathered repeats get their entry, a verification goes on.
    pub fn step(&mut self, now: Instant) {
        self.close_repeats(now);
        if let Some(lost) = self.anchors.on_time(now) {
            self.append(now, Event::anchored(&lost));
        }
        self.step_verification(now);
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let deadlines = [
            self.repeats.next_deadline(),
            self.devices.next_deadline(),
            self.anchors.next_deadline(&self.chain.head()),
            self.verification.next_deadline(now),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Hands out what is to be extended into PCR 12, once it is due; `on_anchored` follows.
    pub fn anchor_due(&mut self, now: Instant) -> Option<Anchor> {
        self.anchors.due(now, &self.chain.head())
    }

    /// An anchor that was handed out has reached a register, or has not.
    pub fn on_anchored(
        &mut self,
        now: Instant,
        anchor: Anchor,
        result: Result<AnchoredIn, AnchorError>,
    ) {
        let news = self.anchors.on_anchored(now, anchor, result);
        // A success behind another is no entry: each entry wants an anchor after an hour.
        if let Some(record) = news {
            self.append(now, Event::anchored(&record));
        }
    }

    pub fn apply(&mut self, change: Change) -> Result<(), &'static str> {
        match change {
            Change::Anchor => self.anchors.want(),
            Change::Tamper { how, number } => self.tamper(how, number)?,
        }
        Ok(())
    }

    /// The newest hash, and how many entries it covers.
    pub const fn head(&self) -> Link {
        self.chain.head()
    }

    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    pub const fn verification(&self) -> &Verification {
        &self.verification
    }

    /// Of what has an entry.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Entries that left the ring and were under no anchor.
    pub const fn left_unanchored(&self) -> u64 {
        self.left_unanchored
    }

    /// Records of the device handlers that were gone before they were copied.
    pub const fn device_records_missed(&self) -> u64 {
        self.devices.missed()
    }

    /// Denied operations that the trail accounts for: those with an entry, and those that
    /// wait for one.
    pub fn operations_denied(&self, handlers: &DeviceHandlers) -> u64 {
        let waiting = self.repeats.waiting();
        let denied = waiting.filter(|(event, _)| event.is_operation_denied());
        let gathered: u64 = denied.map(|(_, times)| u64::from(times)).sum();
        self.counts.operations_denied + gathered + self.devices.denials_growing(handlers)
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("AUDIT_ENTRIES_MAX", AUDIT_ENTRIES_MAX)
                .used(self.chain.len() as u64)
                .ring(),
        );
        visit(&self.repeats.usage());
        visit(&self.anchors.usage());
    }
}

impl Default for AuditTrail {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Counts {
    fn add(&mut self, event: &Event) {
        let times = u64::from(event.times);
        self.by_level[event.level as usize] += times;
        self.by_kind[event.kind as usize] += times;
        self.by_outcome[event.outcome as usize] += times;
        if event.is_operation_denied() {
            self.operations_denied += times;
        }
    }
}
