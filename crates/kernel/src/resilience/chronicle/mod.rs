//! What outlives a boot: the audit trail and the messages, in logs on a disk.
//!
//! Entries and messages wait in their own rings until a disk is in use, and go to its
//! logs as fast as these take them; nobody waits. What leaves a ring before is counted.
//!
//! Limits: one reading of the disk at a time; `CHRONICLE_SHOWN_MAX` records of an answer.

mod messages;
mod reading;
mod trail;

pub use messages::{Message, MessageKeeper};
pub use reading::Wish;
pub use trail::TrailKeeper;

use crate::base::log::Log as Messages;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::{Duration, Instant};
use crate::security::audit::AuditTrail;
use crate::storage::Logs;
use crate::storage::log::{Log, LogId, Lsn};
use reading::{Range, Run};

/// How long an answer from the disk is waited for.
pub const LIMIT: Duration = Duration::from_secs(30);

#[derive(Default)]
pub struct Chronicle {
    trail: TrailKeeper,
    messages: MessageKeeper,
    run: Option<Run>,
}

impl Chronicle {
    pub const BUSY: &str = "the disk is being read for somebody else; try again";
    pub const NO_DISK: &str =
        "nothing is kept, for no disk is in use; see storage status and storage format";
    pub const NOTHING: &str = "the disk has nothing of an earlier boot";

    /// A record that was in a log when its disk was taken into use.
    pub fn on_recovered(&mut self, id: LogId, lsn: Lsn, record: &[u8]) {
        match id {
            LogId::AUDIT => self.trail.learn(lsn, record),
            LogId::MESSAGES => self.messages.learn(lsn, record),
            _ => {}
        }
    }

    /// Gives the disk what it has not got, and goes on reading.
    pub fn step(
        &mut self,
        now: Instant,
        logs: Option<&mut Logs>,
        trail: &mut AuditTrail,
        messages: &Messages,
    ) {
        let Some(logs) = logs else {
            self.trail.leave();
            self.messages.leave();
            if let Some(run) = &mut self.run {
                run.on_gone();
            }
            return;
        };
        // What its disk has failed is read and learned anew.
        if logs.audit.has_failed() {
            self.trail.leave();
        }
        if logs.messages.has_failed() {
            self.messages.leave();
        }
        self.trail.step(now, &mut logs.audit, trail);
        self.messages.step(&mut logs.messages, messages);
        if let Some(run) = &mut self.run {
            let boot = self.trail.boot().unwrap_or(0);
            let range = range(run.wish(), &self.trail, &self.messages, logs);
            run.step(logs, range, boot, trail);
        }
        self.run.take_if(|run| run.is_over());
    }

    pub fn next_deadline(
        &self,
        logs: Option<&Logs>,
        trail: &AuditTrail,
        messages: &Messages,
    ) -> Option<Instant> {
        let logs = logs?;
        let is_due = self.trail.is_due(&logs.audit, trail)
            || self.messages.is_due(&logs.messages, messages)
            || self.run.as_ref().is_some_and(|run| {
                let range = range(run.wish(), &self.trail, &self.messages, logs);
                run.is_due(logs, range)
            });
        is_due.then_some(Instant::ZERO)
    }

    /// Is all on the disk that can be?
    pub fn is_settled(&self, logs: Option<&Logs>, trail: &AuditTrail, messages: &Messages) -> bool {
        let Some(logs) = logs else {
            return true;
        };
        let is_kept = |log: &Log| !log.is_recovering() && (!log.is_open() || log.is_safe());
        is_kept(&logs.audit)
            && is_kept(&logs.messages)
            && !(logs.audit.is_open() && self.trail.next() < trail.head().entries)
            && !(logs.messages.is_open() && self.messages.next() < messages.view().written)
    }

    /// Begins to read what somebody wants to see.
    pub fn start(
        &mut self,
        id: OperationId,
        wish: Wish,
        logs: Option<&Logs>,
    ) -> Result<(), &'static str> {
        let logs = logs.ok_or(Self::NO_DISK)?;
        if self.run.is_some() {
            return Err(Self::BUSY);
        }
        if range(wish, &self.trail, &self.messages, logs) == Range::Nothing {
            return Err(Self::NOTHING);
        }
        self.run = Some(Run::new(id, wish));
        Ok(())
    }

    /// Is the kept trail still being checked for that operation?
    pub fn is_checking(&self, id: OperationId) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| run.is_for(id) && !run.has_ended())
    }

    pub const fn trail(&self) -> &TrailKeeper {
        &self.trail
    }

    pub const fn messages(&self) -> &MessageKeeper {
        &self.messages
    }
}

/// What is to be read now; unknown as long as what the disk has was not learned.
fn range(wish: Wish, trail: &TrailKeeper, messages: &MessageKeeper, logs: &Logs) -> Range {
    let (is_known, records) = match wish {
        Wish::Trail { count } => (trail.boot().is_some(), trail.earlier(&logs.audit, count)),
        Wish::Messages => (messages.is_begun(), messages.earlier(&logs.messages)),
        Wish::Check => {
            let log = &logs.audit;
            let records = (log.first_lsn(), log.durable().through());
            (log.is_open(), Some(records))
        }
    };
    match records {
        _ if !is_known => Range::Unknown,
        None => Range::Nothing,
        Some((from, through)) => Range::Records(from, through),
    }
}

impl Performer for Chronicle {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let is_over = |run: &mut Run| run.is_for(id) && run.has_ended();
        match self.run.take_if(is_over) {
            Some(run) => {
                run.report(report);
                true
            }
            None => false,
        }
    }

    fn forget(&mut self, id: OperationId) {
        if let Some(run) = self.run.as_mut().filter(|run| run.is_for(id)) {
            run.forget();
        }
    }
}
