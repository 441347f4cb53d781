//! What the log has asked of its disk, and for whom.

use super::LogId;
use crate::base::buffer::Buffer;
use crate::base::disk::DiskOperation;
use crate::base::fixed::Vec;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::LOG_REQUESTS_MAX;
use crate::storage::io::{IoDone, IoError, IoRequest, IoTag, Owner, Priority, Submit};

/// Who waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    Superblock(usize),
    Chunk(Walker, usize),
    /// A single sector of a chunk that could not be read as a whole.
    Patch(usize),
    Batch(u64),
    Flush,
    Control,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Walker {
    Recovery,
    Cutting,
    Reader,
}

pub struct Requests {
    id: LogId,
    disk: usize,
    next: u64,
    pending: Vec<(u64, Ask), LOG_REQUESTS_MAX>,
    /// Nothing more was taken in the last step; an answer is what is waited for.
    pub is_refused: bool,
    /// Answers that nobody had asked for.
    pub answers_ignored: u64,
}

/// What a request is made of.
pub struct Job {
    pub ask: Ask,
    pub operation: DiskOperation,
    pub sector: u64,
    pub sectors: u64,
    pub data: Option<Buffer>,
}

impl Job {
    pub const fn flush(ask: Ask) -> Self {
        Self {
            ask,
            operation: DiskOperation::Flush,
            sector: 0,
            sectors: 0,
            data: None,
        }
    }
}

/// Why a request was not taken, with its buffer.
pub struct Refused {
    /// `None` when it can be tried again.
    pub error: Option<IoError>,
    pub data: Option<Buffer>,
}

impl Requests {
    pub const fn new(id: LogId, disk: usize) -> Self {
        Self {
            id,
            disk,
            next: 1,
            pending: Vec::new(),
            is_refused: false,
            answers_ignored: 0,
        }
    }

    pub fn submit(&mut self, now: Instant, io: &mut dyn Submit, job: Job) -> Result<(), Refused> {
        if !self.may_submit(io) {
            return Err(Refused {
                error: None,
                data: job.data,
            });
        }
        let request = IoRequest {
            disk: self.disk,
            tag: IoTag {
                owner: Owner::Log,
                number: self.id.tag(self.next),
            },
            operation: job.operation,
            sector: job.sector,
            sectors: job.sectors,
            data: job.data,
            priority: Priority::URGENT,
            deadline: None,
            tenant: Tenant::KERNEL,
        };
        match io.submit(now, request) {
            Ok(()) => {
                let kept = self.pending.push((self.id.tag(self.next), job.ask));
                crate::invariant!(kept.is_ok(), "a request of a log has no place");
                self.next += 1;
                Ok(())
            }
            Err((error, request)) => {
                let is_busy = is_transient(&error);
                self.is_refused |= is_busy;
                Err(Refused {
                    error: (!is_busy).then_some(error),
                    data: request.data,
                })
            }
        }
    }

    /// Would a request be taken?
    pub fn may_submit(&mut self, io: &mut dyn Submit) -> bool {
        let may = !self.pending.is_full() && io.space(self.disk) > 0;
        self.is_refused |= !may;
        may
    }

    /// Whose answer it is.
    pub fn take(&mut self, done: &IoDone) -> Option<Ask> {
        let number = done.request.tag.number;
        let index = self.pending.iter().position(|(tag, _)| *tag == number);
        let Some((_, ask)) = index.and_then(|index| self.pending.remove(index)) else {
            self.answers_ignored += 1;
            return None;
        };
        self.is_refused = false;
        Some(ask)
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub fn in_flight(&self) -> usize {
        self.pending.len()
    }
}

fn is_transient(error: &IoError) -> bool {
    use crate::base::disk::DiskError;
    matches!(error, IoError::Full | IoError::Disk(DiskError::Busy))
}
