//! Measures what the security floor costs, on this machine and with its own tables.
//!
//! A sample is a row of operations between two looks at the clock, so that the clock's
//! own cost, which has a row of its own, is spread over them. The capability check asks
//! the cache in use; rules and entries are made for the purpose, so that neither the
//! policy in force nor the trail changes.
//!
//! Limits: one at a time; `BENCH_SAMPLES` samples an operation, a series a tick.

use super::audit::{AuditTrail, Event, Kind, Verb as Did};
use super::policy::{Class, Object, Policy, Verb};
use crate::base::capability::{Capability, CapabilitySet, Grants};
use crate::base::fixed::Vec;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::{Report, Value};
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use crate::limits::{BENCH_SAMPLES, POLICY_RULES_MAX};
use alloc::boxed::Box;
use core::hint::black_box;

/// What is measured, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Series {
    Clock,
    CapabilityCheck,
    PolicyCheck,
    AuditAppend,
}

impl Series {
    const ALL: [Self; 4] = [
        Self::Clock,
        Self::CapabilityCheck,
        Self::PolicyCheck,
        Self::AuditAppend,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Clock => "two looks at the clock",
            Self::CapabilityCheck => "capability check",
            Self::PolicyCheck => "policy check, last of 256 rules",
            Self::AuditAppend => "audit append",
        }
    }

    /// Operations of one sample.
    const fn at_once(self) -> u32 {
        match self {
            Self::Clock => 1,
            Self::CapabilityCheck => 1_024,
            Self::PolicyCheck => 16,
            Self::AuditAppend => 8,
        }
    }
}

/// How long one operation took, over all samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Figures {
    series: Series,
    /// In picoseconds, for a check takes few nanoseconds.
    p50: u64,
    p90: u64,
    p99: u64,
    longest: u64,
}

/// What a run works with besides what is in force.
struct Tables {
    policy: Policy,
    trail: AuditTrail,
    samples: [u64; BENCH_SAMPLES],
}

#[derive(Default)]
pub struct Bench {
    running: Option<Run>,
}

struct Run {
    id: OperationId,
    tables: Box<Tables>,
    figures: Vec<Figures, { Series::ALL.len() }>,
}

/// The trail for measuring is full after a part of the samples, so that most push one out.
const TRAIL_ENTRIES: usize = 256;
/// Somebody with everything, and somebody with nothing.
const SUBJECTS: [Subject; 2] = [Subject::KERNEL, Subject::Visitor];

pub const LIMIT: Duration = Duration::from_secs(60);

impl Bench {
    const BUSY: &str = "a measurement runs; wait until it has ended";

    pub fn start(&mut self, id: OperationId) -> Result<(), &'static str> {
        if self.running.is_some() {
            return Err(Self::BUSY);
        }
        self.running = Some(Run {
            id,
            tables: Tables::boxed(),
            figures: Default::default(),
        });
        Ok(())
    }

    /// Measures the next series.
    pub fn step(&mut self, clock: &mut dyn FnMut() -> Instant, grants: &Grants) {
        let Some(run) = &mut self.running else {
            return;
        };
        if let Some(series) = Series::ALL.get(run.figures.len()) {
            let figures = run.tables.measure(*series, clock, grants);
            // There is a place for each series.
            let _ = run.figures.push(figures);
        }
    }

    /// It wants the next tick at once.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        self.running.as_ref().map(|_| now)
    }
}

impl Performer for Bench {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let is_done = |run: &Run| run.id == id && run.figures.is_full();
        let Some(run) = self.running.take_if(|run| is_done(run)) else {
            return false;
        };
        let columns = &[
            "operation",
            "samples",
            "at_once",
            "p50_ns",
            "p90_ns",
            "p99_ns",
            "longest_ns",
        ];
        let mut table = report.table("operations", columns);
        for figures in &run.figures {
            let of = |to| Value::Ratio { of: to, to: 1_000 };
            table.row(&[
                figures.series.name().into(),
                BENCH_SAMPLES.into(),
                figures.series.at_once().into(),
                of(figures.p50),
                of(figures.p90),
                of(figures.p99),
                of(figures.longest),
            ]);
        }
        true
    }

    fn forget(&mut self, id: OperationId) {
        self.running.take_if(|run| run.id == id);
    }
}

impl Tables {
    /// A whole set of rules, all about the same but the last about another object, and a
    /// trail that is short enough to be full soon.
    fn boxed() -> Box<Self> {
        Box::new(Self {
            policy: Policy::filled(),
            trail: AuditTrail::of_entries(TRAIL_ENTRIES),
            samples: [0; BENCH_SAMPLES],
        })
    }

    fn measure(
        &mut self,
        series: Series,
        clock: &mut dyn FnMut() -> Instant,
        grants: &Grants,
    ) -> Figures {
        for index in 0..BENCH_SAMPLES {
            let begin = clock();
            self.run(series, begin, index, grants);
            let took = clock().since(begin).as_nanos();
            self.samples[index] = took * 1_000 / u64::from(series.at_once());
        }
        self.samples.sort_unstable();
        let of =
            |percent: usize| self.samples[(BENCH_SAMPLES * percent / 100).min(BENCH_SAMPLES - 1)];
        Figures {
            series,
            p50: of(50),
            p90: of(90),
            p99: of(99),
            longest: of(100),
        }
    }

    fn run(&mut self, series: Series, now: Instant, sample: usize, grants: &Grants) {
        let count = series.at_once();
        match series {
            Series::Clock => {}
            Series::CapabilityCheck => {
                let all = Capability::ALL.len() as u32;
                for number in 0..count {
                    let capability = Capability::ALL[(number % (all - 1)) as usize];
                    let subject = SUBJECTS[(number as usize + sample) % SUBJECTS.len()];
                    let needed = CapabilitySet::of(capability);
                    black_box(grants.allows(black_box(subject), black_box(needed)));
                }
            }
            Series::PolicyCheck => {
                let object = Object::new(Class::Network, Policy::FILLED_LAST);
                for _ in 0..count {
                    let subject = black_box(SUBJECTS[0]);
                    let decision = self.policy.check(subject, Verb::Connect, &object);
                    crate::invariant!(
                        decision.rule == Some(POLICY_RULES_MAX - 1),
                        "the last rule was not the one that decided"
                    );
                }
            }
            Series::AuditAppend => {
                for number in 0..count {
                    // Each another one, or they would be gathered.
                    let event = Event::new(Kind::Performance, Did::Run, "optimize.bench")
                        .text(format_args!("sample {sample}, entry {number}"));
                    black_box(self.trail.append(now, event));
                }
            }
        }
    }
}
