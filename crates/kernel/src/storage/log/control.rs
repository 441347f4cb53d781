//! Superblocks are written: one, a flush, the other, a flush.

use super::area::Area;
use super::requests::{Ask, Job, Refused, Requests};
use super::superblock::Superblock;
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskOperation, SECTOR_BYTES};
use crate::base::time::Instant;
use crate::storage::io::{IoError, Submit};

pub struct Control {
    steps: Option<Running>,
    /// Where the newest whole superblock is.
    newest: usize,
}

struct Running {
    superblock: Superblock,
    at: usize,
    is_asked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Flush,
    /// The older superblock first, so that a whole one is always there.
    Write {
        is_second: bool,
    },
}

const STEPS: [Step; 5] = [
    Step::Flush,
    Step::Write { is_second: false },
    Step::Flush,
    Step::Write { is_second: true },
    Step::Flush,
];

impl Control {
    pub const fn new() -> Self {
        Self {
            steps: None,
            newest: 1,
        }
    }

    pub const fn set_newest(&mut self, slot: usize) {
        self.newest = slot;
    }

    pub const fn is_idle(&self) -> bool {
        self.steps.is_none()
    }

    /// Could something be asked of the disk now?
    pub fn is_pending(&self) -> bool {
        self.steps.as_ref().is_some_and(|running| !running.is_asked)
    }

    /// Begins; what it names is on the disk, unless a flush comes first.
    pub fn begin(&mut self, superblock: Superblock, is_flushed: bool) {
        self.steps = Some(Running {
            superblock,
            at: usize::from(is_flushed),
            is_asked: false,
        });
    }

    pub fn step(
        &mut self,
        now: Instant,
        area: &Area,
        has_cache: bool,
        requests: &mut Requests,
        block: &mut Option<Buffer>,
        io: &mut dyn Submit,
    ) -> Result<(), IoError> {
        let newest = self.newest;
        let Some(running) = self.steps.as_mut().filter(|running| !running.is_asked) else {
            return Ok(());
        };
        if !has_cache && STEPS.get(running.at) == Some(&Step::Flush) {
            running.at += 1;
        }
        let job = match STEPS.get(running.at) {
            None => return Ok(()),
            Some(Step::Flush) => Job::flush(Ask::Control),
            Some(Step::Write { is_second }) => {
                let Some(mut buffer) = block.take() else {
                    return Ok(());
                };
                let mut superblock = running.superblock;
                superblock.generation += 1 + u64::from(*is_second);
                let mut sector = [0; SECTOR_BYTES];
                superblock.emit(&mut sector);
                buffer.bytes_mut()[..SECTOR_BYTES].copy_from_slice(&sector);
                let slot = if *is_second { newest } else { 1 - newest };
                Job {
                    ask: Ask::Control,
                    operation: DiskOperation::Write,
                    sector: area.superblock(slot),
                    sectors: 1,
                    data: Some(buffer),
                }
            }
        };
        match requests.submit(now, io, job) {
            Ok(()) => running.is_asked = true,
            Err(Refused { error, data }) => {
                *block = data.or(block.take());
                if let Some(error) = error {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    pub const fn on_done(&mut self) {
        if let Some(running) = &mut self.steps {
            running.is_asked = false;
            running.at += 1;
        }
    }

    /// The disk takes no more: nothing is asked for again.
    pub fn give_up(&mut self) {
        self.steps = None;
    }

    /// What both superblocks say once they do.
    pub fn take_finished(&mut self) -> Option<Superblock> {
        let is_over = |running: &mut Running| running.at >= STEPS.len();
        let running = self.steps.take_if(is_over)?;
        // The second of the two, which lies where the newest was before, is the newest again.
        Some(Superblock {
            generation: running.superblock.generation + 2,
            ..running.superblock
        })
    }
}
