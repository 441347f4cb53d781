//! Work that outlasts a tick: who does it, and how long it is waited for.
//!
//! A subsystem that has such work implements `Performer`. Whoever asked (a shell
//! session, a client of the interface) holds the number and looks for the answer
//! every tick.
//!
//! Limits: `OPERATIONS_MAX` at the same time.
//! Invariants: a number is given once; every operation ends by its deadline, for
//! the table ends it when its performer does not.

use crate::base::fixed::{Full, Map};
use crate::base::metric::Usage;
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use crate::limits::OPERATIONS_MAX;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OperationId(u64);

/// A subsystem with work that outlasts a tick.
///
/// It is asked every tick, about operations of others, too, and answers those with
/// `false`. An answer that becomes ready must bring about a tick: by what arrives, or
/// by the performer's own deadline.
pub trait Performer {
    /// Has the operation ended? Then `report` says what came of it, or fails with the
    /// reason, and the performer forgets it.
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool;

    /// Nobody waits for it any more.
    fn forget(&mut self, id: OperationId);
}

/// All operations that run.
#[derive(Default)]
pub struct Operations {
    running: Map<OperationId, Waiting, OPERATIONS_MAX>,
    view: OperationsView,
}

struct Waiting {
    limit: Duration,
    deadline: Instant,
}

/// What has become of the operations since boot.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct OperationsView {
    pub started: u64,
    /// Ended by themselves, well or not.
    pub answered: u64,
    pub cancelled: u64,
    pub timed_out: u64,
    /// Not started, for the table was full.
    pub refused: u64,
    pub running: usize,
    pub high_water: usize,
}

impl Operations {
    pub const FULL: &str = "too many operations run; wait until one has ended";

    /// A number for an operation that is about to start and may take so long.
    pub fn open(&mut self, now: Instant, limit: Duration) -> Result<OperationId, Full> {
        let id = OperationId(self.view.started);
        let deadline = now + limit;
        if self
            .running
            .insert(id, Waiting { limit, deadline })
            .is_err()
        {
            self.view.refused += 1;
            return Err(Full);
        }
        self.view.started += 1;
        self.view.high_water = self.view.high_water.max(self.running.len());
        Ok(id)
    }

    /// Its performer would not start it.
    pub fn withdraw(&mut self, id: OperationId) {
        if self.running.remove(&id).is_some() {
            self.view.answered += 1;
        }
    }

    /// Fills the report if the operation has ended or may take no longer.
    pub fn maybe_answer(
        &mut self,
        now: Instant,
        id: OperationId,
        performers: &mut [&mut dyn Performer],
        report: &mut Report,
    ) -> bool {
        let Some(waiting) = self.running.get(&id) else {
            report.fail(format_args!("the operation was given up"));
            return true;
        };
        if performers
            .iter_mut()
            .any(|performer| performer.maybe_answer(id, report))
        {
            self.view.answered += 1;
            self.running.remove(&id);
            return true;
        }
        if now < waiting.deadline {
            return false;
        }
        let limit = waiting.limit;
        report.fail(format_args!("no answer came within {limit}; try again"));
        self.view.timed_out += 1;
        self.drop_it(id, performers);
        true
    }

    /// Whoever waited for it does no longer.
    pub fn cancel(&mut self, id: OperationId, performers: &mut [&mut dyn Performer]) {
        if self.running.get(&id).is_some() {
            self.view.cancelled += 1;
            self.drop_it(id, performers);
        }
    }

    fn drop_it(&mut self, id: OperationId, performers: &mut [&mut dyn Performer]) {
        self.running.remove(&id);
        performers
            .iter_mut()
            .for_each(|performer| performer.forget(id));
    }

    /// When the next of them will have taken too long.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let deadlines = self.running.iter().map(|(_, waiting)| waiting.deadline);
        deadlines.filter(|deadline| *deadline > now).min()
    }

    pub fn view(&self) -> OperationsView {
        OperationsView {
            running: self.running.len(),
            ..self.view
        }
    }

    pub fn usage(&self) -> Usage {
        Usage::of("OPERATIONS_MAX", OPERATIONS_MAX)
            .used(self.running.len() as u64)
            .high_water(self.view.high_water as u64)
            .refused(self.view.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const LIMIT: Duration = Duration::from_secs(5);

    /// Answers what a test tells it to.
    #[derive(Default)]
    struct Scripted {
        ended: Vec<(OperationId, Result<&'static str, &'static str>)>,
        forgotten: Vec<OperationId>,
    }

    impl Performer for Scripted {
        fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
            let Some(at) = self.ended.iter().position(|(ended, _)| *ended == id) else {
                return false;
            };
            match self.ended.remove(at).1 {
                Ok(line) => drop(report.text("").line(line)),
                Err(reason) => report.fail(format_args!("{reason}")),
            }
            true
        }

        fn forget(&mut self, id: OperationId) {
            self.forgotten.push(id);
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn open(operations: &mut Operations) -> OperationId {
        operations.open(at(0), LIMIT).expect("there is room")
    }

    #[test]
    fn an_answer_goes_to_whoever_holds_its_number() {
        let (mut operations, mut report) = (Operations::default(), Report::new());
        let (first, second) = (open(&mut operations), open(&mut operations));
        let (mut idle, mut busy) = (Scripted::default(), Scripted::default());
        busy.ended = [(second, Ok("done")), (first, Err("it broke"))].into();
        let performers: &mut [&mut dyn Performer] = &mut [&mut idle, &mut busy];
        assert!(operations.maybe_answer(at(1), first, performers, &mut report));
        assert_eq!(report.error(), Some("it broke"));
        report.begin("");
        assert!(operations.maybe_answer(at(1), second, performers, &mut report));
        assert_eq!((report.error(), report.block_count()), (None, 1));
        assert_eq!(
            operations.view(),
            OperationsView {
                started: 2,
                answered: 2,
                high_water: 2,
                ..OperationsView::default()
            }
        );
    }

    #[test]
    fn an_operation_without_an_answer_ends_at_its_deadline() {
        let (mut operations, mut report) = (Operations::default(), Report::new());
        let id = open(&mut operations);
        let mut performer = Scripted::default();
        assert_eq!(operations.next_deadline(at(0)), Some(at(5)));
        assert!(!operations.maybe_answer(at(4), id, &mut [&mut performer], &mut report));
        assert!(operations.maybe_answer(at(5), id, &mut [&mut performer], &mut report));
        assert!(report.error().is_some_and(|error| error.contains("5")));
        assert_eq!(performer.forgotten, [id]);
        assert_eq!(
            (operations.next_deadline(at(5)), operations.view().timed_out),
            (None, 1)
        );
    }

    #[test]
    fn a_cancelled_operation_is_forgotten_once() {
        let (mut operations, mut report) = (Operations::default(), Report::new());
        let id = open(&mut operations);
        let mut performer = Scripted::default();
        operations.cancel(id, &mut [&mut performer]);
        operations.cancel(id, &mut [&mut performer]);
        assert_eq!(performer.forgotten, [id]);
        assert!(operations.maybe_answer(at(1), id, &mut [&mut performer], &mut report));
        assert_eq!(operations.view().cancelled, 1);
    }

    #[test]
    fn a_full_table_refuses_and_what_ends_makes_room() {
        let mut operations = Operations::default();
        let ids: Vec<_> = (0..OPERATIONS_MAX).map(|_| open(&mut operations)).collect();
        assert_eq!(operations.open(at(0), LIMIT), Err(Full));
        assert_eq!(operations.usage().refused, Some(1));
        operations.cancel(ids[3], &mut []);
        let fresh = open(&mut operations);
        assert!(!ids.contains(&fresh));
        operations.withdraw(fresh);
        assert_eq!(operations.view().running, OPERATIONS_MAX - 1);
    }
}
