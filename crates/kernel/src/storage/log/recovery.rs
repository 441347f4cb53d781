//! A log that is opened: superblocks, the chain, the rest of the area.
//!
//! Nothing is written before all of it was judged, and nothing at all to a damaged log.

use super::area::Place;
use super::header::Header;
use super::judgement::{Break, Evidence, Verdict, judge};
use super::machine::{Log, State};
use super::requests::{Ask, Job, Walker};
use super::rules::Rules;
use super::superblock::Superblock;
use super::walk::{Step, Stop, Walk};
use super::{LogError, Lsn};
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskOperation, SECTOR_BYTES};
use crate::base::time::Instant;
use crate::storage::io::{IoError, Submit};

pub struct Recovery {
    stage: Stage,
    found: [Option<Superblock>; 2],
    /// Why one could not be read.
    error: Option<IoError>,
    walk: Option<Walk>,
    scan: Scan,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The superblock of that slot is read next; behind the last one is chosen.
    Superblock {
        slot: usize,
        is_asked: bool,
    },
    Walking,
    /// Behind that break.
    Scanning(Break),
    /// The new epoch is being written, or nothing is as the log is damaged.
    Judged(Break),
}

/// What is behind the end of the chain.
#[derive(Clone, Copy, Default)]
struct Scan {
    /// Looked at up to here, and how much there is to look at.
    position: u64,
    left: u64,
    /// Batches below that number were safe, as those that were found say.
    proof: u64,
    later: u64,
    newest_epoch: u64,
}

impl Scan {
    fn look(&mut self, sector: &[u8], rules: &Rules, expected: u64) {
        let Some(header) = Header::parse(sector) else {
            return;
        };
        let sectors = rules.area.sectors;
        // A record may hold what looks like a batch; of this log and here it is one.
        let is_here = header.position % sectors == self.position % sectors;
        if header.identity != rules.identity || !is_here || rules.is_void(&header) {
            return;
        }
        self.newest_epoch = self.newest_epoch.max(header.epoch);
        if header.number > expected {
            self.later += 1;
            self.proof = self.proof.max(header.synced);
        }
    }
}

impl Recovery {
    pub const fn new() -> Self {
        Self {
            stage: Stage::Superblock {
                slot: 0,
                is_asked: false,
            },
            found: [None; 2],
            error: None,
            walk: None,
            scan: Scan {
                position: 0,
                left: 0,
                proof: 0,
                later: 0,
                newest_epoch: 0,
            },
        }
    }

    /// Could it go on without an answer of the disk?
    pub fn is_pending(&self) -> bool {
        let walk = self.walk.as_ref();
        match self.stage {
            Stage::Superblock { is_asked, .. } => !is_asked,
            Stage::Walking | Stage::Scanning(_) => {
                walk.is_some_and(|walk| walk.is_pending() || !walk.is_waiting())
            }
            Stage::Judged(_) => false,
        }
    }

    pub fn into_walk(self) -> Option<Walk> {
        self.walk
    }

    pub const fn walk_mut(&mut self) -> Option<&mut Walk> {
        self.walk.as_mut()
    }

    /// A superblock was read, or could not be.
    pub fn on_superblock(&mut self, slot: usize, bytes: Option<&[u8]>) {
        self.found[slot & 1] = bytes.and_then(Superblock::parse);
        self.stage = Stage::Superblock {
            slot: slot + 1,
            is_asked: false,
        };
    }

    /// The whole one with the greatest generation, and its slot.
    fn newest(&self) -> Option<(usize, Superblock)> {
        let slots = self.found.into_iter().enumerate();
        let found = slots.filter_map(|(slot, found)| Some((slot, found?)));
        found.max_by_key(|(_, superblock)| superblock.generation)
    }
}

impl Log {
    /// Goes on as far as what was read reaches; gives out old records.
    pub(super) fn step_recovery(
        &mut self,
        now: Instant,
        io: &mut dyn Submit,
        recovered: &mut dyn FnMut(Lsn, &[u8]),
    ) {
        // What the disk will not read is not asked for again.
        let broken = self
            .recovery
            .as_ref()
            .and_then(|recovery| recovery.walk.as_ref());
        if let Some(error) = broken.and_then(Walk::error) {
            self.fail(LogError::Disk(error));
            return;
        }
        let Some(mut recovery) = self.recovery.take() else {
            return;
        };
        let gone_on = match recovery.stage {
            Stage::Superblock { slot, is_asked } => match (slot, is_asked) {
                (2.., _) => self.choose(&mut recovery),
                (_, false) => self.read_superblock(now, &mut recovery, slot, io),
                _ => Ok(()),
            },
            Stage::Walking => self.walk_on(&mut recovery, recovered),
            Stage::Scanning(broken) => self.scan_on(&mut recovery, broken),
            Stage::Judged(_) => Ok(()),
        };
        if let Some(walk) = &mut recovery.walk {
            let rules = self.rules();
            let (requests, block) = (&mut self.requests, &mut self.block);
            walk.step(now, &rules, Walker::Recovery, requests, block, io);
        }
        let broken = recovery.walk.as_ref().and_then(Walk::error);
        self.recovery = Some(recovery);
        if let Some(error) = gone_on.err().or(broken.map(LogError::Disk)) {
            self.fail(error);
        }
    }

    fn read_superblock(
        &mut self,
        now: Instant,
        recovery: &mut Recovery,
        slot: usize,
        io: &mut dyn Submit,
    ) -> Result<(), LogError> {
        let Some(block) = self.block.take() else {
            return Ok(());
        };
        let job = Job {
            ask: Ask::Superblock(slot),
            operation: DiskOperation::Read,
            sector: self.area.superblock(slot),
            sectors: 1,
            data: Some(block),
        };
        match self.requests.submit(now, io, job) {
            Ok(()) => {
                let is_asked = true;
                recovery.stage = Stage::Superblock { slot, is_asked };
            }
            Err(refused) => {
                self.block = refused.data;
                if let Some(error) = refused.error {
                    return Err(LogError::Disk(error));
                }
            }
        }
        Ok(())
    }

    /// A superblock's answer. What cannot be read counts as destroyed, unless there is
    /// no disk any more.
    pub(super) fn on_superblock(
        &mut self,
        slot: usize,
        buffer: Option<Buffer>,
        result: Result<(), IoError>,
    ) {
        let is_gone = matches!(
            result,
            Err(IoError::NoDisk | IoError::Disk(DiskError::Gone | DiskError::OutOfRange { .. }))
        );
        let bytes = buffer.as_ref().filter(|_| result.is_ok());
        if let Some(recovery) = &mut self.recovery {
            recovery.on_superblock(slot, bytes.map(|buffer| &buffer.bytes()[..SECTOR_BYTES]));
            recovery.error = result.err().or(recovery.error);
        }
        self.block = buffer;
        if let Err(error) = result {
            self.counters.unreadable_sectors += 1;
            if is_gone || self.is_patient {
                self.fail(LogError::Disk(error));
            }
        }
    }

    fn choose(&mut self, recovery: &mut Recovery) -> Result<(), LogError> {
        let nothing = recovery
            .error
            .map_or(LogError::NotFormatted, LogError::Disk);
        let (slot, superblock) = recovery.newest().ok_or(nothing)?;
        if !superblock.fits(&self.area) {
            return Err(LogError::OtherSizes);
        }
        if !superblock.is_consistent(&self.area) {
            return Err(LogError::NotFormatted);
        }
        let bad = recovery.found.iter().filter(|found| found.is_none());
        self.counters.superblocks_bad += bad.count() as u64;
        self.superblock = superblock;
        self.confirmed = superblock;
        self.control.set_newest(slot);
        let buffers = self.buffers.pop().zip(self.buffers.pop());
        let (first, second) = buffers.ok_or(LogError::NoMemory)?;
        let rules = self.rules();
        let walk = Walk::new(superblock.head, Stop::Never, &rules, [first, second]);
        recovery.walk = Some(walk);
        recovery.stage = Stage::Walking;
        Ok(())
    }

    fn walk_on(
        &mut self,
        recovery: &mut Recovery,
        recovered: &mut dyn FnMut(Lsn, &[u8]),
    ) -> Result<(), LogError> {
        let rules = self.rules();
        let Some(walk) = recovery.walk.as_mut().filter(|walk| !walk.is_waiting()) else {
            return Ok(());
        };
        let (index, counters) = (&mut self.index, &mut self.counters);
        let keep_from = self.superblock.keep_from;
        let step = walk.advance(
            &rules,
            &mut |place| index.push(place),
            &mut |lsn, record| {
                if lsn.0 >= keep_from {
                    counters.records_recovered += 1;
                    recovered(lsn, record);
                }
            },
        );
        if let Step::Broken(broken) = step {
            // No batch is written farther from what a superblock says is safe.
            let end = self.superblock.synced_position + self.area.reach_sectors();
            let end = end.min(self.superblock.head.position + self.area.sectors);
            let left = end.saturating_sub(broken.at.position);
            recovery.scan.position = broken.at.position;
            recovery.scan.left = left.min(self.area.sectors);
            recovery.stage = Stage::Scanning(broken);
            self.want_scan(recovery);
        }
        Ok(())
    }

    fn want_scan(&self, recovery: &mut Recovery) {
        let scan = recovery.scan;
        if let Some(walk) = recovery.walk.as_mut().filter(|_| scan.left > 0) {
            let fetch = walk.newest_mut();
            fetch.want(&self.area, scan.position, scan.left);
        }
    }

    fn scan_on(&mut self, recovery: &mut Recovery, broken: Break) -> Result<(), LogError> {
        let rules = self.rules();
        let Some(walk) = recovery.walk.as_mut().filter(|walk| !walk.is_waiting()) else {
            return Ok(());
        };
        let scan = &mut recovery.scan;
        if let Some(bytes) = walk.newest_mut().bytes_at(scan.position) {
            for sector in bytes.chunks_exact(SECTOR_BYTES).take(scan.left as usize) {
                scan.look(sector, &rules, broken.at.number);
                scan.position += 1;
                scan.left -= 1;
            }
        }
        match scan.left {
            0 => self.judge(recovery, broken),
            _ => self.want_scan(recovery),
        }
        Ok(())
    }

    fn judge(&mut self, recovery: &mut Recovery, broken: Break) {
        if let Some(walk) = recovery.walk.take() {
            self.take_back(walk);
        }
        let (scan, number) = (recovery.scan, broken.at.number);
        let superblock = &self.superblock;
        let proven = self
            .proven
            .filter(|(identity, _)| *identity == superblock.identity);
        let proven = proven.map_or(0, |(_, number)| number);
        let known = [
            superblock.fork.number,
            superblock.synced,
            scan.proof,
            proven,
        ];
        let evidence = Evidence {
            part: broken.part,
            is_proven: known.into_iter().any(|proven| number < proven),
            has_later: scan.later > 0,
            has_newer_epoch: scan.newest_epoch > superblock.epoch,
        };
        recovery.stage = Stage::Judged(broken);
        match judge(&evidence) {
            Verdict::Damaged(part) => {
                let damage = broken.damage(&self.area, part, scan.later);
                self.state = State::Damaged(damage);
                return;
            }
            Verdict::Dropped => {
                self.counters.batches_dropped += scan.later;
                self.counters.batches_dropped += u64::from(broken.records.is_some());
                self.counters.records_dropped += u64::from(broken.records.unwrap_or(0));
            }
            Verdict::End => {}
        }
        self.begin_epoch(broken.at, superblock.epoch);
    }

    /// Gives up what a damaged log has lost, and all behind it: appends go on there.
    pub fn accept_loss(&mut self) -> Result<(), LogError> {
        let stage = self.recovery.as_ref().map(|recovery| recovery.stage);
        let (State::Damaged(_), Some(Stage::Judged(broken))) = (&self.state, stage) else {
            return Err(LogError::NotDamaged);
        };
        let newest = self
            .recovery
            .as_ref()
            .map_or(0, |recovery| recovery.scan.newest_epoch);
        self.counters.losses_accepted += 1;
        self.proven = None;
        self.state = State::Recovering;
        self.begin_epoch(broken.at, self.superblock.epoch.max(newest));
        Ok(())
    }

    /// All that is found behind `fork` from now on and is of an older epoch is void.
    fn begin_epoch(&mut self, fork: Place, epoch: u64) {
        self.next = fork;
        self.synced = fork;
        self.superblock.epoch = epoch + 1;
        self.superblock.fork = fork;
        self.superblock.set_synced(fork);
        // What was given up may have been lost before; its numbers are given out again.
        self.superblock.keep_from = self.superblock.keep_from.min(fork.lsn);
        // What was read may be in the disk's cache only: a flush goes first.
        self.control.begin(self.superblock, false);
    }

    /// Both superblocks have the new epoch.
    pub(super) fn become_open(&mut self) {
        self.recovery = None;
        self.state = State::Open;
    }
}
