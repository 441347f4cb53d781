//! Volumes with disks and a journal in memory, driven by a seed.

use super::super::*;
use super::audit::Everything;
use super::cuts::Cutter;
use super::disk::{Disks, Image};
use crate::base::buffer::Buffer;
use crate::base::prng::Prng;
use crate::limits::VOLUME_REQUEST_BLOCKS_MAX;
use crate::storage::io::{Memory, Priority};
use crate::storage::region::Region;
use std::vec::Vec;

/// Sectors in front of the pool, so that a forgotten offset is noticed.
pub const FIRST: u64 = 24;

/// Records in memory; some are not durable yet.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    /// With their numbers.
    pub records: Vec<(u64, Vec<u8>)>,
    pub durable: u64,
    pub next: u64,
    pub checkpoint_every: usize,
}

pub struct World {
    pub volumes: Box<Volumes>,
    pub disks: Disks,
    pub journal: MemoryJournal,
    pub prng: Prng,
    pub now: Instant,
    pub data: Vec<Buffer>,
    pub number: u64,
    /// What may be found after a power cut: any of these.
    pub possible: Vec<Everything>,
    pub cutter: Option<Cutter>,
}

impl MemoryJournal {
    pub fn cut(&mut self, prng: &mut Prng) {
        let unsure = self
            .records
            .iter()
            .filter(|(number, _)| *number > self.durable)
            .count();
        let lost = prng.below(unsure as u64 + 1) as usize;
        self.records.truncate(self.records.len() - lost);
        self.next = self
            .records
            .last()
            .map_or(self.durable, |(number, _)| *number);
        self.durable = self.next;
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, record: &[u8]) -> Result<Lsn, JournalError> {
        self.next += 1;
        self.records.push((self.next, record.to_vec()));
        Ok(Lsn(self.next))
    }

    fn is_durable(&self, lsn: Lsn) -> bool {
        lsn.0 <= self.durable
    }

    fn has_failed(&self) -> bool {
        false
    }

    fn wants_checkpoint(&self) -> bool {
        self.checkpoint_every > 0 && self.records.len() > self.checkpoint_every
    }

    fn checkpoint(&mut self, lsn: Lsn) {
        assert!(self.is_durable(lsn), "what is not durable is relied on");
        self.records.retain(|(number, _)| *number >= lsn.0);
    }
}

impl World {
    pub fn new(seed: u64, blocks: u64, members: usize) -> Self {
        let image = || Image::new(FIRST + blocks * BLOCK_SECTORS);
        let images = (0..members).map(|_| image()).collect();
        let mut world = Self::with(
            images,
            MemoryJournal::default(),
            Prng::new(seed),
            Vec::new(),
        );
        world.journal.checkpoint_every = 40;
        world.mount();
        world.settle();
        world
    }

    pub fn with(
        images: Vec<Image>,
        journal: MemoryJournal,
        prng: Prng,
        spare: Vec<Buffer>,
    ) -> Self {
        let mut disks = Disks::new(images);
        disks.spare = spare;
        Self {
            volumes: Box::new(Volumes::new()),
            disks,
            journal,
            prng,
            now: Instant::ZERO,
            data: Vec::new(),
            number: 0,
            possible: [Everything::default()].into(),
            cutter: None,
        }
    }

    pub fn now_possible(&self) -> &Everything {
        self.possible.last().expect("there is one")
    }

    pub fn may_become(&mut self, change: impl FnOnce(&mut Everything)) {
        let mut next = self.now_possible().clone();
        change(&mut next);
        self.possible.push(next);
    }

    /// The last thing did not come about after all.
    pub fn is_withdrawn(&mut self) {
        self.possible.pop();
    }

    /// All that was done up to now stays.
    pub fn possible_is_sure(&mut self) {
        self.possible.drain(..self.possible.len() - 1);
    }

    pub fn check(&self, found: &Everything) {
        assert!(
            self.possible.contains(found),
            "not one of {} possible states; the last one is {:?} and found was {found:?}",
            self.possible.len(),
            self.now_possible()
        );
    }

    pub fn places(&self) -> Places {
        let region = |disk| Region {
            disk,
            first: FIRST,
            sectors: (self.disks.images[0].bytes.len() / 512) as u64 - FIRST,
        };
        let mut places = Places::default();
        for (disk, _) in self.disks.images.iter().enumerate() {
            let journal = disk as u64 + 1;
            places[disk] = Some(Place {
                region: region(disk),
                journal,
            });
        }
        places
    }

    pub fn mount(&mut self) {
        for (_, record) in &self.journal.records {
            assert_eq!(self.volumes.replay(record), Ok(()));
        }
        let places = self.places();
        let result = self
            .volumes
            .mount(self.now, &places, 0xfeed, &mut self.disks);
        assert_eq!(result, Ok(()));
    }

    /// Tears everything down but what is on disks; gives the memory back.
    pub fn into_memory(mut self) -> Vec<Buffer> {
        let mut spare = core::mem::take(&mut self.disks.spare);
        let waiting = self.disks.waiting.drain(..);
        spare.extend(waiting.filter_map(|request| request.data));
        spare.append(&mut self.data);
        spare.extend(self.volumes.into_buffers());
        spare
    }

    pub fn step(&mut self) {
        self.volumes
            .step(self.now, &mut self.disks, &mut self.journal);
    }

    /// One thing happens outside: a disk answers, a record becomes durable, or time passes.
    pub fn happen(&mut self) -> bool {
        let waiting = self.disks.waiting.len() as u64;
        let has_records = self.journal.durable < self.journal.next;
        if has_records && (waiting == 0 || self.prng.one_in(3)) {
            self.journal.durable += 1;
        } else if waiting > 0 {
            // A flush lasts until what was asked for before it has ended.
            let at = self.prng.below(waiting) as usize;
            if let Some(done) = self.disks.carry_out(at) {
                self.volumes.on_done(done);
            }
        } else if let Some(at) = self.volumes.next_deadline() {
            self.now = self.now.max(at);
        } else {
            return false;
        }
        self.step();
        if let Some(mut cutter) = self.cutter.take() {
            cutter.cut(self);
            self.cutter = Some(cutter);
        }
        true
    }

    /// Until nothing happens any more.
    pub fn settle(&mut self) {
        self.step();
        for _ in 0..200_000 {
            if !self.happen() {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    pub fn buffer(&mut self) -> Buffer {
        let bytes = VOLUME_REQUEST_BLOCKS_MAX * BLOCK_BYTES;
        let spare = self.data.pop();
        spare.unwrap_or_else(|| self.disks.take_buffer(bytes).expect("the host has memory"))
    }

    pub fn ask(
        &mut self,
        volume: &str,
        operation: VolumeOperation,
        block: u64,
        blocks: u64,
        data: Option<Buffer>,
    ) -> Result<u64, VolumeError> {
        let volume = self.volumes.volume_named(volume)?;
        self.number += 1;
        let request = VolumeRequest {
            volume,
            asker: Asker::Kernel,
            number: self.number,
            operation,
            block,
            blocks,
            data,
            priority: Priority::USUAL,
        };
        match self.volumes.submit(request) {
            Ok(()) => Ok(self.number),
            Err((error, request)) => {
                self.data.extend(request.data);
                Err(error)
            }
        }
    }

    /// Runs until there is an answer.
    pub fn wait(&mut self) -> VolumeDone {
        self.step();
        for _ in 0..100_000 {
            if let Some(done) = self.volumes.next_done() {
                return done;
            }
            assert!(self.happen(), "nothing happens and there is no answer");
        }
        panic!("there is no answer");
    }

    pub fn write(
        &mut self,
        volume: &str,
        block: u64,
        tags: &[u64],
        is_synced: bool,
    ) -> Result<(), VolumeError> {
        let mut data = self.buffer();
        for (piece, tag) in tags.iter().enumerate() {
            fill(super::super::moving::block_mut(&mut data, piece), *tag);
        }
        let operation = VolumeOperation::Write { is_synced };
        self.ask(volume, operation, block, tags.len() as u64, Some(data))?;
        let done = self.wait();
        self.data.extend(done.request.data);
        done.result
    }

    /// What the blocks were filled with.
    pub fn read(&mut self, volume: &str, block: u64, blocks: u64) -> Result<Vec<u64>, VolumeError> {
        let mut data = self.buffer();
        data.bytes_mut().fill(0xee);
        self.ask(volume, VolumeOperation::Read, block, blocks, Some(data))?;
        let done = self.wait();
        let data = done.request.data.expect("it comes back");
        if let Err(error) = done.result {
            self.data.push(data);
            return Err(error);
        }
        let tags =
            (0..blocks as usize).map(|piece| tag_of(super::super::moving::block_of(&data, piece)));
        let tags = tags.collect();
        self.data.push(data);
        Ok(tags)
    }

    pub fn plain(
        &mut self,
        volume: &str,
        operation: VolumeOperation,
        block: u64,
        blocks: u64,
    ) -> Result<(), VolumeError> {
        let is_read = operation == VolumeOperation::Read;
        let data = is_read.then(|| self.buffer());
        self.ask(volume, operation, block, blocks, data)?;
        let done = self.wait();
        self.data.extend(done.request.data);
        done.result
    }

    pub fn flush(&mut self, volume: &str) -> Result<(), VolumeError> {
        self.plain(volume, VolumeOperation::Flush, 0, 0)
    }

    pub fn change(&mut self, change: Change) -> Result<(), VolumeError> {
        let id = self.volumes.change(change)?;
        self.step();
        for _ in 0..100_000 {
            if let Some(result) = self.volumes.maybe_changed(id) {
                return result;
            }
            assert!(self.happen(), "nothing happens and the change is not made");
        }
        panic!("the change is never made");
    }

    pub fn create(&mut self, name: &str, blocks: u64) -> Result<(), VolumeError> {
        self.change(Change::Create {
            name: Name::cut_from(name),
            kind: Kind::Block,
            bytes: blocks * BLOCK_BYTES as u64,
        })
    }

    /// The power goes and comes back.
    pub fn cut(mut self) -> Self {
        let mut prng = self.prng.clone();
        let images = self.disks.after_cut(&mut prng);
        let mut journal = self.journal.clone();
        journal.cut(&mut prng);
        let now = self.now;
        let possible = core::mem::take(&mut self.possible);
        let mut next = Self::with(images, journal, prng, self.into_memory());
        next.now = now;
        next.possible = possible;
        next.mount();
        next.settle();
        next
    }
}

/// A block that says which one it is from the first to the last byte; 0 is one of zeroes.
pub fn fill(bytes: &mut [u8], tag: u64) {
    for (at, word) in bytes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        *word = match tag {
            0 => [0; 8],
            tag => (tag.rotate_left(at as u32) ^ at as u64).to_le_bytes(),
        };
    }
}

pub fn tag_of(bytes: &[u8]) -> u64 {
    let tag = u64::from_le_bytes(*bytes.first_chunk().expect("it is a block"));
    let mut expected = [0; BLOCK_BYTES];
    fill(&mut expected, tag);
    assert!(bytes == expected, "a block is of two minds");
    tag
}
