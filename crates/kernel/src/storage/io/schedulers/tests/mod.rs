//! What every scheduler promises, and what its tests have in common.

mod all;
mod shares;

use super::{DiskNow, Finished, IoKind, Scheduler, SlotIndex, Waiting};
use crate::base::disk::DiskOperation;
use crate::base::prng::Prng;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::storage::io::Priority;

/// An idle disk of 512 MiB.
pub const DISK: DiskNow = DiskNow {
    head: 0,
    sectors: 1 << 20,
    in_flight: 0,
    depth: 1,
    at_disk: [0; 3],
};

pub fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

pub fn read(slot: u16, sector: u64) -> Waiting {
    Waiting {
        slot: SlotIndex(slot),
        operation: DiskOperation::Read,
        sector,
        sectors: 8,
        priority: Priority::USUAL,
        tenant: Tenant::KERNEL,
        arrived: Instant::ZERO,
        deadline: None,
    }
}

pub fn write(slot: u16, sector: u64) -> Waiting {
    Waiting {
        operation: DiskOperation::Write,
        ..read(slot, sector)
    }
}

/// What a tenant asks for again and again.
pub fn reader(tenant: u16, priority: Priority, sectors: u64) -> Waiting {
    let tenant = Tenant::new(usize::from(tenant)).expect("there is such a tenant");
    Waiting {
        tenant,
        priority,
        sectors,
        ..read(0, 0)
    }
}

pub fn done(of: &Waiting) -> Finished {
    Finished {
        operation: of.operation,
        sectors: of.sectors,
        priority: of.priority,
        tenant: of.tenant,
        waited: Duration::ZERO,
        served: Duration::ZERO,
    }
}

/// The disk has one more of these.
pub fn sent(disk: &mut DiskNow, picked: &Waiting) {
    disk.in_flight += 1;
    disk.at_disk[IoKind::of(picked.operation) as usize] += 1;
}

/// The sectors of all that wait, in the order in which they go.
pub fn order(scheduler: &mut dyn Scheduler, disk: DiskNow) -> Vec<u64> {
    core::iter::from_fn(|| Some(scheduler.next(at(20), disk)?.sector)).collect()
}

/// Askers each of whom has 16 requests at random places, always; how many sectors each
/// got, and how much of the disk's time.
pub fn served(
    scheduler: &mut dyn Scheduler,
    readers: &[Waiting],
    takes: impl Fn(usize) -> Duration,
    requests: usize,
) -> (Vec<u64>, Vec<Duration>) {
    let mut prng = Prng::new(21);
    let mut now = Instant::ZERO;
    let mut sectors = vec![0; readers.len()];
    let mut times = vec![Duration::ZERO; readers.len()];
    for slot in 0..readers.len() * 16 {
        let waiting = again(&readers[slot / 16], slot as u16, now, &mut prng);
        scheduler.add(now, waiting);
    }
    for _ in 0..requests {
        let picked = scheduler.next(now, DISK).expect("all of them wait");
        let asker = usize::from(picked.slot.0) / 16;
        let took = takes(asker);
        now = now + took;
        sectors[asker] += picked.sectors;
        times[asker] = Duration::from_nanos(times[asker].as_nanos() + took.as_nanos());
        scheduler.on_done(now, &done(&picked));
        let waiting = again(&readers[asker], picked.slot.0, now, &mut prng);
        scheduler.add(now, waiting);
    }
    (sectors, times)
}

fn again(reader: &Waiting, slot: u16, arrived: Instant, prng: &mut Prng) -> Waiting {
    Waiting {
        slot: SlotIndex(slot),
        sector: prng.below(DISK.sectors),
        arrived,
        ..*reader
    }
}
