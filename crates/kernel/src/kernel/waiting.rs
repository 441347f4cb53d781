//! Commands that need the disk in use, or known, wait until it is.
//!
//! So a command right after the boot, or right behind `storage format`, is not refused, and
//! `disk bench` does not spare a disk only because nobody has seen yet that it is blank.
//!
//! Limits: as many as there are operations; each waits for `PATIENCE` at most, and is
//! refused then as it would have been before.

use super::{Kernel, Machine};
use crate::base::fixed::Vec;
use crate::base::operation::{OperationId, Operations, Performer};
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use crate::limits::OPERATIONS_MAX;
use crate::shell::catalog::Operation;
use crate::storage::Storage;

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct WaitingRoom {
    waiting: Vec<Waiting, OPERATIONS_MAX>,
    /// Those that were refused in the end, and why.
    refused: Vec<(OperationId, &'static str), OPERATIONS_MAX>,
}

struct Waiting {
    id: OperationId,
    operation: Operation,
    until: Instant,
}

/// What an operation wants of the disks before it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    /// It is known what is on each of them.
    KnownDisks,
    DiskInUse,
}

impl Need {
    const fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Layout(_) | Operation::MeasureDisk(_) => Self::KnownDisks,
            Operation::File(_)
            | Operation::Save { .. }
            | Operation::Volume(_)
            | Operation::VerifyAudit
            | Operation::Chronicle(_) => Self::DiskInUse,
            _ => Self::Nothing,
        }
    }

    fn is_met(self, storage: &Storage) -> bool {
        match self {
            Self::Nothing => true,
            Self::KnownDisks => storage.layouts.is_settled(),
            Self::DiskInUse => !storage.is_preparing(),
        }
    }
}

impl WaitingRoom {
    pub fn next_deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.until).min()
    }

    fn refuse(&mut self, id: OperationId, reason: &'static str) {
        let kept = self.refused.push((id, reason));
        crate::invariant!(kept.is_ok(), "more operations wait than there are");
    }
}

impl Performer for WaitingRoom {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let index = self.refused.iter().position(|(of, _)| *of == id);
        let Some((_, reason)) = index.and_then(|index| self.refused.remove(index)) else {
            return false;
        };
        report.fail(format_args!("{reason}"));
        true
    }

    fn forget(&mut self, id: OperationId) {
        let waiting = self.waiting.iter().position(|waiting| waiting.id == id);
        waiting.and_then(|index| self.waiting.remove(index));
        let refused = self.refused.iter().position(|(of, _)| *of == id);
        refused.and_then(|index| self.refused.remove(index));
    }
}

impl<M: Machine> Kernel<M> {
    /// Starts it, or has it wait for the disks.
    pub(super) fn start_or_wait(
        &mut self,
        id: OperationId,
        operation: Operation,
    ) -> Result<(), &'static str> {
        if Need::of(&operation).is_met(&self.storage) {
            return self.route_operation(id, operation);
        }
        let waiting = Waiting {
            id,
            operation,
            until: self.machine.now() + PATIENCE,
        };
        let kept = self.waiting_room.waiting.push(waiting);
        kept.map_err(|_| Operations::FULL)
    }

    /// Starts what has waited, once the disks are ready for it or will not be.
    pub(super) fn call_waiting(&mut self) {
        let now = self.machine.now();
        loop {
            let storage = &self.storage;
            let may_go = |waiting: &Waiting| {
                now >= waiting.until || Need::of(&waiting.operation).is_met(storage)
            };
            let Some(index) = self.waiting_room.waiting.iter().position(may_go) else {
                return;
            };
            let Some(waiting) = self.waiting_room.waiting.remove(index) else {
                return;
            };
            if let Err(reason) = self.route_operation(waiting.id, waiting.operation) {
                self.waiting_room.refuse(waiting.id, reason);
            }
        }
    }
}
