//! Compliance: requirements that are asked again and again.
//!
//! Limits: the last `COMPLIANCE_VIOLATIONS_MAX` violations.
//! Invariants: a violation has one beginning and one end, and an entry of the trail for
//! each; what nobody knows is never called met.

mod facts;
mod requirements;
#[cfg(test)]
mod tests;

pub use facts::{
    AnchorFacts, BootFacts, ComplianceFacts, DefaultFacts, Denials, PolicyFacts, SecretFacts,
    VerificationFacts,
};
pub use requirements::{Requirement, SECRET_BYTES_MIN, Standing};

use super::AuditTrail;
use super::event::Event;
use super::words::{Kind, Level, Outcome, Verb};
use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::limits::COMPLIANCE_VIOLATIONS_MAX;
use alloc::collections::VecDeque;

/// Not more often, whatever happens.
const STEP_PERIOD_LEAST: Duration = Duration::from_secs(1);
/// So often, though nothing happens.
const STEP_PERIOD_MOST: Duration = Duration::from_secs(10);

/// How one requirement stands and stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    pub requirement: Requirement,
    pub standing: Standing,
    /// Since when it stands so; `None` before it was first asked.
    pub since: Option<Instant>,
    pub violations: u64,
    /// When the newest violation began.
    pub last_violation: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Violation {
    pub requirement: Requirement,
    pub reason: &'static str,
    pub began: Instant,
    /// `None` while it lasts.
    pub ended: Option<Instant>,
}

pub struct Compliance {
    rows: [Row; Requirement::ALL.len()],
    /// Oldest first, never longer than it was made.
    violations: VecDeque<Violation>,
    stepped_at: Option<Instant>,
}

impl Compliance {
    pub fn new() -> Self {
        Self {
            rows: Requirement::ALL.map(|requirement| Row {
                requirement,
                standing: Standing::Unknown,
                since: None,
                violations: 0,
                last_violation: None,
            }),
            violations: VecDeque::with_capacity(COMPLIANCE_VIOLATIONS_MAX),
            stepped_at: None,
        }
    }

    /// Would a step ask anything?
    pub fn is_due(&self, now: Instant) -> bool {
        let is_over = |at: Instant| now >= at + STEP_PERIOD_LEAST;
        self.stepped_at.is_none_or(is_over)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        Some(
            self.stepped_at
                .map_or(Instant::ZERO, |at| at + STEP_PERIOD_MOST),
        )
    }

    /// Asks all requirements, once a second at most.
    pub fn step(&mut self, now: Instant, facts: &ComplianceFacts, trail: &mut AuditTrail) {
        if !self.is_due(now) {
            return;
        }
        self.stepped_at = Some(now);
        for index in 0..self.rows.len() {
            let row = self.rows[index];
            let standing = row.requirement.judge(now, facts);
            if row.since.is_some() && row.standing == standing {
                continue;
            }
            if let Standing::Violated(_) = row.standing {
                self.end(now, row.requirement, standing, trail);
            }
            let row = &mut self.rows[index];
            row.standing = standing;
            row.since = Some(now);
            if let Standing::Violated(reason) = standing {
                row.violations += 1;
                row.last_violation = Some(now);
                let requirement = row.requirement;
                self.begin(now, requirement, reason, trail);
            }
        }
    }

    fn begin(
        &mut self,
        now: Instant,
        requirement: Requirement,
        reason: &'static str,
        trail: &mut AuditTrail,
    ) {
        if self.violations.len() == COMPLIANCE_VIOLATIONS_MAX {
            self.violations.pop_front();
        }
        self.violations.push_back(Violation {
            requirement,
            reason,
            began: now,
            ended: None,
        });
        let event = Event::new(Kind::Security, Verb::Comply, requirement.name())
            .level(Level::Error)
            .outcome(Outcome::Failed)
            .text(format_args!("violated: {reason}"));
        trail.append(now, event);
    }

    fn end(
        &mut self,
        now: Instant,
        requirement: Requirement,
        standing: Standing,
        trail: &mut AuditTrail,
    ) {
        let mut open = self.violations.iter_mut().rev();
        let is_it = |violation: &&mut Violation| {
            violation.requirement == requirement && violation.ended.is_none()
        };
        if let Some(violation) = open.find(is_it) {
            violation.ended = Some(now);
        }
        let event = Event::new(Kind::Security, Verb::Comply, requirement.name())
            .level(Level::Notice)
            .text(format_args!(
                "no longer violated as before; now {}",
                standing.name()
            ));
        trail.append(now, event);
    }

    pub const fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Oldest first.
    pub fn violations(&self) -> impl ExactSizeIterator<Item = &Violation> {
        self.violations.iter()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("COMPLIANCE_VIOLATIONS_MAX", COMPLIANCE_VIOLATIONS_MAX)
            .used(self.violations.len() as u64)
            .ring()
    }
}

impl Default for Compliance {
    fn default() -> Self {
        Self::new()
    }
}

impl AuditTrail {
    /// What the trail itself knows of the facts.
    pub fn add_facts(&self, facts: &mut ComplianceFacts) {
        let last = self.verification().last();
        facts.verification = last.map(|last| VerificationFacts {
            at: last.at,
            has_finding: last.result.is_err(),
        });
        facts.anchors = Some(AnchorFacts {
            is_anchored: self.anchors().newest().is_some(),
            entries_behind: self.anchors().entries_behind(&self.head()),
            at: self.anchors().anchored_at(),
        });
    }
}
