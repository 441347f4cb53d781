//! A log over a disk in memory, and what it has said of its records.

use crate::base::disk::SECTOR_BYTES;
use crate::base::time::{Duration, Instant};
use crate::storage::log::{Log, LogError, LogId, LogSetup, LogStateView, Lsn, ReadEnd};
use crate::storage::region::Region;
use crate::storage::rig::Rig;
use std::vec::Vec;

pub const FIRST: u64 = 7;
/// Sectors of the longest batch.
pub const BATCH: u64 = 4;

pub struct Bench {
    pub rig: Rig,
    pub log: Log,
    pub now: Instant,
    /// What came out of recovery.
    pub recovered: Vec<(u64, Vec<u8>)>,
}

pub fn setup(sectors: u64) -> LogSetup {
    LogSetup {
        id: LogId::RAFT,
        region: Region {
            disk: 0,
            first: FIRST,
            sectors,
        },
        batch_bytes: BATCH as usize * SECTOR_BYTES,
    }
}

impl Bench {
    /// A fresh log in a region of so many sectors; opened.
    pub fn new(sectors: u64) -> Self {
        let mut rig = Rig::new(&[FIRST + sectors + 3]);
        let disk = &mut rig.disks[0];
        Log::format(&setup(sectors), 0x1234_5678_9abc, &mut |sector, bytes| {
            disk[sector as usize * SECTOR_BYTES..][..SECTOR_BYTES].copy_from_slice(bytes);
        })
        .expect("the region is large enough");
        let mut bench = Self::on(rig, sectors);
        bench.settle();
        bench
    }

    /// Opens what is on the disk; not settled yet.
    pub fn on(mut rig: Rig, sectors: u64) -> Self {
        let log = Log::open(&setup(sectors), &mut rig).expect("there is memory");
        Self {
            rig,
            log,
            now: Instant::from_nanos(1),
            recovered: Vec::new(),
        }
    }

    /// Opens the same sectors anew, as after a restart; what was on its way is lost.
    pub fn reopened(self) -> Self {
        let sectors = self.log.view().region.sectors;
        let disks = self.rig.disks;
        let bad_sectors = self.rig.bad_sectors;
        let mut bench = Self::on(
            Rig {
                disks,
                bad_sectors,
                ..Rig::default()
            },
            sectors,
        );
        bench.settle();
        bench
    }

    pub fn step(&mut self) {
        self.now = self.now + Duration::from_micros(10);
        let recovered = &mut self.recovered;
        self.log.step(self.now, &mut self.rig, &mut |lsn, bytes| {
            recovered.push((lsn.0, bytes.to_vec()));
        });
    }

    /// Lets the disk do everything, and the log what follows; time stands nearly still.
    pub fn settle(&mut self) {
        for _ in 0..1_000_000 {
            self.step();
            if let Some(done) = self.rig.answer() {
                self.log.on_done(self.now, done);
            } else if self.log.next_deadline().is_none_or(|at| at > self.now) {
                return;
            }
        }
        panic!("the log never comes to rest: {:?}", self.log.view());
    }

    /// Lets so much time pass that a seal is written.
    pub fn rest(&mut self) {
        self.settle();
        self.now = self.now + Duration::from_millis(200);
        self.settle();
    }

    pub fn append(&mut self, record: &[u8]) -> u64 {
        for _ in 0..1000 {
            match self.log.append(record) {
                Ok(lsn) => return lsn.0,
                Err(LogError::Busy) => self.settle(),
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the log stays busy: {:?}", self.log.view());
    }

    /// Appends records one by one, each in a batch of its own.
    pub fn append_each(&mut self, count: u64) {
        for _ in 0..count {
            let next = self.log.next_lsn().0;
            self.append(&record(next));
            self.settle();
        }
    }

    pub fn read_all(&mut self, from: u64, through: u64) -> (Vec<(u64, Vec<u8>)>, ReadEnd) {
        let mut read = Vec::new();
        self.log.read(Lsn(from), Lsn(through)).expect("a read");
        for _ in 0..10_000 {
            let visit = &mut |lsn: Lsn, bytes: &[u8]| read.push((lsn.0, bytes.to_vec()));
            if let Some(end) = self.log.take_read(visit) {
                return (read, end);
            }
            self.settle();
        }
        panic!("a read has no end");
    }

    pub fn state(&self) -> LogStateView {
        self.log.view().state
    }

    /// The sector of the log's area, counted from its first.
    pub fn sector_mut(&mut self, sector: u64) -> &mut [u8] {
        let at = (FIRST + 16 + sector) as usize * SECTOR_BYTES;
        &mut self.rig.disks[0][at..at + SECTOR_BYTES]
    }
}

/// A record whose bytes tell its number.
pub fn record(number: u64) -> Vec<u8> {
    std::format!("record {number}").into_bytes()
}

/// Those of a range, as recovery gives them.
pub fn records(numbers: core::ops::RangeInclusive<u64>) -> Vec<(u64, Vec<u8>)> {
    numbers.map(|number| (number, record(number))).collect()
}
