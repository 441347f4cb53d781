//! Compares I/O schedulers: the real queue, modelled disks, simulated time.
//!
//! Every scheduler gets the same requests. Throughput and latency are times of the
//! models, so they are the same on every machine and in every run; what the processor
//! needed for a request is measured on this one.
//!
//! Limits: one comparison at a time; `SLICE` of work a tick.

mod disk;
mod report;
mod round;
#[cfg(test)]
mod tests;
mod workload;

pub use workload::Workload;

use super::model::ModelKind;
use super::schedulers::Policy;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use alloc::boxed::Box;
use alloc::vec::Vec;
use round::{Outcome, Round, Setting};

/// Of a tick, so that nobody at a console notices.
const SLICE: Duration = Duration::from_micros(300);
/// Events between two looks at the clock.
const EVENTS_AT_ONCE: usize = 16;
/// Looks at the clock in a tick.
const LOOKS_MAX: usize = 256;
/// A slow machine needs a minute for all of them.
pub const LIMIT: Duration = Duration::from_secs(300);

/// What is to be compared; all of it where nothing is named.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Wish {
    pub policy: Option<Policy>,
    pub workload: Option<Workload>,
}

#[derive(Default)]
pub struct Bench {
    running: Option<Run>,
}

struct Run {
    id: OperationId,
    /// Workload by workload, disk by disk.
    settings: Vec<Setting>,
    round: Option<Box<Round>>,
    outcomes: Vec<Outcome>,
}

impl Wish {
    fn settings(self) -> Vec<Setting> {
        let mut settings = Vec::new();
        let workloads = Workload::ALL.into_iter();
        for workload in workloads.filter(|it| self.workload.is_none_or(|wanted| wanted == *it)) {
            for kind in ModelKind::ALL {
                let policies = Policy::ALL.into_iter();
                let wanted = policies.filter(|it| self.policy.is_none_or(|wanted| wanted == *it));
                settings.extend(wanted.map(|policy| Setting {
                    policy,
                    workload,
                    kind,
                }));
            }
        }
        settings
    }
}

impl Bench {
    const BUSY: &str = "a comparison of schedulers runs; wait until it has ended";

    pub fn start(&mut self, id: OperationId, wish: Wish) -> Result<(), &'static str> {
        if self.running.is_some() {
            return Err(Self::BUSY);
        }
        let settings = wish.settings();
        let outcomes = Vec::with_capacity(settings.len());
        self.running = Some(Run {
            id,
            settings,
            round: None,
            outcomes,
        });
        Ok(())
    }

    /// Goes on for a moment.
    pub fn step(&mut self, clock: &mut dyn FnMut() -> Instant) {
        if let Some(run) = &mut self.running {
            run.step(clock);
        }
    }

    /// It wants the next tick at once.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        self.running.as_ref().map(|_| now)
    }
}

impl Run {
    fn is_over(&self) -> bool {
        self.outcomes.len() == self.settings.len()
    }

    fn step(&mut self, clock: &mut dyn FnMut() -> Instant) {
        let begin = clock();
        let mut now = begin;
        // A clock that stands still ends no slice.
        for _ in 0..LOOKS_MAX {
            if now.since(begin) >= SLICE {
                return;
            }
            let Some(setting) = self.settings.get(self.outcomes.len()) else {
                return;
            };
            let round = self.round.get_or_insert_with(|| Round::boxed(*setting));
            for _ in 0..EVENTS_AT_ONCE {
                if !round.is_over() {
                    round.event();
                }
            }
            let later = clock();
            round.add_work(later.since(now));
            now = later;
            if round.is_over() {
                self.outcomes.push(round.outcome());
                self.round = None;
            }
        }
    }
}

impl Performer for Bench {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let is_done = |run: &mut Run| run.id == id && run.is_over();
        let Some(run) = self.running.take_if(is_done) else {
            return false;
        };
        report::fill(&run.outcomes, report);
        true
    }

    fn forget(&mut self, id: OperationId) {
        self.running.take_if(|run| run.id == id);
    }
}
