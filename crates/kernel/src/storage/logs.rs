//! The logs of the disk that is in use, each in its part of the log partition.

use super::io::{IoDone, Memory, Submit};
use super::layout::{Layout, LogArea};
use super::log::{Log, LogError, LogId, LogSetup, Lsn};
use super::retry::Retry;
use crate::base::buffer::Buffer;
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::time::Instant;
use alloc::boxed::Box;

pub struct Logs {
    pub audit: Box<Log>,
    pub messages: Box<Log>,
    /// For each, when it is read anew after its disk has failed it.
    retries: [Retry; 2],
}

/// How the log of an area is set up.
pub fn setup(layout: &Layout, area: LogArea) -> LogSetup {
    let region = layout.log_area(area);
    match area {
        LogArea::Volumes => LogSetup::large(LogId::of_volumes(region.disk), region),
        LogArea::Audit => LogSetup::small(LogId::AUDIT, region),
        LogArea::Messages => LogSetup::small(LogId::MESSAGES, region),
        LogArea::Agreement => LogSetup::large(LogId::RAFT, region),
    }
}

impl Logs {
    #[inline(never)]
    pub fn open(layout: &Layout, memory: &mut dyn Memory) -> Result<Self, LogError> {
        let mut opened: Vec<Box<Log>, 2> = Vec::new();
        for area in [LogArea::Audit, LogArea::Messages] {
            match Log::open(&setup(layout, area), memory) {
                // There is room for all.
                Ok(log) => drop(opened.push(Box::new(log))),
                Err(error) => {
                    while let Some(log) = opened.pop() {
                        log.close(&mut |buffer| memory.give_back(buffer));
                    }
                    return Err(error);
                }
            }
        }
        // The last was opened last.
        let (Some(messages), Some(audit)) = (opened.pop(), opened.pop()) else {
            return Err(LogError::NoMemory);
        };
        Ok(Self {
            audit,
            messages,
            retries: Default::default(),
        })
    }

    /// Those whose disk has failed them are read anew, after a while. Whoever stands on
    /// one has noticed until then, and learns anew what is in it.
    pub fn reopen_failed(&mut self, now: Instant) {
        let mut retries = self.retries;
        for ((_, log), retry) in self.all_mut().into_iter().zip(&mut retries) {
            if log.may_reopen() && retry.is_due(now) {
                let is_patient = retry.begin(now);
                log.reopen(is_patient);
            }
        }
        self.retries = retries;
    }

    /// `recovered` gets what was in a log when it was opened.
    pub fn step(
        &mut self,
        now: Instant,
        io: &mut dyn Submit,
        recovered: &mut dyn FnMut(LogId, Lsn, &[u8]),
    ) {
        for (id, log) in self.all_mut() {
            log.step(now, io, &mut |lsn, record| recovered(id, lsn, record));
        }
    }

    /// When the disks have nothing of them: their memory goes to the next ones.
    pub fn close(self, give: &mut dyn FnMut(Buffer)) {
        for log in [self.audit, self.messages] {
            log.close(give);
        }
    }

    pub fn on_done(&mut self, now: Instant, done: IoDone) {
        let id = LogId::of_tag(done.request.tag.number);
        if let Some((_, log)) = self.all_mut().into_iter().find(|(own, _)| *own == id) {
            log.on_done(now, done);
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let logs = self.all().into_iter().zip(&self.retries);
        let deadlines = logs.filter_map(|((_, log), retry)| match log.may_reopen() {
            // When it is tried again is said by the next step.
            true => retry.next_deadline().or(Some(Instant::ZERO)),
            false => log.next_deadline(),
        });
        deadlines.min()
    }

    /// A damaged log gives up what it has lost.
    pub fn accept_loss(&mut self, area: LogArea) -> Result<(), &'static str> {
        let log = match area {
            LogArea::Audit => &mut self.audit,
            LogArea::Messages => &mut self.messages,
            LogArea::Volumes | LogArea::Agreement => return Err("nothing uses that log here"),
        };
        let accepted = log.accept_loss();
        accepted.map_err(|_| "the log is not damaged; see storage logs")
    }

    /// Have the disks nothing of them?
    pub fn are_idle(&self) -> bool {
        self.all().iter().all(|(_, log)| log.is_idle())
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        for (_, log) in self.all() {
            log.visit_usages(visit);
        }
    }

    pub fn all(&self) -> [(LogId, &Log); 2] {
        [
            (LogId::AUDIT, &self.audit),
            (LogId::MESSAGES, &self.messages),
        ]
    }

    fn all_mut(&mut self) -> [(LogId, &mut Log); 2] {
        [
            (LogId::AUDIT, &mut *self.audit),
            (LogId::MESSAGES, &mut *self.messages),
        ]
    }
}
