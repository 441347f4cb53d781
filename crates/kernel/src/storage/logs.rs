//! The logs of the disk that is in use, each in its part of the log partition.

use super::io::{IoDone, Memory, Submit};
use super::layout::{Layout, LogArea};
use super::log::{Log, LogError, LogId, LogSetup, Lsn};
use crate::base::buffer::Buffer;
use crate::base::metric::Usage;
use crate::base::time::Instant;
use alloc::boxed::Box;

pub struct Logs {
    pub audit: Box<Log>,
    pub messages: Box<Log>,
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
        let mut open = |area| Ok(Box::new(Log::open(&setup(layout, area), memory)?));
        Ok(Self {
            audit: open(LogArea::Audit)?,
            messages: open(LogArea::Messages)?,
        })
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
        let logs = self.all().into_iter();
        logs.filter_map(|(_, log)| log.next_deadline()).min()
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
