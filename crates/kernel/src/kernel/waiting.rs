//! Commands that need the disk in use wait for one that is about to be.
//!
//! So a command right after the boot, or right behind `storage format`, is not refused.
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

const fn needs_disk_in_use(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::File(_)
            | Operation::Save { .. }
            | Operation::Volume(_)
            | Operation::VerifyAudit
            | Operation::Chronicle(_)
    )
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
    /// Starts it, or has it wait for the disk.
    pub(super) fn start_or_wait(
        &mut self,
        id: OperationId,
        operation: Operation,
    ) -> Result<(), &'static str> {
        if !needs_disk_in_use(&operation) || !self.storage.is_preparing() {
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

    /// Starts what has waited, once the disk is in use or will not be.
    pub(super) fn call_waiting(&mut self) {
        let now = self.machine.now();
        let is_preparing = self.storage.is_preparing();
        let may_go = |waiting: &Waiting| !is_preparing || now >= waiting.until;
        while let Some(index) = self.waiting_room.waiting.iter().position(may_go) {
            let Some(waiting) = self.waiting_room.waiting.remove(index) else {
                return;
            };
            if let Err(reason) = self.route_operation(waiting.id, waiting.operation) {
                self.waiting_room.refuse(waiting.id, reason);
            }
        }
    }
}
