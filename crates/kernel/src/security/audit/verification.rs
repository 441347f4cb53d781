//! Verifications of the running trail: a slice a tick.
//!
//! Limits: `OPERATIONS_MAX` people wait; they share what runs.
//! Invariants: whoever asks gets the result of a run that began after the question.

use super::AuditTrail;
use super::verify::{Check, Finding};
use crate::base::digest::Hex;
use crate::base::fixed::Map;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use crate::limits::OPERATIONS_MAX;

/// Entries that are checked in one tick; the whole ring takes 128 ticks.
const SLICE_ENTRIES: usize = 64;
/// Between two slices when nobody waits.
const PAUSE: Duration = Duration::from_millis(10);
/// How often the trail verifies itself.
pub const VERIFY_PERIOD: Duration = Duration::from_secs(300);
/// How long after boot it does so first.
const VERIFY_FIRST: Duration = Duration::from_secs(1);
/// How long somebody waits for the answer at most.
pub const LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Counts verifications since boot, from 1.
    pub number: u64,
    /// When it was done.
    pub at: Instant,
    /// In how many ticks.
    pub slices: u32,
    pub result: Result<Whole, Finding>,
}

/// What was found to be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Whole {
    pub entries: u64,
    /// The number of the first entry that is kept, and of the next there will be.
    pub first: u64,
    pub next: u64,
    pub head: [u8; 32],
    /// Anchors whose place is kept, all of which fit.
    pub anchors: usize,
    /// Anchors whose place has left the ring.
    pub anchors_left: usize,
}

#[derive(Default)]
pub struct Verification {
    running: Option<Run>,
    waiting: Map<OperationId, u64, OPERATIONS_MAX>,
    begun: u64,
    last: Option<Verified>,
    findings: u64,
}

struct Run {
    check: Check,
    slices: u32,
    next_slice_at: Instant,
}

impl Verification {
    pub const fn last(&self) -> Option<&Verified> {
        self.last.as_ref()
    }

    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Verifications that found something.
    pub const fn findings(&self) -> u64 {
        self.findings
    }

    /// When the next one begins by itself.
    fn due_at(&self) -> Instant {
        match &self.last {
            Some(last) => last.at + VERIFY_PERIOD,
            None => Instant::ZERO + VERIFY_FIRST,
        }
    }

    /// Does somebody wait for a run that has not begun?
    fn is_wanted(&self) -> bool {
        self.waiting.iter().any(|(_, run)| *run > self.begun)
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        Some(match &self.running {
            Some(_) if !self.waiting.is_empty() => now,
            Some(run) => run.next_slice_at,
            None if self.is_wanted() => now,
            None => self.due_at(),
        })
    }

    pub fn on_left(&mut self, base: super::entry::Link) {
        if let Some(run) = &mut self.running {
            run.check.on_left(1, base);
        }
    }

    /// The trail was changed behind its back: what was seen of it counts no more.
    pub fn start_over(&mut self) {
        if self.running.take().is_some() {
            self.begun -= 1;
        }
    }
}

impl AuditTrail {
    /// The answer comes as that operation's.
    pub fn start_verify_for(&mut self, id: OperationId) -> Result<(), &'static str> {
        let verification = &mut self.verification;
        let run = verification.begun + 1;
        let kept = verification.waiting.insert(id, run);
        kept.map(drop)
            .map_err(|_| "too many verifications are waited for; wait until one has ended")
    }

    /// Goes on with the verification that runs, or begins one that is due.
    pub(super) fn step_verification(&mut self, now: Instant) {
        let verification = &mut self.verification;
        let is_due = verification.is_wanted() || now >= verification.due_at();
        if verification.running.is_none() && is_due {
            verification.begun += 1;
            verification.running = Some(Run {
                check: Check::new(&self.chain),
                slices: 0,
                next_slice_at: now,
            });
        }
        let is_waited_for = !verification.waiting.is_empty();
        let Some(run) = &mut verification.running else {
            return;
        };
        if !is_waited_for && now < run.next_slice_at {
            return;
        }
        run.next_slice_at = now + PAUSE;
        run.slices += 1;
        for _ in 0..SLICE_ENTRIES {
            if let Some(result) = run.check.step(&self.chain) {
                let (checked, slices) = (run.check.checked(), run.slices);
                let result = result.and_then(|()| self.whole(checked));
                self.on_verified(now, slices, result);
                return;
            }
        }
    }

    /// The chain holds: does it also hold what was anchored?
    fn whole(&self, checked: u64) -> Result<Whole, Finding> {
        let (mut anchors, mut anchors_left) = (0, 0);
        for record in self
            .anchors
            .records()
            .filter(|record| record.result.is_ok())
        {
            match self.chain.hash_at(record.anchor.entries) {
                None => anchors_left += 1,
                Some(hash) if *hash == record.anchor.head => anchors += 1,
                Some(_) => {
                    return Err(Finding::Anchor {
                        number: record.number,
                        entries: record.anchor.entries,
                    });
                }
            }
        }
        Ok(Whole {
            entries: checked,
            first: self.chain.base().entries,
            next: self.chain.head().entries,
            head: self.chain.head().hash,
            anchors,
            anchors_left,
        })
    }

    fn on_verified(&mut self, now: Instant, slices: u32, result: Result<Whole, Finding>) {
        let verification = &mut self.verification;
        verification.running = None;
        let known = verification.last.map(|last| last.result);
        verification.findings += u64::from(result.is_err());
        verification.last = Some(Verified {
            number: verification.begun,
            at: now,
            slices,
            result,
        });
        if let Err(finding) = result
            && known != Some(result)
        {
            self.append(now, super::Event::finding(&finding));
        }
    }
}

impl AuditTrail {
    /// Does that operation wait for a verification?
    pub fn is_verifying(&self, id: OperationId) -> bool {
        self.verification.waiting.get(&id).is_some()
    }
}

impl Performer for AuditTrail {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let verification = &mut self.verification;
        let (Some(run), Some(last)) = (verification.waiting.get(&id), &verification.last) else {
            return false;
        };
        if last.number < *run {
            return false;
        }
        let last = *last;
        self.forget(id);
        describe(&last, report);
        true
    }

    fn forget(&mut self, id: OperationId) {
        self.verification.waiting.remove(&id);
    }
}

fn describe(verified: &Verified, report: &mut Report) {
    match verified.result {
        Ok(whole) => {
            report
                .fields("verification")
                .text("result", "the chain holds")
                .count("entries", whole.entries)
                .count("first", whole.first)
                .count("next", whole.next)
                .value("head", format_args!("{}", Hex(&whole.head)))
                .value("anchors_that_fit", whole.anchors)
                .value("anchors_that_left", whole.anchors_left)
                .value("slices", verified.slices);
        }
        Err(finding) => report.fail(format_args!("the trail does not hold: {finding}")),
    }
}
