//! A hard disk of 7200 turns a minute: an arm that seeks, a platter.
//!
//! Times are those of an ordinary SATA disk: 9 ms for an average seek, 4.2 ms for half a
//! turn, 147 MB/s along a track. Tracks are equally long. Behind a read it reads on for a
//! track, so that who asks for the next piece a moment later does not wait for a turn;
//! writes have no cache, so that they take what the mechanics take.

use super::Access;
use crate::base::disk::DiskOperation;
use crate::base::time::{Duration, Instant};

/// One turn.
const TURN_NANOS: u64 = 60_000_000_000 / 7_200;
/// Sectors of a track: 1.2 MiB.
const TRACK_SECTORS: u64 = 2_400;
/// To any other track, until the head is quiet.
const SETTLE: Duration = Duration::from_micros(500);
/// Beside that: so much for the root of the tracks on the way, so that the whole of 128
/// GiB takes 16 ms, and no way takes longer. A small disk has short ways.
const WAY_NANOS: u64 = 47_841;
const WAY_NANOS_MOST: u64 = 16_000_000;
/// By how much a track begins later than the one before, so that the head has settled
/// when its first sector comes by.
const SKEW_SECTORS: u64 = ((SETTLE.as_nanos() + WAY_NANOS) * TRACK_SECTORS).div_ceil(TURN_NANOS);

/// What has been read on already is sent.
const FROM_BUFFER: Duration = Duration::from_micros(50);

#[derive(Clone, Default, Debug)]
pub struct HardDisk {
    /// The arm's.
    track: u64,
    free_at: Instant,
    /// Behind the last read, and when the platter had brought that much; it reads on from
    /// there until it is asked for something else.
    read_to: Option<(u64, Instant)>,
}

impl HardDisk {
    /// It takes one after the other, in the order in which they are given.
    pub const REQUESTS_MAX: usize = 1;

    /// Its arm is at the first track.
    pub const fn new() -> Self {
        Self {
            track: 0,
            free_at: Instant::ZERO,
            read_to: None,
        }
    }

    pub fn service(&mut self, now: Instant, access: &Access) -> Instant {
        let begin = now.max(self.free_at);
        self.free_at = match access.operation {
            DiskOperation::Read => self.read(begin, access),
            DiskOperation::Write => {
                self.read_to = None;
                self.transfer(begin, access)
            }
            // Nothing is kept in a cache, and nothing is moved.
            _ => begin + SETTLE,
        };
        self.free_at
    }

    fn read(&mut self, begin: Instant, access: &Access) -> Instant {
        let end = match self.read_to {
            Some((sector, at)) if sector == access.sector => {
                // What it has read on is a track at most.
                let full = Instant::from_nanos(begin.as_nanos().saturating_sub(TURN_NANOS));
                at.max(full) + turned(self.pass(access))
            }
            _ => self.transfer(begin, access),
        };
        let next = access.sector.saturating_add(access.sectors);
        self.read_to = Some((next, end));
        end.max(begin + FROM_BUFFER)
    }

    fn transfer(&mut self, begin: Instant, access: &Access) -> Instant {
        let track = access.sector / TRACK_SECTORS;
        let there = begin + self.seek(track);
        let under_head = there + until_under_head(there, access.sector);
        under_head + turned(self.pass(access))
    }

    /// Over all of it, from where it begins; says how many sectors go by.
    fn pass(&mut self, access: &Access) -> u64 {
        let last = access.sector.saturating_add(access.sectors.max(1)) - 1;
        self.track = last / TRACK_SECTORS;
        let crossed = self.track - access.sector / TRACK_SECTORS;
        // The skew is how far the platter turns while the head crosses.
        access.sectors.saturating_add(crossed * SKEW_SECTORS)
    }

    fn seek(&self, track: u64) -> Duration {
        let distance = track.abs_diff(self.track);
        if distance == 0 {
            return Duration::ZERO;
        }
        // The root of a square that is scaled up, so that short ways are told apart.
        let square = u128::from(WAY_NANOS) * u128::from(WAY_NANOS) * u128::from(distance);
        let way = (square.isqrt() as u64).min(WAY_NANOS_MOST);
        Duration::from_nanos(SETTLE.as_nanos() + way)
    }
}

/// Until the platter has brought the sector under the head.
fn until_under_head(now: Instant, sector: u64) -> Duration {
    let (track, in_track) = (sector / TRACK_SECTORS, sector % TRACK_SECTORS);
    let place = (in_track + track % TRACK_SECTORS * SKEW_SECTORS) % TRACK_SECTORS;
    let wanted = turned(place).as_nanos();
    let angle = now.as_nanos() % TURN_NANOS;
    Duration::from_nanos((wanted + TURN_NANOS - angle) % TURN_NANOS)
}

/// How long the platter turns for so many sectors.
const fn turned(sectors: u64) -> Duration {
    Duration::from_nanos((sectors as u128 * TURN_NANOS as u128 / TRACK_SECTORS as u128) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    const SECTORS: u64 = 1 << 28;

    fn read(sector: u64, sectors: u64) -> Access {
        Access {
            operation: DiskOperation::Read,
            sector,
            sectors,
        }
    }

    fn average(requests: u64, mut next: impl FnMut(&mut HardDisk, Instant) -> Instant) -> Duration {
        let mut disk = HardDisk::new();
        let mut now = Instant::ZERO;
        for _ in 0..requests {
            now = next(&mut disk, now);
        }
        Duration::from_nanos(now.as_nanos() / requests)
    }

    #[test]
    fn a_random_read_takes_an_average_seek_and_half_a_turn() {
        let mut prng = Prng::new(1);
        let took = average(5_000, |disk, now| {
            disk.service(now, &read(prng.below(SECTORS - 8), 8))
        });
        assert!((12_800..13_800).contains(&took.as_micros()), "{took}");
    }

    #[test]
    fn reading_on_costs_the_transfer_only_over_the_tracks_ends_too() {
        let mut sector = 0;
        let took = average(20_000, |disk, now| {
            sector += 128;
            disk.service(now, &read(sector - 128, 128))
        });
        // 64 KiB at 147 MB/s, and a settled head each 19th time.
        assert!((440..480).contains(&took.as_micros()), "{took}");
    }

    #[test]
    fn who_reads_on_a_moment_later_does_not_wait_for_a_turn() {
        let mut disk = HardDisk::new();
        let mut now = disk.service(Instant::ZERO, &read(0, 64));
        let begin = now;
        for piece in 1..200 {
            let asked = now + Duration::from_micros(100);
            now = disk.service(asked, &read(piece * 64, 64));
        }
        let took = now.since(begin).as_micros() / 199;
        assert!((220..260).contains(&took), "{took}");
        // After a pause there is a track in the buffer and no more.
        let late = now + Duration::from_secs(1);
        let all = disk.service(late, &read(200 * 64, 4_800));
        let took = all.since(late).as_nanos();
        assert!((TURN_NANOS..2 * TURN_NANOS).contains(&took), "{took}");
        // A write that comes a moment too late is not helped.
        let write = |sector| Access {
            operation: DiskOperation::Write,
            ..read(sector, 64)
        };
        let first = disk.service(all, &write(0));
        let second = disk.service(first + Duration::from_micros(100), &write(64));
        assert!(second.since(first).as_nanos() > TURN_NANOS / 2);
    }

    #[test]
    fn what_has_just_gone_by_comes_again_a_turn_later() {
        let mut disk = HardDisk::new();
        let first = disk.service(Instant::ZERO, &read(100, 8));
        let again = disk.service(first, &read(100, 8));
        assert_eq!(again.since(first).as_micros(), TURN_NANOS / 1_000);
    }

    #[test]
    fn a_far_seek_takes_longer_and_two_requests_do_not_overlap() {
        let disk = HardDisk::new();
        let seeks = [1, 10, 1_000, 100_000].map(|track| disk.seek(track).as_nanos());
        assert!(seeks.is_sorted() && seeks[0] > SETTLE.as_nanos());
        assert!(disk.seek(u64::MAX).as_nanos() <= WAY_NANOS_MOST + SETTLE.as_nanos());
        let mut disk = disk;
        let first = disk.service(Instant::ZERO, &read(5_000, 8));
        let second = disk.service(Instant::ZERO, &read(9_000_000, 8));
        assert!(second.since(first) > SETTLE);
        assert!(disk.service(Instant::ZERO, &read(u64::MAX, u64::MAX)) > second);
    }
}
