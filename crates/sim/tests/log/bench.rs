//! A log behind the block layer on one simulated disk, and the model that watches it.

use crate::model::Model;
use rayos_kernel::base::buffer::Buffer;
use rayos_kernel::base::disk::{Disk, Disks, SECTOR_BYTES};
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::storage::io::{Memory, Queues};
use rayos_kernel::storage::log::{Log, LogError, LogId, LogSetup, LogStateView, Lsn, ReadEnd};
use rayos_kernel::storage::region::Region;
use rayos_sim::{DiskModel, DiskSettings, SimDisk};

/// Sectors of the region, and of the longest batch.
pub const REGION: u64 = 16 + 90;
const BATCH: usize = 6;
const FIRST: u64 = 5;

pub struct OneDisk(pub SimDisk);

impl Disks for OneDisk {
    fn disk(&mut self, index: usize) -> Option<&mut dyn Disk> {
        (index == 0).then_some(&mut self.0)
    }
}

struct HostMemory;

impl Memory for HostMemory {
    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer> {
        Some(Buffer::new(vec![0xa5; bytes].leak(), 0))
    }
}

pub struct Bench {
    pub disk: OneDisk,
    queues: Queues,
    pub log: Log,
    pub now: Instant,
    pub model: Model,
    pub recovered: Vec<(u64, Vec<u8>)>,
    reading: Option<Reading>,
    /// Reads that gave all that they were to give.
    pub reads: u64,
    /// The disk may lose or change what it was given.
    pub is_lying: bool,
    /// What was recovered was judged, and the model follows the log since.
    is_judged: bool,
}

/// A read on its way, while everything else goes on.
struct Reading {
    from: u64,
    through: u64,
    /// What was safe when it began.
    safe: u64,
    got: Vec<(u64, Vec<u8>)>,
    /// The log was truncated meanwhile, or its oldest records were given up.
    is_cut: bool,
    is_checkpointed: bool,
}

pub fn setup() -> LogSetup {
    LogSetup {
        id: LogId::RAFT,
        region: Region {
            disk: 0,
            first: FIRST,
            sectors: REGION,
        },
        batch_bytes: BATCH * SECTOR_BYTES,
    }
}

/// A disk whose answers overtake each other.
pub fn settings(is_torn: bool) -> DiskSettings {
    DiskSettings {
        sectors: FIRST + REGION,
        model: DiskModel::Fixed(Duration::from_micros(100)),
        jitter: Duration::from_micros(300),
        is_torn,
        ..DiskSettings::default()
    }
}

impl Bench {
    /// A fresh log on that disk.
    pub fn fresh(mut disk: SimDisk) -> Self {
        Log::format(&setup(), 0xfeed, &mut |sector, bytes| {
            disk.tamper(sector, |old| old.copy_from_slice(bytes));
        })
        .expect("the region is large enough");
        let mut bench = Self::on(disk, Model::new());
        bench.recover().expect("a fresh log is a log");
        bench
    }

    /// The log on that disk, which has not begun to recover.
    pub fn on(disk: SimDisk, model: Model) -> Self {
        let mut disk = OneDisk(disk);
        let mut queues = Queues::default();
        let now = Instant::from_nanos(1);
        queues.receive(now, &mut disk);
        queues.send(now, &mut disk);
        Self {
            disk,
            queues,
            log: Log::open(&setup(), &mut HostMemory).expect("there is memory"),
            now,
            model,
            recovered: Vec::new(),
            reading: None,
            reads: 0,
            is_lying: false,
            is_judged: false,
        }
    }

    /// Recovers, and asks the model whether that is right.
    pub fn recover(&mut self) -> Result<(), String> {
        let recovers = |log: &Log| log.view().state == LogStateView::Recovering;
        while recovers(&self.log) {
            if !self.step() && recovers(&self.log) {
                return Err("recovery waits for ever".to_string());
            }
        }
        self.judge()
    }

    /// Asks the model, once recovery has ended.
    pub fn judge(&mut self) -> Result<(), String> {
        if self.is_judged {
            return Ok(());
        }
        if let Some(objection) = self.model.objection(&self.recovered) {
            return Err(objection);
        }
        let view = self.log.view();
        if view.state != LogStateView::Open {
            return Err(format!("it is {:?}", view.state));
        }
        let first = self.recovered.first().map_or(view.next.0, |(lsn, _)| *lsn);
        self.model = Model::of_recovered(first, &self.recovered, view.first.0);
        self.is_judged = true;
        Ok(())
    }

    /// Goes to what happens next; false when nothing does, or the power is off.
    pub fn step(&mut self) -> bool {
        let now = self.now;
        self.disk.0.advance(now);
        self.queues.receive(now, &mut self.disk);
        while let Some(done) = self.queues.take_done() {
            self.log.on_done(now, done);
        }
        let recovered = &mut self.recovered;
        self.log.step(now, &mut self.queues, &mut |lsn, bytes| {
            recovered.push((lsn.0, bytes.to_vec()));
        });
        self.queues.send(now, &mut self.disk);
        self.read_on();
        self.watch();
        let deadlines = [
            self.disk.0.next_event(),
            self.log.next_deadline(),
            self.queues.next_deadline(now),
        ];
        let Some(next) = deadlines.into_iter().flatten().min() else {
            return false;
        };
        self.now = next.max(now + Duration::from_micros(1));
        !self.disk.0.is_off()
    }

    fn watch(&mut self) {
        if self.log.is_open() && self.is_judged {
            let through = self.log.durable().through().0;
            let is_cut = !self.log.is_truncating();
            self.model.on_durable(through, is_cut);
        }
    }

    /// Something that a user of the log does.
    pub fn act(&mut self, prng: &mut Prng) {
        if prng.one_in(8) {
            self.begin_read(prng);
        }
        match prng.below(40) {
            0 => {
                let keep = self.model.durable() + prng.below(2);
                let first = self.log.first_lsn().0;
                self.checkpoint(keep.max(first));
            }
            1 => {
                let next = self.log.next_lsn().0;
                let keep = (next - 1).saturating_sub(prng.below(6));
                if self.log.truncate(Lsn(keep)).is_ok() {
                    self.model.truncate(keep);
                    if let Some(reading) = &mut self.reading {
                        // What was not sent yet was not read either.
                        reading.is_cut = true;
                    }
                }
            }
            2 => self.log.seal(),
            _ => self.append(prng),
        }
        self.watch();
    }

    fn begin_read(&mut self, prng: &mut Prng) {
        let (first, next) = (self.log.first_lsn().0, self.log.next_lsn().0);
        let from = first + prng.below(next - first + 1);
        let through = from + prng.below(20);
        if self.reading.is_none() && self.log.read(Lsn(from), Lsn(through)).is_ok() {
            self.reading = Some(Reading {
                from,
                through,
                safe: self.log.durable().through().0,
                got: Vec::new(),
                is_cut: false,
                is_checkpointed: false,
            });
        }
    }

    /// Takes what was read, and looks whether it is what the log shows.
    fn read_on(&mut self) {
        let Some(mut reading) = self.reading.take() else {
            return;
        };
        let is_ready = self.log.is_read_ready();
        let end = self.log.take_read(&mut |lsn, record| {
            reading.got.push((lsn.0, record.to_vec()));
        });
        let Some(end) = end else {
            assert!(
                !is_ready || self.log.is_open(),
                "what is ready was not given"
            );
            self.reading = Some(reading);
            return;
        };
        match end {
            ReadEnd::Through(next) => {
                let (from, next) = (reading.from, next.0);
                assert_eq!(reading.got, self.model.records(from, next - 1));
                let least = reading.through.min(reading.safe) + 1;
                assert!(
                    reading.is_cut || next >= least.max(from),
                    "{next} of {least}"
                );
                assert!(next <= reading.through.max(from) + 1);
                self.reads += u64::from(!reading.got.is_empty());
            }
            ReadEnd::Cut => assert!(reading.is_cut, "nothing was truncated"),
            ReadEnd::Gone => assert!(reading.is_checkpointed, "nothing was given up"),
            ReadEnd::Damaged(damage) => assert!(self.is_lying, "{damage}"),
            ReadEnd::Failed(error) => assert!(!self.log.is_open(), "{error}"),
        }
    }

    fn checkpoint(&mut self, keep_from: u64) {
        if self.log.checkpoint(Lsn(keep_from)).is_ok() {
            self.model.checkpoint(keep_from);
            if let Some(reading) = &mut self.reading {
                reading.is_checkpointed = true;
            }
        }
    }

    fn append(&mut self, prng: &mut Prng) {
        let length = match prng.below(8) {
            0 => prng.below(self.log.record_bytes_max() as u64 + 1),
            _ => prng.below(200),
        };
        let mut record = vec![0; length as usize];
        prng.fill(&mut record);
        match self.log.append(&record) {
            Ok(lsn) => assert_eq!(lsn.0, self.model.append(record)),
            Err(LogError::Full) => {
                let next = self.log.next_lsn().0;
                self.checkpoint(next.saturating_sub(3).max(1));
            }
            Err(LogError::Busy) => {}
            // Disks that fail are the tests' own wish.
            Err(error) => assert!(!self.log.is_open(), "{error}"),
        }
    }
}
