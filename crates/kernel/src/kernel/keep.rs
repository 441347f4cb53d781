//! What outlives a boot goes to the disk in use; the power waits for it.

use super::{Kernel, Machine};
use crate::base::machine::PowerAction;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use crate::resilience::chronicle::Chronicle;
use crate::security::audit::AuditTrail;

/// How long the power waits at most for what is not on the disk yet.
const POWER_PATIENCE: Duration = Duration::from_secs(1);

/// A verification of the trail looks at both: what is in memory, and what is on the disk.
pub struct Trails<'a> {
    pub trail: &'a mut AuditTrail,
    pub chronicle: &'a mut Chronicle,
}

impl Performer for Trails<'_> {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        if self.chronicle.is_checking(id) {
            return false;
        }
        if !self.trail.maybe_answer(id, report) {
            // Something else of the disk, or nothing of these two.
            return !self.trail.is_verifying(id) && self.chronicle.maybe_answer(id, report);
        }
        match report.error() {
            Some(_) => self.chronicle.forget(id),
            None => drop(self.chronicle.maybe_answer(id, report)),
        }
        true
    }

    fn forget(&mut self, id: OperationId) {
        self.trail.forget(id);
        self.chronicle.forget(id);
    }
}

impl<M: Machine> Kernel<M> {
    /// Gives the disk what it has not got.
    pub(super) fn keep(&mut self) {
        let now = self.machine.now();
        let logs = self.storage.home.logs_mut();
        let messages = self.machine.log();
        let trail = &mut self.security.audit;
        self.chronicle.step(now, logs, trail, messages);
        self.call_waiting();
        self.maybe_power();
    }

    pub(super) fn next_keep_deadline(&self) -> Option<Instant> {
        let logs = self.storage.home.logs();
        let (trail, messages) = (&self.security.audit, self.machine.log());
        let chronicle = self.chronicle.next_deadline(logs, trail, messages);
        let power = self.power_wanted.map(|(_, at)| at);
        let waiting = self.waiting_room.next_deadline();
        [chronicle, power, waiting].into_iter().flatten().min()
    }

    /// The machine is to go off or to start anew, once all is safe.
    pub(super) fn want_power(&mut self, action: PowerAction) {
        // Whoever asks again, or for something else, does not begin a new wait.
        let at = match self.power_wanted {
            Some((_, at)) => at,
            None => self.machine.now() + POWER_PATIENCE,
        };
        self.power_wanted = Some((action, at));
        self.maybe_power();
    }

    fn maybe_power(&mut self) {
        let Some((action, at)) = self.power_wanted else {
            return;
        };
        let logs = self.storage.home.logs();
        let (trail, messages) = (&self.security.audit, self.machine.log());
        // What was typed before the disk was in use is to be kept, too.
        let is_settled =
            !self.storage.is_preparing() && self.chronicle.is_settled(logs, trail, messages);
        if is_settled || self.machine.now() >= at {
            self.power_wanted = None;
            self.machine.power(action);
            self.is_stopped = true;
        }
    }
}
