//! Disks are looked at, laid out, and left alone.

use super::gpt::FRONT_SECTORS;
use super::*;
use crate::base::disk::{DiskError, DiskOperation, SECTOR_BYTES};
use crate::base::operation::{OperationId, Operations, Performer};
use crate::base::report::Report;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::storage::home::drafts;
use crate::storage::io::{IoDone, IoError, IoRequest, IoTag, Owner, Priority, Submit};
use crate::storage::rig::Rig;
use std::string::String;
use std::vec;

const SECTORS: u64 = 65_536;

struct World {
    rig: Rig,
    layouts: Layouts,
    operations: Operations,
}

impl World {
    fn new() -> Self {
        let mut rig = Rig::new(&[SECTORS]);
        let layouts = Layouts::new(7, drafts, &mut rig);
        Self {
            rig,
            layouts,
            operations: Operations::default(),
        }
    }

    /// Until nothing happens any more.
    fn settle(&mut self) {
        for _ in 0..1000 {
            self.layouts.step(Instant::ZERO, &mut self.rig);
            let Some(done) = self.rig.answer() else {
                return;
            };
            self.layouts.on_done(Instant::ZERO, done, &mut self.rig);
        }
        panic!("it never ends");
    }

    fn open(&mut self, code: Option<u32>) -> Result<OperationId, &'static str> {
        let limit = Duration::from_secs(1);
        let id = self.operations.open(Instant::ZERO, limit).unwrap();
        let wish = Wish::Format { disk: 0, code };
        self.layouts.start(id, wish, &self.rig)?;
        Ok(id)
    }

    /// How many blocks the answer has, or why it was refused.
    fn format(&mut self, code: Option<u32>) -> Result<usize, String> {
        let id = self.open(code)?;
        self.settle();
        self.answer(id)
    }

    fn answer(&mut self, id: OperationId) -> Result<usize, String> {
        let mut report = Report::new();
        assert!(self.layouts.maybe_answer(id, &mut report));
        match report.error() {
            Some(error) => Err(error.into()),
            None => Ok(report.block_count()),
        }
    }

    /// Of what is on the disk now.
    fn code(&self) -> u32 {
        let disk = &self.rig.disks[0];
        let back = disk.len() - gpt::BACK_SECTORS as usize * SECTOR_BYTES;
        let front = &disk[..FRONT_SECTORS as usize * SECTOR_BYTES];
        let edges = content::Edges {
            disk: 0,
            sectors: SECTORS,
            bytes: &[front, &disk[back..]].concat(),
            has_more: false,
        };
        edges.code()
    }

    fn has_written(&self) -> bool {
        let mut done = self.rig.done.iter();
        done.any(|(operation, _, _)| *operation == DiskOperation::Write)
    }
}

#[test]
fn a_blank_disk_is_shown_what_becomes_of_it_and_laid_out_with_the_code() {
    let mut world = World::new();
    world.settle();
    assert_eq!(world.layouts.state(0), DiskState::Known(Content::Blank));
    assert_eq!(world.format(None), Ok(3));
    assert!(!world.has_written());
    let code = world.code();
    let error = world.format(Some(code ^ 1)).unwrap_err();
    assert!(error.contains("this code is not for"), "{error}");
    assert!(!world.has_written());
    assert_eq!(world.format(Some(code)), Ok(2));
    let layout = Layout::plan(0, SECTORS).unwrap();
    let damage = None;
    let ours = DiskState::Known(Content::Ours { layout, damage });
    assert_eq!(world.layouts.state(0), ours);
    // The code is used up: what is on the disk is another thing now.
    assert!(world.format(Some(code)).is_err());
}

#[test]
fn a_disk_of_another_system_is_never_written_to() {
    let marks: [(usize, &[u8]); 5] = [
        (510, &[0x55, 0xaa]),
        (512, b"EFI PART"),
        (9000, b"x"),
        // ISO 9660, and Btrfs.
        (0x8001, b"CD001"),
        (0x1_0040, b"_BHRfS_M"),
    ];
    for (at, mark) in marks {
        let mut world = World::new();
        world.rig.disks[0][at..at + mark.len()].copy_from_slice(mark);
        let before = world.rig.disks[0].clone();
        world.settle();
        let code = world.code();
        for code in [None, Some(code)] {
            let error = world.format(code).unwrap_err();
            assert!(error.contains("disk zero"), "{error}");
        }
        assert!(!world.has_written() && world.rig.disks[0] == before);
    }
}

#[test]
fn a_disk_is_laid_out_only_when_nobody_else_is_at_work_on_it() {
    let mut world = World::new();
    let id = is_settling(&mut world);
    world.layouts.step(Instant::ZERO, &mut world.rig);
    assert_eq!(world.layouts.state(0), DiskState::Formatting);
    assert_eq!(world.rig.waiting.len(), 1);
    let _ = world.rig.answer();
    world.settle();
    assert_eq!(world.answer(id), Ok(2));
}

fn read_of_somebody() -> IoRequest {
    IoRequest {
        disk: 0,
        tag: IoTag {
            owner: Owner::Errand,
            number: 0,
        },
        operation: DiskOperation::Flush,
        sector: 0,
        sectors: 0,
        data: None,
        priority: Priority::USUAL,
        deadline: None,
        tenant: Tenant::KERNEL,
    }
}

#[test]
fn a_disk_that_fails_while_it_is_laid_out_is_said_to_be_unreadable() {
    let mut world = World::new();
    world.settle();
    let code = world.code();
    world.rig.bad_sectors.push(SECTORS - 1);
    let error = world.format(Some(code)).unwrap_err();
    assert!(error.contains("65535"), "{error}");
    assert_eq!(world.layouts.state(0).name(), "unreadable");
    assert!(!world.has_written());
}

/// Wherever the power goes, the disk is blank or whole, never half of each.
#[test]
fn a_power_cut_while_laying_out_leaves_a_disk_that_is_blank_or_whole() {
    let mut whole = 0;
    for cut in 0..40 {
        let mut world = World::new();
        world.settle();
        let code = world.code();
        world.open(Some(code)).unwrap();
        for _ in 0..cut {
            world.layouts.step(Instant::ZERO, &mut world.rig);
            let Some(done) = world.rig.answer() else {
                break;
            };
            world.layouts.on_done(Instant::ZERO, done, &mut world.rig);
        }
        let mut later = World::new();
        later.rig.disks = world.rig.disks;
        later.settle();
        let state = later.layouts.state(0);
        whole += usize::from(state.layout().is_some());
        let is_blank = state == DiskState::Known(Content::Blank);
        assert!(
            is_blank || state.layout().is_some(),
            "after {cut}: {state:?}"
        );
    }
    assert!(whole > 0);
}

/// A wish with the right code that waits until somebody's request has ended.
fn is_settling(world: &mut World) -> OperationId {
    world.settle();
    let code = world.code();
    let id = world.open(Some(code)).unwrap();
    for edge in ["front", "back"] {
        world.layouts.step(Instant::ZERO, &mut world.rig);
        let done = world.rig.answer().unwrap();
        if edge == "back" {
            world.rig.submit(Instant::ZERO, read_of_somebody()).unwrap();
        }
        world.layouts.on_done(Instant::ZERO, done, &mut world.rig);
    }
    assert_eq!(world.layouts.state(0), DiskState::Formatting);
    id
}

#[test]
fn a_disk_that_goes_before_it_is_laid_out_is_not_confused_with_the_next_one() {
    let mut world = World::new();
    let id = is_settling(&mut world);
    world.rig.waiting.clear();
    world.rig.disks.clear();
    world.settle();
    let error = world.answer(id).unwrap_err();
    assert!(error.contains("unplugged"), "{error}");
    world.settle();
    assert_eq!(world.layouts.state(0), DiskState::Absent);
    // Another one in its place is looked at, and that is all.
    world
        .rig
        .disks
        .push(vec![7; SECTORS as usize * SECTOR_BYTES]);
    world.settle();
    assert_eq!(world.layouts.state(0).name(), "foreign");
    assert!(!world.has_written());
}

#[test]
fn a_code_is_of_no_use_once_the_disk_was_written_to() {
    let mut world = World::new();
    let id = is_settling(&mut world);
    world.rig.waiting.clear();
    world.rig.disks[0][600] = 1;
    world.layouts.look_again(0);
    world.settle();
    assert!(world.answer(id).is_err());
    assert!(!world.has_written());
    assert_eq!(world.layouts.state(0).name(), "foreign");
}

#[test]
fn what_is_written_while_a_disk_is_looked_at_is_seen() {
    let mut world = World::new();
    world.layouts.step(Instant::ZERO, &mut world.rig);
    let front = world.rig.answer().unwrap();
    world.layouts.on_done(Instant::ZERO, front, &mut world.rig);
    world.rig.disks[0][600] = 1;
    world.layouts.look_again(0);
    world.settle();
    assert_eq!(world.layouts.state(0).name(), "foreign");
}

#[test]
fn a_disk_of_large_blocks_is_unfit_and_not_looked_at_for_ever() {
    let mut world = World::new();
    let error = DiskError::OutOfRange { sector: 0 };
    world.layouts.step(Instant::ZERO, &mut world.rig);
    let done = world.rig.answer().unwrap();
    let result = Err(IoError::Disk(error));
    let refused = IoDone { result, ..done };
    world
        .layouts
        .on_done(Instant::ZERO, refused, &mut world.rig);
    assert_eq!(world.layouts.state(0).name(), "unfit");
    assert_eq!(world.layouts.next_deadline(), None);
}

#[test]
fn who_goes_away_before_anything_was_written_has_nothing_laid_out() {
    let mut world = World::new();
    world.settle();
    // While an edge is read, and while others are waited for.
    let code = world.code();
    let id = world.open(Some(code)).unwrap();
    world.layouts.step(Instant::ZERO, &mut world.rig);
    world.layouts.forget(id);
    world.settle();
    let id = is_settling(&mut world);
    world.layouts.forget(id);
    world.settle();
    assert!(!world.has_written());
    assert_eq!(world.layouts.state(0), DiskState::Known(Content::Blank));
    // Later it is laid out to the end.
    let id = world.open(Some(code)).unwrap();
    for _ in 0..4 {
        world.layouts.step(Instant::ZERO, &mut world.rig);
        let done = world.rig.answer().unwrap();
        world.layouts.on_done(Instant::ZERO, done, &mut world.rig);
    }
    world.layouts.forget(id);
    world.settle();
    assert!(world.layouts.state(0).layout().is_some());
}
