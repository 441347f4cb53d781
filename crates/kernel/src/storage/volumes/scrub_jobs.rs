//! Blocks that a walk over everything compares, mends, or copies.

use super::Volumes;
use super::error::What;
use super::pointer::{BLOCK_BYTES, Pointer};
use super::scrub::Mode;
use super::transfers::{Ended, Purpose, Wish};
use crate::base::crc32c::crc32c;
use crate::base::disk::DiskOperation;
use crate::base::tenant::Tenant;
use crate::storage::io::Priority;

#[derive(Clone, Copy)]
pub struct Job {
    pub pointer: Pointer,
    /// Of the volume.
    pub block: u64,
    pub stage: JobStage,
    /// Has it a transfer?
    pub is_asked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum JobStage {
    /// From this member.
    Checking(usize),
    /// From any other, for this one has it wrong.
    Rescuing(usize),
    Reading,
    Filling,
}

impl Volumes {
    pub(super) fn begin_job(&mut self, pointer: Pointer, block: u64, stage: JobStage) {
        let Some(at) = self.scrub.jobs.iter().position(Option::is_none) else {
            return;
        };
        self.scrub.jobs[at] = Some(Job {
            pointer,
            block,
            stage,
            is_asked: false,
        });
        self.ask_for_job(at);
    }

    /// Has the block of a job read, as its stage says.
    pub(super) fn ask_for_job(&mut self, at: usize) {
        let Some(job) = self.scrub.jobs[at].as_mut().filter(|job| !job.is_asked) else {
            return;
        };
        if self.transfers.space() == 0 {
            return;
        }
        let Some(buffer) = self.bounces.pop() else {
            return;
        };
        job.is_asked = true;
        let job = *job;
        let wish = Wish {
            purpose: Purpose::Scrub(at),
            operation: DiskOperation::Read,
            block: job.pointer.block,
            blocks: 1,
            priority: Priority::IDLE,
            tenant: Tenant::KERNEL,
            deadline: None,
        };
        match job.stage {
            JobStage::Checking(member) => self.transfers.start_with(wish, Some(buffer), member),
            JobStage::Rescuing(bad) => {
                self.transfers
                    .start_without(wish, Some(buffer), bad, &self.members);
            }
            JobStage::Reading | JobStage::Filling => {
                self.transfers.start(wish, Some(buffer), &self.members);
            }
        }
    }

    pub(super) fn on_scrubbed(&mut self, at: usize, ended: Ended) {
        let Some(job) = self.scrub.jobs[at] else {
            self.bounces.extend(ended.buffer);
            return;
        };
        if job.stage == JobStage::Filling {
            if ended.result.is_ok()
                && let Some(run) = &mut self.scrub.run
            {
                run.progress.repaired += 1;
            }
            self.bounces.extend(ended.buffer);
            self.scrub.jobs[at] = None;
            return;
        }
        let what = match (&ended.result, &ended.buffer) {
            (Ok(()), Some(buffer)) if crc32c(&buffer.bytes()[..BLOCK_BYTES]) == job.pointer.crc => {
                None
            }
            (Err(error), _) => Some(What::Unreadable(*error)),
            _ => Some(What::Data),
        };
        match (job.stage, what) {
            (JobStage::Checking(member), None) => {
                self.bounces.extend(ended.buffer);
                self.check_next_member(at, member);
            }
            (JobStage::Checking(member), Some(what)) => {
                self.bounces.extend(ended.buffer);
                if self.members.healthy().any(|other| other != member) {
                    self.go_on_with_job(at, JobStage::Rescuing(member));
                } else {
                    self.scrub.jobs[at] = None;
                    self.on_lost(job.block, job.pointer.block, member, what);
                }
            }
            (JobStage::Rescuing(member), None) => {
                if let Some(buffer) = ended.buffer {
                    self.repair(job.pointer, member, buffer);
                }
                if let Some(run) = &mut self.scrub.run {
                    run.progress.repaired += 1;
                }
                self.check_next_member(at, member);
            }
            (JobStage::Reading, None) => self.fill(at, ended),
            (_, Some(what)) => {
                let member = ended.member;
                if let Err(ended) = self.transfers.read_elsewhere(ended, &self.members) {
                    self.bounces.extend(ended.buffer);
                    self.scrub.jobs[at] = None;
                    self.on_lost(job.block, job.pointer.block, member, what);
                }
            }
            (JobStage::Filling, None) => {}
        }
    }

    fn go_on_with_job(&mut self, at: usize, stage: JobStage) {
        if let Some(job) = &mut self.scrub.jobs[at] {
            job.stage = stage;
            job.is_asked = false;
        }
        self.ask_for_job(at);
    }

    fn check_next_member(&mut self, at: usize, member: usize) {
        let next = self.members.healthy().find(|next| *next > member);
        match next {
            Some(next) => self.go_on_with_job(at, JobStage::Checking(next)),
            None => self.scrub.jobs[at] = None,
        }
    }

    fn fill(&mut self, at: usize, ended: Ended) {
        let mode = self.scrub.run.as_ref().map(|run| run.progress.mode);
        let Some(Mode::Fill(member)) = mode else {
            self.bounces.extend(ended.buffer);
            self.scrub.jobs[at] = None;
            return;
        };
        if let Some(job) = &mut self.scrub.jobs[at] {
            job.stage = JobStage::Filling;
        }
        let wish = Wish {
            operation: DiskOperation::Write,
            ..ended.wish
        };
        self.transfers.start_with(wish, ended.buffer, member);
    }
}
