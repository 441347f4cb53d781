//! Looks at each disk that appears, and lays one out when it is told to.
//!
//! One disk is worked on at a time, with one buffer. A disk is laid out so that a power
//! cut at any moment leaves a disk that is blank or whole: its old tables go first, then
//! what the partitions hold is written, and the table comes last.
//!
//! Invariant: nothing is written to a disk that is neither blank nor laid out here.

use super::answer::{Answer, judge};
use super::content::{
    Content, DiskState, EDGES_BYTES, Edges, LOOK_SECTORS, bring_front_back, keep_front,
};
use super::draft::{Drafts, next_run};
use super::gpt::{BACK_SECTORS, FRONT_SECTORS, Guid, Table, copy_sectors, emit};
use super::plan::Layout;
use super::wish::{LayoutError, Wish};
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskFacts, DiskOperation, SECTOR_BYTES};
use crate::base::operation::{OperationId, Performer};
use crate::base::prng::Prng;
use crate::base::report::Report;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::{DISKS_MAX, IO_REQUESTS_MAX, LAYOUT_BUFFER_BYTES};
use crate::storage::io::{IoDone, IoError, IoRequest, IoTag, Memory, Owner, Priority, Submit};
use crate::storage::retry::Retry;

/// Makes drafts: whoever lives on a disk knows what it holds when it is fresh.
pub type MakeDrafts = fn(&Layout, &mut Prng) -> Drafts;

pub struct Layouts {
    disks: [DiskState; DISKS_MAX],
    /// Here while no disk has it.
    buffer: Option<Buffer>,
    job: Option<Job>,
    /// With a disk at the moment?
    is_waiting: bool,
    prng: Prng,
    answer: Option<(OperationId, Answer)>,
    make_drafts: MakeDrafts,
    /// When disks that could not be read are looked at again.
    retry: Retry,
}

struct Job {
    disk: usize,
    facts: DiskFacts,
    step: Step,
    /// Somebody has written to it since it is looked at.
    is_outdated: bool,
    /// Behind the front there is something.
    has_more: bool,
    /// Of a wish; `None` when the disk is only looked at.
    wanted: Option<Wanted>,
}

struct Wanted {
    by: Option<OperationId>,
    code: Option<u32>,
}

enum Step {
    ReadFront,
    ReadBack,
    /// Until nobody else has requests for the disk.
    Settle(Layout),
    Wipe {
        is_front: bool,
        layout: Layout,
    },
    FlushWiped(Layout),
    Draft(Drafts, Layout),
    FlushDrafts(Layout),
    WriteTable {
        is_front: bool,
        layout: Layout,
        table: Table,
    },
    FlushTable {
        is_front: bool,
        layout: Layout,
        table: Table,
    },
}

impl Job {
    fn begin(&mut self) {
        self.step = Step::ReadFront;
        self.is_outdated = false;
    }
}

impl Layouts {
    pub const BUSY: &str = "a disk is being looked at or laid out; try again";
    pub const GONE: &str = "the disk is gone; see disk list";
    pub const NO_MEMORY: &str =
        "there was no memory for looking at disks at boot; give the machine more";

    pub fn new(seed: u64, make_drafts: MakeDrafts, memory: &mut dyn Memory) -> Self {
        Self {
            disks: [DiskState::Absent; DISKS_MAX],
            buffer: memory.take_buffer(LAYOUT_BUFFER_BYTES),
            job: None,
            is_waiting: false,
            prng: Prng::new(seed),
            answer: None,
            make_drafts,
            retry: Retry::default(),
        }
    }

    pub fn state(&self, disk: usize) -> DiskState {
        self.disks.get(disk).copied().unwrap_or_default()
    }

    /// Is nothing looked at or laid out?
    pub fn is_settled(&self) -> bool {
        let is_busy =
            |state: &DiskState| matches!(state, DiskState::Looking | DiskState::Formatting);
        self.job.is_none() && !self.disks.iter().any(is_busy)
    }

    /// Somebody has written to the disk by hand.
    pub fn look_again(&mut self, disk: usize) {
        if let Some(job) = self.job.as_mut().filter(|job| job.disk == disk) {
            job.is_outdated = true;
        }
        if let Some(state @ DiskState::Known(_)) = self.disks.get_mut(disk) {
            *state = DiskState::Looking;
        }
    }

    /// Takes on a wish; its answer comes later.
    pub fn start(
        &mut self,
        by: OperationId,
        wish: Wish,
        io: &dyn Submit,
    ) -> Result<(), &'static str> {
        let Wish::Format { disk, code } = wish;
        let facts = io.facts(disk).ok_or(Self::GONE)?;
        if self.job.is_some() || self.answer.is_some() {
            return Err(Self::BUSY);
        }
        if self.buffer.is_none() {
            return Err(Self::NO_MEMORY);
        }
        self.job = Some(Job {
            disk,
            facts,
            step: Step::ReadFront,
            is_outdated: false,
            has_more: false,
            wanted: Some(Wanted { by: Some(by), code }),
        });
        Ok(())
    }

    fn has_unreadable(&self) -> bool {
        self.disks.iter().any(DiskState::is_unreadable)
    }

    /// When it wants to be called though no disk has answered.
    pub fn next_deadline(&self) -> Option<Instant> {
        let due = self.retry.next_deadline().unwrap_or(Instant::ZERO);
        self.has_unreadable().then_some(due)
    }

    /// Goes on with the disk in work, or looks at the next one.
    pub fn step(&mut self, now: Instant, io: &mut dyn Submit) {
        for (index, state) in self.disks.iter_mut().enumerate() {
            match (io.facts(index).is_some(), *state) {
                (false, _) => *state = DiskState::Absent,
                (true, DiskState::Absent) => *state = DiskState::Looking,
                (true, _) => {}
            }
        }
        if self.has_unreadable() && self.retry.is_due(now) {
            self.retry.begin(now);
            let unreadable = self.disks.iter_mut().filter(|state| state.is_unreadable());
            unreadable.for_each(|state| *state = DiskState::Looking);
        }
        if self.job.is_none() {
            let looking = |state: &DiskState| *state == DiskState::Looking;
            let disk = self.disks.iter().position(looking);
            self.job = disk.and_then(|disk| {
                Some(Job {
                    disk,
                    facts: io.facts(disk)?,
                    step: Step::ReadFront,
                    is_outdated: false,
                    has_more: false,
                    wanted: None,
                })
            });
        }
        self.go_on(now, io);
    }

    /// The disk in work has answered.
    pub fn on_done(&mut self, now: Instant, done: IoDone, io: &mut dyn Submit) {
        if done.request.data.is_some() {
            self.buffer = done.request.data;
        }
        self.is_waiting = false;
        match done.result {
            Ok(()) => {
                self.advance();
                self.go_on(now, io);
            }
            Err(error) => self.fail(error),
        }
    }

    /// Asks for what the step needs.
    fn go_on(&mut self, now: Instant, io: &mut dyn Submit) {
        while !self.is_waiting {
            let Some(job) = &mut self.job else {
                return;
            };
            let sectors = job.facts.sectors;
            let (operation, sector, count) = match &mut job.step {
                Step::ReadFront if !can_be_laid_out(&job.facts) => {
                    self.end_look(Content::Unfit);
                    return;
                }
                Step::ReadFront => (DiskOperation::Read, 0, LOOK_SECTORS.min(sectors)),
                Step::ReadBack => {
                    let (first, count) = copy_sectors(sectors, false);
                    (DiskOperation::Read, first, count)
                }
                Step::Settle(layout) => {
                    let layout = *layout;
                    let Some(facts) = io.facts(job.disk) else {
                        self.fail(IoError::Disk(DiskError::Gone));
                        return;
                    };
                    if job.is_outdated || facts != job.facts {
                        // It may be another thing than what the code was given for.
                        self.disks[job.disk] = DiskState::Looking;
                        job.facts = facts;
                        job.begin();
                        continue;
                    }
                    if io.space(job.disk) < IO_REQUESTS_MAX {
                        return;
                    }
                    let is_front = true;
                    job.step = Step::Wipe { is_front, layout };
                    continue;
                }
                Step::Wipe { is_front, .. } => {
                    let (first, count) = copy_sectors(sectors, *is_front);
                    if let Some(buffer) = &mut self.buffer {
                        buffer.bytes_mut()[..count as usize * SECTOR_BYTES].fill(0);
                    }
                    (DiskOperation::Write, first, count)
                }
                Step::Draft(drafts, layout) => {
                    let layout = *layout;
                    match next_run(drafts, self.buffer.as_mut()) {
                        Some((first, count)) => (DiskOperation::Write, first, count),
                        None => {
                            job.step = Step::FlushDrafts(layout);
                            continue;
                        }
                    }
                }
                Step::WriteTable {
                    is_front, table, ..
                } => {
                    let (first, count) = copy_sectors(sectors, *is_front);
                    if let Some(buffer) = &mut self.buffer {
                        emit(table, sectors, *is_front, buffer.bytes_mut());
                    }
                    (DiskOperation::Write, first, count)
                }
                Step::FlushWiped(_) | Step::FlushDrafts(_) | Step::FlushTable { .. } => {
                    (DiskOperation::Flush, 0, 0)
                }
            };
            self.ask(now, operation, sector, count, io);
        }
    }

    fn ask(
        &mut self,
        now: Instant,
        operation: DiskOperation,
        sector: u64,
        sectors: u64,
        io: &mut dyn Submit,
    ) {
        let Some(job) = &self.job else {
            return;
        };
        let data = match operation {
            DiskOperation::Flush => None,
            _ => self.buffer.take(),
        };
        let request = IoRequest {
            disk: job.disk,
            tag: IoTag {
                owner: Owner::Layout,
                number: 0,
            },
            operation,
            sector,
            sectors,
            data,
            priority: Priority::USUAL,
            deadline: None,
            tenant: Tenant::KERNEL,
        };
        match io.submit(now, request) {
            Ok(()) => self.is_waiting = true,
            Err((error, request)) => {
                self.buffer = request.data.or(self.buffer.take());
                self.fail(error);
            }
        }
    }

    /// What was asked for is there: the next step.
    fn advance(&mut self) {
        let Some(mut job) = self.job.take() else {
            return;
        };
        job.step = match job.step {
            Step::ReadFront => {
                // The back is read into the front of the buffer, too.
                let sectors = job.facts.sectors;
                let keep = |buffer: &mut Buffer| keep_front(buffer.bytes_mut(), sectors);
                job.has_more = self.buffer.as_mut().is_some_and(keep);
                Step::ReadBack
            }
            Step::ReadBack => {
                if let Some(buffer) = &mut self.buffer {
                    bring_front_back(buffer.bytes_mut());
                }
                self.job = Some(job);
                self.on_edges();
                return;
            }
            Step::Wipe { is_front, layout } if is_front => Step::Wipe {
                is_front: false,
                layout,
            },
            Step::Wipe { layout, .. } => Step::FlushWiped(layout),
            Step::FlushWiped(layout) => {
                Step::Draft((self.make_drafts)(&layout, &mut self.prng), layout)
            }
            Step::Draft(drafts, layout) => Step::Draft(drafts, layout),
            Step::FlushDrafts(layout) => {
                let prng = &mut self.prng;
                Step::WriteTable {
                    is_front: false,
                    layout,
                    table: layout.table(&mut || Guid::drawn(prng)),
                }
            }
            Step::WriteTable {
                is_front,
                layout,
                table,
            } => Step::FlushTable {
                is_front,
                layout,
                table,
            },
            Step::FlushTable {
                is_front: false,
                layout,
                table,
            } => Step::WriteTable {
                is_front: true,
                layout,
                table,
            },
            Step::FlushTable { layout, .. } => {
                let facts = job.facts;
                self.disks[job.disk] = DiskState::Looking;
                self.answer(job.wanted, Answer::Done { facts, layout });
                return;
            }
            settled @ Step::Settle(_) => settled,
        };
        self.job = Some(job);
    }

    /// Both copies are in the buffer: what do they say, and may it be laid out?
    fn on_edges(&mut self) {
        let (Some(job), Some(buffer)) = (&mut self.job, &self.buffer) else {
            return;
        };
        if job.is_outdated {
            job.begin();
            return;
        }
        let edges = Edges {
            disk: job.disk,
            sectors: job.facts.sectors,
            bytes: &buffer.bytes()[..EDGES_BYTES],
            has_more: job.has_more,
        };
        let (content, code) = (edges.content(), edges.code());
        let Some(wanted) = &job.wanted else {
            self.end_look(content);
            return;
        };
        let facts = job.facts;
        let answer = match judge(job.disk, &facts, content, code, wanted.code) {
            Ok(layout) => {
                job.step = Step::Settle(layout);
                self.disks[job.disk] = DiskState::Formatting;
                return;
            }
            Err(answer) => *answer,
        };
        let wanted = self.job.take().and_then(|job| job.wanted);
        self.answer(wanted, answer);
    }

    fn end_look(&mut self, content: Content) {
        if let Some(job) = self.job.take() {
            self.disks[job.disk] = DiskState::Known(content);
            let error = LayoutError::Foreign(content);
            let facts = job.facts;
            self.answer(job.wanted, Answer::Failed { facts, error });
        }
    }

    fn fail(&mut self, error: IoError) {
        if let Some(job) = self.job.take() {
            let content = Content::of_failure(error);
            self.disks[job.disk] = DiskState::Known(content);
            let facts = job.facts;
            let error = match content {
                Content::Unfit => LayoutError::Foreign(content),
                _ => LayoutError::Io(error),
            };
            self.answer(job.wanted, Answer::Failed { facts, error });
        }
    }

    fn answer(&mut self, wanted: Option<Wanted>, answer: Answer) {
        if let Some(by) = wanted.and_then(|wanted| wanted.by) {
            self.answer = Some((by, answer));
        }
    }
}

/// Is there room for tables, and are they read at once?
const fn can_be_laid_out(facts: &DiskFacts) -> bool {
    facts.sectors >= FRONT_SECTORS + BACK_SECTORS && facts.transfer_bytes_max >= LAYOUT_BUFFER_BYTES
}

impl Performer for Layouts {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let Some((_, answer)) = self.answer.take_if(|(by, _)| *by == id) else {
            return false;
        };
        answer.report(report);
        true
    }

    fn forget(&mut self, id: OperationId) {
        self.answer.take_if(|(by, _)| *by == id);
        let is_its = |job: &&mut Job| job.wanted.as_ref().is_some_and(|it| it.by == Some(id));
        let Some(job) = self.job.as_mut().filter(is_its) else {
            return;
        };
        match job.step {
            // Nothing was written yet, and nothing will be: what is read is only looked at.
            Step::ReadFront | Step::ReadBack => job.wanted = None,
            Step::Settle(_) => {
                self.disks[job.disk] = DiskState::Looking;
                self.job = None;
            }
            // A disk that is half laid out is laid out to the end.
            _ => {
                job.wanted = Some(Wanted {
                    by: None,
                    code: None,
                })
            }
        }
    }
}
