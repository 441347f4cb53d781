//! Measures a disk: the usual loads on the disk itself, through its queue.
//!
//! Only a blank disk is written to, and not where a table would be, so that it is blank
//! afterwards, too. Any other disk is only read, and one that somebody lays out or writes
//! to meanwhile is left alone from then on.
//!
//! Limits: one disk at a time, `MEASURE_DEPTH_MAX` requests at the same time.

mod task;
#[cfg(test)]
mod tests;

use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskOperation, SECTOR_BYTES};
use crate::base::fixed::Vec;
use crate::base::histogram::Histogram;
use crate::base::metric::Usage;
use crate::base::operation::{OperationId, Performer};
use crate::base::prng::Prng;
use crate::base::report::{Report, Value};
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::limits::MEASURE_DEPTH_MAX;
use crate::storage::io::{IoDone, IoError, IoRequest, IoTag, Memory, Owner, Priority, Submit};
use alloc::boxed::Box;
use core::fmt;
pub use task::NAMES;
use task::{LARGE, TASKS, Task};

/// Left alone at both ends of a disk: where tables stand.
const EDGE_SECTORS: u64 = (1 << 20) / SECTOR_BYTES as u64;
/// More of a disk is not used: everybody who is compared uses as much.
const SPAN_SECTORS_MAX: u64 = (256 << 20) / SECTOR_BYTES as u64;
pub const SECONDS_MAX: u64 = 10;
pub const SECONDS_USUAL: u64 = 1;
pub const LIMIT: Duration = Duration::from_secs(TASKS.len() as u64 * (SECONDS_MAX + 1) + 30);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish {
    pub disk: usize,
    /// How long each load runs.
    pub seconds: u64,
    /// Only this one, and only at this depth.
    pub load: Option<&'static str>,
    pub depth: Option<usize>,
}

#[derive(Default)]
pub struct Measure {
    /// Here while no disk has them.
    buffers: Box<Vec<Buffer, MEASURE_DEPTH_MAX>>,
    run: Option<Box<Run>>,
    refused: u64,
}

struct Run {
    by: Option<OperationId>,
    wish: Wish,
    name: &'static str,
    span_sectors: u64,
    may_write: bool,
    task: usize,
    load: Load,
    figures: Vec<Figures, { TASKS.len() }>,
    failure: Option<Failure>,
}

/// Why a disk is measured no further.
#[derive(Clone, Copy)]
enum Failure {
    Io(IoError),
    /// It was blank and is written to by somebody else.
    NotBlank,
}

/// One task while it runs.
struct Load {
    started_at: Option<Instant>,
    /// Answers to all of these must come before the next task.
    in_flight: usize,
    next_sector: u64,
    prng: Prng,
    done: u64,
    /// When each request that is on its way was made, by its number.
    since: [Instant; MEASURE_DEPTH_MAX],
    taken: Histogram,
    /// A write was answered, and its flush is due.
    flush_due: Option<usize>,
}

struct Figures {
    task: Task,
    done: u64,
    elapsed: Duration,
    p50: Option<Duration>,
    p99: Option<Duration>,
}

impl Measure {
    pub const BUSY: &str = "a disk is being measured; wait until it has ended";
    pub const GONE: &str = "the disk is gone; see disk list";
    pub const NO_MEMORY: &str = "there is no memory for measuring; give the machine more";
    pub const TOO_SMALL: &str = "the disk is too small to be measured; 4 MiB are needed";

    /// `may_write`: nothing on the disk would be lost.
    pub fn start(
        &mut self,
        by: OperationId,
        wish: Wish,
        may_write: bool,
        io: &dyn Submit,
        memory: &mut dyn Memory,
    ) -> Result<(), &'static str> {
        let facts = io.facts(wish.disk).ok_or(Self::GONE)?;
        if self.run.is_some() {
            self.refused += 1;
            return Err(Self::BUSY);
        }
        let inside = facts.sectors.saturating_sub(2 * EDGE_SECTORS);
        let span_sectors = inside.min(SPAN_SECTORS_MAX);
        if span_sectors < EDGE_SECTORS || facts.transfer_bytes_max < LARGE {
            return Err(Self::TOO_SMALL);
        }
        while !self.buffers.is_full() {
            let buffer = memory.take_buffer(LARGE).ok_or(Self::NO_MEMORY)?;
            // There is room for it.
            let _ = self.buffers.push(buffer);
        }
        self.run = Some(Run::boxed(
            by,
            wish,
            facts.name,
            span_sectors,
            may_write && !facts.is_read_only,
        ));
        Ok(())
    }

    /// `is_blank` says of a disk whether nothing on it would be lost now.
    pub fn step(&mut self, now: Instant, io: &mut dyn Submit, is_blank: &dyn Fn(usize) -> bool) {
        let Some(run) = &mut self.run else {
            return;
        };
        run.maybe_end_task(now);
        run.maybe_give_up(io, is_blank);
        run.maybe_flush(now, io);
        while let Some(task) = run.current()
            && run.wants_more(now, task)
            && io.space(run.wish.disk) > 0
        {
            let Some(buffer) = self.buffers.pop() else {
                return;
            };
            if let Err(buffer) = run.ask(now, task, buffer, io) {
                self.keep(buffer);
                return;
            }
        }
    }

    pub fn on_done(&mut self, now: Instant, done: IoDone) {
        let number = done.request.tag.number as usize;
        if let Some(run) = &mut self.run {
            run.on_done(now, number, done.request.operation, done.result);
        }
        if let Some(buffer) = done.request.data {
            self.keep(Some(buffer));
        }
        self.maybe_drop();
    }

    /// A measurement goes on by itself as long as answers come.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let run = self.run.as_ref()?;
        let is_idle = run.load.in_flight == 0 && !run.is_over();
        is_idle.then(|| now + Duration::from_millis(1))
    }

    pub fn usage(&self) -> Usage {
        let used = self.run.as_ref().map_or(0, |run| run.load.in_flight);
        Usage::of("MEASURE_DEPTH_MAX", MEASURE_DEPTH_MAX)
            .used(used as u64)
            .refused(self.refused)
            .ring()
    }

    /// Nobody waits for the figures, and the disk has given everything back.
    fn maybe_drop(&mut self) {
        self.run.take_if(|run| run.by.is_none() && run.is_over());
    }

    fn keep(&mut self, buffer: Option<Buffer>) {
        let kept = buffer.map_or(Ok(()), |buffer| self.buffers.push(buffer));
        crate::invariant!(kept.is_ok(), "more buffers for measuring than there were");
    }
}

impl Run {
    #[inline(never)]
    fn boxed(
        by: OperationId,
        wish: Wish,
        name: &'static str,
        span_sectors: u64,
        may_write: bool,
    ) -> Box<Self> {
        let mut run = Box::new(Self {
            by: Some(by),
            wish,
            name,
            span_sectors,
            may_write,
            task: 0,
            load: Load::new(),
            figures: Vec::new(),
            failure: None,
        });
        run.skip();
        run
    }

    fn current(&self) -> Option<Task> {
        let is_well = self.failure.is_none();
        TASKS.get(self.task).copied().filter(|_| is_well)
    }

    /// Nothing more will be asked or answered.
    fn is_over(&self) -> bool {
        self.current().is_none() && self.load.in_flight == 0
    }

    /// Over loads that are not asked for, and over writes where nothing may be written.
    fn skip(&mut self) {
        while self.current().is_some_and(|task| !self.is_wanted(&task)) {
            self.task += 1;
        }
    }

    fn is_wanted(&self, task: &Task) -> bool {
        let wish = &self.wish;
        (self.may_write || task.operation == DiskOperation::Read)
            && wish.load.is_none_or(|load| load == task.name)
            && wish.depth.is_none_or(|depth| depth == task.depth)
    }

    /// Nothing is asked of a disk that has gone, nor of another one in its place, and what
    /// is coming onto one that was blank is not overwritten.
    fn maybe_give_up(&mut self, io: &dyn Submit, is_blank: &dyn Fn(usize) -> bool) {
        let disk = self.wish.disk;
        let failure = if io.facts(disk).is_none() {
            Failure::Io(IoError::Disk(DiskError::Gone))
        } else if self.may_write && !is_blank(disk) {
            Failure::NotBlank
        } else {
            return;
        };
        if !self.is_over() {
            self.failure.get_or_insert(failure);
        }
    }

    fn is_time_up(&self, now: Instant) -> bool {
        let started_at = self.load.started_at.unwrap_or(now);
        now.since(started_at) >= Duration::from_secs(self.wish.seconds)
    }

    fn maybe_end_task(&mut self, now: Instant) {
        let (Some(task), Some(started_at)) = (self.current(), self.load.started_at) else {
            return;
        };
        if self.load.in_flight > 0 || !self.is_time_up(now) {
            return;
        }
        let figures = Figures {
            task,
            done: self.load.done,
            elapsed: now.since(started_at),
            p50: self.load.taken.per_mille(500),
            p99: self.load.taken.per_mille(990),
        };
        // There is a place for each task.
        let _ = self.figures.push(figures);
        self.task += 1;
        self.load = Load::new();
        self.skip();
    }

    fn wants_more(&self, now: Instant, task: Task) -> bool {
        self.load.in_flight < task.depth && !self.is_time_up(now)
    }

    /// Asks for the next one; gives the buffer back if it is not needed.
    fn ask(
        &mut self,
        now: Instant,
        task: Task,
        buffer: Buffer,
        io: &mut dyn Submit,
    ) -> Result<(), Option<Buffer>> {
        let load = &mut self.load;
        load.started_at.get_or_insert(now);
        let free = load.since.iter().position(|since| *since == Instant::ZERO);
        let Some(number) = free else {
            return Err(Some(buffer));
        };
        let places = self.span_sectors / task.sectors();
        let sector = match task.is_random {
            true => load.prng.below(places) * task.sectors(),
            false => load.next_sector,
        };
        load.next_sector = (sector + task.sectors()) % (places * task.sectors());
        let request = IoRequest {
            disk: self.wish.disk,
            tag: tag(number),
            operation: task.operation,
            sector: EDGE_SECTORS + sector,
            sectors: task.sectors(),
            data: Some(buffer),
            priority: Priority::USUAL,
            deadline: None,
            tenant: Tenant::KERNEL,
        };
        io.submit(now, request).map_err(|(error, request)| {
            self.failure = Some(Failure::Io(error));
            request.data
        })?;
        self.load.since[number] = now;
        self.load.in_flight += 1;
        Ok(())
    }

    /// The second half of a write that is to last.
    fn maybe_flush(&mut self, now: Instant, io: &mut dyn Submit) {
        // A place in a full queue is waited for; a disk that has gone has none.
        let disk = self.wish.disk;
        let may_ask = io.space(disk) > 0 || io.facts(disk).is_none();
        let Some(number) = self.load.flush_due.take_if(|_| may_ask) else {
            return;
        };
        let request = IoRequest {
            disk,
            tag: tag(number),
            operation: DiskOperation::Flush,
            sector: 0,
            sectors: 0,
            data: None,
            priority: Priority::USUAL,
            deadline: None,
            tenant: Tenant::KERNEL,
        };
        if let Err((error, _)) = io.submit(now, request) {
            self.failure.get_or_insert(Failure::Io(error));
            self.load.in_flight -= 1;
        }
    }

    fn on_done(
        &mut self,
        now: Instant,
        number: usize,
        operation: DiskOperation,
        result: Result<(), IoError>,
    ) {
        let is_synced = self.current().is_some_and(|task| task.is_synced);
        if let Err(error) = result {
            self.failure.get_or_insert(Failure::Io(error));
        } else if is_synced && operation == DiskOperation::Write {
            self.load.flush_due = Some(number);
            return;
        }
        let load = &mut self.load;
        load.in_flight -= 1;
        load.done += 1;
        let since = load.since.get_mut(number);
        let since = since.map(|since| core::mem::replace(since, Instant::ZERO));
        load.taken.add(now.since(since.unwrap_or(now)));
    }
}

impl Load {
    fn new() -> Self {
        Self {
            started_at: None,
            in_flight: 0,
            next_sector: 0,
            // The same places each time, so that runs can be compared.
            prng: Prng::new(1),
            done: 0,
            since: [Instant::ZERO; MEASURE_DEPTH_MAX],
            taken: Histogram::default(),
            flush_due: None,
        }
    }
}

const fn tag(number: usize) -> IoTag {
    IoTag {
        owner: Owner::Bench,
        number: number as u64,
    }
}

impl Performer for Measure {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let is_it = |run: &mut Box<Run>| run.by == Some(id) && run.is_over();
        let Some(run) = self.run.take_if(is_it) else {
            return false;
        };
        run.report(report);
        true
    }

    fn forget(&mut self, id: OperationId) {
        if let Some(run) = self.run.as_mut().filter(|run| run.by == Some(id)) {
            run.by = None;
            run.task = TASKS.len();
        }
        self.maybe_drop();
    }
}

impl Run {
    fn report(&self, report: &mut Report) {
        if let Some(error) = self.failure {
            report.fail(format_args!("{}: {error}", self.name));
            return;
        }
        let written = match self.may_write {
            true => "yes",
            false => "no, for it is read-only or not known to be blank",
        };
        report
            .fields("")
            .text("disk", self.name)
            .count("span_bytes", self.span_sectors * SECTOR_BYTES as u64)
            .text("written", written);
        let columns = &[
            "load",
            "depth",
            "requests_per_s",
            "bytes_per_s",
            "p50_us",
            "p99_us",
        ];
        let mut table = report.table("loads", columns);
        for figures in &self.figures {
            let nanos = figures.elapsed.as_nanos().max(1);
            let per_s = |count: u64| {
                let per_s = u128::from(count) * 1_000_000_000 / u128::from(nanos);
                u64::try_from(per_s).unwrap_or(u64::MAX)
            };
            let micros = |taken: Option<Duration>| {
                taken.map_or(Value::Unknown, |taken| taken.as_micros().into())
            };
            table.row(&[
                figures.task.name.into(),
                (figures.task.depth as u64).into(),
                per_s(figures.done).into(),
                per_s(figures.done * figures.task.bytes as u64).into(),
                micros(figures.p50),
                micros(figures.p99),
            ]);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NotBlank => f.write_str(
                "it was written to meanwhile, and is measured no further; measure it again",
            ),
        }
    }
}
